"""The numbers of a column: their decimal grid, spikes among them, and whether their distances mean anything."""

from typing import NamedTuple

import numpy as np

from ._transforms import FEW_NUMBERS

MIN_ATOM_SHARE = 0.002  # an atom is a number with at least this share of the rows, ...
MIN_ATOM_ROWS = 10  # ... at least so many rows ...
ATOM_EXCESS = 5.0  # ... and so many times the rows that a smooth density would put there, ...
ATOM_EXCESS_FEW = 20.0  # ... or with few rows, which can tell less about spikes
MAX_ATOMS = 100
ATOM_WINDOW = 5  # neighbours on each side that tell the smooth density
ROWS_PER_NUMBER = 10  # on average, that tell numbers which may occur from measurements
MAX_UNSEEN = 0.1  # share of the rows that hold numbers which occur once, if there are hardly any others
MIN_UNEVEN = 0.05  # part of the rows on both sides of gaps, that lies at uneven ones
MIN_HEAPED = 0.2  # share of the rows by which numbers miss their neighbours' mean, beyond chance, if they are heaped
MIN_MULTIPLES = 10  # distinct numbers that tell a common divisor from chance
SINGLE = 6e-8  # relative float error in single precision
FROM_TEXT = 1e-15  # relative error of numbers that a fast parser reads, as that of pandas
TIE = 1e-6  # part of a rounding step by which numbers half way between two are moved
LINE_ERROR = 1e-9  # float error of a number on a line without a grid, relative to the range


def grid_step(values):
    """A power of ten that all of the values are multiples of, times their common divisor; 0 if there is none.

    Each value may miss its multiple by its own float error, or by that of the median where it is smaller.
    """
    size = np.abs(values)
    if not size.any():
        return 0.0
    typical = np.median(size)
    if np.array_equal(values, np.rint(values)):
        float_error, lowest = 0.0, 1.0
    else:
        float_error = SINGLE if is_single(values) else 1e-14
        lowest = 4 * float_error * typical
    exponent = int(np.floor(np.log10(size.max())))
    while 10.0**exponent >= lowest > 0:
        multiples = np.round(values / 10.0**exponent)
        if np.all(np.abs(values - multiples * 10.0**exponent) <= float_error * np.maximum(size, typical)):
            countable = len(values) >= MIN_MULTIPLES and np.abs(multiples).max() < 2**53
            common = np.gcd.reduce(multiples.astype(np.int64)) if countable else 1
            return float(common) * 10.0**exponent
        exponent -= 1
    return 0.0


def round_to_grid(x, step):
    """Multiples of a step nearest to x, with the decimals that a person would write."""
    if not step:
        return x
    decimals = next((d for d in range(-20, 20) if np.isclose(np.round(step, d), step, rtol=1e-13, atol=0.0)), 20)
    multiples = np.round(x / step) * step
    return np.round(multiples, decimals) if decimals > 0 else multiples


def round_half(x, step):
    """Multiples of a step nearest to x, where float error makes no half of a step more or less than one."""
    multiples = x / step
    halves = np.round(2 * multiples) / 2
    with np.errstate(invalid="ignore"):  # infinite numbers
        is_half = np.abs(multiples - halves) < TIE / 10
    return round_to_grid(np.where(is_half, halves, multiples) * step, step)


class Decimals(NamedTuple):
    """Multiples of a step; all numbers, if it is 0."""

    step: float
    in_single: bool = False  # whether 0.1 is 0.10000000149, which is 0.1 in single precision
    values = np.empty(0)  # there is no list of numbers, as Cells have one

    @classmethod
    def of(cls, values, step):
        """The multiples of a step that are like some values."""
        as_written = step and np.allclose(values, round_to_grid(values, step), rtol=FROM_TEXT, atol=0.0)
        return cls(step, is_single(values) and not as_written)

    def nearest(self, x):
        """Multiples nearest to x, with the decimals that a person would write."""
        x = round_to_grid(x, self.step)
        return x.astype(np.float32).astype(float) if self.in_single else x

    def spread(self, x, rng):
        """Uniform draws from the rounding steps of x."""
        return x + self.step * (rng.uniform(size=len(x)) - 0.5)


