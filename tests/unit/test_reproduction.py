"""Every printed number with what reproduces it: a file that the plan writes, the right protocol and recipe."""

import csv
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.catalog.grid import build_grid
from benchmarks.catalog.reproduction import Reproduction, reproductions
from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.commands.plan import PAPER
from gliner_core.spec import TrainSpec

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def space() -> Workspace:
    return open_workspace(ROOT, {"scale": "paper", "device": "cpu"})


@pytest.fixture(scope="module")
def numbers(space: Workspace) -> list[Reproduction]:
    return reproductions(space, PAPER)


def test_every_printed_number_has_its_place(numbers: list[Reproduction]) -> None:
    printed = list(csv.DictReader((ROOT / "benchmarks" / "published" / f"{PAPER}.csv").read_text().splitlines()))
    assert len(numbers) == len(printed)
    missing = {(number.dataset, number.metric, number.note) for number in numbers if number.kind == "missing"}
    assert missing == {("polyglotner", "num_dev", "no card has sources for its dev split")}  # a sample never published


def test_quoted_numbers_are_those_of_other_systems(numbers: list[Reproduction]) -> None:
    quoted = [number for number in numbers if number.kind == "quoted"]
    assert quoted
    assert not any("GLiNER" in (number.row if number.table == "Table 1" else number.column) for number in quoted)
    assert {number.table for number in quoted} == {"Table 1", "Table 2", "Table 3", "Table 4"}


def needed_data(space: Workspace) -> set[str]:
    """Datasets whose folders the jobs of the plan read, from the cells and mixtures themselves."""
    mixtures = [space.registry.mixtures[name] for name in {run.spec.data.name for run in space.grid.runs.values()}]
    parts = {part.dataset for card in mixtures for part in (*card.parts, *([card.dev] if card.dev else []))}
    apart = {name for card in mixtures for suite in card.disjoint_from for name in space.registry.suite_datasets(suite)}
    return {cell.dataset for cell in space.grid.cells} | parts | apart


@pytest.mark.parametrize("scale", ["paper", "pilot", "demo"])
def test_a_place_is_a_file_that_the_plan_will_write(scale: str) -> None:
    space = open_workspace(ROOT, {"scale": scale, "device": "cpu"})
    cells = {f"{space.scale.name}/{cell.folder}": protocols for cell, protocols in space.grid.cells.items()}
    data = needed_data(space)
    for number in reproductions(space, PAPER):
        folder, _, name = number.path.rpartition("/")
        if number.kind == "facts":
            root, dataset = folder.split("/")
            assert (root, name) == ("data", "card.json") and dataset in data, number
            split = re.match(r"splits\.(\w+)\.", number.key)
            assert number.key == "labels" or split[1] in space.registry.datasets[dataset].sources, number
        elif number.kind == "cell" and name.startswith("scores."):
            assert number.protocol in cells[folder] and name == f"scores.{number.protocol}.json"
        elif number.kind == "cell":
            place, _, study = folder.partition("/studies/")
            assert place == scale and study.split("/")[0] in space.grid.studies
            written = ("table.csv", "verdicts.csv", "differences.csv", "cells.csv", "rows.csv")
            assert name in written and (name == "rows.csv") == study.endswith("/scaling")
        else:
            assert number.path == "" and number.note


def place_of(numbers: list[Reproduction], table: str, row: str, column: str) -> Reproduction:
    (found,) = [number for number in numbers if (number.table, number.row, number.column) == (table, row, column)]
    return found


def test_a_number_is_answered_under_the_protocol_that_it_was_printed_under(numbers: list[Reproduction]) -> None:
    printed = list(csv.DictReader((ROOT / "benchmarks" / "published" / f"{PAPER}.csv").read_text().splitlines()))
    for row, number in zip(printed, numbers, strict=True):
        head = row["protocol"].split(";")[0]
        if "/scores." in number.path:
            assert number.protocol == head or (head == "unstated" and "printed without a protocol" in number.note)
    assert place_of(numbers, "Table 4", "ACE05", "GLiNER-L w/").protocol == "gliner-nested"


