"""Tables <-> units: what the mixture and the network read.

The codec works on the float matrix that `_table` makes: numbers as they are, categories as codes, NaN where a cell is
missing. It makes one or two units of each column, and keeps the relations between columns.

Three kinds of columns stand behind those of the table. Where one of some columns is on in every row, which of them it
is is a column: they are *one-hot*. Where columns hang on the hour or the weekday of times, that is a column, a *hidden*
one. Where a column is a multiple of another and little noise, the noise is a column: a *difference*. Methods take rows
with or without these, and give them with them.
"""

from copy import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from ._calendar import CalendarColumn, find_calendar, find_hidden
from ._columns import ABSENT, MAX_LEVELS, DiscreteColumn, LabelColumn, NumericColumn, is_discrete
from ._dependencies import find_grouped
from ._differences import find_differences
from ._formulas import find_functions, find_products, find_rates, find_rounded_sums, hangs_on
from ._inequalities import find_inequalities
from ._lookups import find_lookups
from ._numbers import Decimals
from ._one_hot import IndicatorColumn, find_one_hot
from ._orders import LevelOrders
from ._pairs import find_told_by_two
from ._ranges import Range, find_ranges
from ._relations import ComputedColumn, LinearColumn, find_all_sums, find_line
from ._restrictions import restricted_units
from ._rounded import RoundedColumn, RoundedSum
from ._table import UNSEEN

TAIL = 1e-6  # ranks are kept this far from 0 and 1


class Rows(NamedTuple):
    """Encoded rows: coordinates and codes, each (n, d), and the log-slopes of the columns, (n, n_columns).

    A coordinate is 0 where its unit is inactive or its level unseen. Log-slopes also hold the log-shares of
    categories inside a shared level.
    """

    z: np.ndarray
    codes: np.ndarray
    log_slopes: np.ndarray


