"""GMMGAN: a table in, a density and new rows out."""

import numpy as np
from sklearn.base import DensityMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._base import BaseGMMGAN, check_count
from ._broken import broken_rules, tied
from ._conditional import Given, draw_given, draw_where, warn_of_unlikely
from ._conditions import Conditions
from ._containers import import_pandas, is_frame
from ._model import CHUNK
from ._prior import REDUCE_COVARIANCES, weighted_moments, weighted_shares


class GMMGAN(DensityMixin, BaseGMMGAN):
    """Table synthesizer: a Gaussian mixture refined by a network and by discriminators, with a likelihood.

    EM fits a Gaussian mixture to smoothly transformed columns. A masked autoregressive network, which starts as that
    very mixture, modulates its conditionals by maximum likelihood. Discriminators that raise the held-out likelihood
    then multiply the density; with `adversarial_weight` above 0 the network also learns from them. Numbers, categories,
    booleans, repeated values and missing cells are learned together; samples have the columns, dtypes, decimals and
    bounds of the training table.

    Attributes
    ----------
    mixture_ : GaussianMixture
        The prior, in coordinates (normal scores of the columns).
    weights_ : ndarray of shape (n_components,)
        Mixture weights.
    means_ : ndarray of shape (n_components, n_numeric)
        Responsibility-weighted means of the numeric columns, in their own units; missing cells are left out.
    covariances_ : ndarray
        Responsibility-weighted covariances of the numeric columns, in the shape that `covariance_type` has in
        :class:`~sklearn.mixture.GaussianMixture`; for "auto", of "full".
    converged_ : bool
        Whether EM converged.
    n_iter_ : int
        EM iterations.
    lower_bound_ : float
        EM's final lower bound on the mean log-likelihood, in coordinates.
    log_normalizer_ : float
        Log of the constant Z of the refined density; 0 without kept discriminators.
    log_normalizer_std_ : float
        Its standard error in nats.
    history_ : list of dict
        Losses, held-out log-likelihoods (nats per row, in coordinates) and gains, line searches and selections, in
        order.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if they are all strings.

    See Also
    --------
    sklearn.mixture.GaussianMixture : The mixture alone.

    Notes
    -----
    The density is a log-density for continuous parts and a log-probability for discrete parts: a column with few
    different numbers, repeated numbers and missing cells have probabilities. A category that was not seen at fit has
    probability 1 / (n_samples + 1). A fitted model holds column names, categories, atoms, bounds, quantiles, numbers of
    columns in which they repeat, and with each kept tree model up to 254 thresholds a column, many of which are values
    of single rows; but no table of rows.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative adversarial nets", NeurIPS 2014.
    .. [2] M. Germain et al., "MADE: masked autoencoder for distribution estimation", ICML 2015.
    .. [3] A. Grover and S. Ermon, "Boosted generative models", AAAI 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skgmmgan import GMMGAN
    >>> X = load_iris().data
    >>> model = GMMGAN(n_components=3, random_state=0).fit(X)
    >>> rows, component = model.sample(5)
    >>> rows.shape
    (5, 4)
    """

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn a table.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The table. Missing cells (NaN, None, NA) are learned, not dropped.
        y : None
            Ignored.

        Returns
        -------
        self : GMMGAN
            The fitted estimator. If the fit is interrupted, it holds the best state so far.

        Raises
        ------
        ValueError
            If the table has fewer than two rows, fewer rows than components, infinite numbers or no value at all.
        """
        rng = check_random_state(self.random_state)
        return self._learn(*self._read(X), rng)

    def _describe(self, values):
        super()._describe(values)
        self.converged_, self.n_iter_ = self.mixture_.converged_, self.mixture_.n_iter_
        self.lower_bound_ = self.mixture_.lower_bound_
        responsibilities = self._responsibilities(values)
        is_category = self._table.categorical
        origins = np.array([column.origin for column in self._table.columns], dtype=float)
        means, covariances = weighted_moments(values[:, ~is_category], responsibilities)
        self.means_ = means + origins[~is_category]
        self._component_means = means
        self.covariances_ = REDUCE_COVARIANCES[self.covariance_type](covariances, self.weights_)
        self._component_stds = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
        categories = [len(column.categories) for column in self._table.columns if column.categories is not None]
        self._component_shares = [
            weighted_shares(x, n, responsibilities) for x, n in zip(values[:, is_category].T, categories)
        ]

    def score_samples(self, X):
        """Log-likelihood of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        log_prob : ndarray of shape (n_samples,), float64
            Nats per row in the units of X, before rounding and bounds.
        """
        values = self._values(X)
        return self._model.log_prob(values)

    def score_columns(self, X):
        """What each column adds to the log-likelihood of each row: which cell makes a row unlikely.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows of the table.

        Returns
        -------
        log_prob : ndarray of shape (n_samples, n_features + 1), float64
            Nats: the log-density of each cell given those before it in its row and, in the last column, what bounds and
            kept discriminators add. A number out of the range that its column had in all rows with a level of another,
            or less than one that it never was less than, has log(n_samples + 1) less. The sum of a row is its
            `score_samples`.
        """
        return self._model.column_log_prob(self._values(X))

    def score(self, X, y=None):
        """Mean log-likelihood of the rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        log_likelihood : float
            Nats per row in the units of X.
        """
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1, *, conditions=None, where=None, random_state=None):
        """Draw new rows.

        Parameters
        ----------
        n_samples : int, default=1
            How many, 0 or more; with a DataFrame of conditions, how many for each of its rows.
        conditions : dict or DataFrame, default=None
            Values of columns that are held fixed, by the name of the column (its index if the model was fitted on an
            array): a dict, or a DataFrame with one row for each condition. A missing cell asks for a missing cell.
            Rows come by sequential importance resampling: they always satisfy the conditions, and their distribution
            is exact in the limit of many particles, of which there are at most 96 for each row (2,048 at least).
        where : callable, default=None
            Takes a table of sampled rows and tells which to keep, as an array or column of booleans; for example
            ``lambda d: d["start"] <= d["end"]``.
        random_state : int, RandomState instance or None, default=None
            None continues the fitted model's own stream, so that two calls differ.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            Rows in the container and dtypes of the table of fit; with conditions in their order, n_samples each.
        y : ndarray of shape (n_samples,)
            The component of the mixture that each row most likely belongs to, as by `predict`.

        Raises
        ------
        TypeError
            If `n_samples` is no integer, `conditions` neither a dict nor a DataFrame, or `where` returns no booleans.
        ValueError
            If `n_samples` is negative, if a condition names an unknown column or asks for what cannot be, or if
            `where` keeps too few rows.

        Warns
        -----
        UserWarning
            If conditions are so unlikely that too few particles matter, or contradict relations between columns.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skgmmgan import GMMGAN
        >>> X = load_iris(as_frame=True).frame
        >>> model = GMMGAN(3, max_epochs=0, adversarial_rounds=0, random_state=0).fit(X)
        >>> rows, _ = model.sample(4, conditions={"target": 2, "petal length (cm)": 5.1})
        >>> rows["petal length (cm)"].tolist()
        [5.1, 5.1, 5.1, 5.1]
        >>> wide, _ = model.sample(4, where=lambda d: d["sepal width (cm)"] > 3)
        >>> bool((wide["sepal width (cm)"] > 3).all())
        True
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples, least=0)
        rng = self._stream(random_state)
        given = self._given(conditions)
        if where is not None and not callable(where):
            raise TypeError(f"where={where!r} must be a callable that takes a table and returns booleans.")
        n_groups = 1 if given is None else len(given.values)
        if where is None or not n_groups:
            values = self._draw(n_samples, given, rng)
        else:
            values = draw_where(
                lambda n, groups: self._draw(n, given and given.take(groups), rng),
                lambda rows: where(self._table.decode(rows)),
                n_samples,
                n_groups,
            )
        return self._table.decode(values), self._responsibilities(values).argmax(axis=1)

    def _given(self, conditions):
        """Conditions as values and a mask, after a check that they can be; None if there are none."""
        if conditions is None or (isinstance(conditions, dict) and not conditions):
            return None
        asked = Conditions(self._table, conditions)
        values, fixed = asked.values, asked.fixed
        allowed = self._model.codec.allows(values, fixed, self._model.enforce_bounds)
        if not allowed.all():
            i, j = np.argwhere(~allowed)[0]
            asked.refuse(i, j, *self._model.codec.columns[j].choices())
        beside = self._model.codec.beside(values, fixed)
        if self._model.enforce_decimals and not np.isnan(beside).all():
            i, j = np.argwhere(~np.isnan(beside[0]))[0]
            asked.refuse_between(i, j, beside[:, i, j])
        return Given(values, np.tile(fixed, (len(values), 1)))

    def _draw(self, n, given, rng):
        """Values of n rows, or of n rows for each given one, (rows, n_features)."""
        if given is None:
            return self._model.sample(n, rng)
        if n == 0 or not len(given.values):
            return self._model.sample(0, rng)
        values, effective = draw_given(self._model, given, n, rng)
        codec, labels, rules, impossible = self._model.codec, self._table.labels, [], given.take(effective == 0)
        if len(impossible.values):
            rules = broken_rules(codec, *impossible[:2], self.enforce_bounds, labels, self._table.are_plain)
        tied_labels = [labels[j] for j in np.flatnonzero(tied(codec) & given.fixed.any(axis=0))]
        warn_of_unlikely(effective, n, tied_labels, rules)
        return values.reshape(-1, len(self._table.columns))

    def impute(self, X, *, n_draws=1, random_state=None):
        """Fill missing cells by draws given the rest of their row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows with gaps. A column that had no value at fit is left as it is.
        n_draws : int, default=1
            How many tables to draw, for multiple imputation [1]_.
        random_state : int, RandomState instance or None, default=None
            None continues the fitted model's own stream.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features), or a list of them
            X with its gaps filled and all other cells as they were, columns that had gaps in the dtype of fit if it
            holds them; a list if `n_draws` is more than 1.

        References
        ----------
        .. [1] D. B. Rubin, "Multiple Imputation for Nonresponse in Surveys", Wiley 1987.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skgmmgan import GMMGAN
        >>> X = load_iris().data
        >>> X[:10, 2] = np.nan
        >>> filled = GMMGAN(3, max_epochs=0, adversarial_rounds=0, random_state=0).fit(X).impute(X)
        >>> int(np.isnan(filled).sum())
        0
        """
        values = self._values(X)
        check_count("n_draws", n_draws, least=1)
        rng = self._stream(random_state)
        gaps = np.isnan(values)
        rows = np.flatnonzero(gaps.any(axis=1))
        filled = np.repeat(values[None], n_draws, axis=0)
        if len(rows):
            given = Given(values[rows], ~gaps[rows], exclude_missing=True)
            draws, _ = draw_given(self._model, given, n_draws, rng)
            filled[:, rows] = draws.transpose(1, 0, 2)
        X = X if is_frame(X) else np.asarray(X)
        tables = [self._table.fill(X, gaps, draw) for draw in filled]
        return tables[0] if n_draws == 1 else tables

    def _responsibilities(self, values):
        """Responsibilities of the prior's components, (n, K)."""
        chunks = [self._model.responsibilities(values[i : i + CHUNK]) for i in range(0, len(values), CHUNK)]
        return np.concatenate([np.empty((0, len(self.weights_))), *chunks])

    def predict_proba(self, X):
        """Responsibilities of the mixture's components for each row, under the prior.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        responsibilities : ndarray of shape (n_samples, n_components)
        """
        return self._responsibilities(self._values(X))

    def predict(self, X):
        """Most likely component of the mixture for each row, under the prior.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        return self.predict_proba(X).argmax(axis=1)

    def component_summary(self):
        """What is typical of each component of the mixture.

        Returns
        -------
        summary : pandas.DataFrame of shape (n_components, n_columns)
            One row for each component, with two levels of columns: its weight; of each column of numbers or times the
            mean and standard deviation, in the units of the column, missing cells left out; of each column of
            categories the most typical one and its share, all weighted by responsibility under the prior. After a
            warm start, weights are those of the prior and all else is of the further rows.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        check_is_fitted(self)
        pd = import_pandas("component_summary")
        summary = {("", "weight"): self.weights_}
        numbers = zip(self._component_means.T, self._component_stds.T)
        shares = iter(self._component_shares)
        for column, name in zip(self._table.columns, self._table.names):
            if column.categories is None:
                summary[name, "mean"], summary[name, "std"] = column.moments(*next(numbers))
            else:
                share = next(shares)
                levels = np.array([*column.categories, None], dtype=object)
                summary[name, "typical"] = levels[np.where(share.any(axis=1), share.argmax(axis=1), -1)]
                summary[name, "share"] = share.max(axis=1)
        return pd.DataFrame(summary).rename_axis(index="component")

    def fit_predict(self, X, y=None):
        """Fit, and return the component of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        return self.fit(X, y).predict(X)

    def bic(self, X):
        """Bayesian information criterion of the prior, not of the refined model; lower is better.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        bic : float
            In nats of the units of X, times two.
        """
        return self._criterion(X, "bic")

    def aic(self, X):
        """Akaike information criterion of the prior, not of the refined model; lower is better.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        aic : float
            In nats of the units of X, times two.
        """
        return self._criterion(X, "aic")

    def _criterion(self, X, name):
        """Criterion of the mixture, with the likelihood of the rows in place of that of their coordinates."""
        values = self._values(X)
        z = self._model.codec.encode(values).z
        penalty = getattr(self.mixture_, name)(z) + 2 * self.mixture_.score_samples(z).sum()
        return float(penalty - 2 * self._model.prior_log_prob(values).sum())
