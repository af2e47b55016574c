"""How the cells of a CSV file are spelt, so that drawn rows are written as the table was.

A spelling is a dict of plain values: the separator of fields, and by the name of each column what its cells need: the
format of times, the digits after the decimal mark and the mark, the form of powers of ten, marks between thousands,
what stands before and after numbers, the words for true and false, and that for a missing cell. Times, words and
decimals are spelt so only if all cells of a column come back as they were.
"""

import contextlib
import re
import warnings
from itertools import product

import numpy as np

DECIMALS = r"-?\d+\.(\d+)"
NO_ZERO = r"^(-?)\."  # .5, as SPSS writes it
SHORT_YEAR = r"(\d{1,2}(\W)(?:\d{1,2}|[^\W\d]{3,})\2)(\d\d(?: .*)?)"  # 02-Dec-23
SCIENTIFIC = r"-?\d\.?(\d*)([eE])[+-]\d\d+"
PREVIEW = 100  # cells that tell most columns without numbers
SIGNS = "[$€£¥₹]"
CURRENCIES = "USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|TRY|BRL|MXN|ZAR|KRW|SGD|HKD"
BEFORE = rf"{SIGNS}\s?|(?:{CURRENCIES})\s?"  # $3.50, EUR 20
AFTER = rf"\s?(?:[%‰]|{SIGNS}|°?[^\W\d_]{{1,5}}[²³23]?(?:/[^\W\d_]{{1,3}})?|°)"  # 12 %, 9.5 m2, 80km/h
GROUPS = {".": ",", ",": "."}  # what stands between thousands, by the decimal mark, ...
BLANKS = " \u00a0\u202f"
OTHER_GROUPS = BLANKS + "'\u2019"  # ... or one of these
MINUSES = "\u2212\u2013"  # signs that typesetting has for the hyphen
HALF = r" ?(?:[AP]M|[ap]m)"  # of a day
DAY_AND_YEAR = rf"\d{{1,2}}(?P<mark>[./-])\d{{1,2}}(?P=mark)\d{{4}}(?: \d{{1,2}}:\d\d(?::\d\d)?(?:{HALF})?)?"
MONTH = r"(?:1[89]|2[01])\d\d[-/]\d\d|(?:\d\d|[^\W\d]{3,})[ /-](?:1[89]|2[01])\d\d"  # 2024-12, Dec 2024
MONTH_FORMATS = "%Y-%m", "%Y/%m", "%m-%Y", "%m/%Y", "%b %Y", "%B %Y", "%b-%Y", "%B-%Y"
PADDING = {  # zeros before digits that may be left out
    "hours": r"( )0(?=\d:)",
    "all": r"(^|[/. -])0(?=\d)",
    "all but years": r"(^|[/. -])0(?=\d[/.:-])",
}
SECONDS = r":\d\d\."  # and what comes before their fraction
CLOCK = rf"\d{{1,3}}:[0-5]\d(?:(?::[0-5]\d)?(?:\.\d{{1,6}})?|(?::[0-5]\d)?{HALF})"  # 9:45, 1:45:06.50, or 4:00 PM
NOON = np.timedelta64(12, "h")


def plain_numbers(cells, mark, are_codes=True):
    """Cells by numbers as Python writes them, and how they were spelt; None if they are not, or were so already.

    All of them must have the same unit, or none, and this mark before their decimals. Codes with leading zeros are no
    numbers.
    """
    first, _ = _with_hyphens(cells.iloc[:PREVIEW])
    if not first.str.fullmatch(_pattern(mark, GROUPS[mark] + OTHER_GROUPS)).all():
        return None
    cells, negative = _with_hyphens(cells)
    group = next((group for group in OTHER_GROUPS if cells.str.contains(rf"\d{group}\d").any()), GROUPS[mark])
    parts = cells.str.extract(f"^{_pattern(mark, group)}$").fillna("")
    before, digits, after = parts[1], parts[3], parts[4]
    signs, units = parts[0] + parts[2], (before + "0" + after).unique()
    if len(units) != 1 or (digits == "").any() or (signs.str.len() > 1).any():
        return None
    if are_codes and digits.str.match(r"0\d").any():
        return None
    if negative == ["", "-"] and are_codes and digits.str.fullmatch(r"\d+").all():
        return None  # 38-, between 38 and 40
    whole = digits.str.partition(mark)[0]
    is_grouped = whole.str.contains(group, regex=False)
    how = {"unit": [before.iloc[0], after.iloc[0], bool((parts[0] != "").any())]} if units[0] != "0" else {}
    if are_codes and not how and group in BLANKS and (digits == whole).all() and digits.str.len().nunique() == 1:
        return None  # a telephone number
    if negative:
        how["negative"] = negative
    if mark == "," and (is_grouped.any() or digits.str.contains(",").any()):
        how["decimal"] = ","
    if is_grouped.any() and not (whole[~is_grouped].str.len() > 3).any():
        how["grouped"] = group
    if not how and not is_grouped.any():
        return None
    plain = str.maketrans({group: "", mark: "."})
    return signs + digits.map(lambda number: number.translate(plain)), how


