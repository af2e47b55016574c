"""Tables in CSV and Parquet files: what the columns are is guessed, told and kept."""

import codecs
import contextlib
import csv
import io
import re
import sys
import warnings
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from ._containers import import_pandas
from ._spelling import (
    CLOCK,
    DAY_AND_YEAR,
    HALF,
    MONTH,
    SHORT_YEAR,
    find_spelling,
    formats_of,
    is_clear,
    plain_numbers,
    read_clock,
    read_time,
    spell,
    without_unit,
)
from ._table import did_you_mean

READERS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip", ".zst")
KINDS = ("category", "integer", "number", "time")
SEPARATORS = (";", "\t", "|")  # other than a comma
NO_SEPARATOR = "\x1f"
PEEK = 20  # lines that tell the separator
ENCODINGS = ("utf-8-sig", "utf-16", "cp1252")  # tried in turn
MISSING = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None", "-", "--", "?", "."]
FIRST_YEAR = 1000  # of times that say one
YEARS = 1800, 2199  # that may be names
OLD = 20  # years, that tell the past
MOSTLY = 0.9  # of the cells of a column, ...
MANY = 20  # ... if so many are different
WRITE = "write numbers as 1012.5, and dates as 2024-12-31 (ISO 8601)"
TIMES = ("M", "m")  # kinds of dtypes: dates with or without a time, and timedeltas
TRUTH = {"true": True, "false": False}
ISO_DATE = r"\d{4}-\d{2}-\d{2}"
COMPACT_DATE = r"(?:19|20)\d{6}|99991231"  # 20241231; SAP has the latter where there is no end
DIGITS = r"[+-]?\d+"
CODE = r"[+-]?0\d"  # the start of one, a leading zero
PLAIN_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
ISO_DURATION = r"P(?=.)(?:\d+[YMWD])*(?:T(?:[\d.]+[HMS])+)?"
LIKE_A_NUMBER = r"\W{0,2}(?:\d[\d.,/' ]*\W{0,2}(?: ?[^\W\d]{1,5}[+-]?\d*? ?)?){1,3}"  # 1,012.50 or 31/12/2024 or 2h 13m
OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"  # the end of a time with a zone, ...
WITH_OFFSET = rf":\d\d[\d:.,]*\s?{OFFSET}(?:[\"']|$)"  # ... which tells it from a year; and then a quote or nothing


def _format_of(path):
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in READERS:
        raise ValueError(f"{path}: the name must end in {', '.join(READERS)}, or be - for CSV.")
    return READERS[suffix], "\t" if suffix == ".tsv" else ","


def _read(path):
    """DataFrame of a file, and for CSV, whose cells are text, "" where there is none, its separator."""
    pd = import_pandas("tables in files")
    kind, separator = ("csv", ",") if path == "-" else _format_of(path)
    if kind == "parquet":
        return pd.read_parquet(path), None
    source = io.StringIO(sys.stdin.read()) if path == "-" else path
    for encoding in ENCODINGS[:1] if path == "-" else ENCODINGS:
        try:
            table, separator = _parse(path, source, separator, encoding)
            break
        except UnicodeError:
            continue
    else:
        raise ValueError(f"{path} is no text of a known encoding; save it as CSV in UTF-8.")
    if encoding == "cp1252":
        warnings.warn(f"{path} is no UTF-8 text, and is read as that of Windows (cp1252).", UserWarning, stacklevel=3)
    if not len(table):
        raise ValueError(f"{path} has no rows.")
    return table, separator


