"""The plan: estimates that scale as they should, and every printed number with the cell that reproduces it."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.catalog.estimates import checkpoint_bytes, estimate_run, memory_bytes
from benchmarks.catalog.recipes import resolve
from benchmarks.catalog.reproduction import Reproduction, reproductions
from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.commands.plan import PAPER, cell_rows, print_plan, run_rows
from gliner_core.spec import TrainSpec

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def space() -> Workspace:
    return open_workspace(ROOT, {"scale": "paper", "device": "cpu"})


@pytest.fixture(scope="module")
def base(space: Workspace) -> TrainSpec:
    return resolve(space.registry, space.scale, {}, device="cpu", seed=1, where="test")


@pytest.fixture(scope="module")
def numbers(space: Workspace) -> list[Reproduction]:
    return reproductions(space, PAPER)


def test_every_printed_number_has_its_place(numbers: list[Reproduction]) -> None:
    printed = list(csv.DictReader((ROOT / "benchmarks" / "published" / f"{PAPER}.csv").read_text().splitlines()))
    assert len(numbers) == len(printed)
    assert [number for number in numbers if number.kind == "missing"] == []


def test_quoted_numbers_are_those_of_other_systems(numbers: list[Reproduction]) -> None:
    quoted = [number for number in numbers if number.kind == "quoted"]
    assert quoted
    assert not any("GLiNER" in (number.row if number.table == "Table 1" else number.column) for number in quoted)
    assert {number.table for number in quoted} == {"Table 1", "Table 2", "Table 3", "Table 4"}


def test_a_place_is_a_file_that_the_plan_will_write(space: Workspace, numbers: list[Reproduction]) -> None:
    cells = {f"{space.scale.name}/{cell.folder}" for cell in space.grid.cells}
    for number in numbers:
        if number.kind != "cell":
            continue
        folder, _, name = number.path.rpartition("/")
        if name.startswith("scores."):
            assert folder in cells
            assert name == f"scores.{number.protocol}.json"
        else:
            assert name in ("table.csv", "training.json")


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


def test_the_baseline_costs_what_its_card_says(space: Workspace, base: TrainSpec) -> None:
    cards = dict(space.registry.backbones)
    assert estimate_run(space.scale, base, base, cards, "gpu", 0).hours == pytest.approx(5.0)
    half = replace(base, optim=replace(base.optim, steps=base.optim.steps // 2))
    assert estimate_run(space.scale, half, base, cards, "gpu", 0).hours == pytest.approx(2.5)
    assert estimate_run(space.scale, base, base, cards, "gpu", 10).hours > 5.0
    assert estimate_run(space.scale, base, base, cards, "tpu", 10).hours is None


def test_a_smaller_backbone_costs_less_of_everything(space: Workspace, base: TrainSpec) -> None:
    cards, config = dict(space.registry.backbones), {"backbone": "deberta-v3-small"}
    small = resolve(space.registry, space.scale, config, device="cpu", seed=1, where="test")
    mine, usual = (estimate_run(space.scale, spec, base, cards, "gpu", 7) for spec in (small, base))
    assert mine.hours < usual.hours / 3
    assert mine.bytes_memory < usual.bytes_memory
    assert mine.bytes_disk < usual.bytes_disk


def test_checkpoints_have_the_size_of_the_official_ones(space: Workspace, base: TrainSpec) -> None:
    """gliner_large with D = 768: 459,495,168 parameters in 1,838 MB (computed from the official class)."""
    size = checkpoint_bytes(base.model, space.registry.backbones["deberta-v3-large"])
    assert size == pytest.approx(1838e6, rel=0.01)


def test_memory_holds_the_optimiser_and_grows_with_the_batch(space: Workspace, base: TrainSpec) -> None:
    card = space.registry.backbones["deberta-v3-large"]
    double = replace(base, optim=replace(base.optim, batch_size=2 * base.optim.batch_size))
    fixed = 4 * checkpoint_bytes(base.model, card)
    one, two = (memory_bytes(spec, card, "gpu") - fixed for spec in (base, double))
    assert two == pytest.approx(2 * one)
    assert memory_bytes(base, card, "cpu") - fixed == pytest.approx(2 * one)  # fp32 activations


def test_every_run_and_cell_is_listed_and_written(
    space: Workspace, numbers: list[Reproduction], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_plan(space, is_short=False, out=tmp_path)
    assert [row[0] for row in run_rows(space)] == list(space.grid.runs)
    assert len(cell_rows(space)) == len(space.grid.cells)
    lengths = {"runs": len(space.grid.runs), "cells": len(space.grid.cells), "numbers": len(numbers)}
    for name, length in lengths.items():
        assert len(list(csv.DictReader((tmp_path / f"{name}.csv").read_text().splitlines()))) == length
    assert "printed numbers" in capsys.readouterr().out
