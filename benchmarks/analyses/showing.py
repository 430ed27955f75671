"""Cells and phrases that the pages of analyses share: a value with its interval, in the same form everywhere."""

from collections.abc import Sequence

import pandas as pd

from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.table_text import MISSING, TextCell, TextTable

SENTENCE_INTERVAL = "[low, high]: 95 % interval from resampling the sentences."


def word_cell(text: object) -> TextCell:
    """A cell of text."""
    return TextCell(text=MISSING if is_missing(text) or text == "" else str(text))


def count_cell(value: float) -> TextCell:
    """A cell with a whole number, or with one decimal where it is a mean over seeds."""
    if is_missing(value):
        return TextCell(text=MISSING, is_number=True)
    return TextCell(text=f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}", is_number=True)


def value_cell(
    value: float, low: float | None = None, high: float | None = None, sign: str = "", decimals: int = 1
) -> TextCell:
    """A cell with its interval; `sign` "+" for differences."""
    if is_missing(value):
        return TextCell(text=MISSING, is_number=True)
    text, *ends = (number(end, sign, decimals) for end in (value, low, high))
    return TextCell(text=text, detail="" if MISSING in ends else f"[{', '.join(ends)}]", is_number=True)


def number(value: float | None, sign: str = "", decimals: int = 1) -> str:
    """A rounded number; what rounds to zero carries no sign."""
    if value is None or is_missing(value):
        return MISSING
    rounded = round(value, decimals)
    return f"{rounded:{sign},.{decimals}f}" if rounded else f"{0:.{decimals}f}"


def seed_cell(row: pd.Series, sign: str = "") -> TextCell:
    """Student's interval over seeds of a row with `seed_low` and `seed_high`."""
    low, high = number(row["seed_low"], sign), number(row["seed_high"], sign)
    return TextCell(text=MISSING if low == MISSING else f"{low} to {high}", is_number=True)


def table(
    heading: str, columns: Sequence[str], rows: Sequence[Sequence[TextCell]], notes: Sequence[str] = ()
) -> TextTable:
    """A table of such cells; its heading begins with a capital."""
    heading = heading[:1].upper() + heading[1:]
    return TextTable(heading=heading, columns=tuple(columns), rows=tuple(map(tuple, rows)), notes=tuple(notes))


def interval_words(row: pd.Series, sign: str = "") -> str:
    """`95 % over sentences 1.0 to 2.0, over 3 seeds 0.5 to 2.5` or `one seed`."""
    text = f"95 % over sentences {number(row['low'], sign)} to {number(row['high'], sign)}"
    if row["low"] == row["high"]:
        text += ", as no resample gives another value"
    if is_missing(row["seed_low"]):
        return f"{text}, one seed"
    return f"{text}, over {row['num_seeds']:.0f} seeds {seed_cell(row, sign).text}"


def share_words(row: pd.Series, decimals: int = 1) -> str:
    """`22.4 % (20.7 to 24.1)`: a share and its interval over sentences."""
    value, low, high = (number(row[name], "", decimals) for name in ("value", "low", "high"))
    return f"{value} % ({low} to {high})"
