"""Levels that two others tell together, and neither alone: a price by the product and its size."""

from itertools import combinations, compress

import numpy as np

from ._columns import ABSENT
from ._dependencies import MIN_EVIDENCE, are_told, could_be_told, first_codes, some_rows, together

MAX_CELLS = 4_000_000  # of a table of what goes together
PREVIEWS = (200, 2000, 20_000)  # rows that tell most pairs that tell nothing


def find_told_by_two(codes, sources, targets):
    """By the index of a target, the two sources that tell it together, in every row and beyond chance, as neither does.

    Of several pairs it is the one with the fewest levels. No target tells a source of its own.

    Parameters
    ----------
    codes : dict from an index to levels, (n,), ABSENT where there is none
    sources, targets : indices
    """
    found, n_levels = {}, {j: levels.max(initial=0) + 1 for j, levels in codes.items()}
    targets = [k for k in targets if could_be_told(codes[k])]
    row_of = {j: i for i, j in enumerate(codes)}
    table = np.array([*codes.values()], dtype=np.int16)  # levels are few
    tables = [*(some_rows(table.T, size).T.copy() for size in PREVIEWS if size < table.shape[-1]), table]
    for a, b in sorted(combinations(sources, 2), key=lambda pair: n_levels[pair[0]] * n_levels[pair[1]]):
        tied = {a, b} | _origins(a, found) | _origins(b, found)
        most = MAX_CELLS / (n_levels[a] * n_levels[b])
        left = [k for k in targets if k not in found and k not in tied and n_levels[k] <= most]
        for few in tables:
            if left:
                is_left = _never_broken(few[row_of[a]], few[row_of[b]], few[[row_of[k] for k in left]])
                left = [*compress(left, is_left)]
        for k in left:
            own = codes[k]
            if _add_to_each_other(codes[a], codes[b], own) and not (are_told(own, codes[a]) or are_told(own, codes[b])):
                found[k] = a, b
    return found


def _origins(i, found):
    """What tells i, directly or not."""
    return {k for j in found.get(i, ()) for k in {j} | _origins(j, found)}


def _never_broken(a, b, targets):
    """Mask of the targets, (n_targets, n), that are the same in neighbours of those rows that have the same a and b."""
    both = np.flatnonzero((a != ABSENT) & (b != ABSENT))
    key = a[both].astype(int) * (int(b.max(initial=0)) + 1) + b[both]
    order = key.argsort(kind="stable")
    is_same = np.flatnonzero(np.diff(key[order]) == 0)
    rows = both[order]
    one, other = targets[:, rows[is_same]], targets[:, rows[is_same + 1]]
    return ~((one != other) & (one != ABSENT) & (other != ABSENT)).any(axis=1)


def _add_to_each_other(a, b, c):
    """Whether levels a and b tell c, and c would be another in some rows, by odds, if either of them told nothing."""
    there = (a != ABSENT) & (b != ABSENT) & (c != ABSENT)
    a, b, c = a[there], b[there], c[there]
    key = a * (b.max(initial=0) + 1) + b
    if not len(key) or first_codes(key, c, key.max() + 1) is None:
        return False
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    for own in (a, b):
        shares = together(own, c, (own.max() + 1, c.max() + 1))
        shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1)
        same = np.maximum((shares**2).sum(axis=1), 1e-300)[own[first]]
        if -((counts - 1) * np.log(same)).sum() < MIN_EVIDENCE:
            return False
    return True


def goes_together(a, b, c, n_levels, gaps):
    """Which levels of two sources and of what they tell go together, (n_a + 1, n_b + 1, n_c).

    All go with a pair that never came, with a missing source, and with the last of each source, which stands for one
    that is not there. A gap goes with all pairs, if one of them came with gaps and without; else with those that always
    had it.

    Parameters
    ----------
    a, b, c : levels, (n,)
    n_levels, gaps : of each, how many there are, and which means a missing cell, ABSENT if none does
    """
    n_a, n_b, n_c = n_levels
    there = (a != ABSENT) & (b != ABSENT) & (c != ABSENT) & (a != gaps[0]) & (b != gaps[1])
    goes = np.zeros((n_a, n_b, n_c), dtype=bool)
    goes[a[there], b[there], c[there]] = True
    if gaps[2] != ABSENT:
        others = np.arange(n_c) != gaps[2]
        if (goes[:, :, gaps[2]] & goes[:, :, others].any(axis=2)).any():
            goes[:, :, gaps[2]] = True
            goes[~goes[:, :, others].any(axis=2)] = True
    goes |= ~goes.any(axis=2, keepdims=True)
    return np.pad(goes, [(0, 1), (0, 1), (0, 0)], constant_values=True)
