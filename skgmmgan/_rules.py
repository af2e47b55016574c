"""What held in every row of a table, and how many rows of another break it."""

from itertools import chain

import numpy as np

from ._codec import Codec
from ._comparison import matrices_of

N_KNOTS = 2  # of transforms that nobody reads


def rule_errors(real, synthetic):
    """Shares of the synthetic rows that break what held in every real row.

    A rule is a column that others tell (a copy, a sum, a price times a quantity, an average), a pair of columns whose
    levels determine or rule out each other (a city and its country), or a column whose numbers keep to a range in all
    rows with a level of another (ages in a maternity ward). It counts only if so many rows could have broken it that
    odds of :math:`e^{-20}`, or one hundred rows, speak against chance. Fresh real rows
    break few of them, in few rows. What it cannot see are rules with exceptions, and those of more than two columns
    that are no formula.

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
    (real, synthetic), table = matrices_of(real, synthetic)
    codec = Codec(real, table.categorical, table.nominal, n_knots=N_KNOTS, rng=np.random.RandomState(0))
    codec.restrict(real)
    errors = {}
    ranges = (
        ((found.column, found.source), found.excludes(synthetic, codec.level_codes(found.source, synthetic)))
        for found in codec.find_ranges(real)
    )
    for columns, breaks in chain(codec.broken(synthetic), ranges):
        names = tuple(table.names[j] for j in columns)
        errors[names] = max(errors.get(names, 0.0), float(breaks.mean()))
    return sorted(errors.items(), key=lambda pair: -pair[1])
