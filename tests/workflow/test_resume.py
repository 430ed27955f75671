"""Interrupted runs: a training and a prediction are killed (signal 9) at a chosen point, and the rest is done again.

The kill is written into the copy's own code, so that it falls at the same point every time: after the checkpoint of
step 5, and when the second dataset is answered but its receipt is not written, with half of its file on disk.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from checkout import Checkout, Outcome

from gliner_core.files import file_digest

HOME = "results/demo"
STUDY = f"{HOME}/studies/span_width"
SECOND = "demo_ood_sport"

KILL_TRAINING = """

import os, signal

_save_whole = save_state


def save_state(path, state):
    _save_whole(path, state)
    if state.step == 5 and not os.path.exists("killed_training"):
        open("killed_training", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
"""
KILL_PREDICTION = f'''

import os, signal

_answer_whole = answer_cell


def answer_cell(answerer, card, data, decoding, out, **options):
    cost = _answer_whole(answerer, card, data, decoding, out, **options)
    if card.name == "{SECOND}" and not os.path.exists("killed_prediction"):
        open("killed_prediction", "w").close()
        os.truncate(out, out.stat().st_size // 2)
        os.killpg(os.getpgrp(), signal.SIGKILL)
    return cost
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A second run from scratch that was killed twice: what was seen on the way."""

    checkout: Checkout
    training_killed: Outcome
    left_by_training: list[str]
    first_cell: dict[str, int]
    second_cell: list[str]


@pytest.fixture(scope="module")
def story(stage: Checkout, archive: Path, baseline: str, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("interrupted") / "copy"
    checkout = Checkout(folder=archive, site=stage.site).copy(folder, without=("results", ".snakemake", ".git"))
    checkout.configure(studies=["span_width"])
    append(checkout, "gliner_core/train.py", "\nSAVE_EVERY_SECONDS = 0.0\n")
    append(checkout, "gliner_core/checkpoint.py", KILL_TRAINING)
    append(checkout, "benchmarks/scoring/answer.py", KILL_PREDICTION)
    run, cells = f"{HOME}/runs/{baseline}", f"{HOME}/cells/{baseline}"
    training_killed = checkout.snakemake(f"{run}/receipt.json")
    left_by_training = files(checkout.path(run))
    checkout.snakemake(f"{cells}/demo_ood.predicted.json")
    first, second = checkout.path(f"{cells}/demo_ood_astronomy/default"), checkout.path(f"{cells}/{SECOND}/default")
    first_cell, second_cell = inodes(first), files(second)
    checkout.make(f"{STUDY}/table.csv", f"{STUDY}/verdicts.csv")
    return Story(
        checkout=checkout,
        training_killed=training_killed,
        left_by_training=left_by_training,
        first_cell=first_cell,
        second_cell=second_cell,
    )


def append(checkout: Checkout, name: str, text: str) -> None:
    checkout.write(name, checkout.path(name).read_text(encoding="utf-8") + text)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def inodes(folder: Path) -> dict[str, int]:
    """File -> identity on disk: a file that is written again gets another one."""
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def test_a_killed_training_leaves_no_result(story: Story) -> None:
    assert story.training_killed.code != 0
    assert story.checkout.path("killed_training").exists()
    assert story.left_by_training == []


def test_the_training_goes_on_from_its_checkpoint(story: Story, baseline: str) -> None:
    log = story.checkout.path(f"{HOME}/logs/train/{baseline}.log").read_text(encoding="utf-8")
    assert "train 7/7" in log  # of 12 steps, 5 were done
    assert files(story.checkout.path("results/scratch")) == []


def test_resumed_weights_equal_uninterrupted_ones(story: Story, archive: Path, baseline: str) -> None:
    weights = f"{HOME}/runs/{baseline}/model/model.safetensors"
    assert file_digest(story.checkout.path(weights)) == file_digest(archive / weights)
    history = f"{HOME}/runs/{baseline}/history.jsonl"
    assert story.checkout.path(history).read_bytes() == (archive / history).read_bytes()


def test_a_killed_prediction_keeps_the_finished_cell_and_repeats_the_half_one(
    story: Story, archive: Path, baseline: str
) -> None:
    assert story.second_cell == ["predictions.jsonl"]  # half of it, and no receipt
    cells = story.checkout.path(f"{HOME}/cells/{baseline}")
    now = inodes(cells / "demo_ood_astronomy" / "default")
    assert {name: now[name] for name in story.first_cell} == story.first_cell
    for dataset in ("demo_ood_astronomy", SECOND):
        place = f"{dataset}/default/predictions.jsonl"
        assert (cells / place).read_bytes() == (archive / HOME / "cells" / baseline / place).read_bytes()


def test_two_runs_from_scratch_give_the_same_tables_to_the_byte(story: Story, archive: Path) -> None:
    for name in ("cells.csv", "table.csv", "table.md", "table.tex", "verdicts.csv"):
        assert (story.checkout.path(STUDY) / name).read_bytes() == (archive / STUDY / name).read_bytes(), name


def test_a_dataset_more_in_a_suite_answers_only_it(finished: Checkout, baseline: str) -> None:
    finished.change("benchmarks/suites/demo_ood.yaml", datasets=["demo_ood_astronomy", SECOND, "demo_ood_cooking"])
    old = finished.path(f"{HOME}/cells/{baseline}/{SECOND}/default")
    before = inodes(old)
    manifest = f"{HOME}/cells/{baseline}/demo_ood.predicted.json"
    assert finished.plan(manifest).keys() == {"prepare", "predict"}
    finished.make(manifest)
    assert inodes(old) == before
    answered = {Path(cell).parts[2] for cell in json.loads(finished.path(manifest).read_text(encoding="utf-8"))}
    assert answered == {"demo_ood_astronomy", SECOND, "demo_ood_cooking"}
