"""A full disk: one sentence with the file, nothing half-written, the old file good, and the same end with room."""

import math
from pathlib import Path

import pytest
from small_disk import can_mount, kept, run_on_small_disk

CHECKPOINT = """
import sys
from pathlib import Path
import torch
from gliner_core.checkpoint import TrainState, load_state, save_state
from gliner_core.errors import InputError

def state(step, size):
    return TrainState(step=step, identity="a", model={"w": torch.full((size,), float(step))}, optimizer={},
                      history=[], counts={}, splits=0, seconds=0.0)

path = Path(sys.argv[1]) / "state.pt"
save_state(path, state(1, 10_000))
try:
    save_state(path, state(2, 40_000))
    print("no refusal")
except InputError as error:
    print(error)
print(load_state(path, "a").step, sorted(item.name for item in path.parent.iterdir()))
"""
PREDICTIONS = """
import sys
from pathlib import Path
import numpy as np
from benchmarks.scoring.predictions import Candidates, read_predictions, write_predictions
from gliner_core.errors import InputError

header = {"dataset": "d", "labels": ["a"], "floor": 0.05, "decoding": {}}
ids, scores = np.zeros(100, dtype=int), np.full(100, 0.123456789, dtype=np.float32)
item = Candidates(id="1", num_words=9, lost_words=0, start=ids, end=ids, label=ids, score=scores)
path = Path(sys.argv[1]) / "cell" / "predictions.jsonl"
write_predictions(path, header, [item] * 10)
try:
    write_predictions(path, header, [item] * 2000)
    print("no refusal")
except InputError as error:
    print(error)
print(len(read_predictions(path).sentences), sorted(item.name for item in path.parent.iterdir()))
"""
CORPUS = """
import sys
from pathlib import Path
from benchmarks.corpora.folders import atomic_folder
from gliner_core.errors import InputError
from gliner_core.files import atomic_write

out = Path(sys.argv[1]) / "dataset"
def fill(size):
    with atomic_folder(out) as folder, atomic_write(folder / "test.jsonl") as stream:
        stream.write("x" * size)
fill(1000)
try:
    fill(400_000)
    print("no refusal")
except InputError as error:
    print(error)
print((out / "test.jsonl").stat().st_size, sorted(item.name for item in out.parent.iterdir()))
"""
DOWNLOAD = """
import sys
from pathlib import Path
from benchmarks.catalog.cards import SourceFile
from benchmarks.corpora.sources import fetch
from gliner_core.errors import InputError

disk, mirror = Path(sys.argv[1]), Path(sys.argv[1]).with_name("mirror")
mirror.mkdir()
for name, size in (("small.txt", 1000), ("large.txt", 400_000)):
    (mirror / name).write_bytes(b"x" * size)
kept = fetch(SourceFile(path="small.txt", private=True), disk, mirror)
try:
    fetch(SourceFile(path="large.txt", private=True), disk, mirror)
    print("no refusal")
except InputError as error:
    print(error)
print(kept.stat().st_size, sorted(item.name for item in disk.rglob("*") if item.is_file() and item != kept))
"""
SENTENCE = "{}: the disk is full, the file was not written and what was there before is unchanged; free some space"


@pytest.mark.parametrize(
    ("code", "file", "after"),
    [
        (CHECKPOINT, "state.pt", "1 ['state.pt']"),
        (PREDICTIONS, "cell/predictions.jsonl", "10 ['predictions.jsonl']"),
        (CORPUS, "dataset", "1000 ['dataset']"),
        (DOWNLOAD, "large.txt", "1000 []"),
    ],
    ids=["checkpoint", "predictions", "corpus", "download"],
)
def test_a_file_that_finds_no_room_leaves_the_one_before(tmp_path: Path, code: str, file: str, after: str) -> None:
    done = run_on_small_disk(code, tmp_path / "disk", 128)
    assert done.returncode == 0, done.stderr
    sentence, good = done.stdout.splitlines()
    assert sentence.startswith(SENTENCE.format(tmp_path / "disk" / file)) and good == after


