"""A file that changed since it was written, under its old times, is refused by every rule that would read it."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from checkout import Checkout

from benchmarks.pipeline.training import train_run
from gliner_core.errors import InputError
from gliner_core.files import file_digest, write_json

HOME = "results/demo"
MIXTURE = "results/mixtures/demo"
TEST = "results/data/demo_ood_sport/test.jsonl"
CELL = f"{HOME}/cells/{{}}/demo_ood_sport/default"
SCORES = f"{CELL}/scores.gliner-official.json"
PREDICTED, SCORED = f"{HOME}/cells/{{}}/demo_ood.predicted.json", f"{HOME}/cells/{{}}/demo_ood.scored.json"
STUDIES = f"{HOME}/studies"
KEPT_OUT = "a test set that a mixture must not hold"
RUN, OTHER = "baseline_", "max_width-2_"  # how the ids of two runs begin
# What changed -> what is made again from it, each by a rule of its own.
CASES: dict[str, dict[str, list[str]]] = {
    "a corpus": {"results/data/demo_train/train.jsonl": [MIXTURE]},
    KEPT_OUT: {TEST: [MIXTURE]},
    "a mixture": {f"{MIXTURE}/train.jsonl": [f"{HOME}/runs/{RUN}/receipt.json", f"{HOME}/leakage/demo_ood.json"]},
    "a test set": {TEST: [PREDICTED.format(RUN), SCORED.format(OTHER)]},
    "weights and answers": {
        f"{HOME}/runs/{RUN}/model/model.safetensors": [PREDICTED.format(RUN)],
        f"{CELL}/predictions.jsonl".format(OTHER): [SCORED.format(OTHER)],
    },
    "scores": {
        SCORES.format(RUN): [f"{STUDIES}/main_table/cells.csv", f"{STUDIES}/main_table/differences.csv"],
        SCORES.format(OTHER): [f"results/tracking/demo/{OTHER}.json"],
    },
}


def named(checkout: Checkout, name: str) -> str:
    """The name with whole ids in the place of their beginnings."""
    for start in (RUN, OTHER):
        if f"/{start}" in name:
            (run,) = (path.name for path in checkout.path(f"{HOME}/runs").iterdir() if path.name.startswith(start))
            name = name.replace(f"/{start}", f"/{run}")
    return name


def change(path: Path) -> None:
    """Flips a bit in the middle; the file and its folder keep their times."""
    times = {place: place.stat() for place in (path, path.parent)}
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()  # the large ones are hard links
    path.write_bytes(content)
    for place, stat in times.items():
        os.utime(place, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_changed_is_named_and_not_read(finished: Checkout, case: str) -> None:
    if case == KEPT_OUT:
        finished.change("benchmarks/mixtures/demo.yaml", disjoint_from=["demo_ood"])
    sentences, missing = [], []
    for name, targets in CASES[case].items():
        changed, made = named(finished, name), [named(finished, target) for target in targets]
        change(finished.path(changed))
        sentences += [f"error: {changed}: changed since it was written"] * len(made)
        missing += made
    for path in map(finished.path, missing):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        if path.name == "demo_ood.predicted.json":
            (path.parent / "demo_ood_sport" / "default" / "receipt.json").unlink()  # else the cell counts as answered
    outcome = finished.snakemake(*missing, "--keep-going")
    assert outcome.code != 0, outcome.text[-2000:]
    said = outcome.lines("error: ")
    assert sorted(line.split(" (sha256")[0] for line in said) == sorted(sentences)
    assert all("; delete " in line for line in said) and not any(finished.path(name).exists() for name in missing)


def test_answers_that_changed_without_their_manifest_are_given_again(finished: Checkout) -> None:
    answers, manifest = (
        finished.path(named(finished, name.format(RUN))) for name in (f"{CELL}/predictions.jsonl", PREDICTED)
    )
    before = file_digest(answers)
    change(answers)
    manifest.unlink()
    finished.make(str(manifest.relative_to(finished.folder)))
    assert file_digest(answers) == before


def test_a_training_does_not_start_from_weights_that_changed(tmp_path: Path) -> None:
    data, start = tmp_path / "mixture", tmp_path / "runs" / "first"
    (start / "model").mkdir(parents=True)
    (start / "model" / "model.safetensors").write_bytes(b"other weights")
    data.mkdir()
    (data / "train.jsonl").touch()
    write_json(data / "card.json", {"train": {"sha256": file_digest(data / "train.jsonl")}})
    write_json(start / "receipt.json", {"weights": "0" * 64})
    plan = {"second": SimpleNamespace(spec=SimpleNamespace(start="first"))}
    space: Any = SimpleNamespace(grid=SimpleNamespace(runs=plan), run=lambda name: tmp_path / "runs" / name)
    with pytest.raises(InputError, match=r"first/model/model\.safetensors: changed since it was written"):
        train_run(space, "second", data, tmp_path / "scratch", "code")
    assert not (tmp_path / "runs" / "second").exists()
