"""Cells and phrases that the pages of analyses share: a value with its interval, in the same form everywhere."""

from collections.abc import Sequence

import pandas as pd

from benchmarks.reporting.style import is_missing
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


def value_cell(value: float, low: float | None = None, high: float | None = None, sign: str = "") -> TextCell:
    """A cell with one decimal and its interval; `sign` "+" for differences."""
    if is_missing(value):
        return TextCell(text=MISSING, is_number=True)
    detail = "" if is_missing(low) or is_missing(high) else f"[{low:{sign}.1f}, {high:{sign}.1f}]"
    return TextCell(text=f"{value:{sign}.1f}", detail=detail, is_number=True)


def seed_cell(row: pd.Series, sign: str = "") -> TextCell:
    """Student's interval over seeds of a row with `seed_low` and `seed_high`."""
    low, high = row["seed_low"], row["seed_high"]
    text = MISSING if is_missing(low) else f"{low:{sign}.1f} to {high:{sign}.1f}"
    return TextCell(text=text, is_number=True)


def table(
    heading: str, columns: Sequence[str], rows: Sequence[Sequence[TextCell]], notes: Sequence[str] = ()
) -> TextTable:
    """A table of such cells."""
    return TextTable(heading=heading, columns=tuple(columns), rows=tuple(map(tuple, rows)), notes=tuple(notes))


def interval_words(row: pd.Series, sign: str = "") -> str:
    """`95 % over sentences 1.0 to 2.0, over 3 seeds 0.5 to 2.5` or `one seed`."""
    text = f"95 % over sentences {row['low']:{sign}.1f} to {row['high']:{sign}.1f}"
    if is_missing(row["seed_low"]):
        return f"{text}, one seed"
    return f"{text}, over {row['num_seeds']:.0f} seeds {row['seed_low']:{sign}.1f} to {row['seed_high']:{sign}.1f}"
