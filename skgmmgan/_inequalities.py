"""Numbers that were no less than another in every row, so that drawn rows may keep to that: an end and its start."""

from typing import NamedTuple

import numpy as np

from ._dependencies import MANY_ROWS, MIN_EVIDENCE, some_rows
from ._ranges import SPARE


class Inequality(NamedTuple):
    """A column that is more than another, by no less than a number, which is not negative, and no more than one."""

    column: int
    source: int
    least: float
    most: float = np.inf

    def excludes(self, values, levels):
        """Mask of the rows in which it is not, (n,)."""
        more = values[:, self.column] - values[:, self.source]
        return (more < self.least) | (more > self.most)

    def broken_by(self, excluded, left, levels, least):
        """The inequality, if it excludes such a share of the rows that are left; else None."""
        return self if (excluded & left).mean() > least else None


def find_inequalities(values, numbers):
    """Inequalities that numbers which do not matter to one another would break, by odds of exp(-MIN_EVIDENCE) or less.

    By how much the one is more than the other, at least and at most, is told by the outermost SPARE differences, as a
    range is, but never negative: an order holds without an exception, or is none.

    Parameters
    ----------
    values : (n_samples, n_columns)
    numbers : indices of the columns that may be compared
    """
    few = some_rows(values[:, numbers])
    found = []
    for k, source in enumerate(numbers):
        is_less = (few < few[:, [k]]).any(axis=0)
        for j in np.array(numbers)[~is_less]:
            bounds = _bounds(values[:, source], values[:, j]) if j != source else None
            if bounds is not None:
                found.append(Inequality(int(j), int(source), *bounds))
    return found


def _bounds(a, x):
    """By how much x is more than a, at least and at most; None if it is less in a row, or by chance is not."""
    both = ~(np.isnan(a) | np.isnan(x))
    a, x = a[both], x[both]
    if len(a) <= SPARE or (x < a).any() or x.min() >= a.max():
        return None
    few_a, few_x = np.sort(some_rows(a, MANY_ROWS)), some_rows(x, MANY_ROWS)
    if not _is_no_chance(np.searchsorted(few_a, few_x, side="right")):
        return None
    ends = [0, SPARE, -1 - SPARE, -1]
    least, next_, last_but, last = np.partition(x - a, ends)[ends]
    most = 2 * last - last_but
    is_bounded = _is_no_chance(len(few_a) - np.searchsorted(few_a, few_x - most, side="left"))
    return max(0.0, float(2 * least - next_)), float(most) if is_bounded else np.inf


def _is_no_chance(counts):
    """Whether n rows are like these so many of n, (n,), each, by odds of exp(-MIN_EVIDENCE) or less."""
    return -len(counts) * np.log(counts.mean() / len(counts)) >= MIN_EVIDENCE