def _pattern(mark, groups):
    """What matches sign, unit, sign, digits and unit of a number, the thousands being apart by one of some marks."""
    mark = re.escape(mark)
    number = rf"(?:(?:[1-9]\d{{0,2}}(?:[{groups}]\d{{3}})+|\d+)(?:{mark}\d+)?|{mark}\d+)(?:[eE][+-]?\d+)?"
    return rf"([+-]?)({BEFORE})?([+-]?)({number})({AFTER})?"


def _with_hyphens(cells):
    """Cells of numbers in which those below 0 begin with a hyphen, and what stands before and after these, if not that.

    Accountants write (5), and some of their programs 5-.
    """
    if cells.str.contains(r"-.").any():
        return cells, None
    for before, after in (("(", ")"), ("", "-"), *((minus, "") for minus in MINUSES)):
        is_negative = cells.str.startswith(before) & cells.str.endswith(after)
        if is_negative.any():
            bare = cells.str.removeprefix(before).str.removesuffix(after)
            return cells.mask(is_negative, "-" + bare), [before, after]
    return cells, None


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
    gaps, present = text[~present].unique(), present & ~text.duplicated()
    how, cells = {"missing": gaps[0]} if len(gaps) == 1 and gaps[0] else {}, text[present]
    if not len(cells):
        return how
    if pd.api.types.is_bool_dtype(column):
        words = {truth: cells[column[present] == truth].unique().tolist() for truth in (True, False)}
        if max(map(len, words.values())) == 1:
            how["words"] = {str(truth): spelt[0] for truth, spelt in words.items() if spelt}
    elif pd.api.types.is_timedelta64_dtype(column):
        half = _half_of(cells.iloc[0])
        digits = len(cells.iloc[0].partition(".")[2])
        ways = product((2, 3), (True, False))
        forms = ({"clock": n, "padded": padded, "half": half, "digits": digits} for n, padded in ways)
        how |= next((how for how in forms if (_as_clock(column[present], **how) == cells).all()), {})
    elif pd.api.types.is_datetime64_any_dtype(column):
        times, fraction = column[present], re.search(rf"{SECONDS}(\d+)", cells.iloc[0])
        digits = {"digits": len(fraction[1])} if fraction else {}
        paddings = ({}, *({"unpadded": which} for which in PADDING))
        cases = ({}, *({"case": case} for case in ("upper", "lower") if getattr(cells.iloc[0], f"is{case}")()))
        ways = product(formats_of(cells.iloc[0]), paddings, cases)
        right = [{"time": time} | digits | padding | case for time, padding, case in ways]
        for rows in (slice(PREVIEW), slice(None)):
            right = [how for how in right if (_as_text(times.iloc[rows], **how) == cells.iloc[rows]).all()]
        how |= right[0] if right else {}
    elif pd.api.types.is_numeric_dtype(column):
        bare, (*_, sign_first) = cells.str.removeprefix("+"), plain.get("unit", ("", "", True))
        if ((bare != cells) | cells.str.startswith("-")).all() and (bare != cells).any() and sign_first:
            how["plus"] = True
        if bare.str.match(NO_ZERO).any() and not bare.str.match(r"-?0\.").any():
            how["no_zero"] = True
            bare = bare.str.replace(NO_ZERO, r"\g<1>0.", regex=True)
        match, power = re.fullmatch(DECIMALS, bare.iloc[0]), re.fullmatch(SCIENTIFIC, bare.iloc[0])
        digits, form = match and f".{len(match[1])}f", power and f".{len(power[1])}{power[2]}"
        if match and (_formatted(column[present], digits) == bare).all():
            how["digits"] = len(match[1])
        if power and (_formatted(column[present], form) == bare).all():
            how["scientific"] = form
    return (
        how | plain if pd.api.types.is_numeric_dtype(column) else how | {k: plain[k] for k in plain if k == "missing"}
    )


