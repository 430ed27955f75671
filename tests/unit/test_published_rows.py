"""Printed rows in tables: each names its protocol, and unlike metrics never share a block or a column with ours."""

from pathlib import Path

import pandas as pd
import pytest
import reporting_samples as samples

from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.registry import load_registry
from benchmarks.reporting.inputs import published_of
from benchmarks.reporting.table_text import text_tables
from benchmarks.reporting.tables import build_table

ROOT = Path(__file__).parents[2]
PAPER, NEWER = "gliner_2311.08526", "newer_results"
SEVEN = (
    "mit_movie",
    "mit_restaurant",
    *(f"crossner_{name}" for name in ("ai", "literature", "music", "politics", "science")),
)
TITLES = dict.fromkeys(SEVEN) | {name: name.upper() for name in SEVEN}


def card(*references: tuple[str, str], layout: str = "datasets") -> StudyCard:
    given = tuple({"file": file, "table": table} for file, table in references)
    return samples.study("main_table", layout=layout, references=given)


def table(given: StudyCard, scale: str = "paper", verdicts: pd.DataFrame | None = None) -> pd.DataFrame:
    cells = samples.main_cells(datasets=SEVEN, scale=scale)
    return build_table(cells, given, published_of(given), TITLES, verdicts)


@pytest.mark.parametrize("scale", ["paper", "pilot"])
def test_each_printed_row_says_its_protocol(scale: str) -> None:
    frame = table(card((PAPER, "Table 1")), scale)
    theirs = frame[frame["Source"] == "published"].set_index("Model")["Protocol"]
    quoted = dict.fromkeys(("Vicuna-7B", "Vicuna-13B", "ChatGPT", "UniNER-7B", "UniNER-13B"), "uniner-string")
    unstated = dict.fromkeys(("USM", "InstructUIE", "GoLLIE"), "unstated")
    ours = dict.fromkeys(("GLiNER-S", "GLiNER-M", "GLiNER-L"), "gliner-official")
    assert theirs.to_dict() == quoted | unstated | ours
    for shown in text_tables(frame)[: 1 if scale == "paper" else 2]:
        assert ("Protocol" in shown.columns) == (scale == "paper" or shown.heading.startswith("Published"))
    if scale == "paper":  # one block: our rows name theirs too
        assert set(frame.loc[frame["Source"] == "measured here", "Protocol"]) == {"gliner_official"}


def test_a_row_that_mixes_protocols_names_the_columns_of_the_rarer_one() -> None:
    given = card((PAPER, "Table 2"))
    titles = {"ace05": "ACE", "btc": "Tweets", "genia_nested": "GENIA"}
    frame = build_table(samples.main_cells(), given, published_of(given), titles)
    shown = frame.set_index("Model")["Protocol"]
    assert shown["GLiNER-L"] == "gliner-official; gliner-nested: ACE, Tweets, GENIA"
    assert shown["ChatGPT"] == "uniner-string"


@pytest.mark.parametrize("scale", ["paper", "pilot"])
def test_a_token_level_table_shares_no_block_and_no_column_with_ours(scale: str) -> None:
    references = ((PAPER, "Table 1"), (NEWER, "NuNER Zero"), (NEWER, "NuNER Zero-span"), (NEWER, "NuNER Zero-4k"))
    frame = table(card(*references), scale)
    *own, entities, tokens = text_tables(frame)
    assert len(own) == (1 if scale == "paper" else 2)
    assert entities.heading.startswith("Published elsewhere (newer_results.csv), F1 (not comparable")
    assert tokens.heading.startswith("Published elsewhere (newer_results.csv), token F1 instead of entity F1")
    assert [row[0].text for row in entities.rows] == ["NuNER_Zero-span"]
    assert [row[0].text for row in tokens.rows] == ["NuNER_Zero", "NuNER_Zero-4k"]
    assert all(name in ("Model", "Protocol") or name.endswith(", token F1") for name in tokens.columns)
    mine = frame[frame["Source"] == "measured here"].dropna(axis="columns", how="all").columns
    theirs = frame[frame["Block"] == tokens.heading].dropna(axis="columns", how="all").columns
    assert set(mine) & set(theirs) <= {"Block", "Model", "Source", "Protocol"}
    number = frame.set_index("Model").loc["NuNER_Zero"]
    assert (number["MIT_MOVIE, token F1"], number["Average, token F1"]) == (65.2, 68.0)


