"""Columns that are computed from several others and rounded: a price times a quantity, an average, an age on a day."""

from fractions import Fraction
from itertools import combinations, compress
from typing import NamedTuple

import numpy as np

from ._differences import MAX_TIES, MIN_ROWS_PER_COLUMN, N_ERRORS, n_digits, plainest, through_any
from ._numbers import TIE, float_error, round_half
from ._relations import MIN_ON_LINE, MIN_REPEATS, NEARLY, PREVIEW, ComputedColumn, LinearColumn

EXPONENTS = [(1, 1), (1, 2), (2, 1), (1, -1), (-1, 1), (1, -2), (-2, 1)]  # of two columns, the first that fit
MIN_FACTORS = 2  # different numbers of a column that another is multiplied by
MIN_MISSED = 0.05  # of the rows, if a number that another is multiplied by were always the same
FIRST_ROWS = 3  # that rule out most products
MAX_RATE_COLUMNS = 30  # with which rates are looked for: their number grows with the fourth power
RATE_ROWS = 100  # that tell rates from other columns, ...
RATE_TOLD = 0.99  # ... by a correlation of so much; ...
MAX_TRIED = 5  # ... so many of them are tried
MAX_COLUMNS = 60  # that products are looked for among: their number grows with the cube
ROUNDED = 0.35  # standard deviation, in steps, about a sum of others that rounding explains; it makes .29
JITTER = 1e-13  # variance that keeps correlations invertible
MAX_DIGITS = 3  # of the quotient of two factors of a sum, of a rate and what it belongs to
SLACKS = (0.0, 0.001, 0.002, 0.004, 0.008)  # that are tried: a year is 365.25 days but for one or two in 800


class Solution(NamedTuple):
    """Numbers of a source that a number computed from it belongs to, (n,) each."""

    x: np.ndarray
    log_size: np.ndarray  # of the numbers that would: how many, or how wide an interval; -inf where there is none
    any_does: np.ndarray  # mask of the rows in which all numbers would


