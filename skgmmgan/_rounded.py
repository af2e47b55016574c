"""Columns that are computed from others and rounded: a logarithm, a price times a quantity, an average, an age."""

from typing import NamedTuple

import numpy as np

from ._numbers import TIE, computation_error, nearest_within, round_half
from ._relations import ComputedColumn, LinearColumn

DOUBLE = 1e-12  # relative error of a function that was computed in double precision


class Options(NamedTuple):
    """What drawn rows keep to: the parameters of the estimator with these names."""

    enforce_bounds: bool = True
    enforce_decimals: bool = True


class Solution(NamedTuple):
    """Numbers of a source that a number computed from it belongs to, (n,) each."""

    x: np.ndarray
    log_size: np.ndarray  # of the numbers that would: how many, or how wide an interval; -inf where there is none
    any_does: np.ndarray  # mask of the rows in which all numbers would


class RoundedColumn(ComputedColumn):
    """A column that others told in every row, after rounding.

    Parameters
    ----------
    slack : by which a number may be off, because something else than rounding moved it
    """

    def __init__(self, x, step, sources, slack=0.0):
        super().__init__(x, step, sources)
        self.slack, self.error = slack, computation_error(x, step)

    def of(self, values, enforce_decimals=True):
        """The numbers that belong to rows of the table; infinite where there is none, missing with a source."""
        exact = self.exact(values)
        exact = np.where(np.isnan(exact) & ~self.lacks_source(values), np.inf, exact)
        return self.grid.nearest(round_half(exact, self.step) if self.step else exact) if enforce_decimals else exact

    def lacks_source(self, values):
        """Mask of the rows in which a source is missing."""
        return np.isnan(values[:, self.sources]).any(axis=1)

    def half(self, x, enforce_decimals=True):
        """By how much rounding moves numbers, (n,)."""
        return np.full(len(x), max((0.5 + TIE) * self.step * enforce_decimals, self.error))

    def misses(self, values, x):
        """Mask of the rows whose numbers x do not belong to them."""
        with np.errstate(invalid="ignore"):
            hits = np.abs(self.exact(values) - x) <= self.half(x) + self.slack
        return ~(hits | (self.lacks_source(values) & np.isnan(x)))

    def solve(self, source, column, values, x, options, rng=None):
        """Numbers of a source, drawn from those that x belongs to; without `rng`, those nearest to the values."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            low, high, any_does = self.interval(source, values, x, self.half(x, options.enforce_decimals))
            unbounded = np.isinf(low) | np.isinf(high)
            low = np.where(options.enforce_bounds | unbounded, np.maximum(low, column.low), low)
            high = np.where(options.enforce_bounds | unbounded, np.minimum(high, column.high), high)
            present = np.where(np.isnan(values[:, source]), low, values[:, source])
            step = column.step * options.enforce_decimals
            if step:
                first, last = np.ceil(low / step - TIE), np.floor(high / step + TIE)
                if not self.step:  # of a number that the source can only come near
                    first = np.where(first > last, np.round((low + high) / 2 / step), first)
                    last = np.maximum(first, last)
                size = last - first + 1
                nth = np.round(present / step) - first if rng is None else np.floor(rng.uniform(size=len(x)) * size)
                found = column.snapped((first + np.clip(nth, 0, size - 1)) * step, True)
            else:
                size = high - low
                found = present.clip(low, high) if rng is None else low + rng.uniform(size=len(x)) * size
                size = np.where(size >= 0, np.maximum(size, np.spacing(np.abs(found))), 0.0)
            log_size = np.where(size > 0, np.log(np.maximum(size, 0.0)), np.where(np.isnan(x), 0.0, -np.inf))
        return Solution(np.where(size > 0, found, np.nan), log_size, any_does)


class ProductColumn(RoundedColumn):
    """A column that was a factor times powers of others, rounded, in every row.

    Parameters
    ----------
    rates : by what a source is multiplied before 1 is added to it; NaN for the others, which are taken as they are
    """

    def __init__(self, x, step, sources, exponents, factor, rates=None):
        super().__init__(x, step, sources)
        self.exponents, self.factor = np.array(exponents, dtype=float), factor
        self.rates = np.full(len(self.sources), np.nan) if rates is None else np.array(rates)

    def exact(self, values, without=None):
        """Before rounding; with a source left out, the rest of the product."""
        parts = np.flatnonzero(np.array(self.sources) != without)
        terms, rates = values[:, np.array(self.sources)[parts]], self.rates[parts]
        terms = np.where(np.isnan(rates), terms, 1 + np.nan_to_num(rates) * terms)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return self.factor * np.prod(terms ** self.exponents[parts], axis=1)

    def formula(self, names):
        """How it is computed from sources of these names, before rounding."""
        names = [name if np.isnan(rate) else f"(1 {rate:+.6g} {name})" for name, rate in zip(names, self.rates)]
        powers = [name if e == 1 else f"{name}^{e:g}" for name, e in zip(names, self.exponents)]
        return " * ".join([f"{self.factor:.6g}"] * (self.factor != 1) + powers)

    def interval(self, source, values, x, half):
        """Bounds of the numbers of a source that x belongs to, and a mask of the rows in which it does to all."""
        rest, own = self.exact(values, without=source), self.sources.index(source)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ends = np.sort(np.array([x - half, x + half]) / np.where(rest == 0, np.nan, rest), axis=0)
            if abs(self.exponents[own]) == 2:
                ends = np.sqrt(ends.clip(0))
            if self.exponents[own] < 0:
                ends = np.where(ends > 0, 1 / ends, np.inf)[::-1]
        if not np.isnan(self.rates[own]):
            ends = np.sort((ends - 1) / self.rates[own], axis=0)
        return *ends, (rest == 0) & (np.abs(x) <= half)


class FunctionColumn(RoundedColumn):
    """A column that was a multiple of a power of another, or of a logarithm, rounded, in every row.

    Parameters
    ----------
    power : of the source and a number that is `added`, on Tukey's ladder, where 0 is the natural logarithm [1]_
    factor : by which that is multiplied
    relative : error of the computation of the source, and of the column

    References
    ----------
    .. [1] J. W. Tukey, "Exploratory data analysis", Addison-Wesley, 1977.
    """

    def __init__(self, x, step, source, power, added, factor, relative=DOUBLE):
        super().__init__(x, step, [source])
        self.power, self.added, self.factor, self.relative = power, added, factor, relative
        numbers, counts = np.unique(x[~np.isnan(x)], return_counts=True)
        self.repeated = np.empty(0) if step else numbers[counts > 1]

    def of(self, values, enforce_decimals=True):
        """The numbers that belong to rows, those of the table where they repeat, to the last digit."""
        x = super().of(values, enforce_decimals)
        return nearest_within(self.repeated, x, x, relative=self.relative)

    def cannot_be(self, values, x, columns):
        """Mask of the rows that cannot be given out with numbers x, which a source with decimals can only come near."""
        if self.step:
            return super().cannot_be(values, x, columns)
        (source,) = self.sources
        low, high, _ = self.interval(source, values, x, self.half(x))
        near = np.abs(values[:, source] - np.clip(values[:, source], low, high)) <= columns[source].step / 2
        return ~(near | (np.isnan(values[:, source]) & np.isnan(x)))

    def half(self, x, enforce_decimals=True):
        """By how much rounding and computation move numbers, (n,)."""
        return (0.5 + TIE) * self.step * enforce_decimals + self.relative * function_error(x, self.power, self.factor)

    def exact(self, values):
        """Before rounding."""
        return self.factor * on_ladder(values[:, self.sources[0]] + self.added, self.power)

    def formula(self, names):
        """How it is computed from a source of that name, before rounding."""
        argument = f"{names[0]} + {self.added}" if self.added else names[0]
        power = f"{argument}^{self.power:g}" if self.power else f"log({argument})"
        return power if self.factor == 1 else f"{self.factor:.6g} * {power}"

    def interval(self, source, values, x, half):
        """Bounds of the numbers of the source that x belongs to, and a mask of the rows in which it does to all."""
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # of infinite numbers
            ends = np.sort(np.array([x - half, x + half]) / self.factor, axis=0)
            ends = ends.clip(0) ** (1 / self.power) if self.power else np.exp(ends)
        return *np.sort(ends - self.added, axis=0), np.zeros(len(x), dtype=bool)


def function_error(x, power, factor):
    """By how much a function of a number is off, whose relative error is 1, as is that of the function, (n,)."""
    return np.abs(x) * (1 + abs(power)) + (abs(factor) if power == 0 else 0.0)


def on_ladder(x, power):
    """Numbers on Tukey's ladder of powers."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return x ** float(power) if power else np.log(x)


class RoundedSum(RoundedColumn):
    """A column that was a linear combination of others, rounded, in every row: an average, an age on a day."""

    formula, replace = LinearColumn.formula, LinearColumn.replace

    def __init__(self, x, step, sources, slopes, intercept, slack):
        super().__init__(x, step, sources, slack)
        self.slopes, self.intercept = np.array(slopes), intercept

    def exact(self, values):
        """Before rounding."""
        return values[:, self.sources] @ self.slopes + self.intercept

    def interval(self, source, values, x, half):
        """Bounds of the numbers of a source that x belongs to, and a mask of the rows in which it does to all."""
        own = np.array(self.sources) == source
        (slope,) = self.slopes[own]
        rest = values[:, np.array(self.sources)[~own]] @ self.slopes[~own] + self.intercept
        low, high = np.sort(np.array([x - rest - half, x - rest + half]) / slope, axis=0)
        return low, high, np.zeros(len(x), dtype=bool)
