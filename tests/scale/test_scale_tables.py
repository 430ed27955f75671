"""Collecting and tables of a study of 50,000 tidy cells, and that building them by column changed no value.

The full size is `python -m tests.scale.tables`.
"""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.reporting.cells import COLUMNS, identity
from benchmarks.reporting.collect import checked_scores, write_frame
from benchmarks.reporting.summary import read_cells
from gliner_core.errors import InputError
from tests.scale.million import Study
from tests.scale.tables import SECONDS, paper_study, seconds_by_step

CELLS = 50_000


@pytest.fixture(scope="module")
def study() -> Study:
    """Its values are made up once; tests do not change them."""
    return paper_study(CELLS)


def one_by_one(study: Study) -> pd.DataFrame:
    """The tidy cells, each built on its own and compared with its metric: a second way to the same table."""
    rows = []
    for row, values in zip(study.rows, study.values, strict=True):
        for item in values:
            name = f"{item['metric'].removesuffix('_pct')}/{item['dataset']}"
            name += f".{row.suite}" if item["dataset"] == "average" else ""
            rows.append(identity(study.space.grid, row) | item | {"value": study.tracked[row.owner][name]})
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"seed": "Int64", "num_sentences": "Int64"})


def test_a_study_of_50_000_cells_takes_its_share_of_the_time(study: Study, tmp_path: Path) -> None:
    seconds = seconds_by_step(study, tmp_path)
    assert study.num_cells >= CELLS
    assert sum(seconds.values()) < 5 + 3 * SECONDS * CELLS / 1_000_000, seconds  # three times over, as machines differ
    table = pd.read_csv(tmp_path / "table.csv")
    assert len(table[table["Source"] == "measured here"]) == len({row.variant for row in study.rows})


def test_cells_built_by_column_are_those_built_one_by_one(study: Study, tmp_path: Path) -> None:
    write_frame(tmp_path / "columns.csv", checked_scores(study.space, study.rows, study.values, study.tracked))
    write_frame(tmp_path / "singly.csv", one_by_one(study))
    assert (tmp_path / "columns.csv").read_bytes() == (tmp_path / "singly.csv").read_bytes()
    cells = read_cells(tmp_path / "columns.csv")
    assert len(cells) == study.num_cells and not cells[["variant", "dataset", "system"]].isna().any(axis=None)


@pytest.mark.parametrize("wrong", [None, 12.5])
def test_one_metric_among_all_that_differs_is_named(study: Study, wrong: float | None) -> None:
    owner = study.rows[-1].owner
    metrics = {**study.tracked[owner], "f1/crossner_music": wrong}
    with pytest.raises(InputError, match=rf"'f1/crossner_music' is {wrong} but cells/{owner}/crossner_music/scores"):
        checked_scores(study.space, study.rows, study.values, {**study.tracked, owner: metrics})
