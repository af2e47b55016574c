"""An order for nominal levels: those whose rows are alike elsewhere are neighbours, so that a Gaussian can follow them.

Levels are ordered along the first principal axis of the means that the other columns have in their rows [1]_. Where
that axis could be chance, as rows in another order tell, they are ordered by frequency: an order that fits noise would
make the mixture believe in it.

References
----------
.. [1] D. Coppersmith, S. J. Hong and J. R. M. Hosking, "Partitioning nominal attributes in decision trees", Data Mining
   and Knowledge Discovery 3, 1999.
"""

from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.special import ndtri
from scipy.stats import rankdata

MAX_ROWS = 5_000  # that orders are found on
MAX_INDICATORS = 6  # of a nominal column's most frequent levels
PRIOR_ROWS = 10  # average rows that the mean of a level is shrunk by
N_SHUFFLES = 3
MIN_RATIO = 2.0  # of the variance along the axis to that of shuffled rows


class LevelOrders:
    """Scores by which the levels of nominal columns are ordered.

    Parameters
    ----------
    values : (n_samples, n_columns), nominal columns as codes, negative for unseen levels
    nominal : mask of the columns without an order
    rng : RandomState, for the choice of rows and their shuffles
    """

    def __init__(self, values, nominal, rng):
        self.values, self.nominal, self.rng = values, nominal, rng

    @cached_property
    def rows(self):
        """The rows that orders are found on, (n, n_columns)."""
        n = len(self.values)
        return self.values if n <= MAX_ROWS else self.values[self.rng.permutation(n)[:MAX_ROWS]]

    @cached_property
    def features(self):
        """What the columns hold, in standardised numbers, and the column of each of them: (n, k) and (k,)."""
        columns = zip(self.rows.T, self.nominal)
        profiles = [_indicators(x) if is_nominal else _normal_scores(x) for x, is_nominal in columns]
        return np.concatenate(profiles, axis=1), np.repeat(range(len(profiles)), [p.shape[1] for p in profiles])

    def scores(self, j):
        """A score for each code of column j and, last, for missing cells; None if the column has an order."""
        if not self.nominal[j]:
            return None
        n_codes = int(np.nanmax(self.values[:, j], initial=-1)) + 1
        codes = np.where(self.rows[:, j] >= 0, self.rows[:, j], n_codes).astype(int)
        counts = np.bincount(codes, minlength=n_codes + 1)
        features, owner = self.features
        is_other = owner != j
        if (counts > 0).sum() <= 2 or not is_other.any():
            return -counts
        axis, variance = _axis(codes, counts, features, is_other)
        shuffled = [_axis(self.rng.permutation(codes), counts, features, is_other)[1] for _ in range(N_SHUFFLES)]
        if variance <= MIN_RATIO * np.mean(shuffled):
            return -counts
        return axis * (-1 if axis[counts.argmax()] > 0 else 1)  # the most frequent level comes early


def _axis(codes, counts, features, is_other):
    """Coordinates of the codes along the first principal axis of their shrunken means, and the variance along it."""
    member = sparse.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), (len(counts), len(codes)))
    means = (member @ features)[:, is_other] / (counts + PRIOR_ROWS)[:, None]
    weights = np.sqrt(counts)
    centred = weights[:, None] * (means - counts @ means / counts.sum())
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    return np.divide(left[:, 0], weights, out=np.zeros(len(counts)), where=counts > 0), singular[0] ** 2


def _normal_scores(x):
    """Standardised normal scores of numbers, 0 where they are missing, (n, 1)."""
    present = ~np.isnan(x)
    z = np.zeros(len(x))
    z[present] = ndtri((rankdata(x[present]) - 0.5) / max(1, present.sum()))
    return (z / (z.std() or 1.0))[:, None]


def _indicators(codes):
    """Standardised indicators of the most frequent levels, (n, at most MAX_INDICATORS)."""
    levels, counts = np.unique(codes[~(codes < 0)], return_counts=True)
    frequent = levels[np.argsort(-counts, kind="stable")[:MAX_INDICATORS]]
    is_level = (codes[:, None] == frequent) | (np.isnan(codes[:, None]) & np.isnan(frequent))
    return (is_level - is_level.mean(0)) / np.where(is_level.std(0) > 0, is_level.std(0), 1.0)
