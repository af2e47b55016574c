"""Levels that tell others, or rule them out, in so many rows that it is no chance."""

from itertools import product

import numpy as np

from ._columns import ABSENT, MAX_LEVELS
from ._numbers import MAX_UNSEEN, are_all_known, grid_step

MIN_REPEATS = 100  # rows that could have broken a dependency between levels and did not, ...
MIN_EVIDENCE = 20.0  # ... for which the odds were exp(-20) if the levels were independent
MANY_ROWS = 10_000  # that rule out most pairs of levels that never come together
PREVIEW = 1000  # rows that tell most pairs of columns without a relation
GOLDEN_RATIO = (1 + 5**0.5) / 2  # parts of the multiples of which are even, and no cycle


def some_rows(values, n=PREVIEW):
    """Of many rows n that lie evenly, in step with no period; the same ones of each table of as many rows."""
    if len(values) <= 2 * n:
        return values
    return values[(np.arange(n) * GOLDEN_RATIO % 1 * len(values)).astype(int)]


def together(a, b, n_levels):
    """In how many rows levels of two units occur together, (n_levels[0], n_levels[1])."""
    seen = (a != ABSENT) & (b != ABSENT)
    both = a[seen] * n_levels[1] + b[seen]
    return np.bincount(both, minlength=n_levels[0] * n_levels[1]).reshape(n_levels)


def with_all(allowed):
    """A mask of what goes together, with a last row that allows everything: for what is not there."""
    return np.concatenate([allowed, np.ones((1, allowed.shape[1]), dtype=bool)])


def dependency(a, b, n_levels):
    """Which levels of two units occur together, (n_levels[0] + 1, n_levels[1]), if one determines the other; or None.

    A last row allows everything. Rows that repeat a level could show that it determines nothing; enough of them must
    agree, and the more so the more often independent levels would. Half as many will do where both determine each
    other, as where cells are missing together.
    """
    for rows in (slice(PREVIEW), slice(None)):
        counts = together(a[rows], b[rows], n_levels)
        tells = [(counts > 0).sum(axis=axis).max() <= 1 for axis in (1, 0)]  # a tells b, and b tells a
        if not any(tells):
            return None
    least = MIN_REPEATS // 2 if all(tells) else MIN_REPEATS
    for table, is_told in zip((counts, counts.T), tells):
        occurring = table.sum(axis=1) > 0
        n_repeats = table.sum() - occurring.sum()
        if is_told and is_no_chance(n_repeats, table.sum(axis=0) / max(table.sum(), 1), least):
            return with_all(counts > 0)
    return None


def hidden_dependency(a, b, n_levels, gaps):
    """The `dependency` of rows without gaps, levels that mean a missing cell, ABSENT for none; or None.

    Gaps go with everything that they are not ruled out with by `never_together`; what came with gaps alone still does.
    """
    if max(gaps) == ABSENT:
        return None
    allowed = dependency(*(np.where(codes == gap, ABSENT, codes) for codes, gap in zip((a, b), gaps)), n_levels)
    return None if allowed is None else opened(allowed, gaps, together(a, b, n_levels))


def opened(allowed, gaps, counts):
    """A mask of what goes together with `gaps`, levels of both units, that go with everything but what is ruled out."""
    possible = with_all(~are_ruled_out(counts))
    for table, mask, gap in zip((allowed.T, allowed), (possible.T, possible), gaps):
        if gap != ABSENT:
            table[:, gap] = mask[:, gap]
    return allowed


def gap_dependency(a, b, n_levels, gaps):
    """The `dependency` of whether cells are missing: on levels of the other unit, or on its gaps; or None.

    Parameters
    ----------
    gaps : levels of both that mean a missing cell, ABSENT for none
    """
    found = None
    sides = [[(codes, np.arange(n))] for codes, n in zip((a, b), n_levels)]
    for side, codes, n, gap in zip(sides, (a, b), n_levels, gaps):
        if gap != ABSENT and n > 2:
            side.append((np.where(codes == ABSENT, ABSENT, codes == gap), (np.arange(n) == gap).astype(int)))
    for (own, groups), (other, other_groups) in list(product(*sides))[1:]:
        goes = dependency(own, other, (groups.max() + 1, other_groups.max() + 1))
        if goes is not None:
            goes = goes[np.append(groups, -1)][:, other_groups]
            found = goes if found is None else found & goes
    return found


