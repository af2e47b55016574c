"""Tables in CSV and Parquet files: what the columns are is guessed, told and kept."""

import sys
from pathlib import Path

import numpy as np

from ._containers import import_pandas

READERS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip", ".zst")
KINDS = ("category", "integer", "number", "time")


def _format_of(path):
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in READERS:
        raise ValueError(f"{path}: the name must end in {', '.join(READERS)}, or be - for CSV.")
    return READERS[suffix], "\t" if suffix == ".tsv" else ","


def read_table(path, types=None, drop=()):
    """DataFrame of a CSV or Parquet file, or of CSV on standard input for "-".

    In CSV, whole numbers with gaps are integers, and text that holds ISO 8601 times throughout is times.

    Parameters
    ----------
    path : str
    types : dict of a column's name to one of KINDS, instead of the guess
    drop : names of columns to leave out
    """
    pd = import_pandas("tables in files")
    kind, separator = ("csv", ",") if path == "-" else _format_of(path)
    if kind == "parquet":
        table = pd.read_parquet(path)
    else:
        text = {name: str for name, kind in (types or {}).items() if kind == "category"}
        table = pd.read_csv(sys.stdin if path == "-" else path, sep=separator, dtype=text)
        for name in table:
            if name not in (types or {}):
                table[name] = _guess(table[name])
    for name in [*drop, *(types or {})]:
        if name not in table:
            raise ValueError(f"{path} has no column {name!r}; the columns are {', '.join(map(str, table))}.")
    for name, kind in (types or {}).items():
        table[name] = _as_kind(table[name], kind)
    return table.drop(columns=list(drop))


def _guess(column):
    """A column of a CSV file as what it most likely is."""
    pd = import_pandas("tables in files")
    if pd.api.types.is_float_dtype(column):
        known = column.dropna()
        whole = column.isna().any() and len(known) and (known == np.rint(known)).all() and known.abs().max() < 2**53
        return column.astype("Int64") if whole else column
    if (column.dtype == object or pd.api.types.is_string_dtype(column)) and column.notna().any():
        times = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
        if times.notna().equals(column.notna()):
            return pd.to_datetime(column, format="ISO8601", utc=_is_zoned(column))
    return column


def _is_zoned(column):
    """Whether any time of a column of text tells an offset."""
    return bool(column.dropna().str.contains(r"(?:Z|[+-]\d\d:?\d\d)$").any())


def _as_kind(column, kind):
    pd = import_pandas("tables in files")
    try:
        if kind == "category":
            return column.astype("category")
        if kind == "time":
            return pd.to_datetime(column, format="mixed")
        numbers = pd.to_numeric(column)
        if kind == "number":
            return numbers.astype(float)
        return numbers.astype("Int64" if column.isna().any() else "int64")
    except (ValueError, TypeError) as error:
        raise ValueError(f"Column {column.name!r} cannot be read as {kind}: {error}") from error


def read_like(path, template):
    """DataFrame of a file, in the columns and dtypes of another; categories may be new."""
    pd = import_pandas("tables in files")
    is_number = {name: pd.api.types.is_numeric_dtype(column) for name, column in template.items()}
    is_time = {name: pd.api.types.is_datetime64_any_dtype(column) for name, column in template.items()}
    text = [name for name in template if not is_number[name] and not is_time[name]]
    table = read_table(path, dict.fromkeys(text, "category"))
    missing = [name for name in template if name not in table]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]!r}; it needs {', '.join(map(str, template))}.")
    for name in template.columns.difference(text):
        dtype = template[name].dtype
        try:
            table[name] = table[name].astype(dtype)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: column {name!r} cannot be read as {dtype}: {error}") from error
    return table[list(template)]


def parse_cell(text, column):
    """The value that a text means in a column; empty text is a missing cell."""
    pd = import_pandas("tables in files")
    if text == "":
        return None
    if isinstance(column.dtype, pd.CategoricalDtype):
        return {str(level): level for level in column.cat.categories}.get(text, text)
    if pd.api.types.is_bool_dtype(column):
        return {"true": True, "false": False}.get(text.lower(), text)
    if pd.api.types.is_datetime64_any_dtype(column):
        time = pd.Timestamp(text)
        return time.tz_localize(column.dt.tz) if column.dt.tz is not None and time.tz is None else time
    return pd.to_numeric(text) if pd.api.types.is_numeric_dtype(column) else text


def write_table(table, path):
    """Write a DataFrame to a CSV or Parquet file, or as CSV to standard output for "-"."""
    kind, separator = ("csv", ",") if path == "-" else _format_of(path)
    if kind == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(sys.stdout if path == "-" else path, sep=separator, index=False)


def describe(table):
    """One line a column: name, what it is, and how much of it is missing."""
    pd = import_pandas("tables in files")
    width = max(len(str(name)) for name in table)
    lines = []
    for name, column in table.items():
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            whole = pd.api.types.is_integer_dtype(column)
            what = f"{'integer' if whole else 'number'}, {column.min()} to {column.max()}"
        elif pd.api.types.is_datetime64_any_dtype(column):
            what = f"time, {column.min()} to {column.max()}"
        else:
            what = f"category, {column.nunique()} levels"
        gaps = column.isna().mean()
        lines.append(f"{name!s:{width}}  {what}{f', {gaps:.1%} missing' if gaps else ''}")
    return "\n".join(lines)
