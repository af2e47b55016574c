"""Scores by nearest neighbours, and by copies: what is covered, and what is given away."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

from ._comparison import levels_of, matrices_of

N_SHARES = 51  # of rows, at which precision and recall are compared


def nearest(points, to, n_neighbors=1):
    """Distance of each point to its nearest neighbour in another matrix of `distance_features`, (n,)."""
    search = NearestNeighbors(n_neighbors=n_neighbors, metric="manhattan").fit(to)
    return search.kneighbors(points)[0][:, -1]


def distance_features(tables, categorical):
    """Matrices in which the L1 distance is a scaled difference of numbers plus one for each category that differs."""
    observed = [x[~np.isnan(x)] for x in tables[0].T]
    scale = [x.std() if len(x) else 0.0 for x in observed]
    parts = []
    for X in tables:
        columns = []
        for j, is_category in enumerate(categorical):
            if is_category:
                levels = np.unique(levels_of(np.concatenate([t[:, j] for t in tables]), None))
                columns.append(0.5 * (levels_of(X[:, j], None)[:, None] == levels))
            else:
                missing = np.isnan(X[:, j])
                columns += [np.where(missing, 0, X[:, j] / (scale[j] or 1.0))[:, None], missing[:, None]]
        parts.append(np.concatenate(columns, axis=1, dtype=np.float32))
    return parts


def dcr_share(real, synthetic, holdout, *, random_state=None):
    """Share of synthetic rows whose nearest neighbour is a training row rather than a held-out row.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        The training rows.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        Synthetic rows.
    holdout : array-like or DataFrame of shape (n_holdout, n_features)
        Real rows that trained nothing. The larger of both real tables is thinned to the size of the other.
    random_state : int, RandomState instance or None, default=None
        Seed of the thinning.

    Returns
    -------
    share : float
        0.5 if training rows are no nearer than others, more if the model gives them away; ties count half. It does
        not see what an attacker knows beyond distances.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> real, same = rng.normal(size=(2, 400, 2))
    >>> from skgmmgan.metrics import dcr_share
    >>> dcr_share(real, real, same)
    1.0
    """
    rng = check_random_state(random_state)
    (real, synthetic, holdout), table = matrices_of(real, synthetic, holdout)
    n = min(len(real), len(holdout))
    real, holdout = (X[rng.permutation(len(X))[:n]] for X in (real, holdout))
    real, synthetic, holdout = distance_features([real, synthetic, holdout], table.categorical)
    near, far = nearest(synthetic, real), nearest(synthetic, holdout)
    return float(np.mean((near < far) + 0.5 * (near == far)))


def copy_rate(real, rows):
    """Share of rows that also occur, cell for cell, in a real table.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        The training rows.
    rows : array-like or DataFrame of shape (n_rows, n_features)
        Synthetic rows; the rate of a held-out table is the yardstick.

    Returns
    -------
    rate : float
        Between 0 and 1. It does not see near copies.

    Examples
    --------
    >>> from skgmmgan.metrics import copy_rate
    >>> copy_rate([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 5.0]])
    0.5
    """
    (real, rows), _ = matrices_of(real, rows)
    known = {row.tobytes() for row in np.nan_to_num(real, nan=np.inf) + 0.0}
    return float(np.mean([row.tobytes() in known for row in np.nan_to_num(rows, nan=np.inf) + 0.0]))


def coverage(real, synthetic, *, n_neighbors=5):
    """Share of real rows near which there is a synthetic one [1]_.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        Real rows, more than `n_neighbors`.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        Synthetic rows; as many as real ones, for more of them cover more.
    n_neighbors : int, default=5
        A synthetic row is near a real one if it is nearer than so many other real rows.

    Returns
    -------
    share : float
        Between 0 and 1: with 5 neighbours about .97 for fresh real rows (1 - 2**-5), less if parts of the table are
        not drawn. It does not see synthetic rows where no real ones are.

    References
    ----------
    .. [1] M. F. Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> real, same = rng.normal(size=(2, 400, 2))
    >>> from skgmmgan.metrics import coverage
    >>> coverage(real, same) > 0.9
    True
    >>> coverage(real, same[:20]) < 0.5
    True
    """
    (real, synthetic), table = matrices_of(real, synthetic)
    if len(real) <= n_neighbors:
        raise ValueError(f"n_neighbors={n_neighbors} needs more real rows than that; there are {len(real)}.")
    real, synthetic = distance_features([real, synthetic], table.categorical)
    return float(np.mean(nearest(real, synthetic) <= nearest(real, real, n_neighbors + 1)))


class PrecisionRecall(NamedTuple):
    """Fidelity and diversity: see `precision_recall`."""

    alpha_precision: float
    beta_recall: float


def precision_recall(real, synthetic):
    """Alpha-precision and beta-recall, integrated [1]_.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        Real rows.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        Synthetic rows, as many as real ones.

    Returns
    -------
    scores : PrecisionRecall
        `alpha_precision` is 1 if, for every share alpha, that share of the synthetic rows lies among the alpha most
        central real rows, and less if they are too typical or too far out. `beta_recall` is 1 if every real row has a
        synthetic row nearer than its nearest real one among as few central synthetic rows as can be, about .5 for
        fresh real rows, and less if real rows are not reached. Both lie between 0 and 1. Centres mean little where a
        table has several clusters.

    References
    ----------
    .. [1] A. M. Alaa, B. van Breugel, E. Saveliev and M. van der Schaar, "How faithful is your synthetic data?
       Sample-level metrics for evaluating and auditing generative models", ICML 2022.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> real, same = rng.normal(size=(2, 400, 2))
    >>> from skgmmgan.metrics import precision_recall
    >>> precision_recall(real, 3 * same).alpha_precision < precision_recall(real, same).alpha_precision
    True
    """
    (real, synthetic), table = matrices_of(real, synthetic)
    real, synthetic = distance_features([real, synthetic], table.categorical)
    if len(real) < 2:
        raise ValueError("precision_recall needs two real rows or more; there is one.")
    shares = np.linspace(0, 1, N_SHARES)
    from_center = [np.abs(X - real.mean(axis=0)).sum(axis=1) for X in (real, synthetic)]
    inside = [np.mean(from_center[1] <= radius) for radius in np.quantile(from_center[0], shares)]
    own = np.abs(synthetic - synthetic.mean(axis=0)).sum(axis=1)
    search = NearestNeighbors(n_neighbors=1, metric="manhattan").fit(synthetic)
    distance, index = (found[:, 0] for found in search.kneighbors(real))
    reached = distance <= nearest(real, real, 2)
    recalled = [np.mean(reached & (own[index] <= radius)) for radius in np.quantile(own, shares)]
    return PrecisionRecall(_agreement(shares, inside), _agreement(shares, recalled))


def _agreement(shares, found):
    """One minus twice the area between a curve and the diagonal, at least 0."""
    return float(max(0.0, 1 - 2 * np.trapezoid(np.abs(shares - np.array(found)), shares)))


def membership_auc(train, holdout, *, synthetic=None, estimator=None):
    """How well an attacker tells training rows from others, by likelihood [1]_ or by distance [2]_.

    Parameters
    ----------
    train : array-like or DataFrame of shape (n_train, n_features)
        Rows that the model was fitted to.
    holdout : array-like or DataFrame of shape (n_holdout, n_features)
        Real rows that trained nothing.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features), default=None
        If given, the attacker has only these, and takes rows near one of them for training rows.
    estimator : fitted estimator with `score_samples`, default=None
        If given, the attacker has the model, and takes likely rows for training rows.

    Returns
    -------
    auc : float
        0.5 if the attacker can only guess, 1 if every training row is found out. It is the mean over rows: it does
        not see that a few rows are given away, nor stronger attackers.

    Raises
    ------
    ValueError
        Unless exactly one of `synthetic` and `estimator` is given.

    References
    ----------
    .. [1] S. Yeom et al., "Privacy risk in machine learning: analyzing the connection to overfitting", CSF 2018.
    .. [2] D. Chen et al., "GAN-Leaks: a taxonomy of membership inference attacks against generative models", CCS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> real, same = rng.normal(size=(2, 400, 2))
    >>> from skgmmgan.metrics import membership_auc
    >>> membership_auc(real, same, synthetic=real)
    1.0
    """
    if (synthetic is None) == (estimator is None):
        raise ValueError("Give either synthetic or estimator: what the attacker has.")
    if estimator is not None:
        evidence = [estimator.score_samples(X) for X in (train, holdout)]
    else:
        matrices, table = matrices_of(train, holdout, synthetic)
        train, holdout, synthetic = distance_features(matrices, table.categorical)
        evidence = [-nearest(X, synthetic) for X in (train, holdout)]
    is_member = np.repeat([1, 0], [len(part) for part in evidence])
    return float(roc_auc_score(is_member, np.concatenate(evidence)))