class RoundedColumn(ComputedColumn):
    """A column that others told in every row, after rounding.

    Parameters
    ----------
    slack : part of a rounding step by which a number may be off, because something else than rounding moved it
    """

    def __init__(self, x, step, sources, slack=0.0):
        super().__init__(x, step, sources)
        self.slack = slack

    def of(self, values, enforce_decimals=True):
        """The numbers that belong to rows of the table; infinite where there is none."""
        exact = self.exact(values)
        exact = np.where(np.isfinite(exact), exact, np.inf)
        return round_half(exact, self.step) if self.step and enforce_decimals else exact

    @property
    def half(self):
        """By how much rounding moves numbers."""
        return max((0.5 + TIE) * self.step, float_error(self.low, self.high, self.step))

    def misses(self, values, x):
        """Mask of the rows whose numbers x do not belong to them, as floats."""
        with np.errstate(invalid="ignore"):
            return 1.0 - (np.abs(self.exact(values) - x) <= self.half + self.slack * self.step)

    def solve(self, source, column, values, x, enforce_decimals, rng=None):
        """Numbers of a source, drawn from those that x belongs to; without `rng`, those nearest to the values."""
        low, high, any_does = self.interval(source, values, x)
        low, high = np.maximum(low, column.low), np.minimum(high, column.high)
        present = np.where(np.isnan(values[:, source]), low, values[:, source])
        step = column.step * enforce_decimals
        if step:
            first, last = np.ceil(low / step - TIE), np.floor(high / step + TIE)
            size = last - first + 1
            nth = np.round(present / step) - first if rng is None else np.floor(rng.uniform(size=len(x)) * size)
            found = column.snapped((first + np.clip(nth, 0, size - 1)) * step, enforce_decimals)
        else:
            size = high - low
            found = present.clip(low, high) if rng is None else low + rng.uniform(size=len(x)) * size
            size = np.where(size >= 0, np.maximum(size, np.spacing(np.abs(found))), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_size = np.where(size > 0, np.log(np.maximum(size, 0.0)), -np.inf)
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

    def interval(self, source, values, x):
        """Bounds of the numbers of a source that x belongs to, and a mask of the rows in which it does to all."""
        rest, own = self.exact(values, without=source), self.sources.index(source)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ends = np.sort(np.array([x - self.half, x + self.half]) / np.where(rest == 0, np.nan, rest), axis=0)
            if abs(self.exponents[own]) == 2:
                ends = np.sqrt(ends.clip(0))
            if self.exponents[own] < 0:
                ends = np.where(ends > 0, 1 / ends, np.inf)[::-1]
        if not np.isnan(self.rates[own]):
            ends = np.sort((ends - 1) / self.rates[own], axis=0)
        return *ends, (rest == 0) & (np.abs(x) <= self.half)


class RoundedSum(RoundedColumn):
    """A column that was a linear combination of others, rounded, in every row: an average, an age on a day."""

    replace = LinearColumn.replace

    def __init__(self, x, step, sources, slopes, intercept, slack):
        super().__init__(x, step, sources, slack)
        self.slopes, self.intercept = np.array(slopes), intercept

    def exact(self, values):
        """Before rounding."""
        return values[:, self.sources] @ self.slopes + self.intercept

    def interval(self, source, values, x):
        """Bounds of the numbers of a source that x belongs to, and a mask of the rows in which it does to all."""
        own = np.array(self.sources) == source
        (slope,) = self.slopes[own]
        rest = values[:, np.array(self.sources)[~own]] @ self.slopes[~own] + self.intercept
        low, high = np.sort(np.array([x - rest - self.half, x - rest + self.half]) / slope, axis=0)
        return low, high, np.zeros(len(x), dtype=bool)


def find_products(values, columns, derivable):
    """Columns that are products or quotients in every row: ProductColumns by their index.

    Parameters
    ----------
    values : (n_samples, n_columns)
    columns : dict from the index of a column to consider to its rounding step; those with missing cells are not
    derivable : indices of those that may be computed
    """
    there = {j: step for j, step in columns.items() if not np.isnan(values[:, j]).any()}
    factors = [j for j in there if len(np.unique(values[:PREVIEW, j])) >= MIN_FACTORS]
    targets = [j for j in derivable if j in there and len(np.unique(values[:PREVIEW, j])) >= MIN_ON_LINE]
    if len(factors) > MAX_COLUMNS or not targets:
        return {}
    pairs = [(i,) for i in factors] + list(combinations(factors, 2))
    found, told = {}, set()  # of columns that tell each other, and of products: another multiple is a line
    for exponents in EXPONENTS:
        kinds = [pair for pair in pairs if are_possible(values, pair, exponents)]
        for j in targets:
            for pair in candidates(values, j, there[j], kinds, exponents) if j not in found else ():
                kinds_of_it = {frozenset([j, *pair]), (pair, exponents)}
                column = product_of(values, j, there[j], pair, exponents)
                if column is not None and not kinds_of_it & told and not hangs_on(pair, j, found):
                    found[j] = column
                    told |= kinds_of_it
                    break
    for j in targets if len(factors) <= MAX_RATE_COLUMNS else ():
        column = with_rate(values, j, there[j], pairs, factors) if j not in found else None
        if column is not None and not hangs_on(column.sources, j, found):
            found[j] = column
    return found


def with_rate(values, j, step, pairs, rates):
    """The ProductColumn of column j with a rate: a number by which the rest of the product rises or falls; or None.

    Parameters
    ----------
    pairs : columns that may be multiplied, tuples of one or two
    rates : columns that may be rates
    """
    pairs, rates = [pair for pair in pairs if j not in pair], [i for i in rates if i != j]
    few = largest(values, j, RATE_ROWS)
    rates = [i for i in rates if np.ptp(few[:, i]) > 0]
    product = np.prod(np.stack([few[:, [pair[k] for pair in pairs]] for k in (0, -1)]), axis=0)
    product = np.where([len(pair) == 1 for pair in pairs], few[:, [pair[0] for pair in pairs]], product)
    usable = (product != 0).all(axis=0)
    pairs, ratio = list(compress(pairs, usable)), few[:, [j]] / product[:, usable]
    if not (pairs and rates) or len(few) < MIN_ON_LINE:
        return None
    tells = standardised(ratio).T @ standardised(few[:, rates]) / len(few)
    for where in np.argsort(-np.abs(tells), axis=None)[:MAX_TRIED]:
        k, i = np.unravel_index(where, tells.shape)
        if abs(tells[k, i]) >= RATE_TOLD and rates[i] not in pairs[k]:
            column = product_with_rate(values, j, step, pairs[k], rates[i])
            if column is not None:
                return column
    return None


def standardised(X):
    """Columns with mean 0 and variance 1; 0 where they do not vary."""
    X = X - X.mean(axis=0)
    return X / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)