@pytest.mark.parametrize(
    ("table", "column", "study"),
    [
        ("Table 2", "GLiNER-L", "twenty"),
        ("Table 4", "GLiNER-L w/", "supervised"),
        ("Table 4", "GLiNER-L w/o", "supervised"),
    ],
)
def test_mixed_averages_stand_among_the_verdicts(
    numbers: list[Reproduction], table: str, column: str, study: str
) -> None:
    number = place_of(numbers, table, "Average", column)
    assert (number.path, number.key) == (f"paper/studies/{study}/verdicts.csv", "column ours")
    assert number.protocol == "gliner-nested / gliner-official by dataset"


def test_gains_and_sizes_are_mapped_to_what_holds_them(numbers: list[Reproduction]) -> None:
    gain = place_of(numbers, "Figure 5", "100 per dataset", "difference")
    assert (gain.path, gain.key) == ("paper/studies/supervised_scaling/scaling/rows.csv", "topic gap")
    assert place_of(numbers, "Figure 6", "with dropping", "difference").path == (
        "paper/studies/type_dropping/differences.csv"
    )
    size = place_of(numbers, "Table 1", "GLiNER-S", "Params")
    assert (size.path, size.key) == ("paper/studies/main_table/cells.csv", "metric parameters_without_embeddings")


def test_table_6_is_answered_by_the_papers_files_and_by_those_of_training(numbers: list[Reproduction]) -> None:
    def place(row: str, column: str) -> tuple[str, str]:
        number = place_of(numbers, "Table 6", row, column)
        return number.path, number.key

    politics = "data/author_crossner_politics/card.json"  # 650 test sentences; crossner_politics has 651
    assert place("CrossNER Politics", "test") == (politics, "splits.test.sentences")
    assert place("CrossNER Politics", "types") == (politics, "labels")
    assert place("AnatEM", "train") == ("data/anatem_train/card.json", "splits.train.sentences")
    assert place("AnatEM", "test") == ("data/anatem/card.json", "splits.test.sentences")
    assert place("GENIA", "train") == ("data/genia_nested_train/card.json", "splits.train.sentences")
    key = "splits.test.spans / splits.test.sentences"
    assert place("ncbi", "avg entities") == ("data/ncbi/card.json", key)


def test_averages_over_other_datasets_are_missing_below_the_papers_scale() -> None:
    pilot = reproductions(open_workspace(ROOT, {"scale": "pilot", "device": "cpu"}), PAPER)
    assert place_of(pilot, "Table 1", "GLiNER-L", "Average").kind == "cell"  # the same seven
    for table, column in (("Table 2", "GLiNER-L"), ("Table 4", "GLiNER-L w/")):
        average = place_of(pilot, table, "Average", column)
        assert average.kind == "missing" and average.note.endswith("averages other datasets")
    assert "on a sample of at most 800 sentences" in place_of(pilot, "Table 3", "German", "GLiNER-En").note
    demo = reproductions(open_workspace(ROOT, {"scale": "demo", "device": "cpu"}), PAPER)
    assert [number.kind for number in demo if number.table in ("Table 5", "Table 6")] == ["missing"] * (9 + 132)


def test_a_protocol_that_is_not_scored_is_said(space: Workspace) -> None:
    study = space.registry.studies["supervised"].model_copy(update={"protocols": ()})
    registry = replace(space.registry, studies={**space.registry.studies, "supervised": study})
    narrow = replace(space, registry=registry, grid=build_grid(registry, space.settings, "cpu"))
    note = "printed under gliner-nested, which study supervised does not score"
    for row in ("ACE05", "Average"):
        found = place_of(reproductions(narrow, PAPER), "Table 4", row, "GLiNER-L w/")
        assert (found.kind, found.note) == ("missing", note)


