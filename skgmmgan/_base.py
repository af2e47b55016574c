"""What every estimator here shares: parameters, validation, and the steps of a fit."""

import copy
import sys
import warnings
from dataclasses import fields
from functools import partial
from inspect import cleandoc
from numbers import Integral, Number, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ._broken import broken_of_table
from ._codec import Codec
from ._containers import container_of, is_frame, refuse_other_tables
from ._discriminator import REWARDS
from ._em import PriorSearch
from ._generator import Generator
from ._model import Model, seeded_stream
from ._steps import Settings
from ._table import Table, plain_repr, refuse_duplicates
from ._training import MIN_NETWORK_ROWS, train

STRUCTURE = (
    "n_components",
    "covariance_type",
    "reg_covar",
    "categorical_features",
    "hidden_layer_sizes",
    "min_category_count",
)  # parameters that make the shape of a model
MAX_BROKEN = 0.01  # of the rows of a warm start, that break a relation without a warning
DROPOUT, DROPOUT_ROWS = 0.2, 10_000  # share of hidden units, which falls in proportion beyond so many rows
TUNING_RATE = 0.1  # of the learning rate, where weights are trained already
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

    def shown(iterable, desc):
        with tqdm(total=len(iterable), desc=f"GMMGAN {desc}", file=sys.stderr) as bar:
            try:
                for item in iterable:
                    bar.update()
                    yield item
            finally:  # where the loop is left, no more is to come
                bar.total = bar.n

    return shown


def check_count(name, n, least):
    """Raise TypeError or ValueError unless n is an integer of at least `least`."""
    if not isinstance(n, Integral) or isinstance(n, (bool, np.bool_)):
        raise TypeError(f"{name}={n!r} must be an integer.")
    if n < least:
        raise ValueError(f"{name}={n!r} must be {least} or more.")


def check_table(estimator, X, *, reset, least):
    """X as a DataFrame or a numeric array of at least so many rows, its shape and names checked for an estimator."""
    refuse_other_tables(X)
    if isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(float), np.nan)
    if not is_frame(X):
        try:
            return validate_data(estimator, X, reset=reset, ensure_all_finite=False, ensure_min_samples=least)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{str(error).rstrip('.')}.{_told_cell(X)}") from error
    for axis, (what, minimum) in enumerate([("sample", least), ("feature", 1)]):
        if X.shape[axis] < minimum:
            raise ValueError(
                f"Found a table with {X.shape[axis]} {what}(s) (shape={X.shape}) while a minimum of {minimum} is "
                f"required by {type(estimator).__name__}."
            )
    refuse_duplicates(container_of(X).names)
    return validate_data(estimator, X, reset=reset, skip_check_array=True)


def _told_cell(X):
    """A sentence on the first cell of an array that is no number, "" if all are."""
    X = np.asarray(X, dtype=object)
    for j, column in enumerate(X.T if X.ndim == 2 else ()):
        odd = next((cell for cell in column if cell is not None and not isinstance(cell, Number)), None)
        if odd is not None:
            return f" Column {j} holds {plain_repr(odd)}; pass a table with text or dates as a DataFrame."
    return ""


def warn_of_broken(codec, values, table):
    """One warning if rows break a relation between columns that a warm start keeps."""
    shares = {columns: mask.mean() for columns, mask in broken_of_table(codec, values)}
    worst = max(shares, key=shares.get, default=None)
    if worst is not None and shares[worst] > MAX_BROKEN:
        first, *others = (table.columns[j - codec.n_columns].label for j in worst)  # from the end: labels come first
        warnings.warn(
            f"{shares[worst]:.1%} of the rows of X break what held between column {first} and {', '.join(others)} in "
            "every row of the fit that warm_start=True continues; rows that break it are not drawn. Fit anew with "
            "warm_start=False to learn them.",
            UserWarning,
            stacklevel=4,
        )


def warn_of_columns(table):
    """One warning each for text of times, of addresses or unlike in every row, numbers with text, and row numbers."""
    columns = table.columns
    drop = "drop the column first, for example by X.drop(columns=[...]) (--drop NAME on the command line)."
    odd = {
        "Column {} holds times as text, which are learned as categories without an order; convert them first, for "
        "example by pandas.to_datetime (--type NAME=time on the command line).": [
            column for column in columns if column.is_text_of_times
        ],
        "Every value of column {} differs, or nearly so. Such identifiers are learned as categories, and real ones are "
        f"given out by sample(); {drop}": [
            column for column in columns if column.is_identifier and not column.is_text_of_times
        ],
        f"Column {{}} holds addresses of e-mail, of which sample() gives out real ones; {drop}": [
            column for column in columns if column.is_text_of_addresses and not column.is_identifier
        ],
        "Column {} holds numbers and text, and all of them are learned as categories; write nothing, or NaN, where a "
        "number is missing.": [column for column in columns if column.is_mixed],
        "Column {} numbers the rows: each whole number between the first and the last is there once. Drawn ones "
        f"repeat, and tell nothing; {drop}": [column for column in columns if column.is_counter],
    }
    for message, columns in odd.items():
        if columns:
            names = ", ".join(column.label for column in columns)
            warnings.warn(message.format(names), UserWarning, stacklevel=5)