def product_with_rate(values, j, step, pair, rate):
    """The ProductColumn of column j as the product of one or two columns and 1 and a multiple of a rate; or None."""
    x, product, d = values[:, j], np.prod(values[:, pair], axis=1), values[:, rate]
    A = np.column_stack([product, product * d])
    scale = np.abs(A).max(axis=0)
    inverse = np.linalg.pinv((A / scale).T @ (A / scale))
    slopes = inverse @ ((A / scale).T @ x) / scale
    errors = (x - A @ slopes).std() * np.sqrt(np.diag(inverse)) / scale
    if slopes[0] == 0:
        return None
    errors = errors + MAX_TIES * step / np.abs(A).std(axis=0)  # ties that are all rounded up
    off = N_ERRORS * (errors[1] + abs(slopes[1] / slopes[0]) * errors[0]) / abs(slopes[0])
    times = plainest(Fraction(slopes[1] / slopes[0] - off), Fraction(slopes[1] / slopes[0] + off))
    if not times or n_digits(times) > MAX_DIGITS:
        return None
    (low,), (high,) = factor_bounds((product * (1 + float(times) * d))[:, None], x[:, None], step)
    if not low <= high or not np.isfinite([low, high]).all():
        return None
    factor, rates = plainest(Fraction(low), Fraction(high)), [*[np.nan] * len(pair), float(times)]
    if n_digits(factor) > MAX_DIGITS:
        return None
    column = ProductColumn(x, step, [*pair, rate], [1] * len(rates), float(factor), rates)
    return column if not column.misses(values, x).any() and all_count(column, values, x) else None


def are_possible(values, pair, exponents):
    """Whether columns can have these exponents: no division by zero, no sign is lost; and one column has two."""
    if len(pair) == 1:
        return exponents == (1, 1) and values[:, pair[0]].min() >= 0
    return all(values[:, i].min() > 0 for i, exponent in zip(pair, exponents) if exponent != 1)


def hangs_on(pair, j, found):
    """Whether one of a pair of columns is computed from column j, directly or not."""
    return any(i == j or (i in found and hangs_on(found[i].sources, j, found)) for i in pair)


def candidates(values, j, step, pairs, exponents):
    """The pairs that column j is a multiple of in a few rows, after rounding."""
    pairs = [pair for pair in pairs if j not in pair]
    if not pairs:
        return []
    few = largest(values, j, FIRST_ROWS)
    first, second = (few[:, [pair[k] for pair in pairs]] for k in (0, -1))
    low, high = factor_bounds(first ** exponents[0] * second ** exponents[1], few[:, [j]], step)
    return [pair for pair, fits in zip(pairs, low <= high) if fits]


