"""Expectation-maximisation: the codec and the Gaussian mixture that start everything.

The mixture is fitted to coordinates, which are near standard normal whatever the units of the table; so `reg_covar` is
relative to the scale of the columns. What is not given is chosen by the log-likelihood of held-out rows, one thing
after the other: the knots of the transforms, the number of components, and with few rows the regularisation.
"""

import warnings
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold, ShuffleSplit
from threadpoolctl import threadpool_limits

from ._codec import Rows
from ._prior import Prior

FEW_ROWS = 1000  # below, choices are cross-validated
MAX_EM_ROWS = 100_000  # EM of a larger table sees so many of its rows
MAX_SEARCH_ROWS = 10_000  # choices are made on at most so many rows
FEW_KNOTS = (3, 2, 5)  # of the transforms; two knots standardise
MANY_KNOTS = (9, 2)
COMPONENTS = (1, 2, 3, 5, 8, 12, 20, 30, 50)
MAX_MEANS = 250  # coordinates in the means of more than twenty components
FEW_COMPONENTS = 3  # while knots are compared
PATIENCE = 2
MAX_LOSS = 20.0  # a held-out row counts at most so many interquartile ranges, and nats, below the median row
N_FOLDS = 6
ROWS_PER_COMPONENT = 5
REGULARISATIONS = (1e-4, 1e-6, 1e-2, 0.05, 0.2, 0.5)
COVARIANCE_TYPES = ("full", "diag")
REGULARISATION = 1e-3  # with many rows
MAX_ITER = {"search": 30, "final": 100}


class Start(NamedTuple):
    """What a fit starts from, and how its rows go with it."""

    codec: object
    mixture: GaussianMixture
    codes: np.ndarray  # (n, d)
    responsibilities: np.ndarray  # (n, K)


class Split(NamedTuple):
    """A fold: the codec of its training rows, these and its other rows, all as EM has them."""

    codec: object
    train: Rows
    test: Rows

    def log_prob(self, mixture):
        """Log-density of the other rows, (n_test,), in coordinates."""
        return mixture.score_samples(self.test.z)


class PriorSplit(Split):
    """A fold for a prior that stays alone: its other rows are as they are, and judged by what the prior tells them."""

    def log_prob(self, mixture):
        prior = Prior(mixture, self.codec.units).double()
        prior.calibrate(self.train.codes, mixture.predict_proba(self.train.z))
        return prior.log_prob(torch.as_tensor(self.test.z), torch.as_tensor(self.test.codes)).numpy()


@contextmanager
def quick_and_quiet():
    """One BLAS thread, fastest for the small products of EM; and EM that has not converged is still a good prior."""
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