class BaseGMMGAN(BaseEstimator):
    """Parameters of the model, and a fit to the values of a table. Subclasses tell what the values are.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Components of the mixture; of a classifier those of each class. "auto" tries 1 to 20 on held-out rows, of few
        columns up to 50; for each class 1 to 8, at most 60 in all.

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

    max_epochs : int, default=40
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

    learning_rate : float or "auto", default="auto"
        Of Adam in the warm start; levels have twice as much, and the weights into the outputs a quarter. "auto" is
        0.004, and more with batches of more than 256 rows.

    dropout : float in [0, 1) or "auto", default="auto"
        Share of hidden units left out at random in training; "auto" is 0.2 up to 10,000 rows, then 2,000 / n_samples.

    keep_discriminators : bool, default=True
        Whether discriminators that raise the held-out log-likelihood stay in the density.

    min_acceptance : float in (0, 1], default=0.2
        Share of the generator's rows that the kept discriminators let pass at least. No row is made more likely by
        them than by a factor of 1 / min_acceptance; lower values are more faithful, and slower in that proportion.

    enforce_bounds : bool, default=True
        Keep numbers inside the bounds of the training rows.

    enforce_decimals : bool, default=True
        Round numbers to the decimals of the training rows; where these repeat and leave out others, to numbers of
        theirs.

    min_category_count : int, default=1
        Categories with fewer rows are treated as unseen: they are never drawn. It is an error if none is left.

    validation_fraction : float in (0, 1), default=0.1
        Share of rows that select epochs and discriminators, at least 100 of them. Fewer than 1,000 rows are
        cross-validated instead.

    n_iter_no_change : int, default=4
        Epochs without a better held-out log-likelihood after which the warm start ends.

    warm_start : bool, default=False
        Whether a further call of `fit` goes on from the present weights, for example to tune a model of a large table
        to few rows of another. Codec and prior stay, so the table must have the same columns; new categories and
        numbers out of bounds are scored but not drawn. The learning rate is a tenth. Kept discriminators are learned
        anew: with fewer than 50 rows, or ``adversarial_rounds=0``, there are none afterwards.

    device : str, default="cpu"
        Torch device of the generator; "auto" takes CUDA or MPS where there is one.

    random_state : int, RandomState instance or None, default=None
        Seed of everything random. Repeated calls of `sample` without a seed continue one stream.

    verbose : int, default=0
        Whether to show progress bars on stderr.
    """

    def __init_subclass__(cls, **kwargs):
        """Document the parameters of a subclass, which are those of this class."""
        super().__init_subclass__(**kwargs)
        if cls.__doc__ and "Parameters\n" not in cls.__doc__:
            own, base = cleandoc(cls.__doc__), cleandoc(BaseGMMGAN.__doc__)
            parameters = base[base.index("Parameters\n") :]
            cls.__doc__ = own.replace("Attributes\n", f"{parameters}\n\nAttributes\n", 1)

    _generator_class = Generator
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
        "learning_rate": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "dropout": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
        "keep_discriminators": ["boolean"],
        "min_acceptance": [Interval(Real, 0, 1, closed="right")],
        "enforce_bounds": ["boolean"],
        "enforce_decimals": ["boolean"],
        "min_category_count": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
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
        max_epochs=40,
        adversarial_rounds=8,
        adversarial_weight=0.0,
        adversarial_loss="reverse_kl",
        discriminator="boosting",
        batch_size="auto",
        learning_rate="auto",
        dropout="auto",
        keep_discriminators=True,
        min_acceptance=0.2,
        enforce_bounds=True,
        enforce_decimals=True,
        min_category_count=1,
        validation_fraction=0.1,
        n_iter_no_change=4,
        warm_start=False,
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
        self.min_acceptance = min_acceptance
        self.enforce_bounds = enforce_bounds
        self.enforce_decimals = enforce_decimals
        self.min_category_count = min_category_count
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def __sklearn_is_fitted__(self):
        return getattr(self, "_model", None) is not None

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
        if self._continues:
            if len(values) < MIN_NETWORK_ROWS:
                raise ValueError(
                    f"X has {len(values)} rows, of which a warm start can learn nothing; give it {MIN_NETWORK_ROWS} or "
                    "more."
                )
        elif self.n_components != "auto" and self.n_components > len(values):
            raise ValueError(
                f"n_components={self.n_components} is more than n_samples={len(values)}, the rows of X; "
                "lower n_components or leave it at 'auto'."
            )

    def _read(self, X):
        """The description of a table, and its values; on a warm start, as it was described before."""
        self._check_parameters()
        again = self._continues
        X = check_table(self, X, reset=not again, least=2)
        table = self._table if again else Table(X, self.categorical_features, self.min_category_count)
        if not again:
            warn_of_columns(table)
        values = table.encode(X)
        self._check_values(values, table)
        return table, values

    @property
    def _continues(self):
        """Whether `fit` starts from the present model."""
        return self.warm_start and self.__sklearn_is_fitted__()

    def _learn(self, table, values, rng, **attributes):
        """Prior, warm start and refinement; model and attributes are there as soon as they can be used."""
        device = resolve_device(self.device)
        random = np.random.RandomState(rng.randint(2**31 - 1))
        history = []
        if self._continues:
            warn_of_broken(self._model.codec, values, table)
        build = self._from_model(device) if self._continues else self._from_em(table, values, history, device, rng)
        structure = self._structure()

        def publish(model):
            self._table, self._model, self._random, self.history_ = table, model, random, history
            self.mixture_, self._fitted_structure = model.mixture, structure
            self.__dict__.update(attributes)

        try:
            train(build, publish, values, self._whole(values), not self._continues, self._settings(history), rng)
        finally:
            if getattr(self, "history_", None) is history:
                self._describe(values)
        return self

    def _from_em(self, table, values, history, device, rng):
        """A function that builds models of rows from nothing: prior, and a network that leaves it as it is."""
        search, values = self._search(table, values, rng)
        choice = search.choose(values, rng)
        history.append({"stage": "prior", **choice})

        def build(known, fitting):
            start = search.fit(values[known], values[fitting], choice, rng)
            generator = self._generator(start, len(known), seeded_stream("cpu", rng))
            return self._model_of(start.codec, start.mixture, generator, device)

        return build

    def _from_model(self, device):
        """A function that builds models from the present one, without its discriminators."""
        changed = [name for name, value in self._structure().items() if value != self._fitted_structure[name]]
        if changed:
            raise ValueError(
                f"{changed[0]}={getattr(self, changed[0])!r} differs from the fit that warm_start=True continues, "
                f"where it was {self._fitted_structure[changed[0]]}; set it back, or warm_start=False to fit anew."
            )
        present = self._model

        def build(known, fitting):
            generator = copy.deepcopy(present.generator)
            generator.network.dropout = self._dropout(len(known))
            return self._model_of(present.codec, present.mixture, generator, device)

        return build

    def _model_of(self, codec, mixture, generator, device):
        return Model(codec, mixture, generator, self.enforce_bounds, self.enforce_decimals, self.min_acceptance, device)

    def _structure(self):
        """The parameters that a warm start can't change, as text."""
        return {name: repr(np.asarray(getattr(self, name)).tolist()) for name in STRUCTURE}

    def _settings(self, history):
        """The parameters that the training loop needs."""
        own = self.get_params(deep=False)
        given = {field.name: own[field.name] for field in fields(Settings) if field.name in own}
        given["rate_factor"] = TUNING_RATE if self._continues else 1.0
        return Settings(**given, progress=progress_bar(self.verbose), history=history)

    def _generator(self, start, n_rows, stream):
        """A generator that is the prior of n rows."""
        network = self._sizes(), self._dropout(n_rows)
        generator = self._generator_class(start.codec.units, start.mixture, n_rows, *network, stream)
        generator.calibrate(start.codes, start.responsibilities)
        return generator

    def _dropout(self, n_rows):
        return DROPOUT * min(1.0, DROPOUT_ROWS / n_rows) if self.dropout == "auto" else self.dropout

    def _sizes(self):
        return [self.hidden_layer_sizes] if isinstance(self.hidden_layer_sizes, Integral) else self.hidden_layer_sizes

    def _search(self, table, values, rng):
        """What fits the prior, and the values that it is told."""
        make_codec = partial(Codec, categorical=table.categorical, nominal=table.nominal, clocks=table.clocks)
        return PriorSearch(make_codec, *self._prior_settings()), values

    def _prior_settings(self):
        """What a PriorSearch is told."""
        return self.n_components, self.covariance_type, self.reg_covar, self.n_init, self.max_epochs == 0

    @staticmethod
    def _whole(values):
        """Mask of the rows that lack no label."""
        return np.ones(len(values), dtype=bool)

    def _describe(self, values):
        """Set the fitted attributes that tell about the model."""
        self.weights_ = self.mixture_.weights_
        self.log_normalizer_ = float(self._model.log_normalizer)
        self.log_normalizer_std_ = float(self._model.log_normalizer_std)

    def _values(self, X):
        """Float matrix of a table to be scored."""
        check_is_fitted(self)
        return self._table.encode(check_table(self, X, reset=False, least=1))

    def _stream(self, random_state):
        """RandomState of a seed; for None the model's own."""
        return self._random if random_state is None else check_random_state(random_state)
