"""Columns that are a multiple of another, and little noise or rounding: what is left becomes a column of its own.

A mixture blurs what lies near a line: dates that follow each other, a tax of 19 %, an age and a date of birth, terms
of 14, 30 or 60 days. Described by their difference they come back as they were, and so do their order and their bounds.
"""

import math
from fractions import Fraction
from functools import cache
from itertools import count, islice
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.stats import median_abs_deviation

from ._columns import column_of_numbers, log_margin
from ._dependencies import MIN_REPEATS, some_rows
from ._numbers import TIE, float_error, round_half, round_to_grid
from ._relations import MIN_ON_LINE, LinearColumn, common_step, origins

MAX_ROUNDING = 0.3  # noise that rounding may be, relative to its column; in its steps, before the slope is right, ...
MAX_ROUNDING_RANGE = 2.0
MAX_TIES = 0.02  # of the rows, that may be rounded to the other side
MAX_BASES = 3  # that are tried
MAX_TRIALS = 5  # of a linear program, each with the rows that contradict the one before
DIGITS_OF_CONSTANT = 2  # that a factor has less, if a constant that is not 0 is added
MIN_ROUNDED = 5  # different numbers that cannot be rounded by chance
MAX_NOISE = 0.1  # standard deviation of a number about a multiple of another, relative to its own
MIN_SHARE_LEFT = 0.8  # of the noise, by all earlier columns, ...
MIN_ROWS_PER_COLUMN = 5  # ... if there are so many rows for each of them
MIN_GAIN = 0.2  # nats by which noise is described better than its number is with the other
MANY_APART = 100  # numbers that few differences could tell, ...
MIN_PER_DIFFERENCE = 5  # ... for each of them
N_ERRORS = 4  # standard errors by which a slope may be off
N_KNOTS = 5  # of the transforms that tell that
BLUR = 1e-3  # variance that a mixture of many rows adds to coordinates


class Difference(NamedTuple):
    """Column j without a multiple of another, its base: a column that the table does not have."""

    j: int
    base: int
    slope: float
    step: float
    error: float  # by which it may miss its grid
    own: int = -1  # index of that column
    grid: float = 0.0  # the step of column j, if that is the multiple and a constant, rounded; else 0
    constant: float = 0.0
    unit: float = 1.0  # in which column j is scored

    @classmethod
    def between(cls, values, j, base, slope, step):
        largest = np.nanmax(np.abs(values[:, j]))
        return cls(j, base, slope, step, float(float_error(-largest, largest, step)))

    @property
    def width(self):
        """Of a level, that makes its probability a density."""
        return self.step or self.error

    def log_unit(self, on_level):
        """What turns log-densities, or log-probabilities of levels in a mask, into those of column j."""
        return np.log(self.unit) - on_level * np.log(self.width)

    def of(self, values):
        """The differences in rows of the table, (n,)."""
        exact = values[:, self.j] - self.slope * values[:, self.base]
        rounded = round_to_grid(exact, self.step)
        return np.where(np.isclose(rounded, exact, rtol=0.0, atol=self.error), rounded, exact)

    def column(self, values, n_knots, rng):
        """The column of the differences where there is the base; else that they are missing tells nothing."""
        has_base = ~np.isnan(values[:, self.base])
        d = self.of(values)[has_base]
        if not has_base.all() and not np.isnan(d).any():
            d = np.append(d, np.nan)
        return column_of_numbers(d, n_knots, rng, self.step)

    def rounded(self, values):
        """Column j as rounding tells it, (n,)."""
        return round_half(self.slope * values[:, self.base] + self.constant, self.grid)

    def line(self, values, step):
        """The LinearColumn of column j with that step."""
        return LinearColumn(values[:, self.j], step, [self.base, self.own], [self.slope, 1.0], 0.0)

    def gives_back(self, values, step):
        """Whether column j can be computed."""
        line = self._replace(own=values.shape[1]).line(values, step)
        return not line.misses(np.column_stack([values, self.of(values)]), values[:, self.j]).any()


