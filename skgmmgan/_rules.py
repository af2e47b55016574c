"""What held in every row of a table, and how many rows of another break it."""

from itertools import chain

import numpy as np

from ._broken import broken_differences, broken_of_table, shown
from ._codec import Codec
from ._comparison import matrices_of

N_KNOTS = 2  # of transforms that nobody reads


def rule_errors(real, synthetic):
    """Shares of the synthetic rows that break what held in every real row.

    A rule is a column that others tell (a copy, a sum, a price times a quantity, an average), a pair of columns whose
    levels determine or rule out each other (a city and its country), levels that two columns tell together (a price by
    the product and its size), a number that keeps to a distance from another (the days from an order to its delivery)
    or is no less than it (an end and its start), or a column whose numbers keep to a range in all rows with a level of
    another (ages in a maternity ward). It counts only if so many rows could have broken it that odds of
    :math:`e^{-20}`, or one hundred rows, speak against chance. Fresh real rows break few of them, in few rows. What it
    cannot see are rules with exceptions, and those of more than three columns that are no formula.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        Real rows.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        Synthetic rows.

    Returns
    -------
    errors : list of tuple
        Names of the columns of each rule, for arrays their indices, that which is told first; and the share of the
        synthetic rows that break it, between 0 and 1 (good: 0). The most broken rule comes first.

    Examples
    --------
    >>> import numpy as np
    >>> from skgmmgan.metrics import rule_errors
    >>> price, quantity = np.random.default_rng(0).integers(1, 50, size=(2, 300))
    >>> real = np.column_stack([price, quantity, price * quantity])
    >>> synthetic = real.copy()
    >>> synthetic[:30, 2] += 1
    >>> rule_errors(real, synthetic)
    [((2, 0, 1), 0.1)]
    """
    (errors,) = rule_errors_of(real, synthetic)
    return errors


def rule_errors_of(real, *others):
    """What `rule_errors` returns, for each of the other tables."""
    (real, *others), table = matrices_of(real, *others)
    codec = Codec(
        real, table.categorical, table.nominal, n_knots=N_KNOTS, rng=np.random.RandomState(0), clocks=table.clocks
    )
    codec.restrict(real)
    limits = codec.find_limits(real)
    return [_shares(codec, limits, values, table.names) for values in others]


def _shares(codec, limits, values, names):
    """Names of the columns of each rule and the share of the rows that break it, the largest first.

    Of several rules of the same columns the most broken one counts.
    """
    levels = codec.levels_of(limits, values)
    out = (((limit.column, limit.source), limit.excludes(values, levels)) for limit in limits)
    shares = {}
    for columns, breaks in chain(broken_of_table(codec, values), broken_differences(codec, values), out):
        rule = tuple(names[j] for j in shown(codec, columns))
        first, share = shares.get(frozenset(rule), (rule, 0.0))
        shares[frozenset(rule)] = first, max(share, float(breaks.mean()))
    return sorted(shares.values(), key=lambda pair: -pair[1])
