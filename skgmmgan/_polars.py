"""polars DataFrames, and others that narwhals knows, read and written back."""

from datetime import date, datetime, time, timedelta

import numpy as np


class NarwhalsContainer:
    """A polars DataFrame, through narwhals."""

    library = "polars"

    def __init__(self, X):
        frame = _narwhals(X)
        self.names, self.implementation = frame.columns, frame.implementation

    def __getstate__(self):
        return {"names": list(self.names), "implementation": self.implementation.value}

    def __setstate__(self, state):
        from narwhals import Implementation

        self.names, self.implementation = state["names"], Implementation(state["implementation"])

    def plain_dtype(self, dtype):
        """Name and arguments of a narwhals dtype."""
        arguments = {name: getattr(dtype, name) for name in ("time_unit", "time_zone") if hasattr(dtype, name)}
        if hasattr(dtype, "categories"):
            arguments["categories"] = list(dtype.categories)
        return [type(dtype).__name__, arguments]

    def restored_dtype(self, plain):
        import narwhals as nw

        name, arguments = plain
        dtype = getattr(nw.dtypes, name)
        if not issubclass(dtype, nw.dtypes.DType):
            raise ValueError(f"{name} is no dtype")
        return dtype(**arguments)

    def column(self, X, j):
        return _narwhals(X)[:, j]

    def single(self, value, dtype):
        import narwhals as nw

        if isinstance(value, (np.datetime64, np.timedelta64)):
            value = value.astype(f"{value.dtype.kind}8[us]").item()
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

    def ticks(self, dtype):
        import narwhals as nw

        if dtype == nw.Date:
            return "D", timedelta()
        is_even = dtype == nw.Datetime and dtype.time_zone in (None, "UTC")
        return (dtype.time_unit, timedelta()) if is_even else None

    def equal(self, a, b):
        return as_datetime(a) == as_datetime(b)

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

    def fill(self, X, gaps, drawn):
        frame = _narwhals(X)
        filled = [self._fill_column(frame[:, int(j)], gaps[:, j], cells) for j, cells in drawn.items()]
        return frame.with_columns(*filled).to_native()

    def _fill_column(self, series, gap, drawn):
        """Cells with drawn ones in their gaps, in the dtype of fit; in their own if that changes them."""
        import narwhals as nw

        cells = self.objects(series)
        cells[gap] = self.objects(drawn)
        for dtype in (drawn.dtype, series.dtype):
            try:
                same = nw.new_series(series.name, cells.tolist(), dtype, backend=self.implementation)
            except Exception:  # each library has its own
                continue
            if same.to_list() == cells.tolist():
                return same
        raise ValueError(
            f"Column {series.name!r} of dtype {series.dtype} cannot hold what was drawn, and its dtype at fit, "
            f"{drawn.dtype}, not what it holds; cast it to the latter."
        )


def _narwhals(X):
    try:
        import narwhals as nw
    except ImportError as error:
        raise ImportError(f"narwhals is needed for a {type(X).__name__}: pip install 'skgmmgan[polars]'.") from error
    return nw.from_native(X, eager_only=True)


def as_datetime(value):
    """The midnight of a date, and a time of some day; everything else as it is."""
    if isinstance(value, time):
        return datetime.combine(date.min, value)
    return datetime.combine(value, time()) if type(value) is date else value