def test_a_token_level_table_alone_is_no_block_above_ours() -> None:
    frame = table(card((NEWER, "NuNER Zero")))
    assert list(frame["Source"])[-1] == "published" and frame.iloc[0]["Source"] == "measured here"
    assert "MIT_MOVIE, token F1" in frame.columns
    assert frame.loc[frame["Source"] == "published", "MIT_MOVIE"].isna().all()


def test_averages_over_other_lists_have_columns_of_their_own() -> None:
    frame = table(
        card((PAPER, "Table 1"), (NEWER, "modern bi-encoder"), (NEWER, "GLiNER2"), (NEWER, "NuNER Zero-span"))
    )
    rows = frame[frame["Source"] == "published"].set_index("Model")
    assert (rows.loc["modern-gliner-bi-large-v1.0", "Average"], rows.loc["GLiNER2", "CrossNER"]) == (59.8, 59.0)
    assert rows.loc["modern-gliner-bi-large-v1.0", "Average of 19 sets"] == 49.7
    assert rows.loc["NuNER_Zero-span", ["Average", "Average of 20 sets"]].tolist() == [62.0, 47.0]
    assert pd.isna(rows.loc["GLiNER2", "Average"])


def test_models_that_stand_in_rows_stay_there_when_only_averages_are_printed() -> None:
    frame = table(card((PAPER, "Table 1"), (NEWER, "GNER, supervised")))
    assert "GNER-T5-xxl" in set(frame["Model"]) and "Average" not in set(frame["Model"])


def test_gains_that_are_only_drawn_make_no_row() -> None:
    frame = build_table(
        samples.width_cells(), card((PAPER, "Figure 6"), layout="axes"), published_of(card((PAPER, "Figure 6"))), {}
    )
    assert set(frame["Source"]) == {"measured here"}


def test_a_figure_is_not_called_a_table() -> None:
    given = card((PAPER, "Figure 4"), layout="axes")
    heading = build_table(samples.width_cells(), given, published_of(given), {})["Block"].iloc[0]
    assert heading.startswith("Published: arXiv 2311.08526, Figure 4 (")


def verdicts(delta: float, protocol: str = "gliner_official") -> pd.DataFrame:
    line = {"row": "GLiNER-L", "column": "Average", "dataset": "average", "metric": "f1_pct", "verdict": "off"}
    return pd.DataFrame([line | {"delta": delta, "protocol": protocol}])


def test_the_distance_from_the_paper_is_given_at_its_scale_only() -> None:
    reference = {"file": PAPER, "table": "Table 1", "row": "GLiNER-L", "variant": "baseline"}
    given = samples.study("main_table", layout="datasets", references=(reference,))
    shown = table(given, "paper", verdicts(-46.9)).set_index("Model").loc["Baseline"]
    assert (shown["Average - paper"], shown["Verdict"]) == ("-46.9 (GLiNER-L)", "off")
    mixed = table(given, "paper", verdicts(-1.0, "a / b by dataset")).set_index("Model").loc["Baseline"]
    assert mixed["Average - paper"] == "-1.0 (GLiNER-L, a / b by dataset)"
    assert not {"Average - paper", "Verdict"} & set(table(given, "pilot", verdicts(-46.9)).columns)


def test_every_newer_number_is_shown_by_a_study() -> None:
    registry = load_registry(ROOT)
    shown = {ref.table for study in registry.studies.values() for ref in study.references if ref.file == NEWER}
    published = published_of(card((NEWER, "NuNER Zero")))
    assert shown == set(published["table"])
    for study in registry.studies.values():
        if any(reference.file == NEWER for reference in study.references):
            assert study.references[0].file == PAPER  # ours are held against the paper's rows, not against these