def _parse(path, source, separator, encoding):
    """DataFrame of the cells of a CSV file as text, and what separates its fields: that of its name, or its header."""
    import pandas as pd

    form = {"dtype": object, "keep_default_na": False, "index_col": False, "encoding": encoding}

    def parsed(separator, **options):
        if path == "-":
            source.seek(0)
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            return pd.read_csv(source, sep=separator, **form, **options)

    def first_line(separator):
        return parsed(separator, nrows=1, header=None).iloc[0]

    def separates(mark):
        """Whether the first rows have as many fields as the header, and more than one."""
        with contextlib.suppress(csv.Error):
            sizes = {len(fields) for fields in csv.reader(lines, delimiter=mark)}
            return len(sizes) == 1 and sizes != {1}
        return False

    try:
        names = first_line(separator)
        told = re.fullmatch(r"sep=(.),*", separator.join(names))  # by Excel, in a line above the names
        if told:
            separator, form["skiprows"] = told[1], 1
        else:
            lines = parsed(NO_SEPARATOR, nrows=PEEK, header=None, quoting=csv.QUOTE_NONE)[0]
            in_name = (mark for mark in SEPARATORS if len(names) == 1 and mark in names.iloc[0])
            separator = next(filter(separates, SEPARATORS), next(in_name, separator))
        names = first_line(separator)
        if len(names) > 1 and names.iloc[1:].str.startswith(" ").all():
            form["skipinitialspace"] = True
            names = first_line(separator)
        _refuse_twice(path, names)
        table = parsed(separator, skip_blank_lines=len(names) > 1)
        _warn_of_cells(path, names, table)
        nameless = [f"Unnamed: {k}" for k in range((names == "").sum())]
        table = table.rename(columns=dict(zip(table.columns[names == ""], nameless)))
        table.attrs["nameless"] = nameless
        return table, separator
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty.") from None
    except pd.errors.ParserWarning:
        raise ValueError(
            f"{path} has more fields in a row than names in its header; put fields that hold a separator in quotes, "
            "and leave out what stands above the names."
        ) from None
    except pd.errors.ParserError as error:
        raise ValueError(
            f"{path} cannot be read: {str(error).strip()}; put fields that hold a separator in quotes."
        ) from error


def _warn_of_cells(path, names, table):
    """Warn if half of the names of a file or more are like the cells below them; years and numbers in order are not."""
    import pandas as pd

    numbers = pd.to_numeric(names, errors="coerce").dropna()
    counts = len(numbers) > 2 and (numbers.is_monotonic_increasing or numbers.is_monotonic_decreasing)
    counts = counts or numbers.between(*YEARS).all() or numbers.tolist() in ([0, 1], [1, 2])

    def is_like_a_cell(j, cells):
        if j in numbers:
            return not counts and cells.str.fullmatch(PLAIN_NUMBER).mean() > MOSTLY
        return len(names) > 1 and (cells == names[j]).any()

    odd = [names[j] for j, (_, cells) in enumerate(table.items()) if is_like_a_cell(j, cells)]
    if 2 * len(odd) >= len(names):
        warnings.warn(
            f"The first line of {path} is taken for names, of which {odd[0]!r} looks like a cell; if it is one, put a "
            "line with the names of the columns above.",
            UserWarning,
            stacklevel=5,
        )


def _refuse_twice(path, names):
    """Raise ValueError if a name of the header of a file comes twice."""
    twice = names[names.duplicated() & (names != "")]
    if len(twice):
        raise ValueError(f"{path} has the column {twice.iloc[0]!r} twice; give each column a name of its own.")


def read_table(path, types=None, drop=()):
    """DataFrame of a CSV or Parquet file, or of CSV on standard input for "-".

    In CSV, whole numbers with gaps are integers, true and false are booleans, and text that holds clear dates or times
    throughout is times. An empty field is a gap; in columns of numbers the words of MISSING are, too, or the only one
    without a digit.

    Parameters
    ----------
    path : str
    types : dict of a column's name to one of KINDS, instead of the guess
    drop : names of columns to leave out
    """
    types = types or {}
    table, separator = _read(path)
    for name in [*drop, *types]:
        if name not in table:
            columns = ", ".join(map(str, table))
            raise ValueError(f"{path} has no column {name!r}{did_you_mean(name, table)}; the columns are {columns}.")
    table = table.drop(columns=list(drop))
    if not table.shape[1]:
        raise ValueError(f"No column of {path} is left.")
    text, how, mark = table.copy(), {}, _mark(table, separator)
    for name in table:
        if separator and types.get(name) != "category":
            text[name], how[name] = _plain(table[name], mark, are_codes=name not in types)
        if name in types:
            table[name] = _as_kind(_as_text(text[name]), types[name])
        elif separator:
            table[name] = _guess(text[name])
    if separator:
        ends = {"nameless": table.attrs.pop("nameless")} | _ends_of(path)
        table.attrs["spelling"] = find_spelling(text, table, separator, how) | ends
    return table


def _ends_of(path):
    """How a CSV file that is not compressed begins and ends its lines: a mark of UTF-8, and what Windows has."""
    if path == "-" or Path(path).suffix.lower() in COMPRESSIONS:
        return {}
    with open(path, "rb") as file:
        line = file.readline()
    encoding = {"encoding": "utf-8-sig"} if line.startswith(codecs.BOM_UTF8) else {}
    return encoding | ({"newline": "\r\n"} if line.endswith(b"\r\n") else {})


