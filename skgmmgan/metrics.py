"""How good is a synthetic table? Scores of fidelity, utility and privacy; no torch.

Every function takes tables with the same columns, as DataFrames or arrays of numbers, with missing cells. A column
that is text in one DataFrame and holds no text in the other raises ValueError.
"""

import itertools
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_array, check_random_state

from ._comparison import boosting, levels_of, matrices_of, stacked
from ._containers import container_of
from ._neighbors import PrecisionRecall, copy_rate, coverage, dcr_share, membership_auc, precision_recall
from ._rules import rule_errors
from .pipeline import sample_pipeline

__all__ = [
    "PrecisionRecall",
    "c2st_score",
    "c2st_scorer",
    "column_errors",
    "copy_rate",
    "coverage",
    "dcr_share",
    "membership_auc",
    "mode_coverage",
    "precision_recall",
    "rule_errors",
    "shape_error",
    "trend_error",
    "tstr_score",
    "tstr_scorer",
]

N_BINS = 10


def c2st_score(real, synthetic, *, estimator=None, cv=5, random_state=None):
    """Classifier two-sample test: how well a detector tells real from synthetic rows.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        Real rows; best as many as synthetic ones.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        Synthetic rows.
    estimator : classifier, default=None
        The detector, which tells probabilities or decisions; it must accept missing values if there are any. None is
        HistGradientBoostingClassifier.
    cv : int, default=5
        Number of stratified folds.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds and of the default detector.

    Returns
    -------
    auc : float
        Cross-validated area under the ROC curve: 0.5 if the tables can't be told apart, 1 if they always can. Rows that
        are in both tables lower it, even below 0.5: copies are no merit, see `copy_rate`.

    References
    ----------
    .. [1] D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> real, same = rng.normal(size=(2, 400, 2))
    >>> from skgmmgan.metrics import c2st_score
    >>> 0.4 < c2st_score(real, same, random_state=0) < 0.6
    True
    >>> c2st_score(real, same + 3, random_state=0) > 0.9
    True
    """
    rng = check_random_state(random_state)
    matrices, table = matrices_of(real, synthetic)
    X, y, observed = stacked(*matrices)
    categorical = table.categorical[observed]
    seed = int(rng.randint(2**31 - 1))
    detector = boosting(HistGradientBoostingClassifier, categorical, X, seed) if estimator is None else clone(estimator)
    folds = StratifiedKFold(cv, shuffle=True, random_state=seed)
    method = "predict_proba" if hasattr(detector, "predict_proba") else "decision_function"
    return float(
        roc_auc_score(y, cross_val_predict(detector, X, y, cv=folds, method=method).reshape(len(y), -1)[:, -1])
    )


def c2st_scorer(estimator, X, y=None):
    """Scorer for ``scoring=`` in a search: how well rows of a fitted estimator pass the classifier two-sample test.

    Parameters
    ----------
    estimator : GMMGAN, GMMGANClassifier or Pipeline
        A fitted estimator that `sample_pipeline` can sample.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Real rows that did not train it; as many are drawn.
    y : None
        Ignored.

    Returns
    -------
    score : float
        1 - AUC, at most 0.5: higher is better, and 0.5 means that the rows can't be told apart. It does not see labels
        that are drawn with the rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skgmmgan import GMMGAN
    >>> from skgmmgan.metrics import c2st_scorer
    >>> X = load_iris().data
    >>> model = GMMGAN(3, max_epochs=0, adversarial_rounds=0, random_state=0).fit(X[::2])
    >>> bool(0 <= c2st_scorer(model, X[1::2]) <= 0.5)  # scoring=c2st_scorer in a search
    True
    """
    rows, _ = sample_pipeline(estimator, len(X))
    return 1 - max(0.5, c2st_score(X, rows, random_state=0))


def _bin_edges(x, categorical):
    """Inner edges of equal bins over the range of a real column; None for categories."""
    if categorical or np.isnan(x).all():
        return None
    return np.linspace(np.nanmin(x), np.nanmax(x), N_BINS + 1)[1:-1]


def _total_variation(a, b):
    """Total variation distance between the distributions of two arrays of rows."""
    _, codes = np.unique(np.concatenate([a, b]), axis=0, return_inverse=True)
    codes = codes.ravel()
    counts = [np.bincount(part, minlength=codes.max() + 1) for part in (codes[: len(a)], codes[len(a) :])]
    return 0.5 * np.abs(counts[0] / len(a) - counts[1] / len(b)).sum()


def _kolmogorov_smirnov(a, b):
    """Largest distance between two empirical distribution functions; missing cells are the largest value."""
    at = np.unique(np.concatenate([a, b]))
    below = [np.searchsorted(np.sort(x), at, side="right") / len(x) for x in (a, b)]
    return np.abs(below[0] - below[1]).max()