def largest(values, j, n):
    """Of some rows, the n in which column j is largest, so that its rounding matters least."""
    few = values[:: max(1, len(values) // PREVIEW)]
    return few[np.abs(few[:, j]).argsort()[-n:]]


def factor_bounds(product, x, step):
    """The least and the largest factor with which each product, (n, n_products), becomes x, (n, 1), after rounding."""
    half = (0.5 + TIE) * step if step else float_error(x.min(), x.max(), step)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.sort(np.array([x - half, x + half]) / product, axis=0)
    fits = np.where(np.abs(x) <= half, 1.0, -1.0) * np.inf  # where the product is 0, all factors, or none
    low = np.where(product == 0, -fits, ends[0]).max(axis=0)
    return low, np.where(product == 0, fits, ends[1]).min(axis=0)


def product_of(values, j, step, pair, exponents):
    """The ProductColumn of column j, if it is one of a pair of columns and both count; else None."""
    x = values[:, j]
    product = values[:, pair[0]] ** float(exponents[0]) * values[:, pair[-1]] ** float(exponents[1])
    (low,), (high,) = factor_bounds(product[:, None], x[:, None], step)
    if not low <= high or not np.isfinite([low, high]).all():
        return None
    sources, powers = (pair, exponents) if len(pair) == 2 else (pair, (2,))
    column = ProductColumn(x, step, sources, powers, float(plainest(Fraction(low), Fraction(high))))
    if column.misses(values, x).any():
        return None
    return column if all_count(column, values, x) else None


def all_count(column, values, x):
    """Whether numbers would be off if one of the sources of their column were always the same."""
    for i in column.sources:
        without = np.where(np.arange(values.shape[1]) == i, np.median(values[:, i]), values)
        if column.misses(without, x).mean() < MIN_MISSED:
            return False
    return True


def find_rounded_sums(values, columns, derivable, products):
    """Columns that are sums of several others, each times a factor, rounded: RoundedSums by their index.

    Parameters
    ----------
    values : (n_samples, n_columns)
    columns : dict from the index of a column to consider to its rounding step; those with missing cells are not
    derivable : indices of those that may be computed
    products : dict from the index of a column to the ProductColumn that it is
    """
    least = max(MIN_REPEATS, MIN_ROWS_PER_COLUMN * len(columns))
    few = values[:: max(1, len(values) // max(PREVIEW, 2 * least))]
    numbers = [j for j in columns if not np.isnan(values[:, j]).any() and np.ptp(few[:, j]) > 0]
    if len(few) < least or len(numbers) < 3:
        return {}
    correlations = np.corrcoef(few[:, numbers].T) + JITTER * np.eye(len(numbers))
    left = few[:, numbers].std(axis=0) / np.sqrt(np.diag(np.linalg.inv(correlations)).clip(1.0))  # by all others
    found = {}
    for j, noise in zip(numbers, left):
        if j in derivable and columns[j] and noise <= ROUNDED * columns[j]:
            others = [i for i in numbers if i not in found and not hangs_on([i], j, products)]
            column = rounded_sum(values, few, j, others, columns, derivable)
            if column is not None:
                found[j] = column
    return found


def rounded_sum(values, few, j, others, steps, derivable):
    """The RoundedSum of column j, if it is one of several others, none of which had better be computed; else None."""
    x, step = values[:, j], steps[j]
    sources, slopes, errors = significant(few, j, others)
    if len(sources) < 2:
        return None
    sizes, noise = np.abs(slopes) * few[:, sources].std(axis=0), (few[:, j] - few[:, sources] @ slopes).std()
    as_well = [i in derivable and noise <= ROUNDED * steps[i] * abs(slope) for i, slope in zip(sources, slopes)]
    if few[:, j].std() < NEARLY * sizes[as_well].max(initial=0.0):
        return None
    base = sizes.argmax()
    errors = errors + MAX_TIES * step / few[:, sources].std(axis=0)  # ties that are all rounded up
    ends = np.sort((slopes + N_ERRORS * np.array([-errors, errors])) / slopes[base], axis=0).T
    ratios = [Fraction(1) if k == base else plainest(*map(Fraction, pair)) for k, pair in enumerate(ends)]
    if max(map(n_digits, ratios)) > MAX_DIGITS:
        return None
    ratios = np.array(ratios, dtype=float)
    whole, unit = values[:, sources] @ ratios, step / steps[sources[base]] if steps[sources[base]] else 1.0
    for slack in SLACKS:
        fraction = through_any(whole, x, step, unit, slack)
        if fraction:
            break
    else:
        return None
    slopes = float(fraction) * unit * ratios
    off = x - values[:, sources] @ slopes
    middle = (off.min() + off.max()) / 2
    halves = ((0.5 - TIE) * step, (TIE - 0.5) * step)  # what is cut, not rounded
    columns = [RoundedSum(x, step, sources, slopes, c, slack) for c in (0.0, TIE * step, -TIE * step, *halves, middle)]
    columns = [column for column in columns if not column.misses(values, x).any()]
    wrong = [(np.abs(column.of(values) - x) > step / 2).mean() for column in columns]
    return (
        columns[np.argmin(wrong)] if min(wrong, default=1.0) <= MAX_TIES and all_count(columns[0], values, x) else None
    )


def significant(X, j, others):
    """Of the columns that tell column j by least squares: those that count, their slopes, and standard errors."""
    kept = np.array(others)
    x = X[:, j] - X[:, j].mean()
    while len(kept):
        scale = X[:, kept].std(axis=0)
        A = (X[:, kept] - X[:, kept].mean(axis=0)) / scale
        inverse = np.linalg.pinv(A.T @ A)
        slopes = inverse @ (A.T @ x)
        errors = (x - A @ slopes).std() * np.sqrt(np.diag(inverse))
        evidence = np.abs(slopes) / errors
        if evidence.min() > N_ERRORS:
            return kept.tolist(), slopes / scale, errors / scale
        kept = np.delete(kept, evidence.argmin())  # one at a time: of columns that tell the same, one counts
    return [], np.empty(0), np.empty(0)
