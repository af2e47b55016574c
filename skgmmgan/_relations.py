"""Relations between columns that hold in every row, and so in every row that is drawn."""

from itertools import compress

import numpy as np

from ._columns import ABSENT, DiscreteColumn, NumericColumn
from ._numbers import Decimals, float_error, grid_step, round_to_grid, same_numbers

MIN_REPEATS = 100  # rows that could have broken a dependency between levels and did not, ...
MIN_EVIDENCE = 20.0  # ... for which the odds were exp(-20) if the levels were independent
PREVIEW = 1000  # rows that tell most pairs of columns without a relation
MIN_ON_LINE = 20  # different numbers that cannot lie on a straight line by chance


def dependency(a, b, n_levels):
    """Which levels of two units occur together, (n_levels[0] + 1, n_levels[1]), if one determines the other; or None.

    A last row allows everything. Rows that repeat a level could show that it determines nothing; enough of them must
    agree, and the more so the more often independent levels would.
    """
    for rows in (slice(PREVIEW), slice(None)):
        seen = (a[rows] != ABSENT) & (b[rows] != ABSENT)
        both = a[rows][seen] * n_levels[1] + b[rows][seen]
        counts = np.bincount(both, minlength=n_levels[0] * n_levels[1]).reshape(n_levels)
        if max((counts > 0).sum(axis=1)) > 1 and max((counts > 0).sum(axis=0)) > 1:
            return None
    for table in (counts, counts.T):
        occurring = table.sum(axis=1) > 0
        n_repeats = table.sum() - occurring.sum()
        share = table.sum(axis=0) / max(table.sum(), 1)
        evidence = -n_repeats * np.log(max((share**2).sum(), 1e-300))
        if max((table > 0).sum(axis=1)) <= 1 and n_repeats >= MIN_REPEATS and evidence >= MIN_EVIDENCE:
            return np.concatenate([counts > 0, np.ones((1, n_levels[1]), dtype=bool)])
    return None


class LinearColumn(NumericColumn):
    """A column that was a straight line of an earlier one in every row: it has no more to tell than whether it is.

    `encode` is told 0 where it is and 1 where it is not, and the codec computes its numbers.
    """

    def __init__(self, x, step, source, slope, intercept):
        present = x[~np.isnan(x)]
        self.low, self.high = present.min(), present.max()
        self.step, self.grid = step, Decimals(step)
        self.source, self.slope, self.intercept = source, slope, intercept
        self.levels = self._states(np.empty(0), np.empty(0), len(present), len(x) - len(present))
        self.told = DiscreteColumn(np.zeros(1))

    def units(self, start):
        return self.told.units(start)

    def encode(self, x, rng):
        return self.told.encode(x, rng)

    def decode(self, z, codes, rng):
        return self.told.decode(z, codes, rng)

    def features(self, x):
        return np.zeros(len(x))

    def of(self, source, enforce_decimals=True):
        """The numbers that belong to those of the source."""
        return round_to_grid(self.slope * source + self.intercept, self.step * enforce_decimals)

    def misses(self, source, x):
        """Mask of the rows that are not on the line, with or without rounding, as floats."""
        hits = [same_numbers(self.of(source, rounded), x, self) for rounded in (True, False)]
        return 1.0 - np.logical_or(*hits)

    def inverse(self, x):
        """The numbers of the source that these belong to."""
        return (x - self.intercept) / self.slope


def find_line(sources, x):
    """A LinearColumn for x as a straight line of one of some columns, which gives the column back; or None.

    Parameters
    ----------
    sources : dict from index to NumericColumn and its numbers
    """
    values = np.unique(x[~np.isnan(x)])
    if len(values) < MIN_ON_LINE or not sources:
        return None
    step = grid_step(values)
    few = slice(None, None, max(1, len(x) // PREVIEW))
    _, _, hold = outermost_lines(np.array([a[few] for _, a in sources.values()]), x[few], step)
    for i in compress(sources, hold):
        source, a = sources[i]
        line = line_through(i, source, a, x, step)
        if line is not None:
            return line
    return None


def outermost_lines(sources, x, step):
    """Slopes, intercepts and validity of the lines through the outermost points of sources, (n_sources, n), each.

    A line is valid if all points lie on it, and source and x are missing together.
    """
    together = (np.isnan(sources) == np.isnan(x)).all(axis=1)
    present, own = ~np.isnan(x), np.arange(len(sources))
    a, x = sources[:, present], x[present]
    if not x.size:
        return np.zeros(len(a)), np.zeros(len(a)), np.zeros(len(a), dtype=bool)
    low, high = a.argmin(axis=1), a.argmax(axis=1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # constant sources
        slopes = (x[high] - x[low]) / (a[own, high] - a[own, low])
        intercepts = x[low] - slopes * a[own, low]
        miss = np.abs(slopes[:, None] * a + intercepts[:, None] - x).max(axis=1)
    bounds = np.sort([x[low], x[high]], axis=0)
    return slopes, intercepts, together & (slopes != 0) & (miss <= np.maximum(step, float_error(*bounds, step)))


def line_through(i, source, a, x, step):
    """The LinearColumn through the outermost points, if all others lie on it; else None."""
    (slope,), (intercept,), (valid,) = outermost_lines(a[None], x, step)
    if not valid:
        return None
    line = LinearColumn(x, step, i, slope, intercept)
    back = source.snapped(line.inverse(x), enforce_decimals=True)
    return line if not line.misses(a, x).any() and same_numbers(back, a, source).all() else None