def _mark(table, separator):
    """What stands before the decimals of a CSV file: a comma, if that separates no fields and some column has it.

    If no column tells, points that three digits follow throughout stand between thousands.
    """
    if separator in (None, ","):
        return "."
    columns = [text[~text.isin(MISSING)] for _, text in table.items()]
    found = [(cells, plain_numbers(cells, ",", are_codes=False)) for cells in columns if len(cells)]
    commas = [cells for cells, spelt in found if spelt and "decimal" in spelt[1]]
    points = [cells for cells, spelt in found if not spelt and cells.str.contains(".", regex=False).any()]
    if any(cells.str.contains(",").any() for cells in commas):
        return ","
    return "," if commas and not any(cells.str.fullmatch(PLAIN_NUMBER).all() for cells in points) else "."


def _plain(text, mark, are_codes=True):
    """A column of text in which numbers are as Python writes them, and gaps are nothing; and how they were spelt.

    A word is a gap if it is the only one without a digit, among many numbers or dates. Leading zeros are those of
    codes, unless it is known that these are numbers.
    """
    import pandas as pd

    cells = text[~text.isin(MISSING)].drop_duplicates()
    if mark == "." and pd.to_numeric(cells, errors="coerce").notna().all():
        return text, {}
    words, rest = cells[~cells.str.contains(r"\d")], cells[cells.str.contains(r"\d")]
    has_word = len(words) == 1 and len(rest) > MANY
    if has_word:
        cells = rest
    spelt = (plain_numbers(cells, m, are_codes) for m in (mark, "."))
    numbers, how = next(filter(None, spelt), (cells, {}))
    is_read = how or cells.str.fullmatch(f"{PLAIN_NUMBER}|{ISO_DATE}.*|{DAY_AND_YEAR}|{CLOCK}").all()
    if not is_read or not (how or has_word):
        return text, {}
    if has_word and not text.isin(MISSING).any():
        how = how | {"missing": words.iloc[0]}
    plain = text.map(dict(zip(cells, numbers)))
    return plain.where(plain.notna(), text.where(text.isin(MISSING), "")), how


def _as_text(column):
    """The cells of a column as text, "" where one is missing; as objects, for Arrow does not know all expressions."""
    return column.astype(object).map(str, na_action="ignore").fillna("").astype(object)


def _as_words(text):
    """A column of categories from one of text, in the dtype that pandas has for text."""
    return text.mask(text == "").infer_objects()


def _guess(text):
    """A column of text as what it most likely is."""
    import pandas as pd

    every = text[~text.isin(MISSING)]
    cells = every.drop_duplicates()
    if not len(cells):
        return pd.Series(np.nan, index=text.index, name=text.name)
    if cells.str.lower().isin(TRUTH).all():
        return _as_truth(text)
    if cells.str.fullmatch(COMPACT_DATE).all() and len(cells) > MANY:
        times = pd.to_datetime(every, format="%Y%m%d", errors="coerce")
        if times.notna().all():
            return times.reindex(text.index)
    numbers = pd.to_numeric(cells, errors="coerce")
    if not cells.str.match(CODE).any() and numbers.notna().all():
        is_whole = cells.str.fullmatch(DIGITS).all() or (len(every) < len(text) and _is_whole(numbers))
        try:
            return _as_kind(text, "integer" if is_whole else "number")
        except ValueError:  # codes of more than 64 bits
            return _as_words(text)
    if cells.str.fullmatch(CLOCK).all():
        return _as_kind(text, "time")
    is_date = cells.str.match(ISO_DATE)
    if is_date.all() and cells.str.contains(WITH_OFFSET).nunique() == 1:
        times = pd.to_datetime(every, format="ISO8601", errors="coerce", utc=_has_several_offsets(cells))
        if times.notna().all():
            return times.reindex(text.index)
    if cells.str.fullmatch(DAY_AND_YEAR).all():
        try:
            return _as_kind(text, "time")
        except ValueError:  # of which the model warns
            return _as_words(text)
    are_months = len(cells) > MANY and cells.str.fullmatch(MONTH).all()
    for time_format in filter(None if are_months else is_clear, formats_of(cells.iloc[0])):
        times = pd.to_datetime(every, format=time_format, errors="coerce")
        if times.notna().all():
            return times.reindex(text.index)
    if len(cells) > MANY and not cells.str.fullmatch(DIGITS).all():
        _warn_of_numbers(every)
    return _as_words(text)


