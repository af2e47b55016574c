"""NumPy arrays, pandas DataFrames and the frames that narwhals knows, behind one interface.

A container reads a column as integers (dates and times as ticks of their dtype), as floats or as Python objects, each
with a mask of its missing cells, and writes it back in the dtype that it had.
"""

import re
from typing import NamedTuple

import numpy as np

NAT = np.iinfo(np.int64).min
COMPLEX = "Complex data not supported; split the column into its real and imaginary parts."


class ArrayContainer:
    """A two-dimensional array; all columns have its dtype."""

    def __init__(self, X):
        self.dtype = X.dtype
        self.names = list(range(X.shape[1]))

    def column(self, X, j):
        return np.asarray(X)[:, j]

    def single(self, value, dtype):
        """A column of one cell."""
        return np.array([np.nan if value is None else value])

    def kind(self, x):
        """What a column holds: "integer" (also dates and times), "float" or "category"."""
        return "integer" if x.dtype.kind in "iu" else "float"

    def dtype_of(self, x):
        """What the `write` methods need to bring a column back."""
        return self.dtype

    def is_time(self, dtype):
        """Whether a column holds dates, times or their differences."""
        return False

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

    def fill(self, X, gaps, table):
        """X with the cells of `table` where there are gaps, a mask of the shape of X."""
        return np.where(gaps, table, X)

    def append(self, X, table):
        """X with the rows of `table` below."""
        return np.concatenate([X, table])


class ObjectColumn(NamedTuple):
    """The dtype of a pandas column of objects: what it holds in pandas' words, and what stands in a missing cell."""

    content: str
    gap: object

    def __str__(self):
        return "object"


class PandasContainer:
    """A pandas DataFrame."""

    library = "pandas"

    def __init__(self, X):
        self.header = X.columns
        self.names = list(X.columns)

    def column(self, X, j):
        return X.iloc[:, j]

    def single(self, value, dtype):
        import pandas as pd

        return pd.Series([value], dtype=object)

    def kind(self, series):
        from pandas.api import types

        dtype = series.dtype
        if types.is_object_dtype(dtype):
            return _object_kind(series)
        if _is_time(dtype):
            return "integer"
        if types.is_bool_dtype(dtype) or not types.is_numeric_dtype(dtype):
            return "category"
        if types.is_complex_dtype(dtype):
            raise ValueError(COMPLEX)
        return "integer" if types.is_integer_dtype(dtype) else "float"

    def dtype_of(self, series):
        if series.dtype != object:
            return series.dtype
        gaps = series[series.isna()]
        return ObjectColumn(_content(series), gaps.iloc[0] if len(gaps) else None)

    def is_time(self, dtype):
        return dtype.content in TIMES if isinstance(dtype, ObjectColumn) else _is_time(dtype)

    def levels(self, series):
        import pandas as pd

        if not isinstance(series.dtype, pd.CategoricalDtype):
            return None, False
        return list(series.cat.categories), bool(series.cat.ordered)

    def missing(self, series):
        return series.isna().to_numpy(dtype=bool)

    def integers(self, series, dtype):
        from pandas.api import types

        if isinstance(dtype, ObjectColumn) and dtype.content in TIMES:
            return _ticks(series, TIMES[dtype.content], OBJECT_UNIT)
        if _is_time(dtype):
            return _ticks(series.astype(dtype), dtype.kind, _unit(dtype))
        _refuse_times(series)
        if not (types.is_integer_dtype(series.dtype) or _content(series) == "integer"):
            return self.floats(series)
        unsigned = types.is_unsigned_integer_dtype(series.dtype)
        return series.to_numpy(dtype="uint64" if unsigned else "int64", na_value=0)

    def floats(self, series):
        _refuse_times(series)
        return series.to_numpy(dtype=np.float64, na_value=np.nan)

    def objects(self, series):
        return series.astype(object).to_numpy()

    def write_numbers(self, x, missing, dtype):
        import pandas as pd

        if isinstance(dtype, ObjectColumn):
            return _python_objects(x, missing, dtype)
        return pd.Series(x).astype(dtype)

    def write_integers(self, x, missing, dtype):
        import pandas as pd

        if isinstance(dtype, ObjectColumn):
            return _python_objects(x, missing, dtype)
        if _is_time(dtype):
            return _from_ticks(np.where(missing, NAT, x), dtype)
        return pd.Series(pd.arrays.IntegerArray(x, missing) if missing.any() else x).astype(dtype)

    def write_objects(self, x, missing, dtype):
        import pandas as pd

        if isinstance(dtype, ObjectColumn):
            x[missing] = dtype.gap
            return pd.Series(x, dtype=object)
        if isinstance(dtype, pd.CategoricalDtype):
            return pd.Series(pd.Categorical(x, dtype=dtype))
        return pd.Series(x, dtype=object).astype(dtype)

    def build(self, columns):
        import pandas as pd

        frame = pd.DataFrame(dict(enumerate(columns)))
        frame.columns = self.header
        return frame

    def fill(self, X, gaps, table):
        X = X.copy()
        for j in np.flatnonzero(gaps.any(axis=0)):
            X.isetitem(j, self._fill_column(X.iloc[:, j], gaps[:, j], table.iloc[:, j]))
        return X

    def append(self, X, table):
        import pandas as pd

        return pd.concat([X, table], ignore_index=True)

    @staticmethod
    def _fill_column(cells, gap, drawn):
        """Cells with drawn ones in their gaps, in the dtype of fit; of objects if that can't hold the others."""
        import pandas as pd

        drawn = drawn.set_axis(cells.index)
        if cells.dtype == drawn.dtype:
            filled = cells.copy()
            filled.iloc[gap] = drawn.array[gap]
            return filled
        filled = cells.astype(object)
        filled.iloc[gap] = drawn.astype(object).array[gap]
        try:
            same = filled.astype(drawn.dtype)
        except (TypeError, ValueError):
            return filled
        return filled if isinstance(drawn.dtype, pd.CategoricalDtype) and same.isna().any() else same


