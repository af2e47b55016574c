"""Numbers that were no less than another in every row, so that drawn rows may keep to that: an end and its start."""

from typing import NamedTuple

import numpy as np

from ._dependencies import MANY_ROWS, MIN_EVIDENCE, some_rows
from ._ranges import SPARE


class Inequality(NamedTuple):
    """A column that is at least another and a number, which is not negative."""

    column: int
    source: int
    least: float

    def excludes(self, values, levels):
        """Mask of the rows in which it is less, (n,)."""
        return values[:, self.column] - values[:, self.source] < self.least

    def broken_by(self, excluded, levels, least):
        """The inequality, if at least such a share of rows is excluded; else None."""
        return self if excluded.mean() > least else None


def find_inequalities(values, numbers):
    """Inequalities that numbers which do not matter to one another would break, by odds of exp(-MIN_EVIDENCE) or less.

    By how much the one is more than the other at least is told by the outermost SPARE differences, as a range is, but
    is never negative: an order holds without an exception, or is none.

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
            least = _least_difference(values[:, source], values[:, j]) if j != source else None
            if least is not None:
                found.append(Inequality(int(j), int(source), least))
    return found


def _least_difference(a, x):
    """By how much x is more than a, at least; None if it is less in a row, or by chance is not."""
    both = ~(np.isnan(a) | np.isnan(x))
    a, x = a[both], x[both]
    if len(a) <= SPARE or (x < a).any() or x.min() >= a.max():
        return None
    few_a, few_x = np.sort(some_rows(a, MANY_ROWS)), some_rows(x, MANY_ROWS)
    is_more = np.searchsorted(few_a, few_x, side="right").mean() / len(few_a)
    if -len(few_a) * np.log(is_more) < MIN_EVIDENCE:
        return None
    least, next_ = np.partition(x - a, [0, SPARE])[[0, SPARE]]
    return max(0.0, float(2 * least - next_))
