"""Fitted estimators in one file that executes no code when it is opened."""

import hashlib
import json
import zipfile
from importlib.metadata import version
from pathlib import Path

from sklearn.utils.validation import check_is_fitted

from ._calendar import CalendarColumn, CalendarPart
from ._classifier import GMMGANClassifier
from ._clocks import Clock, Rhythm, RhythmicSpline
from ._codec import Codec
from ._columns import Companions, DiscreteColumn, LabelColumn, Levels, NumericColumn, Told, Unit
from ._containers import ArrayContainer, NarwhalsContainer, PandasContainer
from ._differences import Difference
from ._discriminator import TorchMLPClassifier
from ._generator import Generator, LabelledGenerator
from ._gmmgan import GMMGAN
from ._inequalities import Inequality
from ._lookups import Follower, Lookup
from ._model import Model
from ._numbers import Decimals
from ._one_hot import IndicatorColumn, OneHot
from ._ranges import Range
from ._relations import LinearColumn
from ._rounded import FunctionColumn, ProductColumn, RoundedSum
from ._strata import Strata
from ._table import Categories, Floats, Integers, Table
from ._transforms import Cells, Spline

OWN = [
    *(GMMGAN, GMMGANClassifier, TorchMLPClassifier, Model, Generator, LabelledGenerator),
    *(Cells, Decimals, Rhythm, RhythmicSpline, Spline),
    *(
        CalendarColumn,
        CalendarPart,
        Clock,
        Codec,
        Companions,
        Difference,
        DiscreteColumn,
        Follower,
        FunctionColumn,
        IndicatorColumn,
        Inequality,
        LabelColumn,
        Levels,
        LinearColumn,
        Lookup,
        NumericColumn,
        OneHot,
        ProductColumn,
        Range,
        RoundedSum,
        Strata,
        Told,
        Unit,
    ),
    *(Table, Categories, Floats, Integers, ArrayContainer, NarwhalsContainer, PandasContainer),
]
TRUSTED = [f"{kind.__module__}.{kind.__qualname__}" for kind in OWN] + [
    "functools.partial",  # parts of HistGradientBoostingClassifier
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
    "numpy.dtype",
]
COMPRESSION = 3  # of 1 to 9: the default of 6 takes twice the time for a file that is a twentieth smaller
BINDING = ("skgmmgan", "scikit-learn")  # a model is only read by the minor versions that wrote it


def save(estimator, path):
    """Write a fitted estimator, or a pipeline that holds one, to a file.

    `load` reads it back without executing code that the file holds, as `pickle` and `joblib` would. The file holds what
    the estimator holds: categories, bounds, quantiles and repeated values of the table, and numbers of columns
    in which they repeat.

    Parameters
    ----------
    estimator : GMMGAN, GMMGANClassifier, or a scikit-learn estimator around them
    path : str or path-like

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator holds something that could not be read back without executing code, for example a
        discriminator that is not scikit-learn's, or categories that are neither text, numbers nor times. `joblib` can
        keep such a model. No file is written.
    ImportError
        If skops is not installed.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from skgmmgan import GMMGAN, load, save
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> model = GMMGAN(1, max_epochs=0, adversarial_rounds=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.skgmmgan")
    ...     save(model, path)
    ...     again = load(path)
    >>> again.score(X) == model.score(X)
    True
    """
    check_is_fitted(estimator)
    skops = _import_skops()
    try:
        data = skops.dumps(estimator, compression=zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION)
        unknown = _unknown_types(skops, data)
    except Exception as error:  # skops raises many kinds
        raise TypeError(f"{type(estimator).__name__} cannot be saved: {error}. joblib.dump keeps it.") from error
    if unknown:
        raise TypeError(
            f"{type(estimator).__name__} holds {', '.join(unknown)}, which load refuses to read; joblib.dump keeps it."
        )
    path = Path(path)
    path.write_bytes(data)
    with zipfile.ZipFile(path, "a") as archive:
        versions = {name: version(name) for name in (*BINDING, "numpy", "torch", "skops")}
        archive.comment = json.dumps({"versions": versions, "sha256": _digest(archive)}).encode()


def load(path):
    """Read an estimator that `save` wrote.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    estimator
        It scores and samples as the saved one did; on the CPU, where the device of its fit is missing.

    Raises
    ------
    ValueError
        If the file is not one of `save`, is damaged or was changed, holds types that no fitted estimator has, or was
        written by another minor version of skgmmgan or scikit-learn.
    ImportError
        If skops is not installed.
    """
    skops = _import_skops()
    data = Path(path).read_bytes()
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no saved model, or only a part of one; give a file that skgmmgan.save wrote.")
    try:
        with zipfile.ZipFile(path) as archive:
            written = json.loads(archive.comment)
            versions, intact = written["versions"], written["sha256"] == _digest(archive)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, NotImplementedError) as error:
        raise ValueError(f"{path} is damaged, or is no file of skgmmgan.save; fit and save the model again.") from error
    if not intact:
        raise ValueError(f"{path} was changed after it was saved; ask for the file again.")
    for name in BINDING:
        if _minor(versions[name]) != _minor(version(name)):
            raise ValueError(
                f"{path} was saved with {name} {versions[name]}; this is {version(name)}. "
                f"Install {name}=={versions[name]}, or fit and save the model again."
            )
    unknown = _unknown_types(skops, data)
    if unknown:
        raise ValueError(f"{path} holds {', '.join(unknown)}, which no fitted estimator does; it is not read.")
    try:
        return skops.loads(data, trusted=TRUSTED)
    except Exception as error:  # a forged state may fail anywhere
        raise ValueError(f"{path} is damaged, or is no file of skgmmgan.save: {error}") from error


def _import_skops():
    try:
        import skops.io
    except ImportError as error:
        raise ImportError("skops is needed to save and load: pip install 'skgmmgan[save]'.") from error
    return skops.io


def _unknown_types(skops, data):
    return sorted(set(skops.get_untrusted_types(data=data)) - set(TRUSTED))


def _digest(archive):
    """SHA-256 over names and contents of a zip archive; it tells damage, not forgery."""
    digest = hashlib.sha256()
    for name in sorted(archive.namelist()):
        digest.update(name.encode() + b"\0" + archive.read(name))
    return digest.hexdigest()


def _minor(text):
    return text.split(".")[:2]
