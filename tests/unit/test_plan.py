"""The plan: estimates that scale as they should, and everything listed and written."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.catalog.estimates import checkpoint_bytes, estimate_run, memory_bytes
from benchmarks.catalog.recipes import resolve
from benchmarks.catalog.reproduction import Reproduction, reproductions
from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.commands.plan import PAPER, cell_rows, estimate_of, print_plan, run_rows
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


def test_the_baseline_costs_what_its_card_says(space: Workspace, base: TrainSpec) -> None:
    cards = dict(space.registry.backbones)
    assert estimate_run(space.scale, base, base, cards, "gpu", 0).hours == pytest.approx(5.0)
    half = replace(base, optim=replace(base.optim, steps=base.optim.steps // 2))
    assert estimate_run(space.scale, half, base, cards, "gpu", 0).hours == pytest.approx(2.5)
    # ten test sets of 50,000 words at the 5,000 words a second of the card
    assert estimate_run(space.scale, base, base, cards, "gpu", 10).hours == pytest.approx(5.0 + 10 * 10 / 3600)
    assert estimate_run(space.scale, base, base, cards, "tpu", 10).hours is None


def test_predictions_take_their_place_on_disk(space: Workspace, base: TrainSpec) -> None:
    cards = dict(space.registry.backbones)
    none, one, ten = (estimate_run(space.scale, base, base, cards, "gpu", number).bytes_disk for number in (0, 1, 10))
    assert none == checkpoint_bytes(base.model, cards["deberta-v3-large"])
    assert (one - none, ten - none) == (2_000_000, 20_000_000)


def test_a_wider_k_costs_what_its_scores_cost(space: Workspace, base: TrainSpec) -> None:
    """Hours: 4 D products for each span and type. Memory: 16 bytes for each, of 384 words in a text."""
    cards = dict(space.registry.backbones)
    card, model = cards["deberta-v3-large"], base.model
    wide = replace(base, model=replace(model, max_width=2 * model.max_width))
    mine, usual = (estimate_run(space.scale, spec, base, cards, "gpu", 0) for spec in (wide, base))
    scores = 4 * model.hidden_size * model.max_width * base.sampling.max_types / 1.3
    rest = 12 * card.layers * card.width**2 + 42 * model.hidden_size**2
    assert mine.hours / usual.hours == pytest.approx((rest + 2 * scores) / (rest + scores))
    assert 1.0 < mine.hours / usual.hours < 1.01
    cells = base.optim.batch_size * 384 * model.max_width * base.sampling.max_types
    assert mine.bytes_memory - usual.bytes_memory == pytest.approx(16 * cells)


@pytest.mark.parametrize(
    ("scale", "device", "hardware"), [("pilot", "cpu", "CPU"), ("pilot", "cuda", "GPU"), ("paper", "cpu", "GPU")]
)
def test_the_plan_names_the_hardware_of_its_hours(
    scale: str, device: str, hardware: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.catalog.workspace.choose_device", lambda _: device)
    space = open_workspace(ROOT, {"scale": scale, "studies": ["main_table"]})
    hours = sum(estimate_of(space, run).hours or 0 for run in space.grid.runs.values())
    print_plan(space, is_short=True, out=None)
    printed = " ".join(capsys.readouterr().out.split())
    assert f"about {hours:.1f} {hardware} hours" in printed and "cpu/gpu" not in printed
    assert f"scale {scale}, estimated for a {hardware}" in printed


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
    scores = 16 * base.optim.batch_size * base.model.max_words * base.model.max_width * base.sampling.max_types
    assert memory_bytes(base, card, "cpu") - fixed - scores == pytest.approx(2 * (one - scores))  # fp32 activations


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