def _half_of(cell):
    """What of a time says in which half of a day it is, with the blank before, "" if nothing does."""
    return re.search(f"({HALF})?$", cell)[0]


def formats_of(cell):
    """Formats of strftime in which a time may be written, %:z being an offset with a colon."""
    import pandas as pd

    short = re.fullmatch(SHORT_YEAR, cell)
    if short:
        return [format_.replace("%Y", "%y") for format_ in formats_of(f"{short[1]}20{short[3]}")]
    if re.fullmatch(MONTH, cell):
        return list(MONTH_FORMATS)
    half = _half_of(cell)
    time, half = cell.removesuffix(half), re.sub(r"\w+", "%p", half)
    with warnings.catch_warnings(action="ignore"):  # of a format that is not asked for
        ways = product((time, time.title()), (True, False))  # 31-Jan-2024 for 31-JAN-2024
        guessed = {pd.tseries.api.guess_datetime_format(time, dayfirst=first) for time, first in ways} - {None}
    guessed = {(format_.replace("%H", "%I") if half else format_) + half for format_ in guessed}
    guessed |= {format_.replace("%B", "%b") for format_ in guessed}  # of a May
    zones = ("%z", "%:z", "Z") if any("%z" in format_ for format_ in guessed) else ("",)
    return [format_.replace("%z", zone) for format_ in sorted(guessed) for zone in zones]


def is_clear(time_format):
    """Whether dates begin with the year and the month, or name the month, so that they can be read in one way only."""
    return "%d" in time_format and bool(re.match(r"%Y\W?%m|.*%[bB].*%Y|%Y.*%[bB]", time_format))


def _as_text(times, time, digits=6, unpadded=None, case=None):
    """Times by a format, in which %:z is an offset with a colon."""
    text = times.dt.strftime(time.replace("%:z", "%z")).astype(object)
    if unpadded:
        text = text.str.replace(PADDING[unpadded], r"\1", regex=True)
    if "%:z" in time:
        text = text.str.replace(r"(\d\d)$", r":\1", regex=True)
    if case:
        text = text.str.upper() if case == "upper" else text.str.lower()
    return text.str.replace(rf"({SECONDS}\d{{{digits}}})\d*", r"\1", regex=True)


def read_clock(text):
    """A Series of timedeltas from text like 9:45, 123:45:06 or 4:00 PM; of 1:45.50 minutes and seconds."""
    import pandas as pd

    clock = text.str.replace(f"{HALF}$", "", regex=True)
    is_short = clock.str.count(":") == 1
    whole = clock.mask(is_short, clock + ":00").mask(is_short & clock.str.contains(".", regex=False), "00:" + clock)
    times = pd.to_timedelta(whole)
    start = np.where(text.str.upper().str.endswith("PM"), NOON, 0 * NOON)
    return times.where(text == clock, times % NOON + start)


