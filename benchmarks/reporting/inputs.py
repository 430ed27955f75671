"""What the reporting steps read: cells with or without their costs, and the published numbers of a study."""

from pathlib import Path

import pandas as pd

from benchmarks.catalog.cards import StudyCard
from benchmarks.reporting.compare import load_published
from benchmarks.reporting.summary import read_cells
from gliner_core.errors import InputError

PAPER = "gliner_2311.08526"


def published_of(card: StudyCard) -> pd.DataFrame:
    """Published rows of the files a study refers to, with a column `file`; without references, an empty frame."""
    files = list(dict.fromkeys(reference.file for reference in card.references))
    frames = [load_published(name).assign(file=name) for name in files or [PAPER]]
    return pd.concat(frames, ignore_index=True) if files else frames[0].iloc[:0]


def references_of(card: StudyCard, published: pd.DataFrame) -> pd.DataFrame:
    """The printed numbers the study is held against, in the order of the files."""
    if published.empty or not card.references:
        return published.iloc[:0]
    tables = list(zip(published["file"], published["table"].map(table_number), strict=True))
    wanted = {(reference.file, table_number(reference.table)): reference for reference in card.references}
    for key, reference in wanted.items():
        if key not in tables:
            raise InputError(
                f"benchmarks/published/{reference.file}.csv: no row has table `{reference.table}`; "
                f"correct `references` of study {card.name} or add the rows"
            )
    return published[[key in wanted for key in tables]]


def table_number(table: object) -> str:
    """`Table 5` and `5` are the same table."""
    return str(table).removeprefix("Table ").removeprefix("table ")


def read_cells_with_costs(cells: str | Path, costs: str | Path) -> pd.DataFrame:
    """Scores and costs of a study in one frame. Tables take scores alone, because times never repeat to the byte."""
    return pd.concat([read_cells(cells), read_cells(costs)], ignore_index=True)


def read_verdicts(path: str | Path) -> pd.DataFrame:
    """What `compare` wrote; empty fields are NaN, `n/a` stays a word."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])
