"""NumPy arrays, pandas DataFrames and the frames that narwhals knows, behind one interface.

A container reads a column as integers (dates and times as ticks of their dtype), as floats or as Python objects, each
with a mask of its missing cells, and writes it back in the dtype that it had.
"""

from pathlib import PurePath

import numpy as np
from scipy.sparse import issparse

from ._pandas import PandasContainer
from ._polars import NarwhalsContainer

FRAMES = (PandasContainer, NarwhalsContainer)


class ArrayContainer:
    """A two-dimensional array; all columns have its dtype."""

    def __init__(self, X):
        self.dtype = X.dtype
        self.names = list(range(X.shape[1]))

    def plain_dtype(self, dtype):
        """The dtype of a column as text, numbers and lists of them."""
        return str(dtype)

    def restored_dtype(self, plain):
        return np.dtype(plain)

    def column(self, X, j):
        return np.asarray(X)[:, j]

    def single(self, value, dtype):
        """A column of one cell."""
        cells = np.empty(1, dtype=object)
        cells[0] = np.nan if value is None else value
        return cells

    def kind(self, x):
        """What a column holds: "integer" (also dates and times), "float" or "category"."""
        return "integer" if x.dtype.kind in "iu" else "float"

    def dtype_of(self, x):
        """What the `write` methods need to bring a column back."""
        return self.dtype

    def is_time(self, dtype):
        """Whether a column holds dates, times or their differences."""
        return False

    def ticks(self, dtype):
        """Unit of the ticks of dates or times, and by how much local time is ahead of theirs; None if that changes."""
        return None

    def equal(self, a, b):
        """Whether two cells are the same number or time."""
        return a == b

    def levels(self, x):
        """The levels that the dtype tells, or None, and whether they are ordered."""
        return None, False

    def missing(self, x):
        return np.isnan(self.floats(x))

    def integers(self, x, dtype):
        """int64 or uint64, 0 where missing; floats if the column now holds floats."""
        return x if x.dtype.kind in "iu" else self.floats(x)

    def floats(self, x):
        return np.asarray(x, dtype=np.float64)

    def objects(self, x):
        return self.floats(x).astype(object)

    def write_numbers(self, x, missing, dtype):
        return x.astype(dtype)

    def write_integers(self, x, missing, dtype):
        return x.astype(dtype)

    def write_objects(self, x, missing, dtype):
        return np.where(missing, np.nan, x).astype(dtype)

    def build(self, columns):
        return np.column_stack(columns)

    def fill(self, X, gaps, drawn):
        """X with drawn cells where there are gaps, a mask of the shape of X; `drawn` has those of each column."""
        filled = X.astype(np.result_type(X, *drawn.values()))
        for j, cells in drawn.items():
            filled[gaps[:, j], j] = cells
        return filled

    def append(self, X, table):
        """X with the rows of `table` below."""
        return np.concatenate([X, table])


def is_missing(value):
    """Whether a Python object stands for a missing cell."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def import_pandas(what):
    """pandas, or an ImportError that says what needs it and how to install it."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(f"pandas is needed for {what}: pip install 'skgmmgan[pandas]'.") from error
    return pd


def is_pandas(X):
    return hasattr(X, "iloc") and hasattr(X, "columns")


def is_frame(X):
    """Whether X is a DataFrame of pandas or polars (without importing either)."""
    return is_pandas(X) or (type(X).__module__.partition(".")[0] == "polars" and hasattr(X, "columns"))


def refuse_other_tables(X):
    """Raise TypeError for what is a table elsewhere, and say how it becomes a DataFrame."""
    kind, first = type(X).__name__, X[0] if isinstance(X, list) and X else None
    remedy = None
    if hasattr(X, "collect"):
        remedy = "call its collect() first"
    elif isinstance(X, (str, PurePath)):
        remedy = "read the file first, for example by pandas.read_csv"
    elif (
        (isinstance(X, dict) and not issparse(X))
        or isinstance(first, dict)
        or getattr(getattr(X, "dtype", None), "names", None)
    ):
        remedy = "pass pandas.DataFrame(X)"
    elif hasattr(X, "to_pandas") and not is_frame(X):
        remedy = "pass X.to_pandas()"
    if remedy:
        raise TypeError(f"X is a {kind}{f' of {type(first).__name__}' * isinstance(first, dict)}; {remedy}.")


def container_of(X):
    """The container of a DataFrame or array."""
    return PandasContainer(X) if is_pandas(X) else NarwhalsContainer(X) if is_frame(X) else ArrayContainer(X)