OBJECT_UNIT = "us"  # resolution in which Python's datetimes are read
TIMES = {"date": "M", "datetime": "M", "datetime64": "M", "timedelta": "m", "timedelta64": "m"}
FROM_NUMBERS = {  # Python objects from the numbers that an object column was read as
    "integer": np.ndarray.tolist,
    "floating": np.ndarray.tolist,
    "mixed-integer-float": np.ndarray.tolist,
    "decimal": lambda x: _decimals(x),
    "date": lambda x: x.view(f"M8[{OBJECT_UNIT}]").astype("M8[D]").tolist(),
    "datetime": lambda x: x.view(f"M8[{OBJECT_UNIT}]").tolist(),
    "datetime64": lambda x: list(x.view(f"M8[{OBJECT_UNIT}]")),
    "timedelta": lambda x: x.view(f"m8[{OBJECT_UNIT}]").tolist(),
    "timedelta64": lambda x: list(x.view(f"m8[{OBJECT_UNIT}]")),
}


def _content(series):
    """What an object column holds, in pandas' words; "" for every other dtype."""
    from pandas.api import types

    return types.infer_dtype(series, skipna=True) if series.dtype == object else ""


def _object_kind(series):
    content = _content(series)
    if content == "complex":
        raise ValueError(COMPLEX)
    if content in TIMES:
        if any(getattr(value, "tzinfo", None) is not None for value in series):
            raise ValueError(
                "objects with a time zone are not supported; convert them by pd.to_datetime(..., utc=True)."
            )
        return "integer"
    if content == "integer":
        return "integer" if series.dropna().abs().max() < 2**63 else "category"
    return "float" if content in FROM_NUMBERS else "category"


def _is_time(dtype):
    """Whether a pandas dtype holds datetimes, dates or timedeltas, NumPy's or Arrow's."""
    return getattr(dtype, "kind", "") in ("M", "m")


def _refuse_times(series):
    if _is_time(series.dtype) or _content(series) in TIMES:
        raise TypeError(f"a column of dtype {series.dtype} holds times, not numbers")


def _unit(dtype):
    """Resolution in which a dtype of times is read: its own, or that of Python's datetimes for dates."""
    match = re.search(r"\[(s|ms|us|ns)\b", str(dtype))
    return match[1] if match else OBJECT_UNIT


def _ticks(series, kind, unit):
    """int64 ticks since the epoch in UTC, or of a timedelta."""
    import pandas as pd

    index = pd.TimedeltaIndex(series) if kind == "m" else pd.DatetimeIndex(series)
    return index.as_unit(unit).asi8


def _from_ticks(ticks, dtype):
    """Column of times in the resolution and time zone of a dtype."""
    import pandas as pd

    series = pd.Series(ticks.view(f"{dtype.kind}8[{_unit(dtype)}]"))
    zone = None if dtype.kind == "m" else pd.DatetimeIndex(pd.Series([], dtype=dtype)).tz
    return (series if zone is None else series.dt.tz_localize("UTC").dt.tz_convert(zone)).astype(dtype)