# What answers for a printed row: dotted knob -> value of the run, at scale paper.
MEANT: dict[tuple[str, str], dict[str, object]] = {
    ("Table 1", "GLiNER-L"): {"backbone": "deberta-v3-large"},
    ("Table 1", "GLiNER-M"): {"backbone": "deberta-v3-base"},
    ("Table 1", "GLiNER-S"): {"backbone": "deberta-v3-small"},
    ("Table 2", "GLiNER-L"): {"backbone": "deberta-v3-large"},
    ("Table 3", "GLiNER-En"): {"backbone": "deberta-v3-large"},
    ("Table 3", "GLiNER-Multi"): {"backbone": "mdeberta-v3-base"},
    ("Table 4", "GLiNER-L w/"): {"mixture": "ner20_supervised_10000", "start": True},
    ("Table 4", "GLiNER-L w/o"): {"mixture": "ner20_supervised_10000"},
    ("Table 5", "0 %"): {"ratio": 0},
    ("Table 5", "50 %"): {"ratio": 1},
    ("Table 5", "75 %"): {"ratio": 3},
    ("Figure 5", "100 per dataset"): {"mixture": "ner20_supervised_100", "start": True},
    ("Figure 5", "10000 per dataset"): {"mixture": "ner20_supervised_10000", "start": True},
    ("Figure 6", "with dropping"): {"dropping": True},
} | {
    (table, row): {"backbone": backbone}
    for table in ("Figure 4", "Figure 4 (20 sets)")
    for row, backbone in (
        ("DeBERTa-v3", "deberta-v3-base"),
        ("ELECTRA", "electra-base"),
        ("ALBERT", "albert-base-v2"),
        ("BERT", "bert-base-cased"),
        ("RoBERTa", "roberta-base"),
        ("XLNet", "xlnet-base-cased"),
    )
}


def knobs(spec: TrainSpec) -> dict[str, object]:
    """What the paper's tables move."""
    return {
        "backbone": spec.model.backbone.name,
        "mixture": spec.data.name,
        "start": spec.start is not None,
        "ratio": spec.sampling.negative_ratio,
        "dropping": spec.sampling.type_dropping,
    }


def test_each_printed_row_is_answered_by_the_recipe_that_it_names(space: Workspace) -> None:
    usual = {"backbone": "deberta-v3-large", "mixture": "pile_ner_type", "start": False, "ratio": 1, "dropping": True}
    found = {}
    for study in space.grid.studies:
        for reference in space.registry.studies[study].references:
            if reference.variant is not None:
                rows = [row for row in space.grid.study_rows(study) if row.variant == reference.variant]
                specs = [knobs(space.grid.runs[row.owner].spec) for row in rows]
                assert specs and all(spec == specs[0] for spec in specs)
                assert (reference.table, reference.row) not in found
                found[reference.table, str(reference.row)] = specs[0]
    expected = {}
    for key, moved in MEANT.items():
        is_tuned = "mixture" in moved  # asks the whole list of labels, nothing drawn or dropped
        expected[key] = usual | ({"dropping": False} if is_tuned else {}) | moved
    assert found == expected


def test_table_1_is_answered_by_the_three_sizes(numbers: list[Reproduction]) -> None:
    rows = Counter(number.row for number in numbers if number.table == "Table 1" and number.kind == "cell")
    assert rows == {"GLiNER-S": 9, "GLiNER-M": 9, "GLiNER-L": 9}  # seven datasets, average, parameters
    variants = {number.row: number.variant for number in numbers if number.table == "Table 1" and number.variant}
    assert variants["GLiNER-L"] == "baseline"
    assert "deberta-v3-small" in variants["GLiNER-S"]


@pytest.mark.parametrize(
    ("table", "study", "suite"),
    [("Figure 4", "backbone", "ood_author"), ("Figure 4 (20 sets)", "backbone_twenty", "ner20")],
)
def test_each_half_of_figure_4_is_answered_on_its_own_suite(
    space: Workspace, numbers: list[Reproduction], table: str, study: str, suite: str
) -> None:
    bars = [number for number in numbers if number.table == table]
    assert len(bars) == 6 and {(bar.kind, bar.study) for bar in bars} == {("cell", study)}
    assert {row.suite for row in space.grid.study_rows(study)} == {suite}
    assert {row.owner for row in space.grid.study_rows(study)} == {
        row.owner for row in space.grid.study_rows("backbone")
    }  # nothing is trained for the second half
