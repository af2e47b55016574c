"""GMMGANClassifier: the class first, then the columns given the class."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from scipy.special import log_softmax, logsumexp
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from ._base import BaseGMMGAN, check_count
from ._class_mixtures import MAX_CLASS_COMPONENTS, ClassPriorSearch, label_probabilities
from ._codec import Codec
from ._columns import LabelColumn
from ._em import PriorSearch
from ._generator import LabelledGenerator
from ._labels import check_labels, encode_labels, guess_labels, learn_classes, spread_labels
from ._plain import from_plain, to_plain
from ._table import UNSEEN


class GMMGANClassifier(ClassifierMixin, BaseGMMGAN):
    """Classifier that can draw rows of each class: a GMMGAN whose first column is the label.

    The joint density p(y) p(x | y) is learned by one network for all classes, which starts from a Gaussian mixture for
    each of them. Rows of a class are drawn exactly, classes are predicted by Bayes' rule, and a row without a label
    counts with the sum over the labels that it may have.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels in ascending order.
    mixture_ : GaussianMixture
        The prior, in coordinates (normal scores of the columns), the first of which is the label.
    weights_ : ndarray of shape (n_components,)
        Mixture weights.
    log_normalizer_ : float
        Log of the constant Z of the refined density; 0 without kept discriminators.
    log_normalizer_std_ : float
        Its standard error in nats.
    history_ : list of dict
        Losses, held-out log-likelihoods (nats per row, in coordinates) and gains, line searches and selections, in
        order.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if they are all strings.

    See Also
    --------
    GMMGAN : The same without labels.

    Notes
    -----
    A class has components of its own up to 60 classes, and as many as `n_components` says if it has five rows for each
    of them; with more classes one mixture serves them all. Prediction takes as many passes over the rows as there are
    classes. Discriminators read rows with their labels.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skgmmgan import GMMGANClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GMMGANClassifier(random_state=0).fit(X, y)
    >>> rows, labels = model.sample(y={0: 1, 2: 2})
    >>> labels
    array([0, 2, 2])
    """

    _generator_class = LabelledGenerator

    def __getstate__(self):
        """Labels that are Python objects as text."""
        state = dict(super().__getstate__())
        if "classes_" in state and self.classes_.dtype == object:
            state["classes_"] = [to_plain(label) for label in self.classes_]
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if isinstance(state.get("classes_"), list):
            self.classes_ = np.empty(len(state["classes_"]), dtype=object)
            self.classes_[:] = [from_plain(label) for label in state["classes_"]]

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Learn a table and its labels.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The table. Missing cells (NaN, None, NA) are learned, not dropped.
        y : array-like of shape (n_samples,)
            Labels of two or more classes. -1 means unlabelled if at least two other labels occur, None (or a missing
            value) does among labels that are no floats.

        Returns
        -------
        self : GMMGANClassifier
            The fitted estimator. If the fit is interrupted, it holds the best state so far.

        Raises
        ------
        ValueError
            If y has fewer than two classes or NaN, or X is no table that `GMMGAN` can learn.
        """
        rng = check_random_state(self.random_state)
        y = check_labels(y)
        table, values = self._read(X)
        check_consistent_length(values, y)
        classes = self.classes_ if self._continues else learn_classes(y)
        values = np.column_stack([encode_labels(y, classes), values])
        return self._learn(table, values, rng, classes_=classes)

    def _search(self, table, values, rng):
        """What fits the prior, and the values with the unknown labels guessed."""
        categorical, nominal = (np.concatenate([[True], mask]) for mask in (table.categorical, table.nominal))
        label, clocks = LabelColumn(values[:, 0]), {j + 1: clock for j, clock in table.clocks.items()}
        make_codec = partial(Codec, categorical=categorical, nominal=nominal, label=label, clocks=clocks)
        n_classes = label.levels.unit.n_levels
        kind = ClassPriorSearch if n_classes <= MAX_CLASS_COMPONENTS else PriorSearch
        search = kind(make_codec, *self._prior_settings())
        return search, self._completed(search, values, rng)

    def _completed(self, search, values, rng):
        """The values with the unknown labels guessed, for EM."""
        labelled = values[self._whole(values)]
        if len(labelled) == len(values):
            return values
        choice = search.choose(labelled, rng)
        z = search.make_codec(values, n_knots=choice["n_knots"], rng=rng).encode(values).z[:, 1:]

        def by_mixtures(codes):
            return label_probabilities(search, np.column_stack([codes, values[:, 1:]]), choice, rng)

        def by_neighbours(codes):
            return spread_labels(z, codes, int(labelled[:, 0].max()) + 1, rng)

        codes = guess_labels(values[:, 0], [by_neighbours, by_mixtures], rng)
        return np.column_stack([codes, values[:, 1:]])

    @staticmethod
    def _whole(values):
        return values[:, 0] != UNSEEN

    def _joint_log_prob(self, X):
        """Log-density of each row with each label, (n, n_classes)."""
        values = self._values(X)
        codes = np.arange(len(self.classes_), dtype=float)
        by_class = [self._model.log_prob(np.column_stack([np.full(len(values), c), values])) for c in codes]
        return np.column_stack(by_class)

    def score_samples(self, X, y=None):
        """Log-likelihood of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows of the table.
        y : array-like of shape (n_samples,), default=None
            Labels for the joint density p(x, y); None, or the sign of an unlabelled row, gives the marginal density
            p(x).

        Returns
        -------
        log_prob : ndarray of shape (n_samples,), float64
            Nats per row in the units of X, before rounding and bounds.
        """
        joint = self._joint_log_prob(X)
        if y is None:
            return logsumexp(joint, axis=1)
        codes = encode_labels(check_labels(y), self.classes_).astype(int)
        check_consistent_length(joint, codes)
        return np.where(codes < 0, logsumexp(joint, axis=1), joint[np.arange(len(joint)), codes])

    def predict_log_proba(self, X):
        """Logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows of the table.

        Returns
        -------
        log_prob : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        joint = self._joint_log_prob(X)
        label = self._model.codec.columns[0].levels
        joint[np.isneginf(joint).all(axis=1)] = np.log(label.unit.shares[label.code])  # beyond every float
        return log_softmax(joint, axis=1)

    def predict_proba(self, X):
        """Probability of each class, by Bayes' rule.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows of the table.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """Most likely class of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows of the table.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        most_likely = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[most_likely]

    def score(self, X, y, sample_weight=None):
        """Share of the rows whose class is predicted.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows of the table.
        y : array-like of shape (n_samples,)
            Their true labels, all of them known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        accuracy : float
            Between 0 and 1.
        """
        y, predicted = check_labels(y), self.predict(X)
        if self.classes_.dtype == object:  # dates, say, of which scikit-learn knows nothing
            y, predicted = y.astype(str), predicted.astype(str)
        return accuracy_score(y, predicted, sample_weight=sample_weight)

    def sample(self, n_samples=None, *, y=None, random_state=None):
        """Draw new rows with their labels.

        Parameters
        ----------
        n_samples : int, default=None
            How many; None is one, or as many as `y` counts.
        y : label or dict from label to int, default=None
            The class of all rows, or how many rows of each class; None draws the classes as well.
        random_state : int, RandomState instance or None, default=None
            None continues the fitted model's own stream, so that two calls differ.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            Rows in the container and dtypes of the table of fit; by class in the order of a dict.
        y : ndarray of shape (n_samples,)
            Their labels.

        Raises
        ------
        TypeError
            If a number of rows is no integer, or `y` holds several labels and no numbers.
        ValueError
            If it is negative, a label is no class, or `n_samples` is not what a dict counts.
        """
        check_is_fitted(self)
        counts = self._counts(n_samples, y)
        rng = self._stream(random_state)
        first = self._model.codec.columns[0].levels.code
        drawn = [self._model.sample(n, rng, None if c is None else first[c]) for c, n in counts]
        values = np.concatenate(drawn)
        return self._table.decode(values[:, 1:]), self.classes_[values[:, 0].astype(int)]

    def _counts(self, n_samples, y):
        """Pairs of a class code, or None for any class, and a number of rows."""
        if n_samples is not None:
            check_count("n_samples", n_samples, least=0)
        if not isinstance(y, Mapping):
            return [(None if y is None else self._code(y), 1 if n_samples is None else n_samples)]
        for label, n in y.items():
            check_count(f"y[{label!r}]", n, least=0)
        if n_samples not in (None, sum(y.values())):
            raise ValueError(
                f"n_samples={n_samples} differs from the {sum(y.values())} rows that y asks for; leave it out."
            )
        return [(self._code(label), n) for label, n in y.items()] or [(None, 0)]

    def _code(self, label):
        """Code of a class."""
        if np.ndim(label):
            raise TypeError(f"y={label!r} must be one label, or a dict from labels to numbers of rows.")
        (found,) = np.nonzero(self.classes_ == label)
        if not len(found):
            raise ValueError(
                f"y asks for {label!r}, which is no class of the fitted model; they are {self.classes_.tolist()}."
            )
        return found[0]