def find_differences(values, steps, even, joint, rng):
    """Columns that are a multiple of another, and rounding or little noise: pairs of Difference and LinearColumn.

    The differences are columns behind those of the table. Rounding is of a finer column, noise about an earlier one, as
    few distances are.

    Parameters
    ----------
    values : (n_samples, n_columns)
    steps : dict from the index of a column to consider to its rounding step
    even : indices of those that may have noise
    joint : dict from the index of a column that others tell to that ComputedColumn, which can be a base
    """
    few, numbers = some_rows(values), list(steps)
    free = [j for j in numbers if j not in joint]
    noise = np.full((values.shape[1], values.shape[1]), np.inf)
    noise[np.ix_(numbers, numbers)] = linear_noise(few[:, numbers])
    np.fill_diagonal(noise, np.inf)
    found = {}

    def sources(i):
        return ([found[i].base] if i in found else []) + (joint[i].sources if i in joint else [])

    def can_be_base(i, j):
        return j not in origins(i, sources) and is_there(values[:, i], values[:, j])

    def nearest(j, most, stop=None):
        """Columns with little noise about their multiples in column j, the least first, that do not hang on it."""
        near = sorted(np.flatnonzero(noise[:stop, j] < most).tolist(), key=lambda i: noise[i, j])
        return islice((i for i in near if can_be_base(i, j)), MAX_BASES)

    def base_and_slope(j):
        """An earlier column that comes near to column j by a multiple, or is at few distances, if there is one."""
        earlier = [i for i in numbers if i < j]
        near = next(nearest(j, MAX_NOISE, stop=j), None)
        if near is None:
            apart = ((i, 1.0) for i in at_few_distances(few, j, earlier, steps) if can_be_base(i, j))
            return islice(apart, 1)
        return [(near, plain_slope(few[:, near], few[:, j]))] if tells_most(few, j, near, earlier) else []

    attempt = cache(lambda j, i: rounding(values, few, j, i, steps))
    for least in (1.0, 0.0):  # first what tells its base, whose steps are as large in those of its own
        for j in free:
            differences = (attempt(j, i) for i in nearest(j, MAX_ROUNDING)) if j not in found else ()
            telling = (d for d in differences if d is not None and abs(d.slope) * steps[d.base] >= least * d.grid)
            found |= {difference.j: difference for difference in islice(telling, 1)}
    for j in (j for j in even if j not in found and j not in joint):
        for i, slope in base_and_slope(j):
            difference = Difference.between(values, j, i, slope, joint_step(slope * steps[i], steps[j]))
            if is_plainer(difference, values, rng):
                found[j] = difference
    bases_first = sorted(found.values(), key=lambda difference: len(list(origins(difference.j, sources))))
    exact = [difference for difference in bases_first if difference.gives_back(values, steps[difference.j])]
    exact = [difference._replace(own=own) for own, difference in enumerate(exact, values.shape[1])]
    return [(difference, difference.line(values, steps[difference.j])) for difference in exact]


def is_there(a, x):
    """Whether no number of x is where a is missing."""
    return not (np.isnan(a) & ~np.isnan(x)).any()


def tells_most(X, j, i, others):
    """Whether other columns, too, do not come much nearer to column j than column i alone, by linear regression."""
    present = ~np.isnan(X[:, [j, *others]]).any(axis=1)
    if present.sum() < MIN_ROWS_PER_COLUMN * len(others):
        return True
    x, a, A = (X[present][:, k] - X[present][:, k].mean(axis=0) for k in (j, [i], others))
    alone, together = (np.linalg.norm(x - B @ np.linalg.lstsq(B, x)[0]) for B in (a, A))
    return together > MIN_SHARE_LEFT * alone


def rounding(values, few, j, i, steps):
    """The Difference of column j and a multiple of column i of which it is the rounding, a constant added; or None."""
    x, grid = values[:, j], steps[j]
    unit = grid / steps[i] if steps[i] else 1.0
    if not grid or not may_be_rounded(few[:, i], few[:, j], grid):
        return None
    fractions = (through(values[:, i], x, grid, unit) for through in (through_zero, through_any))
    for fraction in plainest_first([fraction for fraction in fractions if fraction]):
        step = grid / fraction.denominator if steps[i] else 0.0
        plain = Difference.between(values, j, i, float(fraction) * unit, step)
        d = plain.of(values)
        down = (grid - step) / 2  # rounds down: a day of a time
        constants = 0.0, TIE * grid, -TIE * grid, -down, down, float(np.nanmin(d) + np.nanmax(d)) / 2
        near = [c for c in constants if np.nanmax(np.abs(d - c)) <= (0.5 + 2 * TIE) * grid]
        found = [plain._replace(grid=grid, constant=constant) for constant in near]
        misses = [np.nansum(np.abs(difference.rounded(values) - x) > grid / 2) for difference in found]
        if min(misses, default=np.inf) <= MAX_TIES * len(x):
            return found[np.argmin(misses)]
    return None