def _as_clock(times, clock, padded, half, digits):
    """Timedeltas as two or three of hours, minutes and seconds, with digits of these; half has a way to write AM or PM.

    The two are hours and minutes, but with digits minutes and seconds.
    """
    ticks = times.dt.total_seconds().mul(10**digits).round().astype("int64")
    seconds, fraction = ticks // 10**digits, ticks % 10**digits
    first, *parts = [seconds // 3600, seconds // 60 % 60, seconds % 60]
    if clock == 2:
        first, parts = (seconds // 60, parts[1:]) if digits else (first, parts[:1])
    if half:
        first = (first + 11) % 12 + 1
    text = first.map("{:02d}".format if padded else str)
    for part in parts:
        text = text + part.map(":{:02d}".format)
    if digits:
        text = text + fraction.map(f".{{:0{digits}d}}".format)
    halves = half.translate(str.maketrans("Pp", "Aa")), half.translate(str.maketrans("Aa", "Pp"))
    return text + np.where(seconds % 86400 < 43200, *halves) if half else text


def iso_literals(expression, spelling):
    """An expression in which quoted dates are those of ISO 8601, read as the columns of a spelling have them.

    Quoted times of day are written as timedeltas.
    """
    import pandas as pd

    def as_timedelta(match):
        return match[1] + str(read_clock(pd.Series([match[2]])).iloc[0]) + match[1]

    expression = re.sub(rf"""(["'])({CLOCK})\1""", as_timedelta, expression)
    formats = {how["time"] for how in spelling["columns"].values() if "time" in how} if spelling else ()

    def in_iso(match):
        read = set()
        for format_ in formats:
            with contextlib.suppress(ValueError):
                read.add(read_time(match[2], format_).iloc[0].isoformat(" "))
        if len(read) != 1:
            raise ValueError(f"{match[2]} is no date of ISO 8601")
        return match[1] + read.pop() + match[1]

    return re.sub(rf"""(["'])({DAY_AND_YEAR})\1""", in_iso, expression)


def read_time(text, time):
    """A Series of the one time that a text tells by a format of a spelling; ValueError if it tells none."""
    import pandas as pd

    return pd.to_datetime(pd.Series([text]), format=time.replace("%:z", "%z"))


def _formatted(numbers, form):
    return numbers.map(f"{{:{form}}}".format)


def without_unit(cell, before, after):
    """A number as text without its unit, blanks or none between them; with a sign or a bracket before that, too."""
    sign = cell[:1] if cell[:1] in {"+", "-", "(", *MINUSES} else ""
    return sign + cell.removeprefix(sign).removeprefix(before.strip()).removesuffix(after.strip()).strip()


def _written(number, how, mark):
    """A number as Python writes it, with this decimal mark, and its unit, its sign and marks between thousands."""
    whole, _, fraction = number.partition(".")
    if "grouped" in how:
        group = how["grouped"] if how["grouped"] in OTHER_GROUPS else GROUPS[mark]
        whole = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", group, whole)
    if fraction and how.get("no_zero") and whole in ("0", "-0"):
        whole = whole[:-1]
    number = f"{whole}{mark}{fraction}" if fraction else whole
    before, after, sign_first = how.get("unit", ("", "", False))
    if "negative" in how and number.startswith("-"):
        start, end = how["negative"]
        return start + before + number[1:] + after + end
    sign = "-" * (sign_first and number.startswith("-"))
    if how.get("plus") and not number.startswith("-"):
        sign = "+"
    return sign + before + number.removeprefix(sign) + after


def _positional(number):
    """The shortest text of a number, without an exponent."""
    return str(number) if isinstance(number, (int, np.integer)) else np.format_float_positional(number, trim="-")


def spell(table, spelling, with_commas):
    """A DataFrame in which the cells of the spelling's columns are text; with decimal commas only where it is asked."""
    import pandas as pd

    table = table.copy()
    for name, how in spelling["columns"].items():
        column = table[name]
        cells = column[column.notna()]
        if "words" in how:
            cells = cells.astype(bool).astype(str).map(how["words"])
        elif "clock" in how:
            cells = _as_clock(cells, **{k: how[k] for k in ("clock", "padded", "half", "digits")})
        elif "time" in how:
            cells = _as_text(cells, **{k: how[k] for k in ("time", "digits", "unpadded", "case") if k in how})
        elif "digits" in how:
            cells = _formatted(cells, f".{how['digits']}f")
        elif "scientific" in how:
            cells = _formatted(cells, how["scientific"])
        elif pd.api.types.is_datetime64_any_dtype(cells):
            cells = cells.astype(str)
        if how.keys() & {"decimal", "grouped", "unit", "negative", "plus", "no_zero"}:
            mark = how.get("decimal", ".") if with_commas else "."
            digits = [cell if isinstance(cell, str) else _positional(cell) for cell in cells]
            cells = pd.Series([_written(cell, how, mark) for cell in digits], index=cells.index, dtype=object)
        table[name] = cells.astype(object).reindex(table.index, fill_value=how.get("missing", ""))
    return table