def _warn_of_numbers(cells):
    """Warn if most cells of a column of categories are like numbers or dates."""
    import pandas as pd

    is_date = cells.str.match(ISO_DATE)
    if (is_date | cells.str.fullmatch(f"{LIKE_A_NUMBER}|{ISO_DURATION}")).mean() > MOSTLY:
        odd = cells[~is_date] if is_date.mean() > MOSTLY else cells[pd.to_numeric(cells, errors="coerce").isna()]
        odd = odd if len(odd) else cells
        shapes = odd.str.replace(r"\d+", "0", regex=True)
        rarest = odd[shapes == shapes.value_counts().index[-1]].iloc[0]
        warnings.warn(
            f"Column {cells.name!r} is taken for categories, for {len(odd)} of {len(cells)} cells like {rarest!r}; "
            f"{WRITE}, and nothing where a cell is missing; or say by "
            f"--type '{cells.name}=category', =time or =number what they are.",
            UserWarning,
            stacklevel=4,
        )


def _is_whole(numbers):
    return bool((numbers == np.rint(numbers)).all() and (np.abs(numbers.astype(float)) < 2**53).all())


def _long_integers(cells):
    """A column of text with integers that floats do not hold, as the first dtype that does."""
    import pandas as pd

    whole = [pd.NA if gap else int(cell) for cell, gap in zip(cells, cells.isna())]
    for dtype in ("Int64", "UInt64") if cells.isna().any() else ("int64", "uint64"):
        with contextlib.suppress(OverflowError):
            return pd.Series(whole, cells.index, dtype=dtype, name=cells.name)
    raise ValueError(f"Column {cells.name!r} cannot be read as integer: it holds numbers of more than 64 bits.")


def _as_truth(text):
    truth = text.str.lower().map(TRUTH)
    return truth.astype("boolean" if truth.isna().any() else bool)


def _as_kind(text, kind, time_format=None):
    """A column of text as one of KINDS."""
    import pandas as pd

    if kind == "category":
        return _as_words(text).astype("category")
    cells = text.mask(text.isin(MISSING))
    if kind == "time":
        return _as_times(cells, time_format)
    numbers = pd.to_numeric(cells, errors="coerce")
    odd = cells[numbers.isna()].dropna()
    if len(odd):
        raise ValueError(f"Column {text.name!r} cannot be read as {kind}: it holds {odd.iloc[0]!r}; {WRITE}.")
    if kind == "number":
        return numbers.astype(float)
    if pd.api.types.is_integer_dtype(numbers):
        return numbers
    if _is_whole(numbers.dropna()):
        return numbers.astype("Int64" if numbers.isna().any() else "int64")
    fraction = cells[~cells.str.fullmatch(DIGITS, na=True) & (numbers != np.rint(numbers.astype(float)))]
    if len(fraction):
        raise ValueError(f"Column {text.name!r} cannot be read as integer: it holds {fraction.iloc[0]}.")
    return _long_integers(cells)


def _has_several_offsets(cells):
    """Whether times of text have several offsets to UTC, as those of a zone with summer have."""
    offsets = cells.str.extract(f"({OFFSET})$", expand=False).str.replace(":", "")
    return bool(cells.str.contains(WITH_OFFSET).all()) and offsets.nunique() > 1


