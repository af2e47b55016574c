"""Tables to be compared: matrices by the columns of the first one, and boosted trees for them."""

import numpy as np
from sklearn.utils import check_array

from ._containers import container_of, is_frame, refuse_other_tables
from ._table import Table, same_names

MAX_CODES = 254  # categories that boosted trees can tell apart
MIN_CELLS = 10  # of a column that a detector reads; with fewer, a fold of its training rows may have none


def as_table(X):
    """A DataFrame, or an array of what is array-like."""
    if isinstance(X, tuple) and len(X) == 2 and is_frame(X[0]):
        raise TypeError("A table is expected; sample() returns rows and components: pass the rows alone.")
    refuse_other_tables(X)
    return X if is_frame(X) else check_array(X, dtype=None, ensure_all_finite="allow-nan")


def table_of(X):
    """The description of a table."""
    return Table(as_table(X), "from_dtype")


def matrices_of(*tables):
    """Float matrices of tables by the columns of the first one, and the description of that one."""
    tables = [as_table(table) for table in tables]
    table = table_of(tables[0])
    for other in tables[1:]:
        names = container_of(other).names if is_frame(other) else list(table.names)[: other.shape[1]]
        if other.shape[1] != len(table.columns) or not same_names(names, table.names):
            only = [repr(name) for name in [*table.names, *names] if (name in names) != (name in table.names)]
            which = f"; one of them lacks {', '.join(only[:5])}" if only else ""
            raise ValueError(f"The tables must have the same columns in the same order{which}.")
        _refuse_other_kinds(table, tables[0], other)
    matrices = [without_float_error(table.encode(other)) for other in tables]
    if not all(len(matrix) for matrix in matrices):
        raise ValueError("A table has no rows.")
    return matrices, table


def _refuse_other_kinds(table, first, other):
    """Raise ValueError for a column that is text in one of two DataFrames only."""
    if is_frame(first) and is_frame(other):
        for j, column in enumerate(table.columns):
            here, there = (_has_text(X, j) for X in (first, other))
            if None not in (here, there) and here != there:
                raise ValueError(
                    f"Column {column.label} holds text in one table and no text in the other; convert it in one of "
                    "them, for example by X.astype({...})."
                )


def _has_text(X, j):
    """Whether all cells of a column are text, or none is; None if some are, or it has no cells."""
    container = container_of(X)
    series = container.column(X, j)
    kinds = {isinstance(cell, str) for cell in container.objects(series)[~container.missing(series)]}
    return kinds.pop() if len(kinds) == 1 else None


def stacked(real, synthetic):
    """Matrix of real rows above synthetic ones, 1 and 0 for them, and the mask of columns with cells; only those."""
    X, y = np.concatenate([real, synthetic]), np.repeat([1, 0], [len(real), len(synthetic)])
    observed = (~np.isnan(X)).sum(axis=0) >= min(MIN_CELLS, len(X))
    return X[:, observed], y, observed


def without_float_error(x):
    """Numbers to ten digits, integers as they are: what a scaler and its inverse leave behind is no difference."""
    digits = 9 - np.floor(np.log10(np.abs(np.where(x == 0, 1.0, x))))
    scale = 10.0 ** np.clip(np.nan_to_num(digits), -300, 300)
    return np.where(x == np.rint(x), x, np.round(x * scale) / scale)


def boosting(kind, categorical, X, random_state):
    """Boosted trees for a matrix in which categories are codes."""
    few = categorical & (np.nanmax(X, axis=0, initial=0.0) <= MAX_CODES - 1)
    return kind(categorical_features=few, random_state=random_state)


def levels_of(x, edges):
    """Codes of a column: its categories, or the bin of each number; missing cells are a level of their own."""
    codes = x if edges is None else np.searchsorted(edges, x).astype(float)
    return np.where(np.isnan(x), -2.0, codes)
