"""What conditions ask of `sample`: values of some columns, in the words of the user and as the table encodes them."""

import re

import numpy as np

from ._containers import FRAMES, container_of, is_frame, is_missing
from ._table import Integers, did_you_mean, plain_repr, refuse_duplicates

AMBIGUOUS_DATE = re.compile(r"\s*\d{1,2}[^\d:]\d{1,2}\D\d")  # the day or the month comes first
MAX_SHOWN = 10  # values that a message lists


class Conditions:
    """Values of conditions, (n_conditions, n_columns) with NaN in free columns, and the mask of the fixed ones.

    Parameters
    ----------
    table : Table
    given : dict from column to value, or DataFrame with one row for each condition
    """

    def __init__(self, table, given):
        self.table = table
        container, cells = self._cells_of(given)
        self.values = np.full((len(next(iter(cells.values()))), len(table.columns)), np.nan)
        self.fixed = np.zeros(len(table.columns), dtype=bool)
        self.asked = {}  # by the index of a column, what the user asks for
        for name, series in cells.items():
            j = self._named(name)
            self.fixed[j] = True
            self.asked[j] = [given[name]] if isinstance(given, dict) else container.objects(series)
            self.values[:, j] = self._encoded(table.columns[j], container, series, self.asked[j])

    def _cells_of(self, given):
        """A container, and the column in it for each name."""
        own = self.table.container
        if isinstance(given, dict):
            columns = {name: self.table.columns[self._named(name)] for name in given}
            for name, column in columns.items():
                refuse_several(given[name], column)
            return own, {name: own.single(given[name], column.dtype) for name, column in columns.items()}
        if hasattr(given, "collect"):
            raise TypeError(f"conditions are a {type(given).__name__}; call its collect() first.")
        if not is_frame(given):
            raise TypeError(f"conditions must be a dict or a DataFrame, got {type(given).__name__}.")
        container = container_of(given)
        refuse_duplicates(container.names)
        if not container.names:
            raise ValueError("conditions have no column; name the columns to hold fixed.")
        if isinstance(own, FRAMES) and type(container) is not type(own):
            raise TypeError(f"conditions must be a dict or a DataFrame of {own.library}.")
        return container, {name: container.column(given, j) for j, name in enumerate(container.names)}

    def _named(self, name):
        names = self.table.names
        if name not in names:
            raise ValueError(
                f"conditions name {name!r}, which is no column of the table{did_you_mean(name, names)}; they are "
                f"{names}."
            )
        return names.index(name)

    def _encoded(self, column, container, series, asked):
        """What is asked for as the column encodes it."""
        try:
            x = column.encode(container, series)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"conditions ask for {plain_repr(asked[0])} in column {column.label}, which cannot hold it"
                f" ({error}); ask for what its dtype {column.dtype} holds."
            ) from error
        if np.isinf(x).any():
            raise ValueError(f"conditions ask for an infinite number in column {column.label}.")
        return x if column.categories is not None else self._as_held(x, asked, column)

    def _as_held(self, x, asked, column):
        """Numbers as a column holds them; ValueError for an integer or a time that it would change."""
        own = self.table.container
        text = next((value for value in asked if isinstance(value, str)), None)
        if text is not None and not own.is_time(column.dtype):
            raise ValueError(
                f"conditions ask for the text {text!r} in column {column.label}, which holds numbers; ask for a number."
            )
        if text is not None and AMBIGUOUS_DATE.match(text):
            raise ValueError(
                f"conditions ask for {text!r} in column {column.label}; write dates as 2024-12-31 (ISO 8601)."
            )
        present = np.flatnonzero(~np.isnan(x))
        held = column.decode(x[present])
        if isinstance(column, Integers):
            for i, have in zip(present, own.objects(held)):
                want = asked[i]
                if not own.equal(want, have):
                    raise ValueError(
                        f"conditions ask for {plain_repr(want)} in column {column.label}, which would hold "
                        f"{plain_repr(have)} instead; ask for what its dtype {column.dtype} and its steps can hold, in "
                        "its time zone if it has one."
                    )
        x[present] = column.encode(own, held)
        return x

    def _said(self, i, j):
        """What row i asks for in column j, in words."""
        return f"conditions ask for {plain_repr(self.asked[j][i])} in column {self.table.columns[j].label}"

    def _shown(self, j, x):
        """Numbers of column j in the words of the user."""
        return [plain_repr(value) for value in self.table.container.objects(self.table.columns[j].decode(x))]

    def refuse(self, i, j, choices, is_range):
        """Raise ValueError for row i and column j, whose column allows these values."""
        if is_missing(self.asked[j][i]):
            raise ValueError(
                f"conditions ask for a missing cell in column {self.table.columns[j].label}, which had none at fit; "
                "ask for a value."
            )
        allowed = self._shown(j, choices[~np.isnan(choices)])
        words = allowed[:MAX_SHOWN]
        if is_range:
            words = [f"values from {allowed[0]} to {allowed[1]} (others with enforce_bounds=False)"]
        elif len(allowed) > MAX_SHOWN:
            words.append(f"{len(allowed) - MAX_SHOWN} more")
        words += ["a missing cell"] * bool(np.isnan(choices).any())
        raise ValueError(f"{self._said(i, j)}, which the fitted table does not allow; it allows {', '.join(words)}.")

    def refuse_between(self, i, j, ends):
        """Raise ValueError for row i and column j, which lies between these numbers of the grid."""
        low, high = self._shown(j, ends)
        raise ValueError(
            f"{self._said(i, j)}, which holds {low} or {high}, but nothing in between. Ask for one of these or, by "
            "where=, for a range, or fit with enforce_decimals=False."
        )


def refuse_several(value, column):
    """Raise TypeError for a condition that is no single value; categories may be tuples."""
    if isinstance(value, (list, set, dict, np.ndarray)) or (column.categories is None and np.ndim(value)):
        raise TypeError(
            f"conditions ask for {value!r} in column {column.label}; give one value, a DataFrame with a row for each, "
            "or where= for a range."
        )
