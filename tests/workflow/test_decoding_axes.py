"""Studies that ask the same runs in other ways, from their cards to tables and figures, on the tiny demo."""

import csv
import json
from pathlib import Path

import pytest
from checkout import Checkout
from tiny_demo import shrink

STUDIES = ["robustness", "span_width_decoding"]
ANALYSES = ("sensitivity", "calibration", "invariance")


@pytest.fixture(scope="module")
def asked(pristine: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy in which both studies have run."""
    checkout = pristine.copy(tmp_path_factory.mktemp("asked") / "copy")
    shrink(checkout)
    checkout.change("benchmarks/studies/span_width_decoding.yaml", analyses=[])  # what is timed is tested elsewhere
    checkout.configure(studies=STUDIES)
    checkout.make()
    return checkout


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_all_variants_are_answers_of_one_run(asked: Checkout) -> None:
    (run,) = asked.path("results/demo/runs").iterdir()
    cells = {path.name for path in asked.path(f"results/demo/cells/{run.name}/demo_ood_sport").iterdir()}
    assert {"default", "sorted", "shuffled3", "title", "wording-definition", "w16", "k2", "k16"} <= cells
    assert "k8" not in cells  # the model's own K is the default
    receipt = json.loads(
        asked.path(f"results/demo/cells/{run.name}/demo_ood_sport/wording-synonym/receipt.json").read_text()
    )
    assert receipt["labels"][0] == "sportsperson"


def test_tables_hold_every_variant_and_its_own_speed(asked: Checkout) -> None:
    for study in STUDIES:
        folder = asked.path(f"results/demo/studies/{study}")
        cells = _rows(folder / "cells.csv")
        averages = [row for row in cells if (row["dataset"], row["metric"]) == ("average", "f1_pct")]
        assert len({row["variant"] for row in averages}) == len(averages) == (6 if study in STUDIES[1:] else 13)
        speeds = [row for row in _rows(folder / "costs.csv") if row["metric"] == "words_per_second_predict"]
        assert len({row["value"] for row in speeds}) == len(speeds) == len(averages)
        assert (folder / "figure.png").stat().st_size > 5000
    table = asked.path("results/demo/studies/span_width_decoding/table.md").read_text(encoding="utf-8")
    assert "Max width 8 (baseline)" in table


def test_reachable_recall_never_falls_with_k(asked: Checkout) -> None:
    cells = _rows(asked.path("results/demo/studies/span_width_decoding/cells.csv"))
    reach = {
        row["variant"]: float(row["value"])
        for row in cells
        if (row["dataset"], row["metric"]) == ("average", "reachable_recall_pct")
    }
    widths = [reach[f"max_width={width}"] for width in (2, 4, 6)] + [reach["baseline"]]
    widths += [reach[f"max_width={width}"] for width in (12, 16)]
    assert widths == sorted(widths) and widths[0] < widths[-1]


def test_every_analysis_has_rows_and_pages(asked: Checkout) -> None:
    for name in ANALYSES:
        folder = asked.path(f"results/demo/studies/robustness/{name}")
        assert _rows(folder / "rows.csv")
        assert (folder / "figure.png").stat().st_size > 5000
        assert "synthetic corpora" in (folder / "table.md").read_text(encoding="utf-8")
    moved = _rows(asked.path("results/demo/studies/robustness/invariance/rows.csv"))
    exact = [row for row in moved if row["is_exact"] == "1" or row["is_exact"] == "1.0"]
    assert exact and all(float(row["max_difference"]) <= 1e-5 for row in exact)


def test_another_wording_costs_its_own_cells_alone(asked: Checkout) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in asked.path("results/demo/cells").glob("*/demo_*/*/predictions.jsonl")
    }
    asked.edit("benchmarks/wordings/synonym.yaml", "athlete: sportsperson", "athlete: competitor")
    asked.make()
    now = {path for path, stamp in before.items() if path.stat().st_mtime_ns != stamp}
    assert {(path.parts[-3], path.parts[-2]) for path in now} == {("demo_ood_sport", "wording-synonym")}
    assert not asked.plan()
