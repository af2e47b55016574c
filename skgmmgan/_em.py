"""Expectation-maximisation: the codec and the Gaussian mixture that start everything.

The mixture is fitted to coordinates, which are near standard normal whatever the units of the table; so `reg_covar` is
relative to the scale of the columns. What is not given is chosen by the log-likelihood of held-out rows, one thing
after the other: the knots of the transforms, the number of components, and with few rows the regularisation.
"""

import warnings

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold, ShuffleSplit
from threadpoolctl import threadpool_limits

FEW_ROWS = 1000  # below, choices are cross-validated
MAX_EM_ROWS = 100_000  # EM of a larger table sees so many of its rows
MAX_SEARCH_ROWS = 10_000  # choices are made on at most so many rows
FEW_KNOTS = (3, 2, 5)  # of the transforms; two knots standardise
MANY_KNOTS = (9, 2)
COMPONENTS = (1, 2, 3, 5, 8, 12, 20)
PATIENCE = 2
MAX_LOSS = 20.0  # a held-out row counts at most so many interquartile ranges, and nats, below the median row
N_FOLDS = 6
ROWS_PER_COMPONENT = 5
REGULARISATIONS = (1e-4, 1e-6, 1e-2, 0.05, 0.2, 0.5)
COVARIANCE_TYPES = ("full", "diag")
REGULARISATION = 1e-3  # with many rows
MAX_ITER = {"search": 30, "final": 100}


class PriorSearch:
    """Fits codec and mixture to a float matrix, and chooses what was left open.

    Parameters
    ----------
    make_codec : callable (values, n_knots, rng) -> Codec
    n_components : int or "auto"
    covariance_type : str, "auto" included
    reg_covar : float or "auto"
    n_init : int
    """

    def __init__(self, make_codec, n_components, covariance_type, reg_covar, n_init):
        self.make_codec = make_codec
        self.given = {"n_components": n_components, "covariance_type": covariance_type, "reg_covar": reg_covar}
        self.n_init = n_init

    def fit(self, values, setting, rng, fitting=slice(None)):
        """Codec of the rows, and GaussianMixture of those at the positions `fitting`."""
        return self._fit(values, setting, rng, "final", fitting)

    def choose(self, values, rng):
        """Settings {n_knots, n_components, covariance_type, reg_covar} by greedy search."""
        n = len(values)
        few = n < FEW_ROWS
        most = max(1, n // ROWS_PER_COMPONENT)
        given = {name: value for name, value in self.given.items() if value != "auto"}
        candidates = {
            "n_knots": FEW_KNOTS if few else MANY_KNOTS,
            "n_components": [k for k in COMPONENTS if k <= most],
            "covariance_type": COVARIANCE_TYPES if few else COVARIANCE_TYPES[:1],
            "reg_covar": REGULARISATIONS if few else [REGULARISATION],
        }
        setting = {name: values[0] for name, values in candidates.items()}
        setting |= {"n_components": min(3, most, given.get("n_components", n))}
        setting |= {name: value for name, value in given.items() if name != "n_components"}
        folds = self._folds(n, rng)
        for name, options in candidates.items():
            if name in given:
                setting[name] = given[name]
            elif len(options) > 1 and folds:
                setting = self._best(values, folds, setting, name, options, rng)
        return setting

    @staticmethod
    def _folds(n, rng):
        """Pairs of training and held-out positions."""
        if n < 4:
            return []
        if n < FEW_ROWS:
            return list(KFold(min(N_FOLDS, n // 2), shuffle=True, random_state=rng).split(np.empty(n)))
        size = min(n, MAX_SEARCH_ROWS)
        return list(ShuffleSplit(1, train_size=3 * size // 4, test_size=size // 4, random_state=rng).split(np.empty(n)))

    def _best(self, values, folds, setting, name, candidates, rng):
        """The setting with the candidate of highest held-out log-likelihood; components grow while they help."""
        patience = PATIENCE if name == "n_components" else len(candidates)
        best, best_score, worse = setting, -np.inf, 0
        for candidate in candidates:
            trial = {**setting, name: candidate}
            score = self._held_out(values, folds, trial, rng.randint(2**31 - 1))
            best, best_score, worse = (trial, score, 0) if score > best_score else (best, best_score, worse + 1)
            if worse == patience:
                break
        return best

    def _held_out(self, values, folds, setting, seed):
        """Mean held-out log-likelihood of the mixture, in the units of the values; no outlier decides alone."""
        scores = []
        for train, test in folds:
            rng = np.random.RandomState(seed)
            codec, mixture = self._fit(values[train], setting, rng, "search")
            rows = codec.encode(values[test], rng)
            scores.append(mixture.score_samples(codec.spread(rows, rng)) + rows.log_slopes.sum(1))
        scores = np.concatenate(scores)
        low, middle, high = np.quantile(scores, [0.25, 0.5, 0.75])
        return np.maximum(scores, middle - MAX_LOSS * (1 + high - low)).mean()

    def _fit(self, values, setting, rng, purpose, fitting=slice(None)):
        codec = self.make_codec(values, setting["n_knots"], rng)
        values = values[fitting]
        rows = values if len(values) <= MAX_EM_ROWS else values[rng.permutation(len(values))[:MAX_EM_ROWS]]
        z = codec.spread(codec.encode(rows, rng), rng)
        mixture = GaussianMixture(
            min(setting["n_components"], len(z)),
            covariance_type=setting["covariance_type"],
            reg_covar=setting["reg_covar"],
            n_init=self.n_init,
            max_iter=MAX_ITER[purpose],
            random_state=rng.randint(2**31 - 1),
        )
        # EM that has not converged is still a good prior; its small products are fastest on one BLAS thread
        with warnings.catch_warnings(), threadpool_limits(1, "blas"):
            warnings.simplefilter("ignore")
            return codec, mixture.fit(z)
