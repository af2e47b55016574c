"""How the cells of a CSV file are spelt, so that drawn rows are written as the table was.

A spelling is a dict of plain values: the separator of fields, and by the name of each column what its cells need: the
format of times, the digits after the decimal mark and the mark, points between thousands, what stands before and after
numbers, the words for true and false, and that for a missing cell. A column is spelt so only if all of its cells come
back as they were.
"""

import re
import warnings

DECIMALS = r"-?\d+\.(\d+)"
SECONDS = r":\d\d\."  # and what comes before their fraction


def find_spelling(text, table, separator, plain):
    """The spelling of a table that was read from cells of text.

    Parameters
    ----------
    text : DataFrame of str, with decimal points and without units
    table : DataFrame of what they mean
    separator : of the file
    plain : dict from the name of a column to how its numbers were spelt before
    """
    columns = {name: _find(text[name], table[name], plain.get(name, {})) for name in table}
    return {"separator": separator, "columns": {name: how for name, how in columns.items() if how}}


def _find(text, column, plain):
    import pandas as pd

    present = column.notna()
    gaps, cells = text[~present].unique(), text[present]
    how = {"missing": gaps[0]} if len(gaps) == 1 and gaps[0] else {}
    if not len(cells):
        return how
    if pd.api.types.is_bool_dtype(column):
        words = {truth: cells[column[present] == truth].unique().tolist() for truth in (True, False)}
        if max(map(len, words.values())) == 1:
            how["words"] = {str(truth): spelt[0] for truth, spelt in words.items() if spelt}
    elif pd.api.types.is_datetime64_any_dtype(column):
        right = [how for how in _time_formats(cells.iloc[0]) if (_as_text(column[present], **how) == cells).all()]
        how |= right[0] if right else {}
    elif pd.api.types.is_numeric_dtype(column):
        match = re.fullmatch(DECIMALS, cells.iloc[0])
        if match and (_rounded(column[present], len(match[1])) == cells).all():
            how["digits"] = len(match[1])
        how |= plain
    return how


def _time_formats(cell):
    """What a time may be written by: formats of strftime, and digits of its fraction of a second."""
    import pandas as pd

    with warnings.catch_warnings(action="ignore"):  # of a format that is not asked for
        guessed = {pd.tseries.api.guess_datetime_format(cell, dayfirst=first) for first in (True, False)} - {None}
    spelt = [format_.replace("%z", zone) for format_ in sorted(guessed) for zone in ("%z", "%:z", "Z")]
    fraction = re.search(rf"{SECONDS}(\d+)", cell)
    digits = {"digits": len(fraction[1])} if fraction else {}
    return [{"time": format_} | digits for format_ in spelt]


def _as_text(times, time, digits=6):
    """Times by a format, in which %:z is an offset with a colon."""
    text = times.dt.strftime(time.replace("%:z", "%z"))
    if "%:z" in time:
        text = text.str.replace(r"(\d\d)$", r":\1", regex=True)
    return text.str.replace(rf"({SECONDS}\d{{{digits}}})\d*", r"\1", regex=True)


def read_time(text, time):
    """A Series of the one time that a text tells by a format of a spelling; ValueError if it tells none."""
    import pandas as pd

    return pd.to_datetime(pd.Series([text]), format=time.replace("%:z", "%z"))


def _rounded(numbers, digits):
    return numbers.map(lambda x: f"{x:.{digits}f}")


def _with_comma(number):
    """A number with a decimal point by one with a comma."""
    return number.replace(".", ",")


def _with_points(number):
    """The same, with points between thousands."""
    whole, comma, fraction = _with_comma(number).partition(",")
    return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ".", whole) + comma + fraction


def spell(table, spelling, with_commas):
    """A DataFrame in which the cells of the spelling's columns are text; with decimal commas only where it is asked."""
    table = table.copy()
    for name, how in spelling["columns"].items():
        column = table[name]
        cells = column[column.notna()]
        if "words" in how:
            cells = cells.astype(bool).astype(str).map(how["words"])
        elif "time" in how:
            cells = _as_text(cells, how["time"], how.get("digits", 6))
        elif "digits" in how:
            cells = _rounded(cells, how["digits"])
        if "decimal" in how and with_commas:
            cells = cells.astype(str).map(_with_points if how["grouped"] else _with_comma)
        if "unit" in how:
            before, after = how["unit"]
            cells = before + cells.astype(str) + after
        table[name] = cells.astype(object).reindex(table.index, fill_value=how.get("missing", ""))
    return table
