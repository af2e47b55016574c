"""Held-out log-likelihood of GMMGAN against the best GaussianMixture, on tables that scikit-learn bundles.

Run as ``python docs/benchmarks/likelihood.py [FOLDER]``; with a folder, its ``magic.parquet`` is compared too. Rounded
columns make any density as high as one likes, so only numeric columns are used, standardised, constant ones dropped,
and spread by the same uniform noise over their rounding step for both models. The mixture has up to 30 components of
any covariance type, chosen by BIC. Five folds; nats a row.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold

from skgmmgan import GMMGAN

COMPONENTS = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30]


def dequantize(X, rng):
    """Columns spread over the smallest gap between their values, then standardised."""
    X = X[:, np.ptp(X, axis=0) > 0]
    steps = np.array([np.diff(np.unique(np.round(x, 9))).min() for x in X.T])
    return (X + steps * rng.uniform(-0.5, 0.5, X.shape) - X.mean(axis=0)) / X.std(axis=0)


def best_mixture(X):
    """The GaussianMixture with the lowest BIC."""
    candidates = []
    for covariance_type in ("full", "tied", "diag", "spherical"):
        for k in COMPONENTS:
            if k <= len(X) // 5:
                candidates.append(GaussianMixture(k, covariance_type=covariance_type, random_state=0).fit(X))
    return min(candidates, key=lambda mixture: mixture.bic(X))


def compare(name, X, n_splits=5):
    X = dequantize(X, np.random.default_rng(0))
    scores = []
    for train, test in KFold(5, shuffle=True, random_state=0).split(X):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture = best_mixture(X[train]).score(X[test])
        model = GMMGAN(random_state=0).fit(X[train])
        scores.append([mixture, model.score(X[test])])
        if len(scores) == n_splits:
            break
    mixture, ours = np.mean(scores, axis=0)
    print(
        f"{name:14s} GaussianMixture {mixture:9.3f}   GMMGAN {ours:9.3f}   difference {ours - mixture:+.3f}", flush=True
    )


if __name__ == "__main__":
    for load in (load_iris, load_wine, load_breast_cancer, load_diabetes):
        compare(load.__name__.removeprefix("load_"), load().data)
    if len(sys.argv) > 1:
        magic = pd.read_parquet(Path(sys.argv[1]) / "magic.parquet").select_dtypes("number").to_numpy()
        compare("magic", magic[np.random.default_rng(0).permutation(len(magic))[:10_000]], n_splits=1)
