"""GMMGAN: parameters, validation, and the four steps of a fit."""

import sys
import warnings
from dataclasses import fields
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, DensityMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ._codec import Codec
from ._conditional import Given, draw_given, draw_where, warn_of_few_particles
from ._containers import container_of, is_frame
from ._discriminator import REWARDS
from ._em import PriorSearch
from ._generator import Generator
from ._model import CHUNK, Model, seeded_stream
from ._prior import REDUCE_COVARIANCES, weighted_moments
from ._table import Table, refuse_duplicates
from ._training import Settings, train

MIN_NUMBER, MAX_NUMBER = 1e-100, 1e100  # of the largest number of a column


def resolve_device(device):
    """torch.device for a name; "auto" takes CUDA or MPS where there is one."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"device={device!r} cannot be used here ({error}); use device='cpu' or 'auto'.") from error
    return torch.device(device)


def progress_bar(verbose):
    """A function that wraps an iterable in a progress bar on stderr, or leaves it alone."""
    if not verbose:
        return lambda iterable, desc: iterable
    from tqdm import tqdm

    return lambda iterable, desc: tqdm(iterable, desc=f"GMMGAN {desc}", file=sys.stderr)


def check_count(name, n, least):
    """Raise TypeError or ValueError unless n is an integer of at least `least`."""
    if not isinstance(n, Integral) or isinstance(n, (bool, np.bool_)):
        raise TypeError(f"{name}={n!r} must be an integer.")
    if n < least:
        raise ValueError(f"{name}={n!r} must be {least} or more.")


def warn_of_identifiers(table):
    """One warning for all columns of text in which every value differs."""
    columns = [column.label for column in table.columns if column.is_identifier]
    if columns:
        warnings.warn(
            f"Every value of column {', '.join(columns)} differs. Such identifiers are learned as categories, and real "
            "ones would be given out by sample(); drop them first, for example by X.drop(columns=[...]).",
            UserWarning,
            stacklevel=4,
        )


class GMMGAN(DensityMixin, BaseEstimator):
    """Table synthesizer: a Gaussian mixture refined by an adversarial network, with a likelihood.

    EM fits a Gaussian mixture to smoothly transformed columns. A masked autoregressive network, which starts as that
    very mixture, modulates its conditionals: first by maximum likelihood, then against discriminators, which may stay
    in the model. Numbers, categories, booleans, repeated values and missing cells are learned together; samples have
    the columns, dtypes, decimals and bounds of the training table.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Components of the mixture. "auto" tries 1 to 20 on held-out rows.

    covariance_type : {"auto", "full", "tied", "diag", "spherical"}, default="auto"
        As in :class:`~sklearn.mixture.GaussianMixture`. "auto" is "full", and below 1,000 rows the better of "full"
        and "diag" by cross-validated likelihood.

    reg_covar : float or "auto", default="auto"
        Added to the diagonal of the covariances. It is relative: EM sees every column on the scale of normal scores.
        "auto" is 0.001, and below 1,000 rows the best of 1e-6 to 0.5 by cross-validated likelihood.

    n_init : int, default=1
        Initialisations of EM, of which the best is kept.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Further columns that hold categories: names, indices, or a mask of shape (n_features,). Text, boolean and
        category columns always do, and columns of objects that are not all numbers or times; "from_dtype" names no
        others.

    hidden_layer_sizes : int or tuple of int, default=(512, 512)
        Widths of the generator's hidden layers.

    max_epochs : int, default=30
        Epochs of the likelihood warm start; an epoch has at most 150 steps. With ``max_epochs=0`` and
        ``adversarial_rounds=0`` the model is the prior itself, fitted to all rows.

    adversarial_rounds : int, default=8
        Largest number of rounds against fresh discriminators; 0 turns refinement off.

    adversarial_weight : float in [0, 1), default=0
        Weight of the adversarial loss when the generator absorbs discriminators; 0 turns that off.

    adversarial_loss : {"reverse_kl", "minimax", "non_saturating"}, default="reverse_kl"
        What the generator minimises against a discriminator.

    discriminator : {"boosting", "mlp"} or classifier, default="boosting"
        Boosted trees, a torch network, or any scikit-learn classifier; it is cloned for every round.

    batch_size : int or "auto", default="auto"
        Rows a step; "auto" is between 16 and 512, growing with the table.

    learning_rate : float, default=0.004
        Of Adam in the warm start.

    dropout : float in [0, 1), default=0.2
        Share of hidden units left out at random in training.

    keep_discriminators : bool, default=True
        Whether discriminators that raise the held-out log-likelihood stay in the density.

    enforce_bounds : bool, default=True
        Keep numbers inside the bounds of the training rows.

    enforce_decimals : bool, default=True
        Round numbers to the decimals of the training rows.

    min_category_count : int, default=1
        Categories with fewer rows are treated as unseen: they are never drawn. It is an error if none is left.

    validation_fraction : float in (0, 1), default=0.1
        Share of rows that select epochs and discriminators, at least 100 of them. Fewer than 1,000 rows are
        cross-validated instead.

    n_iter_no_change : int, default=4
        Epochs without a better held-out log-likelihood after which the warm start ends.

    device : str, default="cpu"
        Torch device of the generator; "auto" takes CUDA or MPS where there is one.

    random_state : int, RandomState instance or None, default=None
        Seed of everything random. Repeated calls of `sample` without a seed continue one stream.

    verbose : int, default=0
        Whether to show progress bars on stderr.

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
    probability 1 / (n_samples + 1). A fitted model holds column names, categories, atoms, bounds and up to nine
    quantiles a column, which are real values, but no rows.

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

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "covariance_type": [StrOptions({"auto", "full", "tied", "diag", "spherical"})],
        "reg_covar": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "categorical_features": ["array-like", StrOptions({"from_dtype"})],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 0, None, closed="left")],
        "adversarial_rounds": [Interval(Integral, 0, None, closed="left")],
        "adversarial_weight": [Interval(Real, 0, 1, closed="left")],
        "adversarial_loss": [StrOptions(set(REWARDS))],
        "discriminator": [StrOptions({"boosting", "mlp"}), HasMethods(["fit", "predict"])],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "keep_discriminators": ["boolean"],
        "enforce_bounds": ["boolean"],
        "enforce_decimals": ["boolean"],
        "min_category_count": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components="auto",
        *,
        covariance_type="auto",
        reg_covar="auto",
        n_init=1,
        categorical_features="from_dtype",
        hidden_layer_sizes=(512, 512),
        max_epochs=30,
        adversarial_rounds=8,
        adversarial_weight=0.0,
        adversarial_loss="reverse_kl",
        discriminator="boosting",
        batch_size="auto",
        learning_rate=4e-3,
        dropout=0.2,
        keep_discriminators=True,
        enforce_bounds=True,
        enforce_decimals=True,
        min_category_count=1,
        validation_fraction=0.1,
        n_iter_no_change=4,
        device="cpu",
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.reg_covar = reg_covar
        self.n_init = n_init
        self.categorical_features = categorical_features
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_epochs = max_epochs
        self.adversarial_rounds = adversarial_rounds
        self.adversarial_weight = adversarial_weight
        self.adversarial_loss = adversarial_loss
        self.discriminator = discriminator
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.keep_discriminators = keep_discriminators
        self.enforce_bounds = enforce_bounds
        self.enforce_decimals = enforce_decimals
        self.min_category_count = min_category_count
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def __sklearn_is_fitted__(self):
        return getattr(self, "_model", None) is not None

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
        self._check_parameters()
        X = self._validate_table(X, reset=True)
        table = Table(X, self.categorical_features, self.min_category_count)
        warn_of_identifiers(table)
        values = table.encode(X)
        self._check_values(values, table)
        device = resolve_device(self.device)
        random = np.random.RandomState(rng.randint(2**31 - 1))
        search = self._search(table)
        choice = search.choose(values, rng)
        history = [{"stage": "prior", **choice}]

        def build(rows, fitting):
            return self._build(*search.fit(rows, choice, rng, fitting), len(rows), device, rng)

        def publish(model):
            self._table, self._model, self._random, self.history_ = table, model, random, history
            self.mixture_ = model.mixture

        try:
            train(build, publish, values, self._settings(history), rng)
        finally:
            if getattr(self, "_table", None) is table:
                self._describe(values)
        return self

    def _check_parameters(self):
        """Raise ValueError for parameters that `_parameter_constraints` can't tell wrong."""
        sizes = np.atleast_1d(self.hidden_layer_sizes)
        if not len(sizes) or not all(isinstance(size, Integral) and size > 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes={sizes!r} must hold one or more positive integers.")
        named = isinstance(self.discriminator, str)
        if not named and not any(hasattr(self.discriminator, m) for m in ("decision_function", "predict_proba")):
            raise ValueError(
                f"discriminator={self.discriminator!r} has neither decision_function nor predict_proba; choose a "
                "classifier that tells probabilities."
            )

    def _validate_table(self, X, *, reset):
        """X as a DataFrame or a numeric array, its shape and names checked."""
        least = 2 if reset else 1
        if hasattr(X, "collect"):
            raise TypeError(f"X is a {type(X).__name__}; call its collect() first.")
        if not is_frame(X):
            return validate_data(self, X, reset=reset, ensure_all_finite=False, ensure_min_samples=least)
        for axis, (what, minimum) in enumerate([("sample", least), ("feature", 1)]):
            if X.shape[axis] < minimum:
                raise ValueError(
                    f"Found a table with {X.shape[axis]} {what}(s) (shape={X.shape}) while a minimum of {minimum} is "
                    f"required by {type(self).__name__}."
                )
        refuse_duplicates(container_of(X).names)
        return validate_data(self, X, reset=reset, skip_check_array=True)

    def _check_values(self, values, table):
        """Raise ValueError for a table that can't be learned with these parameters."""
        if np.isnan(values).all():
            raise ValueError("X has no observed value: every cell is missing.")
        for column, x in zip(table.columns, values.T):
            size = np.abs(x[~np.isnan(x) & (x != 0)])
            if len(size) and not MIN_NUMBER < size.max() < MAX_NUMBER:
                raise ValueError(
                    f"Column {column.label} holds numbers up to {size.max():.3g}, whose squares are no floats; rescale "
                    f"it to between {MIN_NUMBER:g} and {MAX_NUMBER:g}."
                )
        if self.n_components != "auto" and self.n_components > len(values):
            raise ValueError(
                f"n_components={self.n_components} is more than n_samples={len(values)}, the rows of X; "
                "lower n_components or leave it at 'auto'."
            )

    def _settings(self, history):
        """The parameters that the training loop needs."""
        own = self.get_params(deep=False)
        given = {field.name: own[field.name] for field in fields(Settings) if field.name in own}
        return Settings(**given, progress=progress_bar(self.verbose), history=history)

    def _search(self, table):
        """What fits the prior."""

        def make_codec(values, n_knots, rng):
            return Codec(values, table.categorical, table.nominal, n_knots=n_knots, rng=rng)

        return PriorSearch(make_codec, self.n_components, self.covariance_type, self.reg_covar, self.n_init)

    def _build(self, codec, mixture, n_rows, device, rng):
        """The model that starts from a prior."""
        sizes = [self.hidden_layer_sizes] if isinstance(self.hidden_layer_sizes, Integral) else self.hidden_layer_sizes
        stream = seeded_stream("cpu", rng)
        generator = Generator(codec.units, mixture, n_rows, sizes, self.dropout, stream)
        return Model(codec, mixture, generator, self.enforce_bounds, self.enforce_decimals, device)

    def _describe(self, values):
        """Set the fitted attributes that tell about the model."""
        self.weights_ = self.mixture_.weights_
        self.converged_, self.n_iter_ = self.mixture_.converged_, self.mixture_.n_iter_
        self.lower_bound_ = self.mixture_.lower_bound_
        self.log_normalizer_ = float(self._model.log_normalizer)
        self.log_normalizer_std_ = float(self._model.log_normalizer_std)
        numbers = values[:, ~self._table.categorical]
        self.means_, covariances = weighted_moments(numbers, self._responsibilities(values))
        self.covariances_ = REDUCE_COVARIANCES[self.covariance_type](covariances, self.weights_)

    def _values(self, X):
        """Float matrix of a table to be scored."""
        check_is_fitted(self)
        return self._table.encode(self._validate_table(X, reset=False))

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
            If conditions are so unlikely that too few particles matter.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples, least=0)
        rng = self._stream(random_state)
        given = self._given(conditions)
        if where is not None and not callable(where):
            raise TypeError(f"where={where!r} must be a callable that takes a table and returns booleans.")
        if where is None:
            values = self._draw(n_samples, given, rng)
        else:
            values = draw_where(
                lambda n, groups: self._draw(n, given and given.take(groups), rng),
                lambda rows: where(self._table.decode(rows)),
                n_samples,
                1 if given is None else len(given.values),
            )
        return self._table.decode(values), self._responsibilities(values).argmax(axis=1)

    def _given(self, conditions):
        """Conditions as values and a mask, after a check that they can be; None if there are none."""
        if conditions is None or (isinstance(conditions, dict) and not conditions):
            return None
        values, fixed = self._table.conditions(conditions)
        allowed = self._model.codec.allows(values, fixed, self._model.enforce_bounds)
        whole = np.array([column.is_whole for column in self._table.columns])
        allowed &= ~(fixed & whole) | np.isnan(values) | (values == np.rint(values))
        if not allowed.all():
            self._table.refuse_condition(conditions, *np.argwhere(~allowed)[0])
        return Given(values, np.tile(fixed, (len(values), 1)))

    def _stream(self, random_state):
        """RandomState of a seed; for None the model's own."""
        return self._random if random_state is None else check_random_state(random_state)

    def _draw(self, n, given, rng):
        """Values of n rows, or of n rows for each given one, (rows, n_features)."""
        if given is None:
            return self._model.sample(n, rng)
        if n == 0 or not len(given.values):
            return self._model.sample(0, rng)
        values, effective = draw_given(self._model, given, n, rng)
        warn_of_few_particles(effective, n)
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
            X with its gaps filled, and the columns that had gaps in the dtypes of fit; a list if `n_draws` is more
            than 1.

        References
        ----------
        .. [1] D. B. Rubin, "Multiple Imputation for Nonresponse in Surveys", Wiley 1987.
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
        chunks = [self._model.codec.encode(values[i : i + CHUNK]).z for i in range(0, len(values), CHUNK)]
        parts = [self.mixture_.predict_proba(z) for z in chunks]
        return np.concatenate([np.empty((0, len(self.weights_))), *parts])

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