def shape_error(real, synthetic, *, sdmetrics=False):
    """Mean distance between the distributions of single columns.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        Real rows.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        Synthetic rows.
    sdmetrics : bool, default=False
        Whether to leave missing numbers out, as SDMetrics does: one minus its column shapes. A number that is missing
        in all rows of a table does not count then.

    Returns
    -------
    error : float
        Between 0 (the same) and 1: the Kolmogorov-Smirnov distance of numbers, the total variation distance of
        categories, averaged over columns. It does not see how columns hang together.

    Examples
    --------
    >>> from skgmmgan.metrics import shape_error
    >>> shape_error([[0.0], [1.0]], [[0.0], [0.0]])
    0.5
    """
    errors = [error for _, error in column_errors(real, synthetic, sdmetrics=sdmetrics)]
    return float(np.mean(errors)) if errors else 0.0


def column_errors(real, synthetic, *, sdmetrics=False):
    """The distances whose mean `shape_error` is.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        Real rows.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        Synthetic rows.
    sdmetrics : bool, default=False
        Whether to leave missing numbers out, as SDMetrics does.

    Returns
    -------
    errors : list of tuple
        Name of each column, for arrays its index, and its error between 0 and 1. With `sdmetrics`, a number that is
        missing in all rows of a table has none.

    Examples
    --------
    >>> from skgmmgan.metrics import column_errors
    >>> column_errors([[0.0, 5.0], [1.0, 6.0]], [[0.0, 5.0], [0.0, 6.0]])
    [(0, 0.5), (1, 0.0)]
    """
    (real, synthetic), table = matrices_of(real, synthetic)
    errors = []
    for name, a, b, is_category in zip(table.names, real.T, synthetic.T, table.categorical, strict=True):
        if is_category:
            error = _total_variation(levels_of(a, None)[:, None], levels_of(b, None)[:, None])
        else:
            if sdmetrics:
                a, b = (x[~np.isnan(x)] for x in (a, b))
            if not (len(a) and len(b)):
                continue
            error = _kolmogorov_smirnov(a, b)
        errors.append((name, float(error)))
    return errors


def trend_error(real, synthetic, *, sdmetrics=False):
    """Mean distance between the joint distributions of pairs of columns.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        Real rows.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        Synthetic rows.
    sdmetrics : bool, default=False
        Whether to compare pairs of numbers by half the difference of their correlations, and to bin each table over its
        own range beside categories, as SDMetrics does: one minus its column pair trends without thresholds. One
        outlier moves such bins.

    Returns
    -------
    error : float
        Between 0 (the same) and 1: the total variation distance of two columns, numbers in ten equal bins of the real
        column, averaged over pairs; 0 for a single column. Few rows raise it. It does not see relations of three or
        more columns.

    Examples
    --------
    >>> from skgmmgan.metrics import trend_error
    >>> trend_error([[0.0, 0.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]])
    1.0
    """
    (real, synthetic), table = matrices_of(real, synthetic)
    categorical = table.categorical
    if sdmetrics:
        return _pair_trend_error(real, synthetic, categorical)
    edges = [_bin_edges(x, c) for x, c in zip(real.T, categorical, strict=True)]
    a, b = (np.column_stack([levels_of(x, e) for x, e in zip(X.T, edges, strict=True)]) for X in (real, synthetic))
    pairs = itertools.combinations(range(real.shape[1]), 2)
    errors = [_total_variation(a[:, pair], b[:, pair]) for pair in map(list, pairs)]
    return float(np.mean(errors)) if errors else 0.0


def _pair_trend_error(real, synthetic, categorical):
    """The error of pairs of columns as SDMetrics defines it; pairs with a constant number do not count."""
    binned = [X.copy() for X in (real, synthetic)]
    for X, codes in zip((real, synthetic), binned):
        for j in np.flatnonzero(~categorical):
            codes[:, j] = np.digitize(X[:, j], np.histogram_bin_edges(X[~np.isnan(X[:, j]), j]))
    errors = []
    for i, j in itertools.combinations(range(real.shape[1]), 2):
        if not (categorical[i] or categorical[j]):
            pairs = [X[:, [i, j]][~np.isnan(X[:, [i, j]]).any(axis=1)] for X in (real, synthetic)]
            if all(len(pair) > 1 and (np.ptp(pair, axis=0) > 0).all() for pair in pairs):
                correlations = [np.corrcoef(pair.T)[0, 1] for pair in pairs]
                errors.append(abs(correlations[0] - correlations[1]) / 2)
        else:
            errors.append(_total_variation(*(np.nan_to_num(X[:, [i, j]], nan=-2.0) for X in binned)))
    return float(np.mean(errors)) if errors else 0.0


