"""Tidy rows of a study from its score files: the intervals of averages, and that batches change nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from catalog_support import change_card, write_repository
from count_samples import score_of, sentences

import benchmarks.reporting.averages as averages
from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.reporting.averages import study_values
from benchmarks.reporting.cells import RATES, score_path
from benchmarks.scoring.counts import rate
from gliner_core.seeding import derive_seed

SIZES = {"alpha": 60, "beta": 35}


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """A study of two widths and two seeds with made-up score files; one of them knows fewer sentences of beta."""
    root = write_repository(tmp_path)
    change_card(root, "benchmarks/studies/width.yaml", axes={"model.max_width": [4, 12]}, decoding_axes={})
    config = {"scale": "tiny", "studies": ["width"], "results": str(tmp_path / "results"), "device": "cpu"}
    space = open_workspace(root, config)
    for number, row in enumerate(space.grid.study_rows("width")):
        for dataset, size in SIZES.items():
            counts = sentences(np.random.default_rng(number), size - 5 * (number == 3 and dataset == "beta"), 0.5)
            path = space.home / score_path(
                space.grid.cell_of(row, space.registry.datasets[dataset]).folder, row.protocol
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(score_of(counts)))
    return space


def test_averages_have_the_interval_of_a_loop_and_batches_change_nothing(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = space.grid.study_rows("width")
    found = study_values(space, rows)
    for row, values in zip(rows, found, strict=True):
        average = {value["metric"]: value for value in values if value["dataset"] == "average"}
        drawn = np.zeros((len(RATES), space.settings.resamples))
        for dataset in SIZES:
            cell = space.grid.cell_of(row, space.registry.datasets[dataset])
            counts = np.array(json.loads((space.home / score_path(cell.folder, row.protocol)).read_text())["sentences"])
            draw = np.random.default_rng(derive_seed(0, "bootstrap", row.suite, dataset))
            for place in range(space.settings.resamples):
                sums = counts[draw.integers(0, len(counts), len(counts))].sum(axis=0)
                drawn[:, place] += [100 * float(rate(sums, name)) / len(SIZES) for name in RATES]
        for name, resampled in zip(RATES, drawn, strict=True):
            line = average[f"{name}_pct"]
            assert (line["low"], line["high"]) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])))
            assert line["low"] < line["value"] < line["high"]
        assert "low" not in average["reachable_recall_pct"]
    monkeypatch.setattr(averages, "BYTES_AT_ONCE", 1)
    assert study_values(space, rows) == found