class PriorSearch:
    """Fits codec and mixture to a float matrix, and chooses what was left open.

    Parameters
    ----------
    make_codec : callable (values, n_knots=, rng=) -> Codec
    n_components : int or "auto"
    covariance_type : str, "auto" included
    reg_covar : float or "auto"
    n_init : int
    alone : bool
        Whether no network will follow, which learns levels by itself.
    """

    search_dtype = np.float32  # of the coordinates of many rows: EM is limited by memory

    def __init__(self, make_codec, n_components, covariance_type, reg_covar, n_init, alone):
        self.make_codec = make_codec
        self.given = {"n_components": n_components, "covariance_type": covariance_type, "reg_covar": reg_covar}
        self.n_init = n_init
        self.alone = alone

    def fit(self, known, fitting, setting, rng):
        """The codec of the rows that are known, and the mixture of those to be fitted, as a Start."""
        codec = self.make_codec(known, n_knots=setting["n_knots"], rng=rng)
        codec.restrict(known)
        rows = fitting if len(fitting) <= MAX_EM_ROWS else fitting[rng.permutation(len(fitting))[:MAX_EM_ROWS]]
        z, codes, _ = self.spread(codec, codec.encode(rows, rng), rng)
        with quick_and_quiet():
            mixture = self._mixture_of_all(codec, z, setting, MAX_ITER["final"], rng)
            return Start(codec, mixture, codes, mixture.predict_proba(z))

    @quick_and_quiet()
    def choose(self, values, rng):
        """Settings {n_knots, n_components, ...} by greedy search."""
        n = len(values)
        given = {name: value for name, value in self.given.items() if value != "auto"}
        candidates = self._candidates(values)
        setting = {name: options[0] for name, options in candidates.items()}
        setting |= {"n_components": min(FEW_COMPONENTS, candidates["n_components"][-1]), **given}
        folds, seed = self._folds(n, rng), rng.randint(2**31 - 1)  # the same chance for all candidates
        if not folds:
            return setting
        dtype = np.float64 if n < FEW_ROWS or "reg_covar" in given else self.search_dtype
        noise = np.random.RandomState(seed)
        codecs = [self.make_codec(values[train], n_knots=setting["n_knots"], rng=noise) for train, _ in folds]
        if all(unit.n_levels for codec in codecs for unit in codec.units):
            candidates["n_knots"] = (setting["n_knots"],)  # no unit has a transform

        @cache
        def splits(n_knots):
            noise = np.random.RandomState(seed)
            return [
                self._split(codec.with_knots(n_knots, values[train], noise), values[train], values[test], dtype, noise)
                for codec, (train, test) in zip(codecs, folds)
            ]

        @cache
        def held_out(items):
            trial = dict(items)
            return self._held_out(splits(trial["n_knots"]), trial, seed)

        for name, options in candidates.items():
            if name not in given:
                setting = self._best(held_out, setting, name, options)
        if "n_components" not in given:  # knots may hide what more components show
            again = self._best(held_out, setting, "n_knots", candidates["n_knots"])
            if again["n_knots"] != setting["n_knots"]:
                setting = self._best(held_out, again, "n_components", candidates["n_components"])
        return setting

    def _candidates(self, values):
        """What each setting may be, the first being where the search starts."""
        few = len(values) < FEW_ROWS
        most = max(1, min(len(values) // ROWS_PER_COMPONENT, max(20, MAX_MEANS // values.shape[1])))
        return {
            "n_knots": FEW_KNOTS if few else MANY_KNOTS,
            "n_components": [k for k in COMPONENTS if k <= most],
            "covariance_type": COVARIANCE_TYPES if few else COVARIANCE_TYPES[:1],
            "reg_covar": REGULARISATIONS if few else [REGULARISATION],
        }

    @staticmethod
    def _folds(n, rng):
        """Pairs of training and held-out positions."""
        if n < 4:
            return []
        if n < FEW_ROWS:
            return list(KFold(min(N_FOLDS, n // 2), shuffle=True, random_state=rng).split(np.empty(n)))
        size = min(n, MAX_SEARCH_ROWS)
        return list(ShuffleSplit(1, train_size=3 * size // 4, test_size=size // 4, random_state=rng).split(np.empty(n)))

    @staticmethod
    def _best(held_out, setting, name, candidates):
        """The setting with the candidate of highest held-out log-likelihood; components grow while they help."""
        patience = PATIENCE if name == "n_components" else len(candidates)
        best, best_score, worse = setting, -np.inf, 0
        for candidate in candidates:
            trial = {**setting, name: candidate}
            score = held_out(tuple(trial.items()))
            best, best_score, worse = (trial, score, 0) if score > best_score else (best, best_score, worse + 1)
            if worse == patience:
                break
        return best

    def _split(self, codec, train, test, dtype, rng):
        """What scoring a setting needs of one fold."""
        train = self.spread(codec, codec.encode(train, rng), rng)
        test = codec.encode(test, rng)
        if self.alone:
            return PriorSplit(codec, train, test)
        train, test = (rows._replace(z=rows.z.astype(dtype)) for rows in (train, self.spread(codec, test, rng)))
        return Split(codec, train, test)

    def _held_out(self, splits, setting, seed):
        """Mean held-out log-likelihood of the mixture, in the units of the values; no outlier decides alone."""
        scores = []
        for split in splits:
            rng = np.random.RandomState(seed)
            mixture = self._mixture_of_all(split.codec, split.train.z, setting, MAX_ITER["search"], rng)
            scores.append(split.log_prob(mixture) + split.test.log_slopes.sum(1))
        scores = np.concatenate(scores)
        low, middle, high = np.quantile(scores, [0.25, 0.5, 0.75])
        return np.maximum(scores, middle - MAX_LOSS * (1 + high - low)).mean()

    def spread(self, codec, rows, rng):
        """Encoded rows with coordinates for EM."""
        return codec.spread(rows, rng)

    def _mixture_of_all(self, codec, z, setting, max_iter, rng):
        """The mixture, in which units of one level, which tell nothing, are independent of all others."""
        tell = np.array([unit.n_levels != 1 for unit in codec.units])
        if tell.all() or not tell.any() or setting["covariance_type"] == "spherical":
            return self._mixture(codec, z, setting, max_iter, rng)
        return with_standard_normals(self._mixture(codec, z[:, tell], setting, max_iter, rng), tell)

    def _mixture(self, codec, z, setting, max_iter, rng):
        return fit_mixture(z, setting["n_components"], setting, self.n_init, max_iter, rng)


def with_standard_normals(mixture, mask):
    """The mixture with further coordinates, those that are not in a mask, that are N(0, 1) and independent."""
    means = np.zeros((len(mixture.means_), len(mask)))
    means[:, mask] = mixture.means_
    mixture.means_, mixture.n_features_in_ = means, len(mask)
    for name in ("covariances_", "precisions_", "precisions_cholesky_"):
        given = getattr(mixture, name)
        is_matrix = mixture.covariance_type in ("full", "tied")
        wide = np.eye(len(mask)) if is_matrix else np.ones(len(mask))
        wide = np.broadcast_to(wide, given.shape[: given.ndim - wide.ndim] + wide.shape).copy()
        wide[(..., *np.ix_(mask, mask)) if is_matrix else (..., mask)] = given
        setattr(mixture, name, wide)
    return mixture


def fit_mixture(z, n_components, setting, n_init, max_iter, rng):
    """A GaussianMixture of at most `n_components`, and of no more than there are rows."""
    n_components = min(n_components, len(z))
    mixture = GaussianMixture(
        n_components,
        init_params="kmeans" if n_components > 1 else "random",  # the same one component, without a search
        covariance_type=setting["covariance_type"],
        reg_covar=setting["reg_covar"],
        n_init=n_init,
        max_iter=max_iter,
        random_state=rng.randint(2**31 - 1),
    )
    try:
        return mixture.fit(z)
    except ValueError:  # a covariance that is not positive definite, maybe by the rounding of float32 alone
        if z.dtype == np.float64:
            raise
        return mixture.fit(z.astype(np.float64))
