"""Categories that share a level of their unit, and what each of them told of other columns in every row."""

from typing import NamedTuple

import numpy as np

from ._columns import ABSENT, DiscreteColumn, has_gaps
from ._dependencies import first_codes


class Follower(NamedTuple):
    """A column that has more categories than levels, too, and is told by that of a Lookup."""

    column: int
    unit: int
    shared: int  # its level that categories share
    told: np.ndarray  # its category for each of the Lookup's, infinite where that tells nothing
    is_hidden: bool  # whether gaps hide what tells it, so that its cells may be missing whatever that is

    def is_told(self, where):
        """Mask of the rows whose categories `where` tell it."""
        return ~np.isinf(self.told[where])

    def is_other(self, where, values):
        """Mask of the rows in which it is not what their categories `where` tell."""
        told, x = self.told[where], values[:, self.column]
        differ = (told != x) & ~(np.isnan(told) & np.isnan(x))
        return differ & self.is_told(where) & ~(self.is_hidden & np.isnan(x))


class Lookup:
    """What the categories of a column, of which there are more than levels, tell of others: a zip code its state.

    Of a category that shares a level only the level is drawn with the row. It is then one of those that tell what the
    row has.

    Parameters
    ----------
    column, own : indices of the column and of its unit
    levels : its Levels
    units : indices of the units that it tells, those of followers last
    told : the level of each of them for each category, (n_categories, n_units); ABSENT where it tells nothing
    gaps : for each of them, the levels of `own` and of itself that mean a missing cell, (n_units, 2), if gaps hide what
        is told; else ABSENT
    rates : shares of these gaps in the rows with categories that tell something else, (n_units,)
    followers : list of Follower
    """

    def __init__(self, column, own, levels, units, told, gaps, rates, followers):
        self.column, self.own, self.units, self.followers = column, own, units, followers
        self.told, self.gaps, self.rates = told, gaps, rates
        self.values, self.shared = levels.values, levels.max_levels - 1
        self.members = np.flatnonzero(levels.code == self.shared)
        self.shares = np.exp(levels.log_within[self.members])

    def forget(self, k):
        """Tell the k-th unit no more."""
        (unit,) = self.units[k : k + 1]
        self.followers = [follower for follower in self.followers if follower.unit != unit]
        del self.units[k]
        self.told, self.gaps = np.delete(self.told, k, axis=1), np.delete(self.gaps, k, axis=0)
        self.rates = np.delete(self.rates, k)

    def position(self, values):
        """Which category each row has, (n,), and a mask of those that are known."""
        x = values[:, self.column]
        where = np.searchsorted(self.values, x).clip(max=len(self.values) - 1)
        return where, (self.values[where] == x) | (np.isnan(self.values[where]) & np.isnan(x))

    def groups(self, codes):
        """Rows, ids of the members and of these rows, and shares of the members: those with its id go with a row.

        That is for each set of units whose cells are missing; they tell of a member only how likely that is.
        """
        levels = codes[:, self.units]
        are_there = (levels != self.gaps[:, 1]) | (levels == ABSENT)
        kinds, kind = np.unique(are_there, axis=0, return_inverse=True)
        for k, there in enumerate(kinds):
            rows = np.flatnonzero(kind.ravel() == k)
            keys = np.concatenate([self.told[self.members], levels[rows]])[:, there]
            ids = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
            rates = np.where(self.told[self.members] == self.gaps[:, 1], 1.0, self.rates)[:, ~there]
            yield rows, *np.split(ids, [len(self.members)]), self.shares * rates.prod(axis=1)

    def draw(self, values, codes, rng):
        """Have rows whose category shares a level have one that goes with the rest of them, in place; and followers."""
        shared = np.flatnonzero(codes[:, self.own] == self.shared)
        for rows, of_members, of_rows, shares in self.groups(codes[shared]):
            self._choose(values, shared[rows], of_members, of_rows, shares, rng)
        where, known = self.position(values)
        for follower in self.followers:
            rows = np.flatnonzero((codes[:, follower.unit] == follower.shared) & known & follower.is_told(where))
            values[rows, follower.column] = follower.told[where[rows]]

    def draw_given(self, values, codes, fixed, rng):
        """Have free categories that share a level tell what followers are fixed to, or else be followed, in place."""
        where, known = self.position(values)
        for follower in self.followers:
            is_free = fixed[:, self.column] & ~fixed[:, follower.column] & known & follower.is_told(where)
            told = np.flatnonzero(is_free & (codes[:, follower.unit] == follower.shared))
            values[told, follower.column] = follower.told[where[told]]
            rows = fixed[:, follower.column] & ~fixed[:, self.column] & (codes[:, self.own] == self.shared)
            rows = np.flatnonzero(rows & ~(follower.is_hidden & np.isnan(values[:, follower.column])))
            for some, of_members, of_rows, shares in self.groups(codes[rows]):
                told = np.append(follower.told[self.members], values[rows[some], follower.column])
                both = np.stack([told, np.append(of_members, of_rows)])
                ids = np.unique(both, axis=1, return_inverse=True)[1].ravel()
                self._choose(values, rows[some], *np.split(ids, [len(self.members)]), shares, rng)

    def _choose(self, values, rows, of_members, of_rows, shares, rng):
        """Draw categories of rows by their shares, of the members that have the same number as the row, if any has."""
        order = np.argsort(of_members, kind="stable")
        ends = np.append(0.0, np.cumsum(shares[order]))
        sides = [np.searchsorted(of_members[order], of_rows, side) for side in ("left", "right")]
        low, high = ends[sides]
        at = np.searchsorted(ends, low + rng.uniform(size=len(rows)) * (high - low), "right") - 1
        there = sides[0] < sides[1]
        at = at.clip(sides[0], np.maximum(sides[1] - 1, 0))[there]
        values[rows[there], self.column] = self.values[self.members[order[at]]]

    def misses(self, values, fixed):
        """Mask of the rows in which a free category does not tell what a follower is fixed to."""
        where, _ = self.position(values)
        missed = np.zeros(len(values), dtype=bool)
        for follower in self.followers:
            missed |= fixed[:, follower.column] & follower.is_other(where, values)
        return missed & ~fixed[:, self.column]

    def log_share(self, codes):
        """What turns the log-share of a category in its level into that among those that go with the row, (n,)."""
        log_share = np.zeros(len(codes))
        for rows, of_members, of_rows, shares in self.groups(codes):
            share = np.bincount(of_members, shares, minlength=of_rows.max() + 1)[of_rows]
            log_share[rows] = -np.log(share, where=share > 0, out=np.zeros(len(rows)))
        return log_share

    def breaks(self, values, levels):
        """Mask of the units, (n, n_units), whose levels are not those that the categories of rows tell."""
        where, known = self.position(values)
        wrong = (self.told[where] != levels) & (self.told[where] != ABSENT) & (levels != self.gaps[:, 1])
        for i, follower in enumerate(self.followers, len(self.units) - len(self.followers)):
            wrong[:, i] = follower.is_other(where, values)
        return wrong & known[:, None] & (levels != ABSENT)


