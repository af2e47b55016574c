"""One column <-> its units: levels, states and normal scores.

A column of categories, or of few different numbers, becomes a discrete unit; one of numbers a continuous unit, after a
discrete *state* unit {continuous, atom 1, ..., missing} if it has atoms or missing cells. Then the continuous unit is
active in state "continuous" only. Every unit has a real coordinate: a smooth monotone transform of the number, or the
normal score of the level's mid-rank.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats.mstats import hdquantiles

from ._spline import MAX_END_SLOPE, fit_spline, forward, inverse
from ._table import UNSEEN

MAX_LEVELS = 254  # levels of a discrete unit; rarer categories share the last one
MIN_ATOM_SHARE = 0.002  # an atom is a number with at least this share of the rows, ...
MIN_ATOM_ROWS = 10  # ... at least so many rows ...
ATOM_EXCESS = 5.0  # ... and so many times the rows that a smooth density would put there, ...
ATOM_EXCESS_FEW = 20.0  # ... or with few rows, which can tell less about spikes
MAX_ATOMS = 100
ATOM_WINDOW = 5  # neighbours on each side that tell the smooth density
ROWS_PER_NUMBER = 10  # on average, that tell numbers which may occur from measurements
MIN_UNEVEN = 0.05  # part of the rows on both sides of gaps, that lies at uneven ones
MIN_HEAPED = 0.2  # share of the rows by which numbers miss their neighbours' mean, beyond chance, if they are heaped
MIN_MULTIPLES = 10  # distinct numbers that tell a common divisor from chance
FEW_NUMBERS = 1000  # up to here quantiles are smoothed and spikes are doubted
NORMAL_IQR = 1.349  # interquartile range of a standard normal variable
LINE_ERROR = 1e-9  # float error of a number on a line without a grid, relative to the range
ACTIVE = 0  # the code of state "continuous", and of an active continuous unit
ABSENT = -1  # the code of an unseen level, and of an inactive continuous unit


@dataclass(frozen=True)
class Unit:
    """One factor of a row's density: discrete with the observed shares of its levels, or continuous without any."""

    shares: np.ndarray = field(default_factory=lambda: np.empty(0))
    is_state: bool = False
    parent: int = -1  # index of the state unit that switches a continuous unit on; -1: always on
    # by the index of an earlier unit, the levels that go with each of its levels: (its levels + 1, n_levels)
    allowed: dict = field(default_factory=dict)

    @property
    def n_levels(self):
        return len(self.shares)

    @property
    def bounds(self):
        """Cumulative shares before, between and after the levels, (n_levels + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.shares)[:-1], [1.0]])

    @property
    def midpoints(self):
        """Coordinates of the levels: normal scores of their mid-ranks, (n_levels,)."""
        return ndtri(self.bounds[:-1] + self.shares / 2)


class Levels:
    """Numbers or codes <-> levels of a discrete unit.

    Parameters
    ----------
    values : distinct values in ascending order, NaN last
    counts : rows that hold each of them
    order : the values' positions by rank; those beyond `max_levels` share the last level
    """

    def __init__(self, values, counts, order, is_state=False, max_levels=MAX_LEVELS):
        self.values = values
        self.by_rank = order
        self.max_levels = max_levels
        self.code = np.empty(len(values), dtype=np.int64)
        self.code[order] = np.minimum(np.arange(len(values)), max_levels - 1)
        shares = counts / counts.sum()
        self.unit = Unit(np.bincount(self.code, weights=shares), is_state)
        self.log_within = np.log(shares / self.unit.shares[self.code])

    def encode(self, x):
        """Level of each value, ABSENT for one not seen, and its log-share inside a shared level."""
        where = np.minimum(np.searchsorted(self.values, x), len(self.values) - 1)
        found = self.values[where]
        seen = (found == x) | (np.isnan(found) & np.isnan(x))
        return np.where(seen, self.code[where], ABSENT), np.where(seen, self.log_within[where], 0.0)

    def decode(self, codes, rng):
        """Value of each level; one of several that share a level is drawn by its share."""
        where = self.by_rank[codes]
        shared = np.flatnonzero(codes == self.max_levels - 1)
        if len(shared) and len(self.values) > self.max_levels:
            members = self.by_rank[self.max_levels - 1 :]
            share = np.exp(self.log_within[members])
            where[shared] = rng.choice(members, len(shared), p=share / share.sum())
        return self.values[where]

    def coordinates(self, codes):
        """Coordinate of each level, 0 for an unseen one."""
        return np.where(codes == ABSENT, 0.0, self.unit.midpoints[codes])


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
        float_error = 6e-8 if np.array_equal(values, values.astype(np.float32)) else 1e-14
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
    decimals = next((d for d in range(-20, 20) if np.isclose(np.round(step, d), step, rtol=1e-9, atol=0.0)), 20)
    multiples = np.round(x / step) * step
    return np.round(multiples, decimals) if decimals > 0 else multiples


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
    if not apart or counts.sum() < ROWS_PER_NUMBER * len(values):
        return find_atoms(values, counts, step), False
    uneven, heaped = are_uneven(values, counts, step), are_heaped(counts)
    if uneven and not (heaped and step):
        values, step = np.arange(len(values)), 1.0
    return find_atoms(values, counts, step), uneven or heaped


class Cells:
    """Numbers that repeat <-> normal scores of their ranks, by a straight line in the cell of each number.

    A cell reaches half way to the neighbours, the outermost ones as far to the other side. Beyond them the slope is at
    most MAX_END_SLOPE times the mean slope.

    Parameters
    ----------
    values : different numbers in ascending order, two or more
    counts : rows that hold each of them
    """

    def __init__(self, values, counts):
        middles = (values[:-1] + values[1:]) / 2
        end = -ndtri(0.5 / counts.sum())
        self.values = values
        self.edges = np.concatenate([[2 * values[0] - middles[0]], middles, [2 * values[-1] - middles[-1]]])
        self.scores = np.concatenate([[-end], ndtri(np.cumsum(counts)[:-1] / counts.sum()), [end]])
        slopes = np.diff(self.scores) / np.diff(self.edges)
        most = MAX_END_SLOPE * 2 * end / (self.edges[-1] - self.edges[0])
        self.slopes = np.concatenate([np.minimum(slopes[:1], most), slopes, np.minimum(slopes[-1:], most)])

    def _pieces(self, edges, x):
        """Piece of the map that each x lies on, 0 before the first cell, and the edge where that begins or ends."""
        piece = np.searchsorted(edges, x, side="right")
        return piece, np.maximum(piece - 1, 0)

    def nearest(self, x):
        piece, _ = self._pieces(self.edges, x)
        return self.values[np.clip(piece - 1, 0, len(self.values) - 1)]

    def spread(self, x, rng):
        """Uniform draws from the cells of x; numbers beyond them stay."""
        piece, edge = self._pieces(self.edges, x)
        end = np.minimum(edge + 1, len(self.values))
        drawn = self.edges[edge] + rng.uniform(size=len(x)) * (self.edges[end] - self.edges[edge])
        return np.where((piece == 0) | (piece > len(self.values)), x, drawn)

    def forward(self, x):
        """Score of each x, and the log-slope there."""
        piece, edge = self._pieces(self.edges, x)
        slope = self.slopes[piece]
        return self.scores[edge] + slope * (x - self.edges[edge]), np.log(slope)

    def inverse(self, z):
        piece, edge = self._pieces(self.scores, z)
        return self.edges[edge] + (z - self.scores[edge]) / self.slopes[piece]


def quantiles(x, shares):
    """Sample quantiles; of few numbers, Harrell and Davis' weighted means of the order statistics [1]_.

    References
    ----------
    .. [1] F. E. Harrell and C. E. Davis, "A new distribution-free quantile estimator", Biometrika 69, 1982.
    """
    if len(x) > FEW_NUMBERS:
        return np.quantile(x, shares, method="hazen")
    return np.asarray(hdquantiles(x, shares))


def fit_normal_scores(x, n_knots):
    """Spline from numbers to normal scores through quantiles; with two knots, standardisation."""
    if n_knots <= 2 or np.ptp(x) == 0:
        low, centre, high = np.quantile(x, [0.25, 0.5, 0.75])
        spread = (high - low) / NORMAL_IQR or x.std() or max(abs(centre), 1.0)
        return fit_spline(np.array([centre - spread, centre + spread]), np.array([-1.0, 1.0]))
    end = -ndtri(0.5 / len(x))
    scores = np.linspace(-end, end, n_knots)
    knots = quantiles(x, ndtr(scores))
    apart = np.concatenate([[True], np.diff(knots) > 8 * np.spacing(np.abs(knots[1:]) + np.abs(knots[:-1]))])
    return fit_spline(knots[apart], scores[apart])


class DiscreteColumn:
    """A column of categories, or of few different numbers: one discrete unit."""

    def __init__(self, x, nominal):
        values, counts = np.unique(x, return_counts=True)
        by_count = np.argsort(np.where(np.isnan(values), -np.inf, -counts), kind="stable")  # gaps never share a level
        is_long = len(values) > MAX_LEVELS
        self.levels = Levels(values, counts, by_count if nominal or is_long else np.arange(len(values)))

    def units(self, start):
        """The units of this column, the first of which has index `start`."""
        return [self.levels.unit]

    def encode(self, x, rng):
        codes, log_within = self.levels.encode(x)
        return self.levels.coordinates(codes)[:, None], codes[:, None], log_within

    def decode(self, z, codes, rng):
        return self.levels.decode(codes[:, 0], rng)

    def as_given(self, x, enforce_bounds, enforce_decimals):
        return x

    def allows(self, x, enforce_bounds):
        """Mask of the values that may be asked for."""
        return self.levels.encode(x)[0] != ABSENT

    def choices(self):
        """Values that may be asked for, NaN for a missing cell, and whether those between the first two may be."""
        return self.levels.values, False

    def features(self, x):
        """What a discriminator reads: finite numbers, at most MAX_LEVELS + 1 different ones."""
        codes, _ = self.levels.encode(x)
        return codes + 1.0


class LabelColumn(DiscreteColumn):
    """The column of class labels: a level for each class, whose base is its share, as a state has it."""

    def __init__(self, labels):
        values, counts = np.unique(labels[labels != UNSEEN], return_counts=True)
        by_count = np.argsort(-counts, kind="stable")
        self.levels = Levels(values, counts, by_count, is_state=True, max_levels=len(values))

    def features(self, x):
        return np.minimum(super().features(x), MAX_LEVELS)


class NumericColumn:
    """A column of numbers: a continuous unit, after a state unit if it has atoms or missing values."""

    cells = None  # instead of a smooth transform, of numbers at uneven distances or in heaps

    def __init__(self, x, n_knots, rng):
        present = x[~np.isnan(x)]
        values, counts = np.unique(present, return_counts=True)
        self.low, self.high = values[0], values[-1]
        self.step = grid_step(values)
        atoms, by_ranks = split_numbers(values, counts, self.step)
        smooth = present[~np.isin(present, values[atoms])]
        if not len(smooth):  # every number is an atom: the last one stays continuous
            atoms[-1], smooth = False, present[present == values[-1]]
        self.levels = self._states(values[atoms], counts[atoms], len(smooth), len(x) - len(present))
        if by_ranks and (~atoms).sum() > 1:
            self.cells = Cells(values[~atoms], counts[~atoms])
        else:
            self.transform = fit_normal_scores(self._dequantize(smooth, rng), n_knots)

    @staticmethod
    def _states(atoms, counts, n_smooth, n_missing):
        if not len(atoms) and not n_missing:
            return None
        values = np.concatenate([[-np.inf], atoms, [np.nan] * (n_missing > 0)])
        counts = np.concatenate([[n_smooth], counts, [n_missing] * (n_missing > 0)])
        return Levels(values, counts, np.arange(len(values)), is_state=True)

    def _dequantize(self, x, rng):
        """Uniform noise over the rounding step, or the cell, so that no density can pile up on the grid."""
        if self.cells is not None:
            return self.cells.spread(x, rng)
        return x + self.step * (rng.uniform(size=len(x)) - 0.5)

    def units(self, start):
        return [Unit()] if self.levels is None else [self.levels.unit, Unit(parent=start)]

    def encode(self, x, rng):
        states = None if self.levels is None else self.levels.encode(x)[0]
        active = ~np.isnan(x)
        if states is not None:
            states[active & (states == ABSENT)] = ACTIVE
            active &= states == ACTIVE
        number = np.where(active, x, self.low)
        number = number if rng is None else self._dequantize(number, rng)
        z, log_slope = forward(self.transform, number) if self.cells is None else self.cells.forward(number)
        z, codes = np.where(active, z, 0.0), np.where(active, ACTIVE, ABSENT)
        log_slope = np.where(active, log_slope, 0.0)
        if states is None:
            return z[:, None], codes[:, None], log_slope
        return np.column_stack([self.levels.coordinates(states), z]), np.column_stack([states, codes]), log_slope

    def decode(self, z, codes, rng):
        x = inverse(self.transform, z[:, -1]) if self.cells is None else self.cells.inverse(z[:, -1])
        if self.levels is None:
            return x
        return np.where(codes[:, 0] == ACTIVE, x, self.levels.decode(codes[:, 0], rng))

    def as_given(self, x, enforce_bounds, enforce_decimals):
        if enforce_decimals and self.cells is not None:
            x = self._on(self._atoms(), x, np.where(np.isnan(x), x, self.cells.nearest(x)))
        elif enforce_decimals:
            x = round_to_grid(x, self.step)
        return np.clip(x, self.low, self.high) if enforce_bounds else x

    def snapped(self, x, enforce_decimals):
        """Numbers on the decimal grid; those that miss an atom or a number with a cell by float error, on it."""
        rounded = round_to_grid(x, self.step * enforce_decimals)
        rounded = rounded if self.cells is None else self._on(self.cells.values, x, rounded)
        return self._on(self._atoms(), x, rounded)

    def _atoms(self):
        return np.empty(0) if self.levels is None else self.levels.values[np.isfinite(self.levels.values)]

    def _on(self, numbers, x, otherwise):
        """The numbers, in ascending order, that x misses by float error; others where there is none."""
        if not len(numbers):
            return otherwise
        nearest = numbers[np.searchsorted((numbers[:-1] + numbers[1:]) / 2, x).clip(max=len(numbers) - 1)]
        return np.where(same_numbers(x, nearest, self), nearest, otherwise)

    def allows(self, x, enforce_bounds):
        within = (x >= self.low) & (x <= self.high) if enforce_bounds else ~np.isnan(x)
        return within | (False if self.levels is None else self.levels.encode(x)[0] != ABSENT)

    def choices(self):
        missing = self.levels is not None and np.isnan(self.levels.values[-1])
        return np.array([self.low, self.high] + [np.nan] * int(missing)), True

    def features(self, x):
        return np.where(np.isnan(x), 2 * self.low - self.high - 1.0, x)


def same_numbers(a, b, column):
    """Mask of the pairs that differ by the float error of a column at most, or are both missing."""
    return np.isclose(a, b, rtol=0.0, atol=float_error(column.low, column.high, column.step), equal_nan=True)


def float_error(low, high, step):
    """How far off numbers between two bounds may be by computation, always less than half a step."""
    error = 8 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    return np.minimum(error, step / 4) if step else error + LINE_ERROR * (high - low)