def is_no_chance(n_repeats, shares, least=MIN_REPEATS):
    """Whether so many rows that could have broken a dependency on levels with these shares would have."""
    return n_repeats >= least and -n_repeats * np.log(max((shares**2).sum(), 1e-300)) >= MIN_EVIDENCE


def could_be_told(codes):
    """Whether levels differ so often that to tell them would be no chance, if every row said so."""
    counts = np.bincount(codes[codes != ABSENT])
    return len(counts) > 0 and is_no_chance(counts.sum(), counts / counts.sum())


def find_grouped(values, categorical):
    """Columns of numbers that a group tells in every row, and those of numbers that tell a group: a set of indices.

    A group is a category, or a number that is one of a finite set: the size of a firm, and the number of that firm. A
    number that rises or falls with the other, as its square does, is no group's. Missing cells tell nothing.

    Parameters
    ----------
    values : (n_samples, n_columns)
    categorical : mask of the columns that hold categories
    """
    codes, telling = {}, []
    for j, x in enumerate(values.T):
        if not categorical[j] and len(np.unique(some_rows(x))) > MAX_LEVELS:
            continue
        numbers, own, counts = np.unique(x, return_inverse=True, return_counts=True)
        is_finite = categorical[j] or (len(numbers) <= MAX_LEVELS and (counts == 1).sum() <= MAX_UNSEEN * len(x))
        if is_finite and 1 < len(numbers) <= len(x) - MIN_REPEATS:
            present = ~np.isnan(numbers)
            codes[j] = np.where(np.isnan(x), ABSENT, own.ravel())
            if categorical[j] or are_all_known(numbers[present], counts[present], grid_step(numbers[present])):
                telling.append(j)
    few, found = {j: some_rows(own) for j, own in codes.items()}, set()
    for i in telling:
        order = few[i].argsort(kind="stable")
        order = order[few[i][order] != ABSENT]
        for j in codes:
            if i == j or (categorical[i] and categorical[j]):
                continue
            both = order[few[j][order] != ABSENT]
            is_same, steps = np.diff(few[i][both]) == 0, np.diff(few[j][both])
            is_function = not (categorical[i] or categorical[j]) and ((steps >= 0).all() or (steps <= 0).all())
            if not (is_function or steps[is_same].any()) and are_told(codes[i], codes[j]):
                found |= {k for k in (i, j) if not categorical[k]}
    return found


def are_told(a, b):
    """Whether codes a determine codes b, (n,), beyond chance, where both are there."""
    both = (a != ABSENT) & (b != ABSENT)
    return first_codes(a[both], b[both], a.max() + 1) is not None


def first_codes(a, b, n):
    """The code of b for each of n codes of a, (n,), ABSENT for none, if a determines b beyond chance; or None."""
    for rows in (some_rows(np.arange(len(a))), slice(None)):
        first = np.full(n, ABSENT)
        first[a[rows]] = b[rows]
        if (first[a[rows]] != b[rows]).any():
            return None
    counts = np.bincount(b[b != ABSENT])
    return first if counts.any() and is_no_chance(len(b) - len(np.unique(a)), counts / len(b)) else None


def never_together(a, b, n_levels):
    """Which levels of two units occur together, (n_levels[0] + 1, n_levels[1]), if some never do by no chance; or None.

    These would be together in MIN_EVIDENCE rows if they were independent, for which the odds are exp(-MIN_EVIDENCE). A
    last row allows everything.
    """
    for rows in (some_rows(np.arange(len(a)), MANY_ROWS), slice(None)):
        never = are_ruled_out(together(a[rows], b[rows], n_levels))
        if not never.any():
            return None
    return with_all(~never)


def are_ruled_out(counts):
    """Mask of the pairs of levels that never came together, by no chance."""
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1)
    return (counts == 0) & (expected >= MIN_EVIDENCE)
