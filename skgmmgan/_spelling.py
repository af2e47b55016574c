"""How the cells of a CSV file are spelt, so that drawn rows are written as the table was.

A spelling is a dict of plain values: the separator of fields, the decimal mark, and by the name of each column what
its cells need: the format of times, the digits after the decimal mark, the words for true and false, and that for a
missing cell. A column is spelt so only if all of its cells come back as they were.
"""

import re
import warnings

DECIMALS = r"[+-]?\d+\.(\d+)"


def find_spelling(text, table, separator, decimal):
    """The spelling of a table that was read from cells of text.

    Parameters
    ----------
    text : DataFrame of str, with decimal points
    table : DataFrame of what they mean
    separator, decimal : of the file
    """
    columns = {name: _find(text[name], table[name]) for name in table}
    return {"separator": separator, "decimal": decimal, "columns": {name: how for name, how in columns.items() if how}}


def _find(text, column):
    import pandas as pd

    present = column.notna()
    gaps, cells = text[~present].unique(), text[present]
    how = {"missing": gaps[0]} if len(gaps) == 1 and gaps[0] else {}
    if not len(cells):
        return how
    if pd.api.types.is_bool_dtype(column):
        words = {str(truth): cells[column[present] == truth].unique() for truth in (True, False)}
        if all(len(spelt) == 1 for spelt in words.values()):
            how |= {truth: spelt[0] for truth, spelt in words.items()}
    elif pd.api.types.is_datetime64_any_dtype(column):
        with warnings.catch_warnings(action="ignore"):  # of a format that is not asked for
            guessed = {pd.tseries.api.guess_datetime_format(cells.iloc[0], dayfirst=first) for first in (True, False)}
        right = [format_ for format_ in guessed - {None} if (column[present].dt.strftime(format_) == cells).all()]
        how |= {"time": right[0]} if right else {}
    elif pd.api.types.is_float_dtype(column):
        digits = {len(match[1]) if match else None for match in (re.fullmatch(DECIMALS, cell) for cell in cells)}
        if len(digits) == 1 and None not in digits:
            how["digits"] = digits.pop()
    return how


def spell(table, spelling):
    """A DataFrame in which the cells of the spelling's columns are text."""
    table = table.copy()
    for name, how in spelling["columns"].items():
        column = table[name]
        present = column.notna()
        cells = column[present].astype(object)
        if "True" in how:
            cells = cells.map({True: how["True"], False: how["False"]})
        elif "time" in how:
            cells = column[present].dt.strftime(how["time"])
        elif "digits" in how:
            cells = cells.map(lambda x, digits=how["digits"]: f"{x:.{digits}f}".replace(".", spelling["decimal"]))
        table[name] = cells.reindex(table.index, fill_value=how.get("missing", ""))
    return table
