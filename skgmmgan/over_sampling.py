"""GMMGANOverSampler: rows of small classes, for imbalanced-learn."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

try:
    from imblearn.over_sampling.base import BaseOverSampler
    from imblearn.utils import check_target_type
except ImportError as error:
    raise ModuleNotFoundError(
        "imbalanced-learn is needed for GMMGANOverSampler: pip install 'skgmmgan[imbalance]'."
    ) from error

from ._base import check_table
from ._classifier import GMMGANClassifier
from ._containers import container_of, is_frame, is_pandas

__all__ = ["GMMGANOverSampler"]


class GMMGANOverSampler(BaseOverSampler):
    """Over-sampling by rows that a GMMGANClassifier draws from each class.

    Text, categories, missing cells and dtypes are kept as they are; nothing has to be declared.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many rows each class shall have, as for every sampler of imbalanced-learn. "auto" and "not majority" make
        all classes as large as the largest.

    n_synthetic : float or int, default=None
        How many rows to draw instead, in the proportions that the classes have: a float is a share of the table, an
        int a number of rows. 0 adds none, so that a search may choose it.

    n_components : int or "auto", default=None
        Components for each class; None leaves those of `estimator`.

    estimator : GMMGANClassifier, default=None
        The unfitted model; it is cloned. None is ``GMMGANClassifier()``.

    random_state : int, RandomState instance or None, default=None
        Seed of the model and of the rows.

    Attributes
    ----------
    estimator_ : GMMGANClassifier
        The fitted model; its labels are the positions of the classes in ascending order. None if no row was drawn.
    sampling_strategy_ : dict
        Number of rows that `sampling_strategy` asks to draw of each class.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if they are all strings.

    See Also
    --------
    GMMGANClassifier : The model.

    Notes
    -----
    A class of one row is that row with the spread of the others. Real rows come first, in their order.

    A classifier that learns from balanced rows over-rates small classes. For probabilities, multiply its odds by the
    odds of the class before, divided by those after resampling [1]_.

    References
    ----------
    .. [1] C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

    Examples
    --------
    >>> from collections import Counter
    >>> from sklearn.datasets import load_wine
    >>> from skgmmgan.over_sampling import GMMGANOverSampler
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> X_resampled, y_resampled = GMMGANOverSampler(random_state=0).fit_resample(X, y)
    >>> sorted(Counter(y_resampled).items())
    [(0, 71), (1, 71), (2, 71)]
    """

    _parameter_constraints: dict = {
        **BaseOverSampler._parameter_constraints,
        "n_synthetic": [
            Interval(Integral, 0, None, closed="left"),
            Interval(Real, 0, None, closed="left"),
            None,
        ],
        "n_components": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "estimator": [HasMethods(["fit", "sample"]), None],
    }

    def __init__(
        self, sampling_strategy="auto", *, n_synthetic=None, n_components=None, estimator=None, random_state=None
    ):
        super().__init__(sampling_strategy=sampling_strategy)
        self.n_synthetic = n_synthetic
        self.n_components = n_components
        self.estimator = estimator
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.allow_nan = True
        return tags

    def _check_X_y(self, X, y):
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        if is_frame(X) and not is_pandas(X):
            raise TypeError("imbalanced-learn resamples pandas DataFrames and arrays; convert X by to_pandas().")
        X = check_table(self, X, reset=True, least=2)
        check_consistent_length(X, y)
        return X, y, binarize_y

    def _fit_resample(self, X, y):
        rng = check_random_state(self.random_state)
        classes, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
        counts = self._counts(classes, sizes, len(y))
        self.estimator_ = None
        if not any(counts.values()):
            return (X.reset_index(drop=True) if is_frame(X) else X), y
        model = GMMGANClassifier() if self.estimator is None else clone(self.estimator)
        if not is_classifier(model):
            raise TypeError(f"estimator={model!r} must be a classifier that samples, like GMMGANClassifier().")
        n_components = model.n_components if self.n_components is None else self.n_components
        model.set_params(n_components=n_components, random_state=rng.randint(2**31 - 1))
        self.estimator_ = model.fit(X, codes)
        rows, labels = self.estimator_.sample(y=counts)
        return container_of(X).append(X, rows), np.concatenate([y, classes[labels]])

    def _counts(self, classes, sizes, n_rows):
        """How many rows to draw of each class, by its code."""
        if self.n_synthetic is None:
            return {code: self.sampling_strategy_.get(label, 0) for code, label in enumerate(classes)}
        n = self.n_synthetic if isinstance(self.n_synthetic, Integral) else round(self.n_synthetic * n_rows)
        ends = np.round(n * np.cumsum(sizes) / n_rows).astype(int)
        return dict(enumerate(np.diff(ends, prepend=0).tolist()))