def is_rounded(values, few, j, steps):
    """Whether column j is, in every row, the rounding of a multiple of one of other columns, a constant added."""
    differences = (rounding(values, few, j, i, steps) for i in steps if i != j)
    misses = (np.abs(d.rounded(values) - values[:, j]) > d.grid / 2 for d in differences if d is not None)
    return any(not np.any(missed) for missed in misses)


def plainest_first(fractions):
    """Fractions in order, of which a later one, that needs a constant, must be shorter by DIGITS_OF_CONSTANT digits."""
    return sorted(fractions, key=lambda fraction: n_digits(fraction) + DIGITS_OF_CONSTANT * fractions.index(fraction))


def may_be_rounded(a, x, grid):
    """Whether x is not far from a line through multiples of a, and enough rows and numbers would tell."""
    a, x = both_present(a, x)
    if len(a) < MIN_REPEATS or len(np.unique(x)) < MIN_ROUNDED:
        return False
    return np.ptp(x - regression_slope(a, x) * a) <= MAX_ROUNDING_RANGE * grid


def through_zero(a, x, grid, unit):
    """The plainest fraction of a unit by which multiples of a are x after rounding; None if none is."""
    a, x = both_present(np.where(a == 0, np.nan, a), x)
    ends = np.array([x - (0.5 + TIE) * grid, x + (0.5 + TIE) * grid]) / a / unit
    low, high = ends.min(axis=0).max(), ends.max(axis=0).min()
    return plainest(Fraction(low), Fraction(high)) if low <= high else None


def through_any(a, x, grid, unit, slack=0.0):
    """The plainest fraction of a unit by which multiples of a and any constant are x after rounding; None if none is.

    The least and the largest are the solutions of a linear program, of some rows and those that contradict them. All
    numbers may be off by a part of the rounding step more, the slack.
    """
    a, x = both_present(a, x)
    size = np.ptp(a)
    a, x, scale = (a - a.min()) / size, x / grid, Fraction(size) * Fraction(unit) / Fraction(grid)
    rows = some_rows(np.arange(len(a)))
    for _ in range(MAX_TRIALS):
        ends = extreme_slopes(a[rows], x[rows], 0.5 + TIE + slack)
        if ends is None:
            return None
        fraction = plainest(*(Fraction(end) / scale for end in ends))
        left = x - float(fraction * scale) * a
        if np.ptp(left) <= 1 + 4 * TIE + 2 * slack:
            return fraction
        rows = np.append(rows, [left.argmin(), left.argmax()])
    return None


def extreme_slopes(a, x, off):
    """The least and the largest slope of a line that leaves no x more than that off; None if there is none."""
    one = np.ones(len(a))
    within = {
        "A_ub": np.column_stack([np.append(a, -a), np.append(one, -one)]),
        "b_ub": np.append(x, -x) + off,
        "bounds": (None, None),
    }
    low = linprog([1.0, 0.0], **within)
    if not low.success:
        return None
    return low.x[0], max(low.x[0], linprog([-1.0, 0.0], **within).x[0])


def plainest(low, high):
    """The fraction between two bounds with the fewest digits, as a decimal, the inverse of one, or a quotient."""
    if low <= 0 <= high:
        return Fraction(0)
    if low == high:
        return low
    if high < 0:
        return -plainest(-high, -low)
    written = fewest_digits(low, high), 1 / fewest_digits(1 / high, 1 / low), simplest_fraction(low, high)
    return min(written, key=lambda fraction: (n_digits(fraction), fraction.denominator))


def n_digits(fraction):
    """The fewest digits that write a fraction as a decimal, the inverse of one, or a quotient."""
    p, q = abs(fraction.numerator), fraction.denominator
    return min(decimal_digits(p, q), decimal_digits(q, p), decimal_digits(p, 1) + decimal_digits(q, 1))


