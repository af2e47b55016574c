"""Tables <-> a float matrix: numbers as they were, categories as codes, NaN where a cell is missing.

Dates and times are integers here, the ticks of their dtype. A category that was not there at fit is -1.
"""

import math
import numbers
import re
from collections import Counter
from datetime import date, timedelta
from difflib import get_close_matches

import numpy as np

from ._clocks import Clock
from ._containers import FRAMES, container_of, is_frame
from ._numbers import MIN_MULTIPLES
from ._plain import from_plain, to_plain
from ._polars import as_datetime

UNSEEN = -1.0
EPOCH = date(1970, 1, 1).toordinal()
TIME_LIMITS = {  # of polars' dtypes, in their ticks
    "Time": (0, 24 * 3600 * 10**9 - 1),
    "Date": (date.min.toordinal() - EPOCH, date.max.toordinal() - EPOCH),
}
EXACT = 2**53  # every integer up to here is a float
MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
TIME_IN_TEXT = re.compile(  # 2024-12-31, 31.12.24, 31 Dec 2024, Dec 31, 2024 or 9:45
    r"\s*(\d{4}-\d{2}-\d{2}|\d{1,2}([./-])\d{1,2}\2\d{2}"
    rf"|\d{{1,2}}\W{MONTH}\W+\d{{2}}|{MONTH}\W\d{{1,2}}\W+\d{{4}}|\d{{1,2}}:\d{{2}})",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"\s*[^\s@]+@[^\s@]+\.\w+\s*$")  # of e-mail
DURATION = re.compile("timedelta|duration", re.IGNORECASE)  # in the name of a dtype
MOSTLY = 0.9  # of the categories, that are such text
NEARLY_ALL = 0.95  # of the rows, in which text differs, ...
IDENTIFIER_ROWS = 20  # ... text that differs in each of at least so many rows is taken for an identifier
COUNTER_ROWS = 200  # integers that follow each other without a gap in at least so many rows number these


class NotHashableError(ValueError):
    """A cell that can be neither number nor category."""


class Floats:
    """A column of real numbers."""

    categories, origin = None, 0
    ordered = is_identifier = is_text_of_times = is_text_of_addresses = is_mixed = is_counter = False

    def __init__(self, container, series, label):
        self.container, self.label, self.dtype = container, label, container.dtype_of(series)

    def __getstate__(self):
        """Plain values, without an object of the container's library."""
        return {**self.__dict__, "dtype": self.container.plain_dtype(self.dtype)}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.dtype = self.container.restored_dtype(state["dtype"])

    def encode(self, container, series):
        return np.where(container.missing(series), np.nan, container.floats(series))

    def decode(self, x):
        """A column of the container and dtype of fit; rounding may have left a -0.0, of which this makes 0."""
        return self.container.write_numbers(x + 0.0, np.isnan(x), self.dtype)

    def moments(self, means, stds):
        """Means and standard deviations in units of the column: numbers, or times and their differences."""
        if not self.container.is_time(self.dtype):
            return means + self.origin, stds
        low, high = (self.container.objects(self.decode(x)) for x in (means, means + stds))
        return low, np.array([_difference(a, b) for a, b in zip(high, low)], dtype=object)