def _as_times(cells, time_format=None):
    """Times of text: of a format that is told, ISO 8601, or one clear about whether day or month comes first.

    Those without a date are timedeltas.
    """
    import pandas as pd

    present = cells.dropna()
    clocks = present[present.str.fullmatch(CLOCK)]
    if len(clocks) == len(present) > 0:
        return read_clock(cells)
    if len(clocks):
        raise ValueError(
            f"Column {cells.name!r} cannot be read as time: it holds {clocks.iloc[0]!r}, which has no date, and others "
            "have; write the date, too."
        )
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        in_utc = _has_several_offsets(present)
        clear = [{"format": time_format.replace("%:z", "%z")}] if time_format else []
        clear.append({"format": "ISO8601"})
        is_dotted = present.str.match(r"\d{1,2}\.").all()  # and the day comes first
        others = [{"dayfirst": first} for first in (True, *[False] * (not is_dotted))]
        if len(present) and (present.str.contains(f"{HALF}$") | present.str.fullmatch(SHORT_YEAR)).all():
            others = [{"format": time_format} for time_format in formats_of(present.iloc[0])]
            others = [how for how in others if how["format"].startswith("%d") or not is_dotted]
        for how in (*clear, *others):
            try:
                found.append(pd.to_datetime(cells, utc=in_utc, **how))
            except (ValueError, TypeError):
                continue
            if how in clear:
                return found[0]
        singly = [pd.to_datetime(cells, errors="coerce", format="mixed", dayfirst=first) for first in (True, False)]
    if not found or not all(times.equals(found[0]) for times in found):
        odd = cells[cells.notna() & singly[0].isna() & singly[1].isna()]
        odd = odd if len(odd) else cells[~cells.str.match(ISO_DATE, na=True)]
        raise ValueError(
            f"Column {cells.name!r} cannot be read as time: it holds {(odd if len(odd) else cells).iloc[0]!r}, and has "
            f"no format or may be read in two ways; {WRITE}."
        )
    years = found[0].dt.year
    if years.min() < FIRST_YEAR:
        raise ValueError(
            f"Column {cells.name!r} cannot be read as time: {cells[years.idxmin()]!r} has no year; {WRITE}."
        )
    if present.str.fullmatch(SHORT_YEAR).all() and years.max() > date.today().year >= years.min() + OLD:
        warnings.warn(
            f"Column {cells.name!r} has years of two digits: {cells[years.idxmax()]!r} is taken for {years.max()}, and "
            f"{cells[years.idxmin()]!r} for {years.min()}; write years of four digits.",
            UserWarning,
            stacklevel=4,
        )
    return found[0]


def read_like(path, template, spelling=None, remedy=None):
    """DataFrame of a file, in the columns of another, and in its dtypes wherever they can hold the cells.

    Times are read in the format of its spelling, if they all have it. The remedy helps where a column is not there.
    """
    import pandas as pd

    table, separator = _read(path)
    missing = [name for name in template if name not in table]
    if missing:
        raise ValueError(
            f"{path} has no column {missing[0]!r}; it needs {', '.join(map(str, template))}"
            f"{f', or {remedy}' if remedy else ''}."
        )
    table = table[list(template)].copy()
    mark = _mark(table, separator)
    for name, like in template.items():
        is_measured = pd.api.types.is_numeric_dtype(like) or pd.api.types.is_datetime64_any_dtype(like)
        how = spelling["columns"].get(name, {}) if spelling else {}
        if separator and is_measured and not pd.api.types.is_bool_dtype(like):
            cells = table[name].replace(how["missing"], "") if "missing" in how else table[name]
            before, after, _ = how.get("unit", ("", "", False))
            bare = cells.map(partial(without_unit, before=before, after=after)) if "unit" in how else cells
            table[name], found = _plain(bare, how.get("decimal", mark), are_codes=False)
            if "unit" in found:
                there, own = "".join(found["unit"][:2]).strip(), (before + after).strip()
                raise ValueError(
                    f"{path}: the numbers of column {name!r} have the unit {there!r}; at fit they had {own or None!r}."
                )
        if separator or table[name].dtype not in (like.dtype, object):
            table[name] = _column_like(_as_text(table[name]), like, how.get("time"))
    return table


def _in_zone_of(like, times):
    """Times without a zone as those of a column's own: an hour that comes twice is the first, one left out the next."""
    if times.dt.tz is not None or like.dt.tz is None:
        return times
    first = np.ones(len(times), dtype=bool)
    return times.dt.tz_localize(like.dt.tz, ambiguous=first, nonexistent="shift_forward")