def find_lookups(columns, slices, codes, values):
    """The Lookups of a table whose columns are encoded, followers before those that tell them.

    Parameters
    ----------
    columns, slices : of the codec, with the units of each column
    codes : levels of all units, (n_samples, d)
    values : (n_samples, n_columns)
    """
    own = {
        j: np.searchsorted(column.levels.values, values[:, j])
        for j, column in enumerate(columns)
        if isinstance(column, DiscreteColumn) and len(column.levels.values) > column.levels.max_levels
    }
    gaps = {j: len(columns[j].levels.values) - 1 if has_gaps(columns[j]) else ABSENT for j in own}
    narrow = [j for j, column in enumerate(columns) if type(column) is DiscreteColumn and j not in own]
    found = []
    for j, categories in own.items():
        told, followers = [], []
        for k in narrow:
            first = told_by(categories, codes[:, slices[k].start], (gaps[j], columns[k].levels.unit.gap))
            told += [(k, *first)] if first else []
        for k in [k for k in own if k != j]:
            first = told_by(categories, own[k], (gaps[j], gaps[k]))
            if first and (k > j or not told_by(own[k], categories, (gaps[k], gaps[j]))):
                levels = columns[k].levels
                numbers = np.where(first[0] == ABSENT, np.inf, levels.values[first[0]])
                followers.append(Follower(k, slices[k].start, levels.max_levels - 1, numbers, first[1]))
                told.append((k, np.where(first[0] == ABSENT, ABSENT, levels.code[first[0]]), first[1]))
        if told:
            others, of_category, hidden = zip(*told)
            units, levels = [slices[k].start for k in others], columns[j].levels
            missing = [(levels.unit.gap, columns[k].levels.unit.gap) for k in others]
            missing, of_category = np.where(np.transpose([hidden]), missing, ABSENT), np.column_stack(of_category)
            is_told = (of_category[categories] != missing[:, 1]) & (of_category[categories] != ABSENT)
            are_gaps = (codes[:, units] == missing[:, 1]) & (missing[:, 1] != ABSENT)
            rates = (are_gaps & is_told).sum(axis=0) / np.maximum(is_told.sum(axis=0), 1)
            found.append(Lookup(j, slices[j].start, levels, units, of_category, missing, rates, followers))
    return sorted(found, key=lambda lookup: len(lookup.followers))


def told_by(categories, codes, gaps):
    """What code each category has in all rows, beyond chance, and whether gaps hide it; or None.

    Then it is so where both are there. A missing category tells nothing, ABSENT, and one that has come with missing
    cells alone these.

    Parameters
    ----------
    categories, codes : of each row, (n,)
    gaps : of both, what means a missing cell; ABSENT where none does
    """
    first = first_codes(categories, codes, categories.max() + 1)
    if first is not None:
        return first, False
    there = (categories != gaps[0]) & (codes != gaps[1])
    if there.all():
        return None
    first = first_codes(categories[there], codes[there], categories.max() + 1)
    if first is None:
        return None
    first[first == ABSENT] = gaps[1]
    if gaps[0] != ABSENT:
        first[gaps[0]] = ABSENT
    return first, True