def find_atoms(values, counts, step):
    """Mask of the numbers that repeat far more often than a smooth density explains.

    Such a density puts about (rows of the neighbours) x step / (width of their window) rows on one number.
    """
    index = np.arange(len(values))
    first = np.maximum(index - ATOM_WINDOW, 0)
    last = np.minimum(index + ATOM_WINDOW, len(values) - 1)
    total = np.concatenate([[0], np.cumsum(counts)])
    neighbours = total[last + 1] - total[first] - counts
    cell = 10.0 ** np.floor(np.log10(step)) if step else 0.0  # a common divisor may be chance
    share = np.minimum(cell / (values[last] - values[first] + cell), 1 / (last - first + 1)) if step else 0.0
    threshold = max(MIN_ATOM_SHARE * counts.sum(), MIN_ATOM_ROWS)
    excess = ATOM_EXCESS if counts.sum() > FEW_NUMBERS else ATOM_EXCESS_FEW
    atoms = (counts >= threshold) & (counts >= excess * neighbours * share)
    if atoms.sum() > MAX_ATOMS:
        atoms &= counts > np.sort(counts[atoms])[-MAX_ATOMS - 1]
    return atoms


def are_uneven(values, counts, step):
    """Whether numbers leave out multiples of the step between many rows on both sides; without a step, they do."""
    beside = np.minimum(counts[:-1], counts[1:])
    beside[beside < MIN_ATOM_ROWS] = 0
    return beside[np.diff(values) > 1.5 * step].sum() > MIN_UNEVEN * beside.sum()


def are_all_known(values, counts, step):
    """Whether few rows hold numbers that occur once, and most of those that repeat lie at uneven gaps.

    The share of numbers that occur once is what a new row has of numbers that were never seen [1]_.

    References
    ----------
    .. [1] I. J. Good, "The population frequencies of species and the estimation of population parameters", Biometrika,
       1953.
    """
    beside = np.minimum(counts[:-1], counts[1:])
    beside[beside < 2] = 0
    are_apart = np.diff(values) > 1.5 * step
    return (counts == 1).sum() <= MAX_UNSEEN * counts.sum() and beside[are_apart].sum() > beside.sum() / 2


def are_heaped(counts):
    """Whether neighbouring numbers, without spikes and rare ones, differ more in their rows than a smooth density."""
    counts = counts[~find_atoms(np.arange(len(counts)), counts, 1.0) & (counts >= MIN_ATOM_ROWS)]
    own, expected = counts[1:-1], (counts[:-2] + counts[2:]) / 2
    excess = np.abs(own - expected) - np.sqrt(own + expected / 2)  # beyond a standard deviation of Poisson counts
    return excess.clip(0).sum() > MIN_HEAPED * counts.sum()


def split_numbers(values, counts, step):
    """Mask of the atoms among different numbers, and whether the others are mapped by their ranks.

    The distances of uneven numbers tell nothing about spikes; heaps on a decimal grid do stand out from it.
    """
    apart = np.diff(values).min(initial=np.inf) > 64 * np.spacing(np.abs(values).max())
    ranks = np.arange(len(values))
    if apart and counts.sum() < ROWS_PER_NUMBER * len(values):
        atoms = find_atoms(ranks, counts, 1.0)
        if are_all_known(values[~atoms], counts[~atoms], step):
            return atoms, True
    if not apart or counts.sum() < ROWS_PER_NUMBER * len(values):
        return find_atoms(values, counts, step), False
    uneven, heaped = are_uneven(values, counts, step), are_heaped(counts)
    by_ranks = uneven and not (heaped and step)
    return find_atoms(ranks, counts, 1.0) if by_ranks else find_atoms(values, counts, step), uneven or heaped


def same_numbers(a, b, column):
    """Mask of the pairs that differ by the float error of a column at most, or are both missing."""
    return np.isclose(a, b, rtol=0.0, atol=error_of(column), equal_nan=True)


def nearest_within(numbers, x, otherwise, error=0.0, relative=0.0):
    """The numbers, in ascending order, that x misses by an error at most; others where there is none."""
    if not len(numbers):
        return otherwise
    nearest = numbers[np.searchsorted((numbers[:-1] + numbers[1:]) / 2, x).clip(max=len(numbers) - 1)]
    return np.where(np.isclose(x, nearest, rtol=relative, atol=error, equal_nan=True), nearest, otherwise)


def error_of(column):
    """The float error of the numbers of a column."""
    return float_error(column.low, column.high, column.step)


def is_single(x):
    """Whether all numbers are those of single precision, but for what reading them from text may have added."""
    with np.errstate(over="ignore"):
        return np.allclose(x, x.astype(np.float32), rtol=FROM_TEXT, atol=0.0)


def float_error(low, high, step):
    """How far off numbers between two bounds may be by computation, always less than half a step."""
    error = 8 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    return np.minimum(error, step / 4) if step else error + LINE_ERROR * (high - low)


def computation_error(x, step):
    """How far off numbers may be by their computation, in single precision if all of them are of that."""
    x = x[~np.isnan(x)]
    error = float_error(x.min(), x.max(), step)
    return error if step or not is_single(x) else max(error, 4 * SINGLE * np.abs(x).max())
