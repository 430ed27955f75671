"""Results of the study supervised_scaling as if it had run: score files drawn from curves that the test chooses."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from count_samples import score_of

from benchmarks.catalog.workspace import Workspace, open_workspace
from gliner_core.seeding import derive_seed

ROOT = Path(__file__).resolve().parents[2]
STUDY = "supervised_scaling"
Curve = Callable[[bool, float], float]  # (starts from a pretrained model, examples per dataset) -> F1 in 0..1


def scaling_results(
    folder: Path,
    curve: Curve,
    seeds: Sequence[int],
    *,
    sentences: int = 400,
    jitter: float = 0.0,
    scale: str = "pilot",
) -> Workspace:
    """A workspace in `folder`; each sentence has one entity and one answer, so F1 is the share of right answers.

    The same sentences are hard for all runs; `jitter` is the standard deviation that a seed adds to F1.
    """
    given = {"scale": scale, "studies": [STUDY], "seeds": list(seeds), "results": str(folder)}
    space = open_workspace(ROOT, given | {"device": "cpu", "resamples": 200})
    for row in space.grid.study_rows(STUDY):
        spec = space.grid.runs[row.owner].spec
        size = _write_mixture(space, spec.data.name)
        extra = np.random.default_rng(derive_seed(7, row.owner)).normal(0, jitter) if jitter else 0.0
        for dataset in space.registry.suite_datasets(row.suite):
            hardness = np.random.default_rng(derive_seed(3, dataset)).random(sentences)
            right = (hardness < curve(spec.start is not None, size) + extra).astype(int)
            counts = np.stack([right, np.ones_like(right), np.ones_like(right)], axis=1)
            cell = space.grid.cell_of(row, space.registry.datasets[dataset])
            place = space.home / cell.folder / f"scores.{row.protocol}.json"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(score_of(counts)), encoding="utf-8")
    return space


def _write_mixture(space: Workspace, name: str) -> float:
    card = space.registry.mixtures[name]
    drawn = {part.dataset: {"drawn": card.max_per_part} for part in card.parts}
    record = {"parts": drawn, "train": {"sentences": (card.max_per_part or 0) * len(card.parts)}}
    space.mixture(name).mkdir(parents=True, exist_ok=True)
    (space.mixture(name) / "card.json").write_text(json.dumps(record), encoding="utf-8")
    return float(card.max_per_part or 0)
