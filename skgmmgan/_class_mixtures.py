"""A Gaussian mixture for each class, joined into one whose first coordinate is the label.

Each class has components of its own [1]_, and their covariances are shrunk towards the pooled one [2]_; so a small
class borrows from large ones, and a class of one row is that row with their spread.

References
----------
.. [1] T. Hastie and R. Tibshirani, "Discriminant analysis by Gaussian mixtures", Journal of the Royal Statistical
   Society B 58, 1996.
.. [2] J. H. Friedman, "Regularized discriminant analysis", Journal of the American Statistical Association 84, 1989.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, softmax
from sklearn.mixture import GaussianMixture

from ._em import ROWS_PER_COMPONENT, PriorSearch, fit_mixture
from ._prior import full_covariances
from ._table import UNSEEN

CLASS_COMPONENTS = (1, 2, 3, 5, 8)  # for each class
MAX_CLASS_COMPONENTS = 60  # of all classes together; more classes share one mixture
SHRINKAGES = (10.0, 1.0, 100.0, 1000.0)  # rows that the pooled covariance counts for
ORDER = ("reg_covar", "n_knots", "n_components", "shrinkage", "covariance_type")  # of the search
MIN_ROWS = 0.5  # that a component without rows counts for in the weights
LABEL_SCALE = 0.1  # standard deviation of a component along the label, relative to the smallest distance from an edge


class ClassPriorSearch(PriorSearch):
    """Fits codec and class mixtures; the first column of the values holds the labels."""

    search_dtype = np.float64  # rows of a class are found by their coordinate

    def _candidates(self, values):
        n_classes = len(np.unique(values[:, 0]))
        most = min(MAX_CLASS_COMPONENTS // n_classes, max(1, len(values) // (n_classes * ROWS_PER_COMPONENT)))
        own = {"n_components": [k for k in CLASS_COMPONENTS if k <= most], "shrinkage": SHRINKAGES}
        candidates = super()._candidates(values) | own
        return {name: candidates[name] for name in ORDER}

    def spread(self, codec, rows, rng):
        spread = super().spread(codec, rows, rng)
        spread.z[:, 0] = rows.z[:, 0]  # a label is all that a component needs to know
        return spread

    def _mixture(self, codec, z, setting, max_iter, rng):
        label = codec.units[0]
        every = z[:, 1:] if len(z) > 1 else np.repeat(z[:, 1:], 2, axis=0)  # EM wants two rows
        overall = components_of(fit_mixture(every, 1, setting, 1, max_iter, rng), len(z))
        parts = []
        for midpoint in label.midpoints:
            own = z[z[:, 0] == midpoint, 1:]
            n_components = min(setting["n_components"], max(1, len(own) // ROWS_PER_COMPONENT))
            if len(own) > 1:
                mixture = fit_mixture(own, n_components, setting, self.n_init, max_iter, rng)
                parts.append(components_of(mixture, len(own)))
            else:
                parts.append(overall._replace(means=own if len(own) else overall.means, counts=np.zeros(1)))
        return join(label, parts, overall, setting["shrinkage"])


def label_probabilities(search, values, setting, rng):
    """Probability of each class for each row, (n, n_classes), from a prior of the rows that have a label."""
    codec, mixture, *_ = search.fit(values, values[values[:, 0] != UNSEEN], setting, rng)
    z = search.spread(codec, codec.encode(values, rng), rng).z
    joint = []
    for label in codec.units[0].midpoints[codec.columns[0].levels.code]:
        z[:, 0] = label
        joint.append(mixture.score_samples(z))
    return softmax(np.column_stack(joint), axis=1)


class Components(NamedTuple):
    """Means (k, d), covariances (k, d, d) and rows (k,) of the components of a class."""

    means: np.ndarray
    covariances: np.ndarray
    counts: np.ndarray


def components_of(mixture, n_rows):
    return Components(mixture.means_, full_covariances(mixture), n_rows * mixture.weights_)


def join(label, parts, overall, shrinkage):
    """One GaussianMixture of label and coordinates.

    Parameters
    ----------
    label : Unit of the classes
    parts : Components of each class; with no rows in them, their covariances do not count
    overall : the single component of all rows together; it counts for one row of the pooled covariance
    shrinkage : rows that the pooled covariance counts for in each component
    """
    means, covariances, counts = (np.concatenate(field) for field in zip(*parts))
    n_components, d = means.shape
    pooled = (np.einsum("k,kij->ij", counts, covariances) + overall.covariances[0]) / (counts.sum() + 1)
    share = (counts / (counts + shrinkage))[:, None, None]
    joint = np.zeros((n_components, d + 1, d + 1))
    joint[:, 0, 0] = (LABEL_SCALE * np.abs(ndtri(label.bounds[1:-1, None]) - label.midpoints).min()) ** 2
    joint[:, 1:, 1:] = share * covariances + (1 - share) * pooled
    mixture = GaussianMixture(n_components)
    mixture.weights_ = np.maximum(counts, MIN_ROWS) / np.maximum(counts, MIN_ROWS).sum()
    mixture.means_ = np.column_stack([np.repeat(label.midpoints, [len(part.means) for part in parts]), means])
    mixture.covariances_ = joint
    mixture.precisions_cholesky_ = np.linalg.inv(np.linalg.cholesky(joint)).transpose(0, 2, 1)
    mixture.precisions_ = mixture.precisions_cholesky_ @ mixture.precisions_cholesky_.transpose(0, 2, 1)
    mixture.n_features_in_ = d + 1
    return mixture
