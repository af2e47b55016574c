"""Python objects of a table as text and numbers, and back: what a saved file holds of them."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

TEXT = {  # types with a text that tells all of them, and how to read it
    date: (date.isoformat, date.fromisoformat),
    datetime: (datetime.isoformat, datetime.fromisoformat),
    time: (time.isoformat, time.fromisoformat),
    timedelta: (lambda t: str(t // timedelta(microseconds=1)), lambda text: timedelta(microseconds=int(text))),
    Decimal: (str, Decimal),
}
READ = {kind.__name__: read for kind, (_, read) in TEXT.items()}
PANDAS = ("NAType", "NaTType", "Timestamp", "Timedelta")  # by name, so that pandas need not be there


def to_plain(value):
    """A cell or name as text, number or None; what these are not becomes a list of its type and text, if it has one."""
    kind = type(value).__name__
    if type(value) in TEXT:
        return [kind, TEXT[type(value)][0](value)]
    if kind in PANDAS:
        zone = getattr(value, "tzinfo", None)
        return ["pandas", [kind, str(value), None if zone is None else str(zone)]]
    return ["tuple", [to_plain(item) for item in value]] if type(value) is tuple else value


def from_plain(plain):
    """The value that `to_plain` was given."""
    if not isinstance(plain, list):
        return plain
    kind, content = plain
    if kind == "tuple":
        return tuple(map(from_plain, content))
    return _from_pandas(*content) if kind == "pandas" else READ[kind](content)


def _from_pandas(kind, text, zone):
    import pandas as pd

    constants = {"NAType": pd.NA, "NaTType": pd.NaT}
    if kind in constants:
        return constants[kind]
    if kind == "Timedelta":
        return pd.Timedelta(text)
    time = pd.Timestamp(text)
    return time.tz_convert(zone) if zone else time
