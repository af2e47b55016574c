"""Where the numbers of a column lay in all rows with one level of another, so that drawn rows may be kept there."""

from typing import NamedTuple

import numpy as np

from ._columns import ABSENT
from ._dependencies import MANY_ROWS, MIN_EVIDENCE, some_rows

MIN_WITHIN = 0.3  # of the drawn rows, that limits leave together: others are drawn again up to 20 times
MIN_OF_LEVEL = 0.05  # of the rows with a level, that each leaves, ...
MIN_LEVEL_ROWS = 50  # ... of levels with more
SPARE = 10  # outermost rows of a level, that lie as far apart as a number may lie beyond them
BEYOND = 0.3  # of as many new rows as there were to train, that are out of a range by a bound of it


class Range(NamedTuple):
    """The least and the largest number of a column for each level of another, and without bounds for an unseen level.

    Both are of shape (n_levels + 1,), and infinite where the rows do not tell a bound.
    """

    column: int
    source: int
    low: np.ndarray
    high: np.ndarray

    def excludes(self, values, levels):
        """Mask of the rows whose number is out of the range of their level, (n,)."""
        x, own = values[:, self.column], levels[self.source]
        return (x < self.low[own]) | (x > self.high[own])

    def widened(self, values, levels):
        """The range with the numbers of further rows."""
        low, high = self.low.copy(), self.high.copy()
        x = values[:, self.column]
        np.fmin.at(low, levels, x)
        np.fmax.at(high, levels, x)
        return self._replace(low=low, high=high)

    def broken_by(self, excluded, left, levels, least):
        """The range of those levels of which it excludes such a share of all rows, and leaves some; None if of none."""
        counts, n = (np.bincount(levels[self.source][m], minlength=len(self.low) - 1) for m in (excluded & left, left))
        mask = np.append((counts > least * len(left)) & (counts <= (1 - MIN_OF_LEVEL) * n), False)
        if not mask.any():
            return None
        return self._replace(low=np.where(mask, self.low, -np.inf), high=np.where(mask, self.high, np.inf))


def find_ranges(values, levels, numbers):
    """Ranges that are narrower than chance would have them.

    A bound is one that numbers are beyond in so many other rows that, if the level did not matter, the odds for none of
    its own would be exp(-MIN_EVIDENCE). It lies beyond the outermost number of the level by the distance of the next
    SPARE: of an exponential tail, one new row in 1 + SPARE for each that is beyond the number is beyond the bound.

    Parameters
    ----------
    values : (n_samples, n_columns)
    levels : dict from the index of a column to the codes of its rows, (n_samples,), and how many there are
    numbers : indices of the columns whose numbers may have ranges
    """
    few = some_rows(values, MANY_ROWS)
    some = {source: some_rows(codes, MANY_ROWS).astype(np.int16) for source, (codes, _) in levels.items()}
    found = []
    for j in numbers:
        order = np.argsort(few[:, j])[: (~np.isnan(few[:, j])).sum()]
        x = few[order, j]
        for source, (codes, n_levels) in levels.items():
            bounds = _bounds(x, some[source][order], n_levels) if j != source else None
            if bounds is not None:
                found.append(Range(j, source, *bounds).widened(values, codes))
    return found


def _bounds(x, codes, n_levels):
    """Least and largest number of each level, each (n_levels + 1,), of sorted numbers; None if they tell nothing."""
    x, codes = x[codes != ABSENT], codes[codes != ABSENT]
    counts = np.bincount(codes, minlength=n_levels + 1)
    low, high = np.full(len(counts), -np.inf), np.full(len(counts), np.inf)
    by_level = x[np.argsort(codes, kind="stable")]
    many = counts > max(SPARE, MIN_EVIDENCE)
    last = np.cumsum(counts)[many] - 1
    first = last + 1 - counts[many]
    low[many] = 2 * by_level[first] - by_level[first + SPARE]
    high[many] = 2 * by_level[last] - by_level[last - SPARE]
    below, above = np.searchsorted(x, low), len(x) - np.searchsorted(x, high, side="right")
    low[counts * below < MIN_EVIDENCE * len(x)] = -np.inf
    high[counts * above < MIN_EVIDENCE * len(x)] = np.inf
    return (low, high) if np.isfinite([low, high]).any() else None


def worth_keeping(limits, levels, drawn, n_rows, left=True):
    """Those bounds that drawn rows break more often than they cost.

    Of new rows BEYOND / n_rows are expected to be beyond a bound; each loses log(n_rows). The most broken come first,
    as long as enough rows are left, and some of each level.

    Parameters
    ----------
    limits : list of Range or Inequality
    levels : dict from the index of a column to the codes of the drawn rows, (n,)
    drawn : values of rows of the generator, (n, n_columns)
    n_rows : that were trained on
    left : mask of the drawn rows that may be given out, or True for all
    """
    least = BEYOND * np.log(n_rows) / n_rows
    broken = [(limit, limit.excludes(drawn, levels)) for limit in limits]
    left, kept = np.broadcast_to(left, len(drawn)), []
    for limit, excluded in sorted(broken, key=lambda pair: -pair[1].sum()):
        limit = limit.broken_by(excluded, left, levels, least)
        if limit is None:
            continue
        still = left & ~limit.excludes(drawn, levels)
        if still.mean() >= MIN_WITHIN and all(_leaves_some(codes, left, still) for codes in levels.values()):
            kept.append(limit)
            left = still
    return kept


def _leaves_some(codes, before, still):
    """Whether of each level enough rows are left."""
    counts, kept = (np.bincount(codes[rows & (codes != ABSENT)]) for rows in (before, still))
    kept = np.append(kept, np.zeros(len(counts) - len(kept)))
    return not ((counts > MIN_LEVEL_ROWS) & (kept < MIN_OF_LEVEL * counts)).any()