class Integers(Floats):
    """A column of integers or times; large ones count from the smallest, so that floats can tell them apart.

    Dates and datetimes count from where they are multiples of the common divisor of their distances.
    """

    def __init__(self, container, series, label):
        super().__init__(container, series, label)
        x = container.integers(series, self.dtype)[~container.missing(series)]
        distinct = np.unique(x).tolist()
        low, high = (distinct[0], distinct[-1]) if distinct else (0, 0)
        self.is_large = max(-low, high) > EXACT
        divisor = max(1, math.gcd(*(v - low for v in distinct)))
        is_date = container.is_time(self.dtype) and not DURATION.search(str(self.dtype))
        self.origin = low if self.is_large else low % divisor * (is_date and len(distinct) >= MIN_MULTIPLES)
        self.step = divisor if self.is_large else 1
        n_lost = ((high - self.origin) // self.step).bit_length() - 53  # low bits that no float holds
        self.is_cut = n_lost > 0
        self.step <<= max(0, n_lost)
        self.n_distinct = len(distinct)
        self.is_counter = (
            not container.is_time(self.dtype) and COUNTER_ROWS <= len(distinct) == len(x) == high - low + 1
        )

    def encode(self, container, series):
        missing = container.missing(series)
        x = container.integers(series, self.dtype)
        if self.is_large:  # Python's integers do not overflow
            cut = self.step if self.is_cut else 1
            whole = [0 if gap else int(v) - self.origin for v, gap in zip(x.tolist(), missing)]
            x = np.array([v // cut * cut for v in whole], dtype=object)
        else:
            x = x - self.origin
        return np.where(missing, np.nan, x.astype(np.float64))

    def decode(self, x):
        missing = np.isnan(x)
        whole = np.rint(np.where(missing, 0.0, x))
        dtype, low, high = integer_limits(self.dtype)
        if self.is_large:
            whole = [self.origin + round(v / self.step) * self.step for v in whole.tolist()]
            whole = np.array([min(max(v, low), high) for v in whole], dtype=dtype)
        else:
            whole = np.clip(whole + self.origin, max(low, -EXACT), min(high, EXACT)).astype(dtype)
        return self.container.write_integers(whole, missing, self.dtype)


class Categories(Floats):
    """A column of text, booleans or other objects: codes of the categories, in their order if they have one."""

    def __init__(self, container, series, label, min_count):
        super().__init__(container, series, label)
        seen = container.objects(series)[~container.missing(series)].tolist()
        self.by_type = {isinstance(value, bool) for value in seen} == {True, False}  # True is not 1 here
        try:
            counts = Counter(map(self._key, seen))
        except TypeError:
            raise NotHashableError(_not_hashable(label, seen)) from None
        levels, self.ordered = container.levels(series)
        distinct = {self._key(value): value for value in reversed(seen)}
        order = _sorted(distinct.values()) if levels is None else levels
        self.categories = [value for value in order if counts[self._key(value)] >= min_count]
        if seen and not self.categories:
            raise ValueError(
                f"No category of column {label} has min_category_count={min_count} rows; drop the column or lower "
                "min_category_count."
            )
        self.codes = self._codes()
        all_differ = len(counts) >= max(IDENTIFIER_ROWS, NEARLY_ALL * len(seen))
        is_text = all(isinstance(value, str) for value in self.categories)
        self.is_identifier = all_differ and is_text
        kinds = {isinstance(value, str): isinstance(value, numbers.Number) for value in self.categories}
        self.is_mixed = len(self.categories) >= IDENTIFIER_ROWS and kinds == {True: False, False: True}
        self.is_text_of_times = is_text and self._mostly_match(TIME_IN_TEXT)
        self.is_text_of_addresses = is_text and self._mostly_match(ADDRESS)

    def _mostly_match(self, pattern):
        found = sum(pattern.match(value) is not None for value in self.categories)
        return found >= max(IDENTIFIER_ROWS, MOSTLY * len(self.categories))

    def __getstate__(self):
        state = {**super().__getstate__(), "categories": [to_plain(value) for value in self.categories]}
        del state["codes"]
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        self.categories = [from_plain(value) for value in state["categories"]]
        self.codes = self._codes()

    def _codes(self):
        return {self._key(value): float(code) for code, value in enumerate(self.categories)}

    def _key(self, value):
        return (isinstance(value, bool), value) if self.by_type else value

    def encode(self, container, series):
        missing = container.missing(series)
        cells = container.objects(series)
        try:
            codes = [np.nan if gap else self.codes.get(self._key(v), UNSEEN) for v, gap in zip(cells, missing)]
        except TypeError:
            raise NotHashableError(_not_hashable(self.label, cells)) from None
        return np.array(codes, dtype=np.float64)

    def decode(self, x):
        cells = np.empty(len(self.categories) + 1, dtype=object)  # the last one stands for a missing cell
        for code, value in enumerate(self.categories):
            cells[code] = value
        missing = np.isnan(x)
        return self.container.write_objects(cells[np.where(missing, -1, x).astype(int)], missing, self.dtype)


def _difference(late, early):
    """Time between two dates or times, also between two times of day."""
    return as_datetime(late) - as_datetime(early)


def integer_limits(dtype):
    """NumPy dtype that holds a column of integers or times of any library, and the limits of its dtype."""
    match = re.search(r"u?int(8|16|32|64)", str(dtype).lower())
    info = np.iinfo(match[0] if match else "int64")
    return info.dtype, *TIME_LIMITS.get(str(dtype), (info.min, info.max))


def _sorted(values):
    """Values in ascending order, or by type where they have no order."""
    values = list(values)
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__name__, str(value)))


def plain_repr(value):
    """A cell as Python would write it, without the name of a NumPy type, and a time as text."""
    if isinstance(value, (date, timedelta)):
        return repr(str(value))
    return repr(value.item() if isinstance(value, np.number) else value)


def _is_hashable(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _not_hashable(label, cells):
    value = next(v for v in cells if not _is_hashable(v))
    return (
        f"Column {label} holds {value!r}, a {type(value).__name__}, which can be neither number nor category. "
        "Convert the column to text or drop it."
    )


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
    if item in names:
        return names.index(item)
    if isinstance(item, numbers.Integral) and -n_columns <= item < n_columns:
        return int(item)
    raise ValueError(
        f"categorical_features names {item!r}, which is neither a column name nor an index below {n_columns}; "
        f"the columns are {names}."
    )


def same_names(some, others):
    """Whether two lists of names are the same, of which one may be NaN."""
    return len(some) == len(others) and all(a == b or (a != a and b != b) for a, b in zip(some, others))


def did_you_mean(name, names):
    """The question whether another name was meant, if one of a table is like it, else nothing."""
    near = get_close_matches(str(name), [str(other) for other in names], 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def refuse_duplicates(names):
    """Raise ValueError if a column name occurs more than once."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"The column name {twice[0]!r} occurs more than once; rename the columns.")


class Table:
    """The columns of a table and how to bring it back: in the container and dtypes that it had.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, n_columns)
    categorical_features : "from_dtype", None, names, indices or a mask
    min_category_count : categories of fewer rows count as not seen
    """

    def __init__(self, X, categorical_features="from_dtype", min_category_count=1):
        self.container = container_of(X)
        refuse_duplicates(self.names)
        chosen = resolve_categorical(categorical_features, self.names, X.shape[1])
        self.columns = [self._describe(X, j, chosen[j], min_category_count) for j in range(X.shape[1])]

    @property
    def names(self):
        return self.container.names

    @property
    def labels(self):
        """How a message calls the columns."""
        return [repr(name) if isinstance(name, str) else f"column {name}" for name in self.names]

    @property
    def are_plain(self):
        """Mask of the columns whose numbers are encoded as they are written: no times, and no long integers."""
        return np.array([not c.origin and not self.container.is_time(c.dtype) for c in self.columns])

    def _describe(self, X, j, chosen, min_count):
        series, label = self.container.column(X, j), repr(self.names[j])
        try:
            kind = "category" if chosen else self.container.kind(series)
        except ValueError as error:
            raise ValueError(f"Column {label}: {error}") from error
        if kind == "category":
            return Categories(self.container, series, label, min_count)
        if kind == "float":
            return Floats(self.container, series, label)
        column = Integers(self.container, series, label)
        if column.is_cut and column.n_distinct <= X.shape[0] // 2:  # hashes that repeat: no float may round them
            return Categories(self.container, series, label, min_count)
        return column

    @property
    def clocks(self):
        """By the index of each column of times its Clock, in local time.

        There is none for times whose days are not all as long.
        """
        clocks = {}
        for j, column in enumerate(self.columns):
            found = None if column.categories else self.container.ticks(column.dtype)
            if found is not None:
                unit, ahead = found
                per_day = int(np.timedelta64(1, "D") // np.timedelta64(1, unit))
                clocks[j] = Clock(column.origin + round(per_day * (ahead / timedelta(days=1))), per_day)
        return clocks

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
        container = self._container_like_at_fit(X)
        cells = [self._cells(container, container.column(X, j), column) for j, column in enumerate(self.columns)]
        values = np.column_stack(cells)
        infinite = np.argwhere(np.isinf(values))
        if len(infinite):
            i, j = infinite[0]
            raise ValueError(
                f"Column {self.columns[j].label} holds {values[i, j]} (infinity) in row {i}; replace it by NaN "
                "(missing) or by a finite number."
            )
        return values

    def _container_like_at_fit(self, X):
        """The container of X; ValueError if it can't be read as the table of fit was, or has other columns."""
        container = container_of(X)
        if is_frame(X) and isinstance(self.container, FRAMES):
            if type(container) is not type(self.container):
                raise ValueError(
                    f"The model was fitted on a {self.container.library} DataFrame and got one of {container.library}; "
                    f"convert it to {self.container.library}."
                )
            if not same_names(container.names, self.names):
                raise ValueError(f"The columns are {container.names}; at fit they were {self.names}.")
        return container

    @staticmethod
    def _cells(container, series, column):
        try:
            return column.encode(container, series)
        except NotHashableError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"Column {column.label} had dtype {column.dtype} at fit and holds something else now ({error}); "
                "convert it."
            ) from error

    def decode(self, values):
        """Table of shape (n_samples, n_columns) in the container and dtypes of fit."""
        return self.container.build([column.decode(x) for column, x in zip(self.columns, values.T, strict=True)])

    def fill(self, X, gaps, values):
        """X with the cells of `values` where there are gaps, a mask of the shape of X; other cells never change."""
        container = container_of(X)
        if type(container) is not type(self.container):
            raise ValueError(f"Only a table of the kind that was fitted can be filled, not a {type(X).__name__}.")
        gaps = gaps & ~np.isnan(values)  # a column without any value has none to give
        columns = np.flatnonzero(gaps.any(axis=0))
        drawn = {j: self.columns[j].decode(values[gaps[:, j], j]) for j in columns}
        return container.fill(X, gaps, drawn)
