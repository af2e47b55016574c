"""Expectation-maximisation: the codec and the Gaussian mixture that start everything.

The mixture is fitted to coordinates, which are near standard normal whatever the units of the table; so `reg_covar` is
relative to the scale of the columns. What is not given is chosen by the log-likelihood of held-out rows, one thing
after the other: the knots of the transforms, the number of components, and with few rows the regularisation.
"""

import warnings

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold, ShuffleSplit

FEW_ROWS = 1000  # below, choices are cross-validated
MAX_SEARCH_ROWS = 5000  # choices are made on at most so many rows
KNOTS = (3, 2, 5)  # of the transforms, tried with few rows
MANY_KNOTS = 9
COMPONENTS = (1, 2, 3, 5, 8, 12, 20)
ROWS_PER_COMPONENT = 5
REGULARISATIONS = (1e-4, 1e-6, 1e-2, 0.05, 0.2)
REGULARISATION = 3e-3  # with many rows
MAX_ITER = {"search": 30, "final": 100}


class PriorSearch:
    """Fits codec and mixture to a float matrix, and chooses what was left open.

    Parameters
    ----------
    make_codec : callable (values, n_knots, rng) -> Codec
    n_components : int or "auto"
    reg_covar : float or "auto"
    mixture_params : further parameters of GaussianMixture
    """

    def __init__(self, make_codec, n_components, reg_covar, mixture_params):
        self.make_codec = make_codec
        self.n_components = n_components
        self.reg_covar = reg_covar
        self.mixture_params = mixture_params

    def fit(self, values, setting, rng):
        """Codec and fitted GaussianMixture of all the rows."""
        return self._fit(values, setting, rng, "final")

    def choose(self, values, rng):
        """Settings {n_knots, n_components, reg_covar} by greedy search."""
        n = len(values)
        few = n < FEW_ROWS
        start = n if self.n_components == "auto" else self.n_components
        setting = {
            "n_knots": KNOTS[0] if few else MANY_KNOTS,
            "n_components": min(3, start, max(1, n // ROWS_PER_COMPONENT)),
            "reg_covar": (REGULARISATIONS[0] if few else REGULARISATION) if self.reg_covar == "auto" else self.reg_covar,
        }
        folds = self._folds(n, rng)
        if few:
            setting = self._best(values, folds, setting, "n_knots", KNOTS, rng, patience=len(KNOTS))
        if self.n_components == "auto":
            allowed = [k for k in COMPONENTS if k <= max(1, n // ROWS_PER_COMPONENT)]
            setting = self._best(values, folds, setting, "n_components", allowed, rng, patience=2)
        else:
            setting = {**setting, "n_components": self.n_components}
        if few and self.reg_covar == "auto":
            setting = self._best(values, folds, setting, "reg_covar", REGULARISATIONS, rng, patience=len(REGULARISATIONS))
        return setting

    @staticmethod
    def _folds(n, rng):
        """Pairs of training and held-out positions."""
        if n < 4:
            return []
        if n < FEW_ROWS:
            return list(KFold(min(4, n // 2), shuffle=True, random_state=rng).split(np.empty(n)))
        size = min(n, MAX_SEARCH_ROWS)
        return list(ShuffleSplit(1, train_size=3 * size // 4, test_size=size // 4, random_state=rng).split(np.empty(n)))

    def _best(self, values, folds, setting, name, candidates, rng, patience):
        """The setting with the candidate of highest held-out log-likelihood; stops after `patience` worse ones."""
        best, best_score, worse = setting, -np.inf, 0
        for candidate in candidates if folds else ():
            trial = {**setting, name: candidate}
            score = self._held_out(values, folds, trial, rng.randint(2**31 - 1))
            if score > best_score:
                best, best_score, worse = trial, score, 0
            else:
                worse += 1
            if worse == patience:
                break
        return best

    def _held_out(self, values, folds, setting, seed):
        """Mean held-out log-likelihood of the mixture, in the units of the values."""
        scores = []
        for train, test in folds:
            rng = np.random.RandomState(seed)
            codec, mixture = self._fit(values[train], setting, rng, "search")
            rows = codec.encode(values[test], rng)
            scores.append(mixture.score(codec.spread(rows, rng)) + rows.log_slopes.sum(1).mean())
        return np.mean(scores)

    def _fit(self, values, setting, rng, purpose):
        codec = self.make_codec(values, setting["n_knots"], rng)
        z = codec.spread(codec.encode(values, rng), rng)
        mixture = GaussianMixture(
            min(setting["n_components"], len(z)),
            reg_covar=setting["reg_covar"],
            max_iter=MAX_ITER[purpose],
            random_state=rng.randint(2**31 - 1),
            **self.mixture_params,
        )
        with warnings.catch_warnings():  # EM that has not converged is still a good prior
            warnings.simplefilter("ignore")
            return codec, mixture.fit(z)
