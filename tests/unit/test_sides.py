"""The sides of comparisons are resampled in parts that fit into memory; parts of any size give the same differences."""

import json
from pathlib import Path

import numpy as np
import pytest
from catalog_support import change_card, write_repository
from count_samples import score_of, sentences

import benchmarks.reporting.sides as sides
from benchmarks.catalog.workspace import open_workspace
from benchmarks.reporting.cells import score_path
from benchmarks.reporting.paired import write_differences


def test_sides_in_small_parts_are_those_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_repository(tmp_path)
    change_card(root, "benchmarks/studies/width.yaml", axes={}, decoding_axes={"max_width": [2, 4, 12]})
    config = {"scale": "tiny", "studies": ["width"], "results": str(tmp_path / "results"), "device": "cpu"}
    space = open_workspace(root, config)
    draw = np.random.default_rng(6)
    for row in space.grid.study_rows("width"):
        for dataset in ("alpha", "beta"):
            path = space.home / score_path(
                space.grid.cell_of(row, space.registry.datasets[dataset]).folder, row.protocol
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(score_of(sentences(draw, 30, 0.5))))
    write_differences(space, "width", tmp_path / "whole.csv")
    monkeypatch.setattr(sides, "BYTES_AT_ONCE", 1)
    write_differences(space, "width", tmp_path / "parts.csv")
    whole = (tmp_path / "whole.csv").read_bytes()
    assert (tmp_path / "parts.csv").read_bytes() == whole and whole.count(b"\n") == 1 + 2 * 3