class Codec:
    """Float matrix <-> units, column by column.

    Parameters
    ----------
    values : (n_samples, n_columns)
    categorical, nominal : masks of the columns that hold categories, and of those without an order
    n_knots : knots of the transforms of numeric columns
    rng : RandomState, for the noise inside rounding steps, and the rows that tell the order of levels
    label : LabelColumn of the first column, if that holds class labels
    clocks : dict from the index of a column of times to its Clock
    """

    def __init__(self, values, categorical, nominal, *, n_knots, rng, label=None, clocks=None):
        clocks = clocks or {}
        calendar = find_calendar(values, clocks, categorical) if label is None else {}
        self.n_columns = values.shape[1]  # columns of the table
        self.one_hots = find_one_hot(values, [j for j in range(label is not None, self.n_columns) if j not in calendar])
        hidden = find_hidden(values, clocks, categorical, calendar) if label is None else []
        self.hidden = dict(enumerate(hidden, self.n_columns + len(self.one_hots)))  # as `calendar`
        self.columns, self.lookups, self.differences = [], [], []
        calendar |= self.hidden
        values, are_extra = self.extended(values), np.repeat([True, False], [len(self.one_hots), len(self.hidden)])
        categorical, nominal = np.append(categorical, are_extra), np.append(nominal, are_extra)
        numbers, sources = self._describe(values, categorical, nominal, calendar, clocks, n_knots, rng, label)
        self._relate(values, numbers, sources, n_knots, rng)
        self._place(values, categorical, calendar)
        self._tell_by_two(values, numbers)
        computed = [j for j, column in enumerate(self.columns) if isinstance(column, ComputedColumn)]
        self.computed = sorted(computed, key=self._depth)
        self._make_units()
        self.nominal = np.concatenate([nominal, np.zeros(len(self.differences), dtype=bool)])
        self.numeric = np.flatnonzero(~categorical[: self.n_columns]).tolist()
        self.base_gaps = self._find_gaps()

    def with_knots(self, n_knots, values, rng):
        """The codec of the same values with other transforms of their numbers, before it is restricted."""
        other = copy(self)
        columns = zip(self.columns, self.extended(values).T, strict=True)
        other.columns = [c.with_knots(n_knots, x, rng) if type(c) is NumericColumn else c for c, x in columns]
        other._make_units()
        return other

    def _describe(self, values, categorical, nominal, calendar, clocks, n_knots, rng, label):
        """Describe each column by itself, or as a line of an earlier one.

        Returns the indices of those whose numbers may be related to others, and the columns and numbers of sources.
        """
        sources, numbers = {}, []
        nth = {j: (one_hot.own, n) for one_hot in self.one_hots for n, j in enumerate(one_hot.members)}
        plain = np.where([j in nth for j in range(values.shape[1])], 0.0, values) if nth else values
        orders, grouped = LevelOrders(plain, nominal, rng), find_grouped(plain, categorical)
        for j, (x, is_category) in enumerate(zip(values.T, categorical, strict=True)):
            if label is not None and j == 0:
                column = label
            elif j in nth:
                column = IndicatorColumn(x, *nth[j])
                if not is_category:
                    numbers.append(j)
            elif is_category:
                column = DiscreteColumn(x[x != UNSEEN] if (x != UNSEEN).any() else x, orders.scores(j))
            elif is_discrete(x) or j in grouped or j in calendar:
                column = DiscreteColumn(x)
                if j not in calendar:
                    numbers.append(j)
            else:
                column = find_line(sources, x)
                if column is None:
                    column = NumericColumn(x, n_knots, rng, clock=clocks.get(j))
                    sources[j] = column, x
                    numbers.append(j)
            self.columns.append(column)
        return numbers, sources

    def _relate(self, values, numbers, sources, n_knots, rng):
        """Have columns that others tell be computed from these, and differences stand behind those of the table."""
        steps = {j: self.columns[j].step for j in numbers}
        functions = find_functions(values, steps, numbers)
        rounded = find_products(values, steps, [j for j in numbers if j not in functions], functions)
        products = [j for j in rounded if j not in functions]
        told = {i for i in numbers if hangs_on(products, i, rounded)}
        sums = find_all_sums(values, [j for j in numbers if j not in functions], set(sources) - told)
        for j, column in sums.items():
            self._replace(j, column)
            del steps[j]
        rounded = find_rates(values, steps, [j for j in steps if j not in rounded], rounded)
        rounded |= find_rounded_sums(values, steps, [j for j in steps if j not in rounded], rounded, sums)
        for j, column in rounded.items():
            self.columns[j] = column
        even = [j for j in steps if isinstance(getattr(self.columns[j], "grid", None), Decimals)]
        even = [j for j in even if not self.is_indicator(j)]
        with_sums = steps | {j: column.step for j, column in sums.items()}
        for difference, line in find_differences(values, with_sums, even, rounded | sums, rng):
            is_level = isinstance(self.columns[difference.j], DiscreteColumn)
            self.differences.append(difference._replace(unit=steps[difference.j] if is_level else 1.0))
            self.columns.append(difference.column(values, n_knots, rng))
            self._replace(difference.j, line)

    def _place(self, values, categorical, calendar):
        """Have what times tell be levels, or else computed, and list the times that have a unit with what they tell."""
        self.calendar = {}
        for j, (i, part) in calendar.items():
            if isinstance(self.columns[i], DiscreteColumn):  # then levels determine levels
                continue
            line = CalendarColumn(values[:, j], i, part, categorical[j])
            is_listed = type(self.columns[i]) is NumericColumn and part.can_be_listed(self.columns[i])
            if is_listed:
                self.calendar.setdefault(i, {})[j] = line
            if not is_listed or len(self.columns[j].levels.values) > MAX_LEVELS:
                self.columns[j] = line

    def _tell_by_two(self, values, numbers):
        """Find columns of levels that two others tell together; numbers become levels: a price by product and size."""
        near = {i for d in self.differences for i in (d.j, d.base)}
        lists, told_by_times = {}, {j for parts in self.calendar.values() for j in parts}
        for j, (column, x) in enumerate(zip(self.columns, values.T)):
            is_number = type(column) is NumericColumn and j in numbers and j not in near
            if type(column) is DiscreteColumn or is_number:
                lists[j] = np.unique(x, return_inverse=True)
        lists = {j: (x, own) for j, (x, own) in lists.items() if 1 < len(x) <= MAX_LEVELS}
        codes = {j: np.where(np.isnan(values[:, j]), ABSENT, own.ravel()) for j, (_, own) in lists.items()}
        sources = [j for j in lists if type(self.columns[j]) is DiscreteColumn]
        self.by_two = find_told_by_two(codes, sources, [j for j in lists if j not in told_by_times])
        for j in self.by_two:
            if type(self.columns[j]) is NumericColumn:
                self.columns[j] = DiscreteColumn(values[:, j])

    def _replace(self, j, line):
        """Have a column be a line of columns that are none."""
        for i, other in enumerate(self.columns):
            if isinstance(other, LinearColumn):
                line.replace(i, other)
        for other in self.columns:
            if isinstance(other, (LinearColumn, RoundedSum)):
                other.replace(j, line)
        self.columns[j] = line

    def _make_units(self):
        """The units of the columns in order, but times and what they tell come first, then what tells others."""
        first = [j for i, parts in self.calendar.items() for j in (i, *parts)]
        self.order = []
        for j in first + [j for j in range(len(self.columns)) if j not in first]:
            self._append(j)
        self.units, self.slices = [], [slice(0)] * len(self.columns)
        for j in self.order:
            start = len(self.units)
            self.units += self.columns[j].units(start)
            self.slices[j] = slice(start, len(self.units))
        self.column_of = np.repeat(self.order, [self.slices[j].stop - self.slices[j].start for j in self.order])
        for j, line in self.told_levels():
            (i,), own = line.sources, self.slices[j].start
            times = range(self.slices[i].start, self.slices[i].stop)
            told = line.part.levels_of(self.columns[i], self.columns[j].levels, times)
            self.units[own] = replace(self.units[own], told=told)

    def _append(self, j):
        """Append a column to the order, behind the two that tell it, or what says whether it is on."""
        for i in self.columns[j].sources if self.is_indicator(j) else self.by_two.get(j, ()):
            self._append(i)
        if j not in self.order:
            self.order.append(j)

    def _depth(self, j):
        """How many columns must be computed one after the other until column j is."""
        if not isinstance(self.columns[j], ComputedColumn):
            return 0
        bases = [difference.base for difference in self.differences if difference.j == j]
        return 1 + max(map(self._depth, self.columns[j].sources + bases))

    def extended(self, values):
        """Rows with the columns behind those of the table, (n, n_columns of the codec)."""
        if values.shape[1] == len(self.columns):
            return values
        hidden = (part.of(values[:, i]) for i, part in self.hidden.values())
        values = np.column_stack([values, *(one_hot.of(values) for one_hot in self.one_hots), *hidden])
        return np.column_stack([values, *(difference.of(values) for difference in self.differences)])

    def restrict(self, values):
        """Find what levels tell of others in training rows, so that only what occurs together is drawn together."""
        codes = self.encode(values).codes
        self.lookups = find_lookups(self.columns[: self.n_described], self.slices, codes, self.extended(values))
        trios = [[self.slices[k].start for k in (*pair, j)] for j, pair in self.by_two.items()]
        has_label = isinstance(self.columns[0], LabelColumn)
        self.units = restricted_units(self.units, codes, self.lookups, trios, self.base_gaps, has_label)

    def _find_gaps(self):
        """Of each difference whose base may be missing: the unit and level that tell it, its own units and level."""
        if not self.differences:
            return []
        behind = {difference.j: difference.own for difference in self.differences}
        bases = [(behind.get(d.base, d.base), d.own) for d in self.differences]
        bases = [(base, i) for base, i in bases if not isinstance(self.columns[base], ComputedColumn)]
        pairs = [(self.slices[base].start, self.slices[i]) for base, i in bases]
        levels = self.missing_levels()
        return [(base, levels[base], own, levels[own.start]) for base, own in pairs if levels[base] != ABSENT]

    def encode(self, values, rng=None):
        """Rows of the values; with `rng`, numbers are spread inside their rounding step first."""
        values = self.extended(values)
        told = list(values.T)
        for j, line in self.lines():
            told[j] = line.misses(values, values[:, j])
        parts = [column.encode(x, rng) for column, x in zip(self.columns, told, strict=True)]
        for difference in self.differences:
            _, codes, log_slopes = parts[difference.own]
            log_unit = difference.log_unit(self.columns[difference.own].on_level(codes))
            log_slopes += np.where(np.isnan(values[:, difference.own]), 0.0, log_unit)
        z, codes = (np.concatenate([parts[j][k] for j in self.order], axis=1) for k in (0, 1))
        rows = Rows(z, codes, np.column_stack([log_slopes for _, _, log_slopes in parts]))
        for j, line in self.told_levels():
            wrong = line.misses(values, values[:, j])
            rows.z[wrong, self.slices[j]], rows.codes[wrong, self.slices[j]] = 0.0, ABSENT
            rows.log_slopes[wrong, j] = 0.0
        for lookup in self.lookups:
            shared = rows.codes[:, lookup.own] == lookup.shared
            rows.log_slopes[shared, lookup.column] += lookup.log_share(rows.codes[shared])
            wrong = lookup.breaks(values, rows.codes[:, lookup.units]).any(axis=1)
            where, _ = lookup.position(values)
            for follower in lookup.followers:
                is_told = (rows.codes[:, follower.unit] == follower.shared) & follower.is_told(where)
                rows.log_slopes[is_told & ~wrong, follower.column] = 0.0
            rows.codes[wrong, lookup.own], rows.z[wrong, lookup.own] = ABSENT, 0.0
            rows.log_slopes[wrong, lookup.column] = 0.0
        return rows

    def decode(self, z, codes, rng):
        """Values of coordinates and codes, before rounding and bounds."""
        parts = zip(self.columns, self.slices, strict=True)
        values = np.column_stack([column.decode(z[:, s], codes[:, s], rng) for column, s in parts])
        for lookup in self.lookups:
            lookup.draw(values, codes, rng)
        return values

    def as_given(self, values, enforce_bounds=True, enforce_decimals=True):
        """Values as they are given out: with the decimals and inside the bounds of the training rows."""
        columns = zip(self.columns, self.extended(values).T, strict=True)
        given = np.column_stack([column.as_given(x, enforce_bounds, enforce_decimals) for column, x in columns])
        self.fill_lines(given, enforce_decimals)
        return given

    @property
    def n_described(self):
        """Columns of the table, those that tell which of some is on, and hidden parts of times: all but differences."""
        return self.n_columns + len(self.one_hots) + len(self.hidden)

    def is_indicator(self, j):
        """Whether a column is on where another, behind those of the table, says so."""
        return isinstance(self.columns[j], IndicatorColumn)

    def lines(self):
        """Index and column of those that others tell, in an order in which they can be computed."""
        return [(j, self.columns[j]) for j in self.computed]

    def told_levels(self):
        """Index of the columns whose levels times tell, and as CalendarColumns how they do."""
        told = (pair for parts in self.calendar.values() for pair in parts.items())
        return [(j, line) for j, line in told if isinstance(self.columns[j], DiscreteColumn)]

    def relations(self):
        """Those of `lines`, then those of `told_levels`."""
        return self.lines() + self.told_levels()

    def fill_lines(self, values, enforce_decimals):
        """Compute the columns that others tell, in place, and differences that are rounding or change by it."""
        of_column = {difference.j: difference for difference in self.differences} if enforce_decimals else {}
        for j, line in self.relations():
            difference = of_column.get(j)
            if difference and difference.grid:
                is_missing = np.isnan(values[:, difference.own])
                values[:, j] = np.where(is_missing, np.nan, difference.rounded(values))
                values[:, difference.own] = difference.of(values)
            values[:, j] = line.of(values, enforce_decimals)
            if difference and not difference.grid and line.step > difference.step:  # of which the base has none
                d, bounds = difference.of(values), self.columns[difference.own]
                values[:, j] += line.step * ((d < bounds.low).astype(float) - (d > bounds.high))
                values[:, difference.own] = difference.of(values)

    def may_be_impossible(self, enforce_bounds):
        """Whether drawn rows can be."""
        has_rounded = any(isinstance(line, RoundedColumn) for _, line in self.lines())
        return bool(self.lookups or self._certain()) or (has_rounded and not enforce_bounds)

    def sums(self):
        """Index and column of those that several others tell."""
        return [(j, line) for j, line in self.lines() if line.is_joint]

    def beyond(self, values):
        """Mask of the rows in which a sum is beyond its bounds."""
        are_beyond = np.zeros(len(values), dtype=bool)
        for j, line in self.sums():
            are_beyond |= (values[:, j] < line.low) | (values[:, j] > line.high)
        return are_beyond

    def impossible(self, values):
        """Mask of the rows in which there is no number to compute, or whose category does not tell the rest of them."""
        impossible = np.zeros(len(values), dtype=bool)
        for j, line in self.lines():
            if isinstance(line, RoundedColumn):
                impossible |= np.isinf(values[:, j])
        for lookup in self.lookups:
            impossible |= lookup.breaks(values, self._told_levels(lookup, values)).any(axis=1)
        masks = self._certain()
        columns = {self.column_of[i] for units, _ in masks for i in units}
        codes = {self.slices[j].start: levels for j, levels in self.level_codes(columns, values).items()}
        for units, goes in masks:
            impossible |= self.are_apart(codes, units, goes)
        return impossible

    @staticmethod
    def are_apart(codes, units, goes):
        """Mask of the rows, (n,), whose levels of two or three units are all there, but do not go together."""
        own = [codes[i] for i in units]
        return np.all([code != ABSENT for code in own], axis=0) & ~goes[tuple(own)]

    def _certain(self):
        """Masks of levels that a draw may break: those with what times tell."""
        return [(units, goes) for units, goes in self.masks() if self.units[units[0]].told is not None]

    def forget_most_broken(self, values):
        """Leave away what is told of the unit whose levels most often do not go with the categories of rows."""
        broken = [lookup.breaks(values, self._told_levels(lookup, values)).mean(axis=0) for lookup in self.lookups]
        i = int(np.argmax([shares.max() for shares in broken]))
        self.lookups[i].forget(int(broken[i].argmax()))
        self.lookups = [lookup for lookup in self.lookups if lookup.units]

    def _told_levels(self, lookup, values):
        """Levels of the units that a lookup tells, (n, n_units)."""
        columns = self.column_of[lookup.units]
        return np.column_stack(list(self.level_codes(columns, values).values()))

    def find_limits(self, values):
        """Ranges of numbers in the rows of levels, but class labels, which are the classifier's; and Inequalities."""
        n_levels = self.level_counts()
        sources = [j for j in n_levels if not isinstance(self.columns[j], LabelColumn)]
        levels = {j: (codes, n_levels[j]) for j, codes in self.level_codes(sources, values).items()}
        numbers = [j for j in np.flatnonzero(~self.nominal[: self.n_columns]) if not self.is_indicator(j)]
        ranges = find_ranges(values, levels, numbers)
        own_parts = {(i, j) for j, (i, _) in self.hidden.items()}  # which are ranges of their times anyway
        ranges = [limit for limit in ranges if (limit.column, limit.source) not in own_parts]
        return ranges + find_inequalities(values, self.numeric)

    def level_counts(self):
        """How many levels the first unit of a column has, by the index of those that have several."""
        counts = {j: self.units[s.start].n_levels for j, s in enumerate(self.slices[: self.n_described])}
        return {j: n for j, n in counts.items() if n > 1}

    def levels_of(self, limits, values):
        """Levels that ranges among limits hang on, as `level_codes`."""
        return self.level_codes({limit.source for limit in limits if isinstance(limit, Range)}, values)

    def level_codes(self, columns, values):
        """Level of each row, (n,), by the index of the column: that of its first unit."""
        if not len(columns):
            return {}
        values = self.extended(values)
        return {j: self.columns[j].encode(values[:, j], None)[1][:, 0] for j in columns}

    def finite(self, values):
        """Values with bounds in the place of infinite ones, of columns that could not be computed."""
        for j, line in self.lines():
            values[:, j] = np.where(np.isinf(values[:, j]), np.clip(values[:, j], line.low, line.high), values[:, j])
        return values

    def masks(self):
        """Pairs of two or three units, in order, and which of their levels go together."""
        return [([*told.others, j], told.goes) for j, unit in enumerate(self.units) for told in unit.allowed]

    def in_units(self, log_prob, log_slopes):
        """Log-density of each column of the table, (n, n_columns), from that of each unit."""
        in_order = np.add.reduceat(log_prob, [self.slices[j].start for j in self.order], axis=1)
        parts = in_order[:, np.argsort(self.order)] + log_slopes
        for difference in self.differences:
            parts[:, difference.j] += parts[:, difference.own]
        for one_hot in self.one_hots:  # which is on is told by each of them
            parts[:, one_hot.members] += parts[:, [one_hot.own]] / len(one_hot.members)
        return parts[:, : self.n_columns]

    def unit_mask(self, columns):
        """Mask of the units of the columns in a mask, (..., n_columns) -> (..., d)."""
        return columns[..., self.column_of]

    def missing_levels(self):
        """Level of each unit that means a missing cell, ABSENT if none does, (d,)."""
        return np.array([unit.gap for unit in self.units])

    def allows(self, values, fixed, enforce_bounds):
        """Mask of the cells that may be asked for, of the shape of values; True in columns that are not fixed."""
        allowed = [column.allows(x, enforce_bounds) for column, x in zip(self.columns, values.T)]
        return np.column_stack(allowed) | ~fixed

    def beside(self, values, fixed):
        """The two numbers of its grid that each fixed cell lies between, (2, n, n_columns of the table), or NaN."""
        beside = np.stack([column.beside(x) for column, x in zip(self.columns, values.T)], axis=2)
        return np.where(fixed, beside, np.nan)

    def features(self, values):
        """Finite matrix that discriminators read, (n_samples, n_columns of the codec)."""
        columns = zip(self.columns, self.extended(values).T, strict=True)
        return np.column_stack([column.features(x) for column, x in columns])

    def spread(self, rows, rng):
        """The same rows with coordinates for EM: levels spread over their intervals, absent units drawn from N(0, 1).

        So are differences without a base, which are absent then.
        """
        z, told = rows.z.copy(), rows.codes.copy()
        for i, unit in enumerate(self.units):
            codes = rows.codes[:, i]
            if unit.n_levels:
                rank = unit.bounds[codes] + unit.shares[codes] * rng.uniform(size=len(codes))
                z[:, i] = ndtri(np.clip(rank, TAIL, 1 - TAIL))
            absent = codes == ABSENT
            z[absent, i] = rng.standard_normal(absent.sum())
        for source, gap, own, _ in self.base_gaps:
            absent = rows.codes[:, source] == gap
            z[absent, own] = rng.standard_normal(z[absent, own].shape)
            told[absent, own] = ABSENT
        return rows._replace(z=z, codes=told)
