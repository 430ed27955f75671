"""Scores of all cells of one run (or system) on one suite, under every protocol that the studies ask for.

Predictions and gold are held against the digests that were written down when they were made.
"""

from dataclasses import asdict
from pathlib import Path

from benchmarks.catalog.workspace import Workspace
from benchmarks.pipeline.integrity import check_split
from benchmarks.reporting.cells import score_path
from benchmarks.scoring.cell import score_cell
from benchmarks.scoring.protocol import with_decoding
from gliner_core.files import check_digest, file_digest, read_json, write_json


def score_batch(space: Workspace, owner: str, suite: str, predicted: Path, manifest: Path) -> None:
    """Writes every score file of the batch, then {score file: sha256}; `predicted` is the manifest of `predict`."""
    scored: dict[str, str] = {}
    written = read_json(predicted)
    for cell in space.grid.batch(owner, suite):
        predictions = space.home / cell.folder / "predictions.jsonl"
        check_digest(predictions, written[cell.folder], f"delete {predicted} and start again to predict it anew")
        check_split(space.test_file(cell.dataset, suite))
        for protocol in space.grid.cells[cell]:
            path = score_path(cell.folder, protocol)
            score_cell(
                predictions,
                space.test_file(cell.dataset, suite),
                space.registry.datasets[cell.dataset],
                with_decoding(space.registry.protocols[protocol], asdict(space.grid.decodings[cell.decoding])),
                read_json(space.home / cell.folder / "receipt.json")["max_width"],
                space.home / path,
                space.settings.resamples,
            )
            scored[path] = file_digest(space.home / path)
    write_json(manifest, scored)
