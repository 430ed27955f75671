"""A training of six steps in a process of its own, with a checkpoint after every step, that can be hurt on the way."""

import os
import subprocess
import sys
from pathlib import Path

from tiny_model import tiny_spec, toy_examples

from gliner_core.examples import write_jsonl
from gliner_core.files import file_digest, write_json

ROOT = Path(__file__).resolve().parents[2]
STEPS = 6
RUN = """
import os, signal, sys
import gliner_core.checkpoint as checkpoint, gliner_core.train as training
training.SAVE_EVERY_SECONDS = -1.0
{fault}
sys.exit(training.main(sys.argv[1:]))
"""


def prepare(folder: Path, backbone: Path) -> None:
    """Writes spec and data."""
    write_json(folder / "spec.json", tiny_spec(backbone, optim_steps=STEPS).to_json())
    write_jsonl(folder / "train.jsonl", toy_examples())


def arguments(folder: Path, out: str) -> list[str]:
    """The one plain command of every start."""
    return [str(folder / "spec.json"), "--data", str(folder / "train.jsonl"), "--out", str(folder / out),
            "--device", "cpu", "--resume"]  # fmt: skip


def run(folder: Path, out: str, fault: str = "") -> subprocess.CompletedProcess[str]:
    """Trains, or goes on, with some code that does the harm."""
    command = [sys.executable, "-c", RUN.format(fault=fault), *arguments(folder, out)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


def made(folder: Path, out: str) -> tuple[str, bytes]:
    """Digest of the weights, and the history."""
    place = folder / out
    return file_digest(place / "model" / "model.safetensors"), (place / "history.jsonl").read_bytes()