TRAINING = """
import sys
import gliner_core.train as training
training.SAVE_EVERY_SECONDS = -1.0
sys.exit(training.main([{arguments}, "--out", sys.argv[1] + "/out", "--device", "cpu", "--resume"]))
"""
TRACK = """
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from benchmarks.pipeline import job as jobs
from benchmarks.reporting.records import TrackedRun
from benchmarks.reporting.tracking import Store, init_store, log_run, read_metrics_of

@dataclass
class Space:
    results: Path
    device: str = "cpu"
    leased: tuple = ()
    shared_devices: tuple = ()

jobs.open_workspace = lambda root, config: Space(results=Path(config["results"]))
disk, elsewhere, steps = Path(sys.argv[1]), Path({elsewhere!r}), {steps}
store = Store(uri=f"sqlite:///{{disk}}/mlflow.db", scale="demo", artifacts=(disk / "artifacts").as_uri())
marker = elsewhere / "marker.json"
snakemake = SimpleNamespace(rule="track", wildcards=["run"], resources=None, output=[str(marker)],
                            log=[str(elsewhere / "log")],
                            config={{"results": str(elsewhere)}})
curve = [{{"step": step, **{{f"m{{n}}": step * n for n in range(20)}}}} for step in range(steps)]
run = TrackedRun(key="demo/run", name="run", params={{"seed": 1}}, metrics={{"f1/a": 12.5}}, history=curve, tags={{}},
                 artifacts={{}}, started="2026-01-01T00:00:00+00:00", ended="2026-01-01T00:01:00+00:00", description="")
with jobs.job(snakemake):
    init_store(store)
    run_id = log_run(store, run)
    found = read_metrics_of(store.uri, [run_id])[run_id]
    marker.write_text(f"{{found['f1/a']}} {{found['train/m3']}}")
"""


def test_a_training_whose_disk_is_full_goes_on_to_the_same_weights_with_room(tmp_path: Path, trained: Path) -> None:
    import trainings

    spec = f"{str(trained / 'spec.json')!r}, '--data', {str(trained / 'train.jsonl')!r}"
    code, disk = TRAINING.format(arguments=spec), tmp_path / "disk"
    # Room for one state and half of the next, which is written beside it.
    full = run_on_small_disk(code, disk, _state_kilobytes(trained) * 3 // 2 if can_mount() else 100)
    assert full.returncode == 2, full.stderr
    (sentence,) = [line for line in full.stderr.splitlines() if line.startswith("error: ")]
    assert sentence.startswith("error: " + SENTENCE.format(disk / "out" / "scratch" / "state.pt"))
    left = sorted(path.name for path in kept(disk).rglob("*") if path.is_file())
    assert left == (["state.pt"] if can_mount() else [])
    again = run_on_small_disk(code, disk, 1 << 16)
    assert again.returncode == 0, again.stderr
    assert trainings.made(kept(disk), "out") == trainings.made(trained, "whole")


def _state_kilobytes(trained: Path) -> int:
    """A state holds the weights and two moments of each."""
    weights = (trained / "whole" / "model" / "model.safetensors").stat().st_size
    return math.ceil(3 * weights / 1024)


def test_a_tracking_store_whose_disk_is_full_is_one_sentence_and_is_filled_with_room(tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("no right to mount a small disk, and SQLite calls a cap on its file an I/O error")
    elsewhere, disk = tmp_path / "elsewhere", tmp_path / "disk"
    elsewhere.mkdir()
    code = TRACK.format(elsewhere=str(elsewhere), steps=400)
    full = run_on_small_disk(code, disk, 1400)  # the empty tables take 1 MB
    assert full.returncode == 2, full.stderr[-2000:]
    (sentence,) = [line for line in full.stderr.splitlines() if line.startswith("error: ")]
    assert sentence.startswith("error: " + SENTENCE.format(disk / "mlflow.db"))
    assert _runs(kept(disk) / "mlflow.db") == [("run", "RUNNING")]  # in the middle of it
    again = run_on_small_disk(code, disk, 1 << 16)
    assert again.returncode == 0, again.stderr[-2000:]
    assert (elsewhere / "marker.json").read_text() == f"12.5 {399.0 * 3}"
    assert _runs(kept(disk) / "mlflow.db") == [("run", "FINISHED")]


def _runs(store: Path) -> list[tuple[str, str]]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(store)) as file:
        return file.execute("select name, status from runs where lifecycle_stage = 'active'").fetchall()