def decimal_digits(p, q):
    """Digits of the fraction p / q as a decimal, zeros at the end left out; infinitely many if it does not end."""
    rest = q
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest > 1:
        return np.inf
    while p % q:
        p *= 10
    return len(str(p // q).rstrip("0"))


def fewest_digits(low, high):
    """The decimal between two positive bounds that has the fewest digits."""
    first = math.floor(math.log10(high))
    for n in count(1):
        step = Fraction(10) ** (first - n + 1)
        if math.ceil(low / step) * step <= high:
            return math.ceil(low / step) * step


def simplest_fraction(low, high):
    """The fraction of the least denominator between two positive bounds, by their continued fractions."""
    whole = math.ceil(low)
    if whole <= high:
        return Fraction(whole)
    return whole - 1 + 1 / simplest_fraction(1 / (high - whole + 1), 1 / (low - whole + 1))


@cache
def joint_step(a, b):
    """The largest step of which two others are multiples; 0 if one is 0, that of numbers without a grid."""
    return common_step([a, b]) if a and b else 0.0


def at_few_distances(few, j, others, steps):
    """Those of other columns that few numbers tell from column j (a cost, to which 5, 10 or 20 are added)."""
    numbers = {}
    joint = np.array([joint_step(steps[i], steps[j]) for i in others])
    others, joint = np.array(others, dtype=int)[joint > 0], joint[joint > 0]
    first = few[~np.isnan(few[:, j])][:MANY_APART]
    apart = np.sort(np.rint((first[:, [j]] - first[:, others]) / joint), axis=0)  # gaps come last
    n_apart = 1 + (np.diff(apart, axis=0) > 0).sum(axis=0)  # too many in most pairs
    for k in np.flatnonzero(n_apart * MIN_PER_DIFFERENCE <= MANY_APART):
        a, x = both_present(few[:, others[k]], few[:, j])
        n = len(np.unique(np.rint((x - a) / joint[k])))
        if len(a) and n * MIN_PER_DIFFERENCE <= min(len(np.unique(a)), len(np.unique(x)), MANY_APART):
            numbers[int(others[k])] = n
    return sorted(numbers, key=numbers.get)


def linear_noise(X):
    """Standard deviation of each column about its regression on another, relative to its own, (n_columns, n_columns).

    Entry (i, j) is that of column j on column i, over the rows that have both; infinite where these are few.
    """
    present = ~np.isnan(X)
    X = np.where(present, X, 0.0)
    X = np.where(present, X - X.sum(axis=0) / np.maximum(present.sum(axis=0), 1), 0.0)
    n = present.T.astype(float) @ present
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        means, squares, products = X.T @ present / n, (X**2).T @ present / n, X.T @ X / n
        variances = squares - means**2  # entry (i, j) is of column i, over the rows that have j too
        unexplained = 1 - (products - means * means.T) ** 2 / (variances * variances.T)
    return np.where((n >= MIN_ON_LINE) & np.isfinite(unexplained), np.sqrt(unexplained.clip(0)), np.inf)


def plain_slope(a, x):
    """The decimal of the fewest digits by which multiples of a come near to x; 1, if it suits half of the rows."""
    a, x = both_present(a, x)
    slope = regression_slope(a, x)
    if median_abs_deviation(x - a) <= median_abs_deviation(x - slope * a):
        return 1.0
    within = N_ERRORS * (x - slope * a).std() / a.std() / np.sqrt(len(a))
    rounded = (float(f"{slope:.{digits}e}") for digits in range(16))
    return next((plain for plain in rounded if abs(plain - slope) <= within), slope)


def both_present(a, x):
    """The numbers of the rows that have both."""
    present = ~np.isnan(a) & ~np.isnan(x)
    return a[present], x[present]


def regression_slope(a, x):
    """Of x on a, by least squares."""
    return np.cov(a, x)[0, 1] / a.var(ddof=1)


def is_plainer(difference, values, rng):
    """Whether a difference alone is described better than its column is with the base, by a normal copula."""
    values = values[~np.isnan(values[:, difference.j])]
    numbers = difference.of(values), values[:, difference.j], values[:, difference.base]
    (_, alone), (z, own), (z_base, _) = (density(x, difference.width, rng) for x in numbers)
    unexplained = 1 - np.corrcoef(z, z_base)[0, 1] ** 2 + BLUR
    return alone.mean() >= own.mean() - 0.5 * np.log(unexplained) + MIN_GAIN


def density(x, width, rng):
    """Coordinates of numbers, and their log-density as a column, in which a level has that width, each (n,)."""
    column = column_of_numbers(x, N_KNOTS, rng)
    z, codes, log_slopes = column.encode(x, rng)
    return z[:, -1], log_margin(column, z, codes) + log_slopes - np.log(width) * column.on_level(codes)
