"""pandas DataFrames: columns of NumPy's, nullable, Arrow's and Python's own objects, read and written back."""

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from ._plain import from_plain, to_plain

NAT = np.iinfo(np.int64).min
COMPLEX = "Complex data not supported; split the column into its real and imaginary parts."


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

    def __getstate__(self):
        import pandas as pd

        header = self.header
        state = {"of": [to_plain(name) for name in header.names]}
        if isinstance(header, pd.RangeIndex):
            return state | {"range": [header.start, header.stop, header.step]}
        dtypes = [self.plain_dtype(header.get_level_values(i).dtype) for i in range(header.nlevels)]
        return state | {"names": [to_plain(name) for name in self.names], "dtypes": dtypes}

    def __setstate__(self, state):
        import pandas as pd

        of = [from_plain(name) for name in state["of"]]
        if "range" in state:
            self.header = pd.RangeIndex(*state["range"], name=of[0])
        else:
            names = [from_plain(name) for name in state["names"]]
            columns = [names] if len(of) == 1 else zip(*names)
            dtypes = map(self.restored_dtype, state["dtypes"])
            levels = [pd.Index(list(column), dtype=dtype) for column, dtype in zip(columns, dtypes)]
            self.header = levels[0].rename(of[0]) if len(of) == 1 else pd.MultiIndex.from_arrays(levels, names=of)
        self.names = list(self.header)

    def plain_dtype(self, dtype):
        """Text, numbers and lists of them, from which `restored_dtype` makes the dtype again."""
        import pandas as pd

        if isinstance(dtype, ObjectColumn):
            return ["objects", dtype.content, to_plain(dtype.gap)]
        if isinstance(dtype, pd.CategoricalDtype):
            levels = [to_plain(level) for level in dtype.categories]
            return ["category", levels, self.plain_dtype(dtype.categories.dtype), bool(dtype.ordered)]
        if isinstance(dtype, pd.StringDtype):
            return ["text", dtype.storage, dtype.na_value is pd.NA]
        if isinstance(dtype, pd.ArrowDtype):
            import pyarrow as pa

            return ["arrow", pa.schema([("", dtype.pyarrow_dtype)]).serialize().to_pybytes()]
        return str(dtype)

    def restored_dtype(self, plain):
        import pandas as pd

        kind, *content = [plain] if isinstance(plain, str) else plain
        if kind == "objects":
            return ObjectColumn(content[0], from_plain(content[1]))
        if kind == "category":
            levels = pd.Index([from_plain(level) for level in content[0]], dtype=self.restored_dtype(content[1]))
            return pd.CategoricalDtype(levels, ordered=content[2])
        if kind == "text":
            return pd.StringDtype(content[0], **({} if content[1] else {"na_value": np.nan}))
        if kind == "arrow":
            import pyarrow as pa

            return pd.ArrowDtype(pa.ipc.read_schema(pa.py_buffer(content[0])).types[0])
        return pd.api.types.pandas_dtype(kind)

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

    def ticks(self, dtype):
        if isinstance(dtype, ObjectColumn):
            return (OBJECT_UNIT, timedelta()) if TIMES.get(dtype.content) == "M" else None
        if not _is_time(dtype) or dtype.kind == "m":
            return None
        zone = _zone(dtype)
        ahead = timedelta() if zone is None else zone.utcoffset(None)
        return None if ahead is None else (_unit(dtype), ahead)

    def equal(self, a, b):
        import pandas as pd

        if isinstance(b, time):
            return _since_midnight(a) == _since_midnight(b)
        if isinstance(b, (date, np.datetime64)):
            return pd.Timestamp(a) == pd.Timestamp(b)
        return pd.Timedelta(a) == pd.Timedelta(b) if isinstance(b, (timedelta, np.timedelta64)) else a == b

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
            if dtype.content == "time":
                series = series.map(_since_midnight, na_action="ignore")
            return _ticks(series, TIMES[dtype.content], OBJECT_UNIT)
        if _is_time(dtype):
            return _ticks(series.astype(dtype), dtype.kind, _unit(dtype))
        _refuse_times(series)
        if _content(series) == "integer":
            return np.where(series.isna(), 0, series.to_numpy(dtype=object))
        if not types.is_integer_dtype(series.dtype):
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

    def fill(self, X, gaps, drawn):
        X = X.copy()
        for j, cells in drawn.items():
            X.isetitem(j, self._fill_column(X.iloc[:, j], gaps[:, j], cells))
        return X

    def append(self, X, table):
        import pandas as pd

        return pd.concat([X, table], ignore_index=True)

    @staticmethod
    def _fill_column(cells, gap, drawn):
        """Cells with drawn ones in their gaps, in the dtype of fit; in their own or as objects if that changes them."""
        filled = cells.astype(object)
        filled.iloc[gap] = drawn.astype(object).array
        for dtype in (drawn.dtype, cells.dtype):
            same = _cast(filled, dtype)
            if same is not None:
                return same
        return filled


def _cast(series, dtype):
    """A column of objects in a dtype, None where that would change a cell."""
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype) and not series.dropna().isin(dtype.categories).all():
        return None
    try:
        with np.errstate(all="ignore"):
            same = series.astype(dtype)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return same if ((same.astype(object) == series) | series.isna()).all() else None


OBJECT_UNIT = "us"  # resolution in which Python's datetimes are read
LAST_TICK = 24 * 3600 * 10**6 - 1  # of a day
TIMES = {"date": "M", "datetime": "M", "datetime64": "M", "timedelta": "m", "timedelta64": "m", "time": "m"}
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
    "time": lambda x: [(datetime.min + v).time() for v in x.clip(0, LAST_TICK).view(f"m8[{OBJECT_UNIT}]").tolist()],
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
        if content == "date" and any(isinstance(value, datetime) for value in series.dropna()):
            raise ValueError("it mixes dates and datetimes; convert them by pd.to_datetime(...).")
        if any(getattr(value, "tzinfo", None) is not None for value in series):
            if content == "time":
                return "category"
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


def _since_midnight(value):
    """A time of day, or its text by ISO 8601, as a timedelta."""
    return datetime.combine(date.min, time.fromisoformat(value) if isinstance(value, str) else value) - datetime.min


def _refuse_times(series):
    if _is_time(series.dtype) or _content(series) in TIMES:
        raise TypeError(f"a column of dtype {series.dtype} holds times, not numbers")


def _unit(dtype):
    """Resolution in which a dtype of times is read: its own, or that of Python's datetimes for dates."""
    match = re.search(r"\[(s|ms|us|ns)\b", str(dtype))
    return match[1] if match else OBJECT_UNIT


def _zone(dtype):
    """Time zone of a dtype of datetimes, or None."""
    import pandas as pd

    if isinstance(dtype, pd.ArrowDtype):
        return pd.Timestamp(0, tz=getattr(dtype.pyarrow_dtype, "tz", None)).tz
    return pd.DatetimeIndex(pd.Series([], dtype=dtype)).tz


def _ticks(series, kind, unit):
    """int64 ticks since the epoch in UTC, or of a timedelta."""
    import pandas as pd

    index = pd.TimedeltaIndex(series) if kind == "m" else pd.DatetimeIndex(series)
    return index.as_unit(unit).asi8


def _from_ticks(ticks, dtype):
    """Column of times in the resolution and time zone of a dtype."""
    import pandas as pd

    series = pd.Series(ticks.view(f"{dtype.kind}8[{_unit(dtype)}]"))
    zone = None if dtype.kind == "m" else _zone(dtype)
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
