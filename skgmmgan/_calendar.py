"""What a date or a time tells of other columns in every row: its month, its weekday, its hour, in whatever words.

Where the table has no hour or weekday, but columns that hang on it, that is a column behind the table.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2_contingency, kruskal

from ._clocks import DAY, HOUR, MINUTE, MONDAY, WEEK, Clock
from ._columns import ABSENT, Told, is_discrete
from ._dependencies import MIN_REPEATS, is_no_chance, some_rows
from ._numbers import Decimals, grid_step
from ._relations import MIN_ON_LINE, ComputedColumn
from ._rounded import Solution
from ._table import UNSEEN

BY_WEEKDAY = 10**7  # days, more than there are: of days that were not there the one before is of the same weekday
MAX_PERIODS = 200_000  # between the first and the last time, for which what they tell is listed


def _since(days, unit):
    """Months or years from the epoch, and days from the first of these."""
    of_unit = days.astype("M8[D]").astype(f"M8[{unit}]")
    return of_unit.astype(np.int64), days - of_unit.astype("M8[D]").astype(np.int64)


def _month(days):
    return _since(days, "M")[0] % 12 + 1


def _year(days):
    return _since(days, "Y")[0] + 1970


def _day_of_month(days):
    return _since(days, "M")[1] + 1


def _weekday(days):
    return (days + MONDAY) % WEEK


def _week(days):
    """By ISO 8601: that of the Thursday, from the first of a year."""
    return _since(days - _weekday(days) + 3, "Y")[1] // 7 + 1


PARTS = {  # by name, how long it is and the part of a period since the epoch: first what takes few values
    "weekday": (DAY, _weekday),
    "month": (DAY, _month),
    "hour": (HOUR, lambda hours: hours % 24),
    "year": (DAY, _year),
    "day of the month": (DAY, _day_of_month),
    "week": (DAY, _week),
    "minute": (MINUTE, lambda minutes: minutes % 60),
    "year and month": (DAY, lambda days: 100 * _year(days) + _month(days)),
    "hour of the week": (HOUR, lambda hours: (hours + 24 * MONDAY) % 168),
    "day of the year": (DAY, lambda days: _since(days, "Y")[1] + 1),
    "year, month and day": (DAY, lambda days: 10_000 * _year(days) + 100 * _month(days) + _day_of_month(days)),
    "day": (DAY, lambda days: BY_WEEKDAY * _weekday(days) + days),
}
HIDDEN = {  # that may hang together with other columns: days until a part comes again, and what would tell it
    "hour": (1, {"hour", "hour of the week"}),
    "weekday": (7, {"weekday", "hour of the week"}),
    "month": (360, {"month", "year and month", "day of the year"}),
}
MIN_TIMES = 2  # that it comes
MAX_TESTED = 4000  # rows
MAX_CHANCE = 1e-5  # that it tells nothing of a column
MIN_EXPECTED = 5  # rows with a level in each part, of levels that are looked at
COUNTED = ("year, month and day",)  # that tell only numbers which count as they do


class CalendarPart(NamedTuple):
    """What a part of times tells: the number of a month, its name, a season.

    For a part that was not there it is the number that follows from the others, if all of them are as far from their
    parts, or else what the part before it tells.
    """

    clock: Clock
    name: str
    parts: np.ndarray  # in ascending order, ...
    told: np.ndarray  # ... and what each of them tells
    shift: float  # of that from the parts, NaN if it differs

    @property
    def minutes(self):
        """How long a period is that has one part."""
        return PARTS[self.name][0]

    def of(self, x):
        """What times x tell, (n,); NaN where they are missing."""
        found, present = np.full(len(x), np.nan), ~np.isnan(x)
        part = PARTS[self.name][1](self.clock.periods(x[present], self.minutes))
        where = np.searchsorted(self.parts, part, side="right") - 1
        found[present] = self.told[where.clip(0)] if np.isnan(self.shift) else part + self.shift
        return found

    def misses(self, x, told):
        """Mask of the times x that do not tell this."""
        return ~((self.of(x) == told) | (np.isnan(x) & np.isnan(told)))

    def can_be_listed(self, column):
        """Whether it tells the level of a unit, by the coordinate of a column of times."""
        return np.diff(self.clock.periods(np.array([column.low, column.high]), self.minutes))[0] <= MAX_PERIODS

    def levels_of(self, column, levels, units):
        """How coordinates of times tell levels, as a Told.

        Parameters
        ----------
        column : NumericColumn of the times
        levels : Levels of the column that is told
        units : indices of the units of the times
        """
        times, _ = list_periods(column, self.clock, self.minutes)
        edges = times[1:] - column.step / 2 if isinstance(column.grid, Decimals) else column.grid.edges[1:-1]
        codes = _known(levels, self.of(times))
        changes = np.flatnonzero(np.diff(codes))
        states = np.empty(0) if column.levels is None else column.levels.values
        by_state = _known(levels, self.of(np.where(np.isinf(states), column.low, states)))
        pieces = codes[np.append(0, changes + 1)]
        return Told(list(units), column.transform.forward(edges[changes])[0], pieces, by_state)


def _known(levels, x):
    """Level of each number, that of the one before where there is none."""
    codes, _ = levels.encode(x)
    last = np.maximum.accumulate(np.where(codes != ABSENT, np.arange(len(codes)), 0))
    return codes[last].clip(0)


class CalendarColumn(ComputedColumn):
    """A column that a part of times tells, whose values are too many for levels, or whose times are computed.

    Parameters
    ----------
    source : index of the column of times
    """

    def __init__(self, x, source, part, is_category):
        super().__init__(x, grid_step(np.unique(x[~np.isnan(x)])), [source])
        self.part, self.is_category = part, is_category

    def of(self, values, enforce_decimals=True):
        """What belongs to rows of the table."""
        return self.part.of(values[:, self.sources[0]])

    def misses(self, values, x):
        """Mask of the rows to which x does not belong."""
        return self.part.misses(values[:, self.sources[0]], x)

    def choices(self):
        return (np.unique(self.part.told), False) if self.is_category else super().choices()

    def features(self, x):
        """The part of its times, which trees could not compute."""
        return np.where(np.isnan(x), self.low - 1.0, 0.0 if self.is_category else x)


def list_periods(column, clock, minutes):
    """First times of the periods of a column in ascending order, and how many times each has, or how long it is.

    Times that are listed are a period each.
    """
    if not isinstance(column.grid, Decimals):
        return column.grid.values, np.ones(len(column.grid.values))
    first, last = clock.periods(np.array([column.low, column.high]), minutes)
    starts, step = clock.starts(np.arange(first + 1, last + 1), minutes), column.step
    starts = np.ceil(starts / step) * step if step else starts
    times = np.unique(np.append(column.low, starts[starts <= column.high]))
    sizes = np.diff(np.append(times, column.high + step))
    return times, np.round(sizes / step) if step else np.maximum(sizes, np.spacing(times))


class Periods:
    """The periods of a column of times, by what they tell of others.

    Parameters
    ----------
    column : NumericColumn of the times
    parts : list of CalendarPart
    """

    def __init__(self, column, parts):
        times, sizes = list_periods(column, parts[0].clock, min(part.minutes for part in parts))
        if not isinstance(column.grid, Decimals):
            times = np.union1d(times, column.atoms())
            sizes = np.ones(len(times))
        told, group = np.unique(np.column_stack([part.of(times) for part in parts]), axis=0, return_inverse=True)
        self.group, self.step, self.all_times = group.ravel(), column.step, times
        self.found = {tuple(pattern): k for k, pattern in enumerate(told.tolist())}
        order = np.argsort(self.group, kind="stable")
        self.times, self.ends = times[order], np.append(0.0, np.cumsum(sizes[order]))
        self.first = np.searchsorted(self.group[order], np.arange(len(told) + 1))

    def solve(self, x, told, rng):
        """Times that tell what is asked for, as a Solution: drawn, or without `rng` x itself where it is one.

        Parameters
        ----------
        x : times so far, (n,)
        told : (n, n_parts)
        """
        asked, own = np.unique(told, axis=0, return_inverse=True)
        group = np.array([self.found.get(tuple(pattern), -1) for pattern in asked.tolist()])[own.ravel()]
        there = group >= 0
        first, last = self.first[group.clip(0)], self.first[group.clip(0) + 1] - 1
        low, high = self.ends[first], self.ends[last + 1]
        if rng is None:
            period = np.searchsorted(self.all_times, np.nan_to_num(x, nan=-np.inf), side="right") - 1
            found = np.where((self.group[period] == group) & ~np.isnan(x), x, self.times[first])
        else:
            at = low + rng.uniform(size=len(x)) * (high - low)
            nth = (np.searchsorted(self.ends, at, side="right") - 1).clip(first, last)
            after = at - self.ends[nth]
            found = self.times[nth] + (np.floor(after) * self.step if self.step else after)
        log_size = np.where(there, np.log(high - low), -np.inf)
        return Solution(np.where(there, found, np.nan), log_size, np.zeros(len(x), dtype=bool))


def find_calendar(values, clocks, categorical):
    """What times tell of other columns in every row, beyond chance.

    Parameters
    ----------
    values : (n_samples, n_columns)
    clocks : dict from the index of a column of times to its Clock
    categorical : mask of the columns that hold categories

    Returns
    -------
    calendar : dict from the index of a column to that of the times and its CalendarPart
    """
    found, gaps = {}, np.isnan(values)
    for i in sorted(clocks, key=lambda i: -len(np.unique(values[:, i]))):  # a day may be computed from a time
        clock, rows = clocks[i], np.flatnonzero(~gaps[:, i])
        if is_discrete(values[:, i]):
            continue
        for j in np.flatnonzero((gaps == gaps[:, [i]]).all(axis=0)).tolist():
            if j not in found and j not in clocks:
                known = rows[values[rows, j] != UNSEEN] if categorical[j] else rows
                part = _part_of(values[known, j], values[known, i], clock, categorical[j])
                found |= {} if part is None else {j: (i, part)}
    return found


def find_hidden(values, clocks, categorical, calendar):
    """Parts of times on which other columns hang, but that none tells: pairs of the index of the times and the part.

    So says, for one of these columns, the rank test of Kruskal and Wallis or, for categories, the chi-squared test.

    Parameters
    ----------
    calendar : what times tell of other columns, as `find_calendar` returns it
    """
    found = []
    for i, clock in clocks.items():
        times = values[:, i]
        if is_discrete(times):
            continue
        rows = some_rows(np.flatnonzero(~np.isnan(times)), MAX_TESTED)
        told = [part for source, part in calendar.values() if source == i]
        known = {part.name for part in told if len(np.unique(part.told)) == len(part.parts)}
        others = [j for j in range(values.shape[1]) if j not in clocks and j not in calendar]
        n_days = (np.nanmax(times) - np.nanmin(times)) / clock.ticks_per_day
        for name, (days, same) in HIDDEN.items():
            if n_days < MIN_TIMES * days or known & same:
                continue
            minutes, of = PARTS[name]
            few = of(clock.periods(times[rows], minutes))
            if any(_hangs_on(values[rows, j], few, categorical[j]) for j in others):
                parts = np.unique(of(clock.periods(times[~np.isnan(times)], minutes)))
                found.append((i, CalendarPart(clock, name, parts, parts.astype(float), 0.0)))
    return found


def _hangs_on(x, parts, is_category):
    """Whether numbers or categories x differ between parts beyond chance."""
    present = ~np.isnan(x) & (x != UNSEEN if is_category else True)
    (x, own), (parts, where) = (np.unique(a[present], return_inverse=True) for a in (x, parts))
    if min(len(x), len(parts)) < 2:
        return False
    if not is_category:
        return kruskal(*(own[where == part] for part in range(len(parts)))).pvalue < MAX_CHANCE
    counts = np.bincount(own * len(parts) + where, minlength=len(x) * len(parts)).reshape(len(x), -1)
    counts = counts[counts.sum(axis=1) >= MIN_EXPECTED * len(parts)]
    counts = counts[:, counts.any(axis=0)]
    return min(counts.shape) > 1 and chi2_contingency(counts).pvalue < MAX_CHANCE


def _part_of(x, times, clock, is_category):
    """The first CalendarPart of times that tells x, (n,), rather one whose numbers x counts in; or None."""
    if not len(x):
        return None
    found, few, few_x = None, some_rows(times), some_rows(x)
    shares = np.unique(x, return_counts=True)[1] / len(x)
    for name, (minutes, of) in PARTS.items():
        if _tells(of(clock.periods(few, minutes)), few_x) is None:
            continue
        told = _tells(of(clock.periods(times, minutes)), x)
        if told is not None:
            parts, told = told
            shift = told[0] - parts[0] if not is_category and np.ptp(told - parts) == 0 else np.nan
            is_number = not np.isnan(shift)  # that of the part itself, but for a constant
            if not is_number and (name in COUNTED or (name == "day" and not is_category and _is_monotone(times, x))):
                continue
            least = MIN_ON_LINE if is_number else MIN_REPEATS
            if (is_number and len(parts) > MIN_ON_LINE) or is_no_chance(len(x) - len(parts), shares, least):
                part = CalendarPart(clock, name, parts, told, shift)
                if is_number or is_category:
                    return part
                found = found or part
    return found


def _is_monotone(times, x):
    """Whether numbers never fall or never rise with times: they are more likely computed from these."""
    steps = np.diff(x[np.argsort(times, kind="stable")])
    return (steps >= 0).all() or (steps <= 0).all()


def _tells(parts, x):
    """Different parts and what each of them tells, if that is the same in all rows; else None."""
    parts, first, own = np.unique(parts, return_index=True, return_inverse=True)
    return (parts, x[first]) if (x[first][own.ravel()] == x).all() else None
