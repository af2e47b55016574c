"""An order for nominal levels: those whose rows are alike elsewhere are neighbours, so that a Gaussian can follow them.

Levels are ordered along the first principal axis of the means that the other columns have in their rows [1]_. Where
that axis could be chance, as rows in another order tell, they are ordered by frequency: an order that fits noise would
make the mixture believe in it.

References
----------
.. [1] D. Coppersmith, S. J. Hong and J. R. M. Hosking, "Partitioning nominal attributes in decision trees", Data Mining
   and Knowledge Discovery 3, 1999.
"""

from functools import cached_property, partial

import numpy as np
from scipy import sparse
from scipy.special import ndtri
from scipy.stats import rankdata

MAX_ROWS = 5_000  # that orders are found on
MAX_INDICATORS = 6  # of a nominal column's most frequent levels
PRIOR_ROWS = 10  # average rows that the mean of a level is shrunk by
N_SHUFFLES = 9
MIN_RATIO = 2.0  # of the variance along the axis to the mean of shuffled rows, all of which have less


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
        codes, own = (np.where(np.isnan(x[:, j]), n_codes, x[:, j]).astype(int) for x in (self.values, self.rows))
        by_count = -np.bincount(codes[codes >= 0], minlength=n_codes + 1)
        features, owner = self.features
        levels, index, counts = np.unique(own[own >= 0], return_inverse=True, return_counts=True)
        if len(levels) <= 2 or (owner == j).all():
            return by_count
        find = partial(_axis, counts=counts, features=features[own >= 0], is_other=owner != j)
        axis, variance = find(index)
        shuffled = [find(self.rng.permutation(index))[1] for _ in range(N_SHUFFLES)]
        if variance <= max(*shuffled, MIN_RATIO * np.mean(shuffled)):
            return by_count
        scores = np.zeros(n_codes + 1)
        scores[levels] = axis * (-1 if axis[counts.argmax()] > 0 else 1)  # the sign is arbitrary
        return scores


def _axis(index, counts, features, is_other):
    """Coordinates of levels along the first principal axis of their shrunken means, and the variance along it."""
    member = sparse.csr_array((np.ones(len(index)), (index, np.arange(len(index)))), (len(counts), len(index)))
    means = (member @ features)[:, is_other] / (counts + PRIOR_ROWS)[:, None]
    weights = np.sqrt(counts)[:, None]
    left, singular, _ = np.linalg.svd(weights * (means - counts @ means / counts.sum()), full_matrices=False)
    return left[:, 0] / weights[:, 0], singular[0] ** 2


def _normal_scores(x):
    """Standardised normal scores of numbers, 0 where they are missing, (n, 1)."""
    present = ~np.isnan(x)
    z = np.zeros(len(x))
    z[present] = ndtri((rankdata(x[present]) - 0.5) / max(1, present.sum()))
    z[present] -= z.sum() / max(1, present.sum())  # many ties are not centred
    return (z / (z.std() or 1.0))[:, None]


def _indicators(codes):
    """Standardised indicators of the most frequent levels, (n, at most MAX_INDICATORS)."""
    levels, counts = np.unique(codes[~(codes < 0)], return_counts=True)
    frequent = levels[np.argsort(-counts, kind="stable")[:MAX_INDICATORS]]
    is_level = (codes[:, None] == frequent) | (np.isnan(codes[:, None]) & np.isnan(frequent))
    spread = is_level.std(0)
    return (is_level - is_level.mean(0)) / np.where(spread > 0, spread, 1.0)