def _python_objects(x, missing, dtype):
    """Column of Python objects from numbers."""
    import pandas as pd

    cells = np.empty(len(x), dtype=object)
    cells[:] = FROM_NUMBERS[dtype.content](np.where(missing, 0, x))
    cells[missing] = dtype.gap
    return pd.Series(cells, dtype=object)


def _decimals(x):
    from decimal import Decimal

    return [Decimal(repr(v)) for v in x.tolist()]


class NarwhalsContainer:
    """A polars DataFrame, through narwhals."""

    library = "polars"

    def __init__(self, X):
        frame = _narwhals(X)
        self.names, self.implementation = frame.columns, frame.implementation

    def column(self, X, j):
        return _narwhals(X)[:, j]

    def single(self, value, dtype):
        import narwhals as nw

        try:
            return nw.new_series("", [value], dtype, backend=self.implementation)
        except Exception:  # a value of another type: the column that reads it says what is wrong
            return nw.new_series("", [value], backend=self.implementation)

    def kind(self, series):
        import narwhals as nw

        dtype = series.dtype
        if dtype.is_integer() or dtype.is_temporal():
            return "integer"
        if dtype.is_float() or dtype.is_decimal():
            return "float"
        if dtype in (nw.String, nw.Boolean, nw.Categorical, nw.Enum) or series.is_null().all():
            return "category"
        raise ValueError(f"dtype {dtype} is not supported; drop the column or convert it to text or numbers.")

    def dtype_of(self, series):
        return series.dtype

    def is_time(self, dtype):
        return dtype.is_temporal()

    def levels(self, series):
        import narwhals as nw

        return (list(series.dtype.categories) if series.dtype == nw.Enum else None), False

    def missing(self, series):
        missing = series.is_null().to_numpy()
        return missing | series.is_nan().fill_null(True).to_numpy() if series.dtype.is_float() else missing

    def integers(self, series, dtype):
        import narwhals as nw

        if dtype.is_temporal():
            series = series.cast(dtype)
        elif not series.dtype.is_integer():
            return self.floats(series)
        wide = nw.UInt64 if series.dtype.is_unsigned_integer() else nw.Int64
        return series.cast(wide).fill_null(0).to_numpy()

    def floats(self, series):
        import narwhals as nw

        if not series.dtype.is_numeric():
            raise TypeError(f"a column of dtype {series.dtype} holds no numbers")
        return series.cast(nw.Float64).to_numpy().astype(np.float64)

    def objects(self, series):
        cells = np.empty(len(series), dtype=object)
        for i, value in enumerate(series.to_list()):
            cells[i] = value
        return cells

    def write_numbers(self, x, missing, dtype):
        return self._write(x, missing, dtype, "Float64")

    def write_integers(self, x, missing, dtype):
        return self._write(x, missing, dtype, "UInt64" if x.dtype.kind == "u" else "Int64")

    def _write(self, x, missing, dtype, wide):
        import narwhals as nw

        cells = [None if gap else value for value, gap in zip(x.tolist(), missing)]
        return nw.new_series("", cells, getattr(nw, wide), backend=self.implementation).cast(dtype)

    def write_objects(self, x, missing, dtype):
        import narwhals as nw

        known = None if dtype == nw.Unknown else dtype
        return nw.new_series("", x.tolist(), known, backend=self.implementation)

    def build(self, columns):
        import narwhals as nw

        data = {name: column.to_native() for name, column in zip(self.names, columns)}
        return nw.from_dict(data, backend=self.implementation).to_native()

    def fill(self, X, gaps, table):
        frame, table = _narwhals(X), _narwhals(table)
        filled = []
        for j, name in enumerate(frame.columns):
            where = np.flatnonzero(gaps[:, j])
            if len(where):
                filled.append(frame[name].cast(table[name].dtype).scatter(where, table[name][where]))
        return frame.with_columns(*filled).to_native()


def _narwhals(X):
    try:
        import narwhals as nw
    except ImportError as error:
        raise ImportError(f"narwhals is needed for a {type(X).__name__}: pip install 'skgmmgan[polars]'.") from error
    return nw.from_native(X, eager_only=True)


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


FRAMES = (PandasContainer, NarwhalsContainer)


def container_of(X):
    """The container of a DataFrame or array."""
    return PandasContainer(X) if is_pandas(X) else NarwhalsContainer(X) if is_frame(X) else ArrayContainer(X)
