"""What a training leaves: model/, history.jsonl and training.json, written together and only from finite weights."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gliner_core.files import atomic_write, write_json
from gliner_core.measure import hardware, peak_bytes
from gliner_core.processes import process_count
from gliner_core.saving import save_network
from gliner_core.trainer import Trainer


def write_training(trainer: Trainer, seconds: float, out: Path) -> dict[str, Any]:
    """Writes model/, history.jsonl and training.json, refusing weights that are not finite; returns the last one."""
    trainer.check_weights()
    save_network(trainer.network.cpu().eval(), out / "model")
    report = training_report(trainer, seconds)
    with atomic_write(out / "history.jsonl") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in trainer.history)
    write_json(out / "training.json", report)
    return report


def training_report(trainer: Trainer, seconds: float) -> dict[str, Any]:
    """What the training saw, lost and cost; `bytes_peak` is that of this process, the counts are of all."""
    device = trainer.accelerator.device
    counts = trainer.counts
    return {
        "steps": trainer.step,
        "device": str(device.type),
        "hardware": hardware(device),
        "processes": process_count(),
        "precision": trainer.accelerator.mixed_precision,
        **trainer.kernels,
        "parameters": sum(weight.numel() for weight in trainer.network.parameters()),
        "seconds": seconds,
        "words_per_second": counts.words / seconds if seconds else None,
        "bytes_peak": peak_bytes(device),
        "splits_for_memory": trainer.splits,
        "negative_share": counts.types_negative / counts.types_asked if counts.types_asked else None,
        "counts": asdict(counts),
    }