def _column_like(text, like, time_format=None):
    """A column of text in the dtype of another, or in one that holds all of its cells."""
    import pandas as pd

    if isinstance(like.dtype, pd.CategoricalDtype):
        if pd.api.types.is_datetime64_any_dtype(like.cat.categories):
            return _column_like(text, like.cat.categories.to_series()).astype(object)
        levels = {str(level): level for level in like.cat.categories}
        return text.astype(object).map(lambda cell: levels.get(cell, cell) if cell else None)
    if pd.api.types.is_bool_dtype(like):
        is_truth = (text.str.lower().isin(TRUTH) | text.isin(MISSING)).all()
        return _as_truth(text) if is_truth else _as_words(text)
    if pd.api.types.is_datetime64_any_dtype(like):
        return _in_zone_of(like, _as_kind(text, "time", time_format)).astype(like.dtype)
    if pd.api.types.is_timedelta64_dtype(like):
        are_clocks = text[~text.isin(MISSING)].str.fullmatch(CLOCK).all()
        cells = text.mask(text.isin(MISSING))
        return (read_clock(cells) if are_clocks else pd.to_timedelta(cells)).astype(like.dtype)
    if not pd.api.types.is_numeric_dtype(like):
        return _as_words(text)
    is_whole = text[~text.isin(MISSING)].str.fullmatch(DIGITS).all()
    numbers = _as_kind(text, "integer" if is_whole else "number")
    if pd.api.types.is_float_dtype(like):
        return numbers.astype(float)
    limits, takes_gaps = np.iinfo(getattr(like.dtype, "numpy_dtype", like.dtype)), hasattr(like.dtype, "numpy_dtype")
    fits = is_whole and numbers.between(limits.min, limits.max).all() and (takes_gaps or numbers.notna().all())
    return numbers.astype(like.dtype) if fits else numbers


def parse_cell(text, column, how=None):
    """The value that a text means in a column whose cells were spelt so; empty text is a missing cell."""
    import pandas as pd

    how = how or {}
    is_text = not (pd.api.types.is_numeric_dtype(column) or column.dtype.kind in TIMES)
    if text in ("", how.get("missing")) or (text in MISSING and not is_text):
        return None
    if isinstance(column.dtype, pd.CategoricalDtype):
        return {str(level): level for level in column.cat.categories}.get(text, text)
    if pd.api.types.is_bool_dtype(column):
        return TRUTH.get(text.lower(), text)
    if is_text:
        return text
    try:
        if pd.api.types.is_timedelta64_dtype(column):
            return read_clock(pd.Series([text])).iloc[0]
        if pd.api.types.is_numeric_dtype(column):
            before, after, _ = how.get("unit", ("", "", False))
            number = without_unit(text, before, after)
            mark = "," if how.get("decimal") == "," and ("," in text or "grouped" in how) else "."
            spelt = plain_numbers(pd.Series([number]), mark, are_codes=False)
            return pd.to_numeric(spelt[0].iloc[0] if spelt and "unit" not in spelt[1] else number).item()
        is_iso = re.match(ISO_DATE, text)
        if is_iso or "time" in how:
            times = pd.Series([pd.to_datetime(text, format="ISO8601")]) if is_iso else read_time(text, how["time"])
            return _in_zone_of(column, times).iloc[0]
    except ValueError:
        pass
    raise ValueError(f"Column {column.name!r} holds no {text!r}; {WRITE}.")


def write_table(table, path, spelling=None):
    """Write a DataFrame to a CSV or Parquet file, or as CSV to standard output for "-".

    CSV is spelt as the file that the table was learned from, if its spelling is given.
    """
    kind, separator = ("csv", ",") if path == "-" else _format_of(path)
    if kind == "parquet":
        table.to_parquet(path)
        return
    if spelling:
        own = spelling["separator"] if spelling["separator"] in SEPARATORS else ","
        if table.shape[1] > 1 and (path == "-" or (separator == "," and own != "\t")):
            separator = own
        table = spell(table, spelling, with_commas=separator == own != ",")
        table = table.rename(columns=dict.fromkeys(spelling["nameless"], ""))
    ends = spelling or {}
    form = {"encoding": ends.get("encoding", "utf-8"), "lineterminator": ends.get("newline", "\n")}
    table.to_csv(sys.stdout if path == "-" else path, sep=separator, index=False, **form)


def describe(table):
    """One line a column: name, what it is, and how much of it is missing."""
    import pandas as pd

    width = max(len(str(name)) for name in table)
    lines = []
    for name, column in table.items():
        if column.isna().all():
            lines.append(f"{name!s:{width}}  all missing")
            continue
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            whole = pd.api.types.is_integer_dtype(column)
            what = f"{'integer' if whole else 'number'}, {column.min()} to {column.max()}"
        elif column.dtype.kind in TIMES:
            low, high = (
                str(time).removesuffix(" 00:00:00").removeprefix("0 days ") for time in (column.min(), column.max())
            )
            what = f"time, {low} to {high}"
        elif pd.api.types.is_bool_dtype(column):
            what = "boolean"
        else:
            what = f"category, {column.nunique()} levels"
        gaps = column.isna().mean()
        lines.append(f"{name!s:{width}}  {what}{f', {gaps:.1%} missing' if gaps else ''}")
    return "\n".join(lines)
