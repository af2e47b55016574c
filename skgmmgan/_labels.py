"""Class labels <-> codes, and a first guess of those that are missing."""

import warnings
from datetime import date, time, timedelta

import numpy as np
from sklearn.model_selection import KFold
from sklearn.semi_supervised import LabelSpreading
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ._containers import is_missing
from ._table import UNSEEN

TIMES = (date, time, timedelta)  # and those of pandas, which are theirs
UNLABELLED = -1  # among other integers or floats; None or a missing value among other labels
MAX_SPREAD_ROWS = 5000  # among which labels are spread
N_NEIGHBORS = 7
GUESS_FOLDS = 5


def check_labels(y):
    """y as an array; ValueError if it holds no class labels."""
    if y is None:
        raise ValueError("GMMGANClassifier requires y to be passed, but the target y is None.")
    if hasattr(y, "astype") and not isinstance(y.dtype, np.dtype):  # nullable labels are floats otherwise
        y = y.astype(object)
    y = column_or_1d(y, warn=True)
    if y.dtype == object:
        known = known_labels(y)
        if len(known) and known.dtype.kind == "f":
            y = np.array([np.nan if is_missing(label) else label for label in y], dtype=float)
        elif len(known) == len(y):
            y = known
    if y.dtype.kind == "f":
        if np.isnan(y).any():
            raise ValueError("Input y contains NaN. Mark rows without a label by -1, or convert y by astype('Int64').")
        assert_all_finite(y, input_name="y")
    return y


def known_labels(y):
    """The labels that are known; numbers and booleans among objects in an array of their own dtype."""
    known = y[~unknown_labels(y)]
    plain = np.array(known.tolist()) if known.dtype == object else known
    return plain if plain.dtype.kind in "biuf" and plain.ndim == 1 else known


def unknown_labels(y, classes=None):
    """Mask of the labels that are unknown, (n,); -1 is one among others only, or where no class is called so."""
    if y.dtype.kind in "iuf":
        unknown = y == UNLABELLED
        is_class = len(np.unique(y[~unknown])) < 2 if classes is None else UNLABELLED in classes
        return unknown & (not is_class)
    return np.array([is_missing(label) for label in y], dtype=bool)


def learn_classes(y):
    """Classes of the known labels, in ascending order."""
    known = known_labels(y)
    kinds = {type(label) for label in known} if known.dtype == object else set()
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(f"y mixes labels of type {names}; convert them to text.")
    if not (kinds and issubclass(*kinds, TIMES)):  # of which scikit-learn knows nothing
        check_classification_targets(known)
    try:
        classes = np.unique(known)
    except TypeError as error:
        raise ValueError(f"y holds labels that have no order: {error}.") from error
    if len(classes) < 2:
        raise ValueError(f"y holds the classes {classes.tolist()}; a classifier needs two or more.")
    return classes


def encode_labels(y, classes):
    """Code of each label, UNSEEN for an unknown one; ValueError for a label that is no class."""
    unknown = unknown_labels(y, classes)
    known = y[~unknown]
    strange = known[~np.isin(known, classes)]
    if len(strange):
        strange, classes = strange.tolist(), classes.tolist()
        raise ValueError(f"y holds {strange[0]!r}, which is no class of the fitted model; they are {classes}.")
    codes = np.full(len(y), UNSEEN)
    codes[~unknown] = np.searchsorted(classes, known)
    return codes


def guess_labels(codes, guessers, rng):
    """Codes with the unknown ones drawn by the guesser that finds most of the known ones when they are hidden.

    A code counts only where others of its class are left; at a tie the first guesser draws.

    Parameters
    ----------
    guessers : callables (codes) -> probability of each class for each row, (n, n_classes)
    """
    known = np.flatnonzero(codes != UNSEEN)
    hits = np.zeros(len(guessers))
    for _, fold in KFold(min(GUESS_FOLDS, len(known)), shuffle=True, random_state=rng).split(known):
        hidden = codes.copy()
        hidden[known[fold]] = UNSEEN
        guesses = [guess(hidden)[known[fold]].argmax(axis=1) for guess in guessers]
        left = np.isin(codes[known[fold]], hidden)
        hits += [(left & (guess == codes[known[fold]])).sum() for guess in guesses]
    probability = guessers[hits.argmax()](codes)
    drawn = (rng.uniform(size=(len(codes), 1)) > probability.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return np.where(codes == UNSEEN, drawn, codes)


def spread_labels(z, codes, n_classes, rng):
    """Probability of each class for each row, (n, n_classes), by the labels of neighbours and theirs [1]_.

    References
    ----------
    .. [1] D. Zhou et al., "Learning with local and global consistency", NeurIPS 2003.
    """
    known = codes != UNSEEN
    order = rng.permutation(len(codes))
    rows = order[np.argsort(~known[order], kind="stable")][:MAX_SPREAD_ROWS]  # those with a label first
    spreading = LabelSpreading(kernel="knn", n_neighbors=min(N_NEIGHBORS, len(rows)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # rows that no label reaches, for which the shares of the classes stand in
        found = spreading.fit(z[rows], codes[rows].astype(int)).predict_proba(z)
    shares = np.bincount(codes[known].astype(int), minlength=n_classes) / known.sum()
    probability = np.zeros((len(codes), n_classes))
    probability[:, spreading.classes_] = found
    return np.where(np.isnan(probability), shares, probability)
