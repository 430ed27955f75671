"""All cells of one run (or system) on one suite: predictions.jsonl with a receipt each, and a manifest of the batch.

A job loads the model once and answers the datasets one after the other. A cell that is already answered from the same
model, data, labels and code is kept, so a batch that was interrupted, or that grew by a dataset, does only what is new.
"""

import hashlib
import json
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.catalog.decoding import CARD_WORDING
from benchmarks.catalog.grid import Cell
from benchmarks.catalog.workspace import Workspace
from benchmarks.pipeline.integrity import check_split, check_weights
from benchmarks.reporting.receipts import now, write_receipt
from benchmarks.scoring.answer import Answerer, answer_cell, open_answerer
from benchmarks.scoring.asking import ask, wording_for
from gliner_core.errors import InputError
from gliner_core.files import file_digest, read_json, write_json


class Batch:
    """The cells of one owner on one suite."""

    def __init__(self, space: Workspace, owner: str, suite: str, code: str) -> None:
        self.space, self.owner, self.suite, self.code = space, owner, suite, code

    @cached_property
    def answerer(self) -> Answerer:
        """The model or system, loaded when the first cell needs it."""
        space = self.space
        is_run = self.owner in space.grid.runs
        if is_run:
            check_weights(space.run(self.owner))
        model = space.run(self.owner) / "model" if is_run else space.registry.systems[self.owner]
        return open_answerer(model, space.device)

    def predict(self, manifest: Path) -> None:
        """Answers every cell that is not answered yet, then writes {cell folder: sha256 of its predictions}."""
        cells = self.space.grid.batch(self.owner, self.suite)
        write_json(manifest, {cell.folder: self._answered(cell) for cell in cells})

    def _answered(self, cell: Cell) -> str:
        folder = self.space.home / cell.folder
        predictions, receipt = folder / "predictions.jsonl", folder / "receipt.json"
        key = self._key(cell)
        if not _is_done(predictions, receipt, key):
            receipt.unlink(missing_ok=True)
            self._answer(cell, predictions, receipt, key)
        return file_digest(predictions)

    def _answer(self, cell: Cell, predictions: Path, receipt: Path, key: str) -> None:
        started = now()
        space = self.space
        card, decoding = space.registry.datasets[cell.dataset], space.grid.decodings[cell.decoding]
        gold = space.test_file(cell.dataset, self.suite)
        check_split(gold)
        cost = answer_cell(self.answerer, card, gold, decoding, predictions, wording=self._wording(cell))
        content = asdict(cell) | {"key": key, "predictions": file_digest(predictions)} | cost
        content["devices"] = list(space.leased)
        write_receipt(receipt, space.root, started, content)

    def _key(self, cell: Cell) -> str:
        space = self.space
        decoding = space.grid.decodings[cell.decoding]
        is_run = self.owner in space.grid.runs
        system = None if is_run else space.registry.systems[self.owner].model_dump(mode="json")
        content: dict[str, Any] = {
            "model": file_digest(space.run(self.owner) / "receipt.json") if is_run else system,
            "data": file_digest(space.test_file(cell.dataset, self.suite)),
            "labels": ask(decoding, space.registry.datasets[cell.dataset], self._wording(cell)),
            "decoding": asdict(decoding),
            "device": space.device,
            "code": self.code,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _wording(self, cell: Cell) -> dict[str, str]:
        """The labels of a cell that are asked in other words."""
        name = self.space.grid.decodings[cell.decoding].label_wording
        if name == CARD_WORDING:
            return {}
        return wording_for(self.space.registry.datasets[cell.dataset], read_json(self.space.wording(name)))


def _is_done(predictions: Path, receipt: Path, key: str) -> bool:
    if not (predictions.is_file() and receipt.is_file()):
        return False
    try:
        record = read_json(receipt)
    except InputError:
        return False
    known = record if isinstance(record, dict) else {}
    return known.get("key") == key and known.get("predictions") == file_digest(predictions)
