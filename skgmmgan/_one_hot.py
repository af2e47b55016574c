"""Columns of which one is on in every row, or at most one: indicators of a category that the table does not have."""

from typing import NamedTuple

import numpy as np

from ._columns import MAX_LEVELS
from ._dependencies import MIN_EVIDENCE, some_rows
from ._numbers import grid_step
from ._relations import ComputedColumn

MIN_MEMBERS = 3  # two are told by one another
MIN_TO_JOIN = 7.0  # more rows than that, on average, would two unrelated columns have met in


class OneHot(NamedTuple):
    """Such columns, the number that each of them has where it is on, and whether none may be."""

    own: int  # index of the column that tells which member is on
    members: list
    on: np.ndarray
    may_be_none: bool

    def of(self, values):
        """Which member is on, or one more for none, (n,); NaN where cells leave it open, or break it."""
        is_on, n_on, is_none = self._counts(values)
        return np.where(
            n_on == 1, is_on.argmax(axis=1), np.where(is_none & self.may_be_none, len(self.members), np.nan)
        )

    def breaks(self, values):
        """Mask of the rows in which several members are on, or none where one must be, (n,)."""
        _, n_on, is_none = self._counts(values)
        return (n_on > 1) | (is_none & (not self.may_be_none))

    def _counts(self, values):
        x = values[:, self.members]
        is_on = x == self.on
        n_on = is_on.sum(axis=1)
        return is_on, n_on, (n_on == 0) & ~np.isnan(x).any(axis=1)

    def possible(self, values, fixed):
        """Which members may be on, and last whether none may be, where some cells are fixed, (n, n_members + 1)."""
        is_on, _, _ = self._counts(values)
        is_on, is_off = is_on & fixed[:, self.members], ~is_on & fixed[:, self.members]
        others = is_on.sum(axis=1, keepdims=True) - is_on
        return np.column_stack([~is_off & (others == 0), ~is_on.any(axis=1)])

    def rule(self, labels):
        """What holds, in words."""
        first, second, *others = (labels[j] for j in self.members)
        return f"{'at most ' * self.may_be_none}one of {first}, {second} and {len(others)} more is on"


class IndicatorColumn(ComputedColumn):
    """A member of a set, which is on where the column of this says so.

    Parameters
    ----------
    x : (n,) two different numbers
    source : index of the column of the set
    nth : of its members
    """

    def __init__(self, x, source, nth):
        super().__init__(x, grid_step(np.unique(x)), [source])
        self.nth = nth

    def of(self, values, enforce_decimals=True):
        """The numbers that belong to rows."""
        chosen = values[:, self.sources[0]]
        return np.where(np.isnan(chosen), np.nan, np.where(chosen == self.nth, self.high, self.low))

    def misses(self, values, x):
        """Mask of the rows to which the numbers x do not belong; of a set that is broken they all may."""
        return ~np.isnan(values[:, self.sources[0]]) & (self.of(values) != x)

    def allows(self, x, enforce_bounds):
        return (x == self.low) | (x == self.high)

    def choices(self):
        return np.array([self.low, self.high]), False


def find_one_hot(values, columns):
    """Sets of columns of which no two are on in the same row, by no chance: a list of OneHot, in the order of `own`.

    Of two numbers the larger one is on. Sets of which one is on in every row come first, and neighbours before others.

    Parameters
    ----------
    values : (n_samples, n_columns)
    columns : indices of those that may be members
    """
    on, number = {}, {}
    for j in columns:
        if len(np.unique(some_rows(values[:, j]))) <= 2:
            low, high = values[:, j].min(), values[:, j].max()
            if low < high and np.isin(values[:, j], (low, high)).all():
                number[j], on[j] = high, values[:, j] == high
    left, found = list(on), []
    if len(left) < MIN_MEMBERS:
        return found
    count = {j: on[j].sum() for j in left}
    few = np.array([some_rows(on[j]) for j in left], dtype=np.float32)
    meeting = {j: {k for k, n in zip(left, row) if n} for j, row in zip(left, few @ few.T)}  # in some rows
    for must_cover, are_neighbours in ((True, True), (True, False), (False, True), (False, False)):
        for run in _runs(left, on, meeting, must_cover) if are_neighbours else [left]:
            by_count = sorted(run, key=lambda j: -count[j])
            while len(by_count) >= MIN_MEMBERS:
                members, may_be_none = _members_with(by_count[0], by_count[1:], on, count, meeting)
                fits = MIN_MEMBERS <= len(members) <= MAX_LEVELS - may_be_none
                if fits and not (must_cover and may_be_none):
                    members = sorted(members)
                    on_numbers = np.array([number[j] for j in members])
                    found.append(OneHot(values.shape[1] + len(found), members, on_numbers, may_be_none))
                    left = [j for j in left if j not in members]
                by_count = [j for j in by_count[1:] if j in left and (fits or j not in members)]
    return found


def _runs(columns, on, meeting, must_cover):
    """Neighbours of which no two are on in the same row, as many as there are; or exactly one: a list of lists."""
    runs, rest = [], columns
    while rest:
        run, covers = _run(rest, on, meeting)
        is_taken = covers or not must_cover
        runs += [run] * is_taken
        rest = rest[len(run) if is_taken else 1 :]
    return runs


def _run(columns, on, meeting):
    """The first columns of which no two are on in the same row, and whether one of them is in every row."""
    run, covered = [], np.zeros_like(on[columns[0]])
    for j in columns:
        if not meeting[j].isdisjoint(run) or (covered & on[j]).any():
            break
        run, covered = [*run, j], covered | on[j]
    return run, bool(covered.all())


def _members_with(first, others, on, count, meeting):
    """The members of the set of a column, and whether in some rows none of them is on.

    They join in the order given, if the odds for them never to meet those before were exp(-MIN_EVIDENCE), or
    exp(-MIN_TO_JOIN) if these are a set by themselves; and any others, if with them one is on in every row, or if
    the odds for them never to meet all others were exp(-MIN_TO_JOIN).
    """
    members, covered, evidence = [first], on[first], 0.0
    for least in (MIN_EVIDENCE, MIN_TO_JOIN, 0.0):
        joined, now, total = [*members], covered, evidence
        for j in others:
            if j in joined or not meeting[j].isdisjoint(joined):
                continue
            share = now.mean()
            odds = -count[j] * np.log1p(-share) if share < 1 else np.inf
            if odds >= least and not (now & on[j]).any():
                joined, now, total = [*joined, j], now | on[j], total + odds
        if not (least or now.all()):
            joined = [j for j in joined if -count[j] * np.log1p((count[j] - now.sum()) / len(now)) >= MIN_TO_JOIN]
            now = np.logical_or.reduce([on[j] for j in joined], initial=False)
        if len(joined) >= MIN_MEMBERS and total >= MIN_EVIDENCE:
            members, covered, evidence = joined, now, total
    return members, not covered.all()
