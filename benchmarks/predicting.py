"""One cell of the grid: predictions.jsonl and its receipt."""

from pathlib import Path
from typing import Any

from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.receipts import now, write_receipt
from benchmarks.scoring.answer import answer_cell


def predict_cell(space: Workspace, names: Any, data: Path, out: Path) -> None:
    """Predicts `names.owner` x `names.dataset` x `names.decoding` into `out`, with a receipt beside it."""
    started = now()
    model = space.run(names.owner) / "model" if names.owner in space.grid.runs else space.registry.systems[names.owner]
    card, decoding = space.registry.datasets[names.dataset], space.grid.decodings[names.decoding]
    cost = answer_cell(model, card, data / "test.jsonl", decoding, out, device=space.device)
    content = {"owner": names.owner, "dataset": names.dataset, "decoding": names.decoding, **cost}
    write_receipt(out.with_name("receipt.json"), space.root, started, content)
