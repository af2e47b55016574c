"""Tables <-> a float matrix: the one place that knows containers, dtypes and categories.

In the matrix numbers are as they were, categories are codes, a missing cell is NaN, and a category that was not there
at fit is -1.
"""

import numbers
from typing import NamedTuple

import numpy as np

UNSEEN = -1.0


class Column(NamedTuple):
    """What is remembered of a column: its name in messages, its dtype, and its categories in order, if any."""

    label: str
    dtype: object
    categories: object = None
    ordered: bool = False
    missing: object = None  # what stands in an object column where a cell is missing


def is_frame(X):
    """Whether X is a pandas DataFrame (without importing pandas)."""
    return hasattr(X, "iloc") and hasattr(X, "columns")


def _is_text(series):
    """Whether a pandas column can only be categories: text, objects, booleans or the category dtype."""
    from pandas.api import types

    return not types.is_numeric_dtype(series.dtype) or types.is_bool_dtype(series.dtype)


def _refuse_complex_or_nested(name, series):
    from pandas.api import types

    if types.is_complex_dtype(series.dtype):
        raise ValueError(f"Complex data not supported: column {name!r}. Split it into its real and imaginary parts.")
    if types.is_datetime64_any_dtype(series.dtype) or types.is_timedelta64_dtype(series.dtype):
        raise ValueError(
            f"Column {name!r} has dtype {series.dtype}, which is not supported; convert it to numbers, "
            "for example seconds since its earliest value."
        )
    for value in series.dropna():
        if not isinstance(value, (str, bytes, numbers.Number)) and not np.isscalar(value):
            raise ValueError(
                f"Column {name!r} holds {value!r}, a {type(value).__name__}; only numbers, booleans and text can be "
                "categories. Convert the column with .astype(str)."
            )
        break


