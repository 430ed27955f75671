"""One run of the grid: spec.json, the training by the trainer that its spec names, and the receipt."""

from functools import partial
from importlib import import_module
from pathlib import Path

from benchmarks.catalog.trainers import TRAINERS
from benchmarks.catalog.workspace import Workspace
from benchmarks.pipeline.integrity import check_split, check_weights
from benchmarks.reporting.receipts import now, write_receipt
from gliner_core.files import file_digest, read_json, write_json
from gliner_core.launch import train_in_processes


def train_run(space: Workspace, run: str, mixture: Path, scratch: Path, code: str) -> None:
    """Trains `run` on a prepared mixture into its folder; resumes from `scratch` after an interruption.

    The scratch folder is named after the code, data and starting weights it belongs to, so that a state of others is
    never found.
    """
    started = now()
    check_split(mixture / "train.jsonl")
    if space.grid.runs[run].spec.start:
        check_weights(space.run(space.grid.runs[run].spec.start))
    folder, spec = space.run(run), space.grid.runs[run].spec
    data = read_json(mixture / "card.json")["train"]["sha256"]
    start = space.run(spec.start) / "model" if spec.start else None
    weights = file_digest(start / "model.safetensors") if start else ""
    place = {"resume": True, "scratch": scratch / f"{code}-{data[:16]}{weights[:16]}", "device": space.device}
    train = import_module(TRAINERS[spec.optim.trainer]).train
    if len(space.leased) > 1:
        train = partial(train_in_processes, len(space.leased))
    report = train(spec, mixture / "train.jsonl", folder, start=start, code=code, **place)
    # After the training: an output that a killed job leaves makes Snakemake ask for --rerun-incomplete.
    write_json(folder / "spec.json", spec.to_json())
    content = {
        "run": run,
        "scale": space.settings.scale,
        "spec_digest": run.rsplit("-", 1)[-1],
        "data": data,
        "start_weights": weights,
        "weights": file_digest(folder / "model" / "model.safetensors"),
        "hardware": report["hardware"],
        "devices": list(space.leased),
        "processes": report["processes"],
    }
    write_receipt(folder / "receipt.json", space.root, started, content)
