"""Cells, words and the note of claims that a page judges by itself (benchmarks/analyses/claims.py)."""

import pandas as pd

from benchmarks.reporting.difference_text import p_words, shown_text
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.table_text import MISSING, TextCell

COLUMNS = ("p (Holm)", "Shown")


def with_texts(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows read from a file, in which an empty `verdict` or `reach` is text again and no number that is missing."""
    texts = rows[["verdict", "reach"]].astype(object).fillna("")
    return rows.assign(verdict=texts["verdict"], reach=texts["reach"])


def note_of(rows: pd.DataFrame) -> str:
    """What `COLUMNS` mean."""
    num = int(rows["num_compared"].fillna(0).max())
    return (
        "Shown, by the rule of all studies: p from approximate randomisation of the two answers to a sentence, Holm's "
        f"correction over all {num} differences that the page tests, and no interval that holds zero; otherwise no, "
        "with the true difference that would have been found 4 times in 5. What has no p is described, not tested."
    )


def p_cell(value: float) -> TextCell:
    """An adjusted p-value; empty for what is not tested."""
    return TextCell(text=MISSING if is_missing(value) else p_words(value), is_number=True)


def claim_cells(row: pd.Series) -> list[TextCell]:
    """The cells below `COLUMNS`."""
    tested = not is_missing(row["p_holm"])
    return [p_cell(row["p_holm"]), TextCell(text=shown_text(row) if tested else MISSING)]


def outcome_words(row: pd.Series) -> str:
    """`adjusted p 0.012: higher`."""
    return f"adjusted p {p_words(row['p_holm'])}: {row['verdict']}"