def _categories(series):
    """Distinct values of a pandas column in order, sorted where they can be, as an array of the column's dtype."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.categories
    values = pd.Index(series.dropna().unique())
    try:
        return values.sort_values()
    except TypeError:  # mixed types have no order
        return values


def resolve_categorical(categorical_features, names, n_columns):
    """Mask of the columns that the user calls categorical."""
    mask = np.zeros(n_columns, dtype=bool)
    if categorical_features is None or isinstance(categorical_features, str):
        return mask
    given = np.asarray(categorical_features)
    if given.dtype == bool:
        if given.shape != (n_columns,):
            raise ValueError(
                f"categorical_features as a mask must have shape ({n_columns},), one entry a column; "
                f"got shape {given.shape}."
            )
        return given
    for item in categorical_features:
        mask[_position(item, names, n_columns)] = True
    return mask


def _position(item, names, n_columns):
    """Index of the column that an entry of categorical_features means: a name if there is one, else an index."""
    if names is not None and item in names:
        return names.index(item)
    if isinstance(item, numbers.Integral) and -n_columns <= item < n_columns:
        return int(item)
    raise ValueError(
        f"categorical_features names {item!r}, which is neither a column name nor an index below {n_columns}; "
        f"the columns are {names if names is not None else f'0 to {n_columns - 1}'}."
    )


class Table:
    """The columns of a table and how to bring it back: in the container and dtypes that it had.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, n_columns)
    categorical_features : "from_dtype", None, names, indices or a mask
    """

    def __init__(self, X, categorical_features):
        self.frame = is_frame(X)
        self.names = list(X.columns) if self.frame else None
        n_columns = X.shape[1]
        if self.frame and len(set(self.names)) < n_columns:
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ValueError(f"The column name {twice!r} occurs more than once; rename the columns.")
        chosen = resolve_categorical(categorical_features, self.names, n_columns)
        self.array_dtype = None if self.frame else X.dtype
        describe = self._describe_series if self.frame else self._describe_vector
        self.columns = [describe(X, j, chosen[j]) for j in range(n_columns)]

    def _describe_series(self, X, j, chosen):
        import pandas as pd

        series = X.iloc[:, j]
        _refuse_complex_or_nested(self.names[j], series)
        if not (chosen or _is_text(series)):
            return Column(repr(self.names[j]), series.dtype)
        ordered = isinstance(series.dtype, pd.CategoricalDtype) and series.cat.ordered
        gaps = series[series.isna()] if series.dtype == object else ()
        missing = gaps.iloc[0] if len(gaps) else None
        return Column(repr(self.names[j]), series.dtype, _categories(series), bool(ordered), missing)

    @staticmethod
    def _describe_vector(X, j, chosen):
        column = X[:, j].astype(float)
        categories = np.unique(column[~np.isnan(column)]) if chosen else None
        return Column(str(j), X.dtype, categories)

    @property
    def nominal(self):
        """Mask of the columns whose codes are categories without an order."""
        return np.array([c.categories is not None and not c.ordered for c in self.columns])

    @property
    def categorical(self):
        """Mask of the columns that hold categories."""
        return np.array([c.categories is not None for c in self.columns])

    def encode(self, X):
        """Float matrix of shape (n_samples, n_columns); infinite numbers raise ValueError."""
        if self.frame and not is_frame(X):
            X = self._as_frame(X)
        cells = [self._cells(X, j) for j in range(len(self.columns))]
        values = np.column_stack(cells).astype(np.float64, copy=False)
        infinite = np.argwhere(np.isinf(values))
        if len(infinite):
            i, j = infinite[0]
            raise ValueError(
                f"Column {self.columns[j].label} holds {values[i, j]} (infinity) in row {i}; replace it by NaN "
                "(missing) or by a finite number."
            )
        return values

    def _as_frame(self, X):
        import pandas as pd

        return pd.DataFrame(np.asarray(X), columns=self.names)

    def _cells(self, X, j):
        column = self.columns[j]
        cells = X.iloc[:, j] if is_frame(X) else X[:, j]
        if column.categories is None:
            return self._numbers(cells, column)
        if not self.frame:
            cells = np.asarray(cells, dtype=float)
            where = np.clip(np.searchsorted(column.categories, cells), 0, len(column.categories) - 1)
            codes = np.where(column.categories[where] == cells, where, UNSEEN)
            return np.where(np.isnan(cells), np.nan, codes)
        codes = column.categories.get_indexer(cells).astype(float)
        return np.where(cells.isna().to_numpy(), np.nan, codes)

    @staticmethod
    def _numbers(cells, column):
        try:
            if hasattr(cells, "to_numpy"):
                return cells.to_numpy(dtype=np.float64, na_value=np.nan)
            return np.asarray(cells, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Column {column.label} was numbers at fit and holds something else now ({error}); convert it."
            ) from error

    def decode(self, values):
        """Table of shape (n_samples, n_columns) in the container and dtypes of fit."""
        if not self.frame:
            return self._decode_array(values)
        import pandas as pd

        series = {j: self._decode_series(values[:, j], c) for j, c in enumerate(self.columns)}
        frame = pd.DataFrame(series)
        frame.columns = pd.Index(self.names) if not self._multi_index() else pd.MultiIndex.from_tuples(self.names)
        return frame

    def _multi_index(self):
        return all(isinstance(name, tuple) for name in self.names)

    def _decode_array(self, values):
        columns = [
            values[:, j] if c.categories is None else self._take(c.categories, values[:, j])
            for j, c in enumerate(self.columns)
        ]
        return np.column_stack(columns).astype(self.array_dtype)

    @staticmethod
    def _take(categories, codes):
        missing = np.isnan(codes)
        return np.where(missing, np.nan, categories[np.where(missing, 0, codes).astype(int)])

    @staticmethod
    def _decode_series(x, column):
        import pandas as pd

        if column.categories is None:
            dtype = column.dtype
            if pd.api.types.is_integer_dtype(dtype):
                x = np.rint(x)
            return pd.Series(x).astype(dtype)
        codes = np.where(np.isnan(x), UNSEEN, x).astype(np.int64)
        if isinstance(column.dtype, pd.CategoricalDtype):
            return pd.Series(pd.Categorical.from_codes(codes, dtype=column.dtype))
        if column.dtype == object:
            objects = np.append(column.categories.to_numpy(dtype=object), [None])
            objects[-1] = column.missing
            return pd.Series(objects[codes], dtype=object)
        missing = {"allow_fill": True, "fill_value": None} if (codes < 0).any() else {}
        return pd.Series(column.categories.take(codes, **missing)).astype(column.dtype)
