"""Categories that share a level of their unit, and what each of them told of other columns in every row."""

from typing import NamedTuple

import numpy as np

from ._columns import ABSENT, DiscreteColumn
from ._relations import is_no_chance, some_rows


class Follower(NamedTuple):
    """A column that has more categories than levels, too, and is told by that of a Lookup."""

    column: int
    unit: int
    shared: int  # its level that categories share
    told: np.ndarray  # its category for each of the Lookup's


class Lookup:
    """What the categories of a column, of which there are more than levels, tell of others: a zip code its state.

    Of a category that shares a level only the level is drawn with the row. It is then one of those that tell what the
    row has.

    Parameters
    ----------
    column, own : indices of the column and of its unit
    levels : its Levels
    units : indices of the units that it tells, those of followers last
    told : the level of each of them for each category, (n_categories, n_units)
    followers : list of Follower
    """

    def __init__(self, column, own, levels, units, told, followers):
        self.column, self.own, self.units, self.told, self.followers = column, own, units, told, followers
        self.values, self.shared = levels.values, levels.max_levels - 1
        self.members = np.flatnonzero(levels.code == self.shared)
        self.shares = np.exp(levels.log_within[self.members])
        self._group()

    def _group(self):
        """Find which members tell the same."""
        self.keys, group = np.unique(self.told[self.members], axis=0, return_inverse=True)
        self.group = group.ravel()

    def forget(self, k):
        """Tell the k-th unit no more."""
        (unit,) = self.units[k : k + 1]
        self.followers = [follower for follower in self.followers if follower.unit != unit]
        del self.units[k]
        self.told = np.delete(self.told, k, axis=1)
        self._group()

    def position(self, values):
        """Which category each row has, (n,), and a mask of those that are known."""
        x = values[:, self.column]
        where = np.searchsorted(self.values, x).clip(max=len(self.values) - 1)
        return where, (self.values[where] == x) | (np.isnan(self.values[where]) & np.isnan(x))

    def groups(self, codes):
        """Which of the keys goes with each row, (n,), or -1 where none does."""
        _, ids = np.unique(np.concatenate([self.keys, codes[:, self.units]]), axis=0, return_inverse=True)
        of_keys, of_rows = np.split(ids.ravel(), [len(self.keys)])
        key = np.full(ids.max() + 1, -1)
        key[of_keys] = np.arange(len(self.keys))
        return key[of_rows]

    def draw(self, values, codes, rng):
        """Have rows whose category shares a level have one that goes with the rest of them, in place; and followers."""
        rows = np.flatnonzero(codes[:, self.own] == self.shared)
        self._choose(values, rows, self.group, self.groups(codes[rows]), rng)
        where, known = self.position(values)
        for follower in self.followers:
            rows = np.flatnonzero((codes[:, follower.unit] == follower.shared) & known)
            values[rows, follower.column] = follower.told[where[rows]]

    def draw_given(self, values, codes, fixed, rng):
        """Have free categories that share a level tell what followers are fixed to, in place."""
        for follower in self.followers:
            rows = fixed[:, follower.column] & ~fixed[:, self.column] & (codes[:, self.own] == self.shared)
            rows = np.flatnonzero(rows)
            self._choose(values, rows, follower.told[self.members], values[rows, follower.column], rng)

    def _choose(self, values, rows, of_members, of_rows, rng):
        """Draw categories of rows by their shares, of the members that have the same number as the row, if any has."""
        order = np.argsort(of_members, kind="stable")
        ends = np.append(0.0, np.cumsum(self.shares[order]))
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
            missed |= fixed[:, follower.column] & differ(follower.told[where], values[:, follower.column])
        return missed & ~fixed[:, self.column]

    def log_share(self, codes):
        """What turns the log-share of a category in its level into that among those that go with the row, (n,)."""
        group = self.groups(codes)
        return np.where(group >= 0, -np.log(np.bincount(self.group, self.shares))[group], 0.0)

    def breaks(self, values, levels):
        """Mask of the units, (n, n_units), whose levels are not those that the categories of rows tell."""
        where, known = self.position(values)
        wrong = (self.told[where] != levels) & (self.told[where] != ABSENT)
        for i, follower in enumerate(self.followers, len(self.units) - len(self.followers)):
            wrong[:, i] = differ(follower.told[where], values[:, follower.column])
        return wrong & known[:, None] & (levels != ABSENT)


def differ(a, b):
    """Mask of the pairs that are neither the same nor both missing."""
    return (a != b) & ~(np.isnan(a) & np.isnan(b))


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
    narrow = [j for j, column in enumerate(columns) if type(column) is DiscreteColumn and j not in own]
    found = []
    for j, categories in own.items():
        told = [slices[k].start for k in narrow if is_told(categories, codes[:, slices[k].start])]
        followers = []
        for k in [k for k in own if k != j and is_told(categories, own[k])]:
            if k > j or not is_told(own[k], categories):
                of_category = np.full(len(columns[j].levels.values), np.nan)
                of_category[categories] = values[:, k]
                followers.append(Follower(k, slices[k].start, columns[k].levels.max_levels - 1, of_category))
        units = told + [follower.unit for follower in followers]
        if units:
            of_category = np.full((len(columns[j].levels.values), len(units)), ABSENT)
            of_category[categories] = codes[:, units]
            found.append(Lookup(j, slices[j].start, columns[j].levels, units, of_category, followers))
    return sorted(found, key=lambda lookup: len(lookup.followers))


def is_told(categories, codes):
    """Whether each category has one code in all rows, beyond chance."""
    for rows in (some_rows(np.arange(len(codes))), slice(None)):
        first = np.full(categories.max() + 1, ABSENT)
        first[categories[rows]] = codes[rows]
        if (first[categories[rows]] != codes[rows]).any():
            return False
    n_repeats, counts = len(codes) - len(np.unique(categories)), np.bincount(codes[codes != ABSENT])
    return counts.any() and is_no_chance(n_repeats, counts / len(codes))