def tstr_score(train, test, target, *, random_state=None):
    """Train on one table, test on another: what a synthetic table is worth to a model.

    Parameters
    ----------
    train : DataFrame of shape (n_train, n_features)
        Synthetic rows, or real ones for comparison.
    test : DataFrame of shape (n_test, n_features)
        Real rows that made neither.
    target : str
        Column to predict; rows in which it is missing do not count. Text, categories, booleans and two numbers are
        classes, other numbers are regressed.
    random_state : int, RandomState instance or None, default=None
        Seed of the boosted trees.

    Returns
    -------
    score : float
        Area under the ROC curve for two classes of the test rows, accuracy for more, R2 for numbers: higher is better,
        and the score of real training rows is the yardstick. A class that `train` lacks has probability 0.

    Raises
    ------
    ValueError
        If `target` is no column of the tables, or missing in every row of one of them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skgmmgan.metrics import tstr_score
    >>> iris = load_iris(as_frame=True).frame
    >>> tstr_score(iris[::2], iris[1::2], "petal width (cm)", random_state=0) > 0.8
    True
    """
    return tstr_and_constant(train, test, target, random_state)[0]


def tstr_and_constant(train, test, target, random_state):
    """What `tstr_score` returns, and what a model that always says the same would have."""
    names = container_of(test).names
    if target not in names:
        raise ValueError(f"target={target!r} is no column of the test table; its columns are {names}.")
    (test, train), table = matrices_of(test, train)
    categorical, at = table.categorical, names.index(target)
    test, train = (X[~np.isnan(X[:, at])] for X in (test, train))
    for which, X in (("test", test), ("train", train)):
        if not len(X):
            raise ValueError(f"target={target!r} is missing in every row of {which}; nothing can be learned or told.")
    observed = ~np.isnan(train).all(axis=0)
    others = np.flatnonzero(observed & (np.arange(len(categorical)) != at))
    classes = np.unique(test[:, at])
    is_class = categorical[at] or len(classes) <= 2
    kind = HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
    model = boosting(kind, categorical[others], np.concatenate([train, test])[:, others], random_state)
    model.fit(train[:, others], train[:, at])
    if not is_class or len(classes) != 2:
        constant = np.max(np.mean(test[:, at, None] == model.classes_, axis=0)) if is_class else 0.0
        return float(model.score(test[:, others], test[:, at])), float(constant)
    second = np.flatnonzero(model.classes_ == classes[1])
    probability = model.predict_proba(test[:, others])[:, second].sum(axis=1)
    return float(roc_auc_score(test[:, at] == classes[1], probability)), 0.5


def tstr_scorer(target, *, n_samples=None):
    """Make a scorer for ``scoring=`` in a search: what sampled rows are worth as training rows.

    Parameters
    ----------
    target : str
        Column to predict, as in `tstr_score`.
    n_samples : int, default=None
        How many rows are drawn to train on; None draws as many as there are rows to test on.

    Returns
    -------
    scorer : callable (estimator, X, y=None) -> float
        The `tstr_score` of boosted trees that are trained on rows of the estimator and tested on X.
    """
    return partial(_tstr_of, target=target, n_samples=n_samples)


def _tstr_of(estimator, X, y=None, *, target, n_samples):
    rows, _ = sample_pipeline(estimator, len(X) if n_samples is None else n_samples)
    return tstr_score(rows, X, target, random_state=0)


class ModeCoverage(NamedTuple):
    """How rows spread over known modes: see `mode_coverage`."""

    n_modes: int
    high_quality_share: float
    reverse_kl: float


def mode_coverage(rows, centers, std):
    """How synthetic rows spread over the modes of a mixture of equal, spherical Gaussians [1]_.

    Parameters
    ----------
    rows : array-like of shape (n_rows, n_features)
        Synthetic rows.
    centers : array-like of shape (n_modes, n_features)
        Means of the Gaussians.
    std : float
        Their common standard deviation, the same in every direction.

    Returns
    -------
    coverage : ModeCoverage
        `n_modes`, the modes that have a row within three standard deviations; `high_quality_share`, the share of rows
        within three standard deviations of a mode (0.98889 for true rows in two dimensions); and `reverse_kl`, the
        Kullback-Leibler divergence, in nats, of the shares of rows by nearest mode from equal ones. True rows have
        (n_modes - 1) / (2 n_rows) on average. It does not see what the rows of one mode look like.

    References
    ----------
    .. [1] Z. Lin, A. Khetan, G. Fanti and S. Oh, "PacGAN: the power of two samples in generative adversarial networks",
       NeurIPS 2018.

    Examples
    --------
    >>> from skgmmgan.metrics import mode_coverage
    >>> mode_coverage([[0.0, 0.0], [0.1, 0.0], [9.0, 9.0]], centers=[[0, 0], [1, 1]], std=0.1).n_modes
    1
    """
    rows, centers = check_array(rows), check_array(centers)
    distance, nearest = NearestNeighbors(n_neighbors=1).fit(centers).kneighbors(rows)
    near = distance[:, 0] <= 3 * std
    shares = np.bincount(nearest[:, 0], minlength=len(centers)) / len(rows)
    return ModeCoverage(
        n_modes=len(np.unique(nearest[near])),
        high_quality_share=float(near.mean()),
        reverse_kl=float(rel_entr(shares, 1 / len(centers)).sum()),
    )
