"""What is timed rather than scored: planned only when asked for, measured alone, shown on the page of its scale."""

from importlib.util import find_spec

import pytest
from checkout import Checkout
from tiny_demo import shrink

CARD = "benchmarks/measurements/efficiency.yaml"


def test_no_scale_measures_by_itself(pristine: Checkout) -> None:
    assert "measure" not in pristine.plan()


def test_a_measurement_alone_trains_nothing(pristine: Checkout) -> None:
    jobs = pristine.plan(studies=["efficiency"], scale="pilot")
    assert jobs == {"measure": {"efficiency"}, "show_measurement": {"efficiency"}, "all": {""}}


def test_a_measurement_beside_studies_goes_to_their_page(pristine: Checkout) -> None:
    jobs = pristine.plan(studies=["span_width", "efficiency"])
    assert jobs["measure"] == {"efficiency"} and jobs["publish"] == {""} and jobs["train"]


def test_a_scale_without_a_size_is_refused(draft: Checkout) -> None:
    draft.change(CARD, scales={"paper": "full"})
    outcome = draft.snakemake("--dry-run", studies=["efficiency"])
    assert outcome.code and "whose card has no size for scale 'demo'" in outcome.text


@pytest.mark.skipif(find_spec("gliner") is None, reason="the published package is not installed")
def test_a_small_measurement_runs_and_an_edit_of_the_figure_measures_nothing(draft: Checkout) -> None:
    shrink(draft)
    size = {"rounds": 1, "warmup": 1, "processes": 1, "cases": {"training": [{}], "memory_training": [{}]}}
    draft.change(CARD, backbone="tiny", hidden_size=32, sizes={"quick": size}, scales={"demo": "quick"})
    draft.make(studies=["efficiency"])
    folder = draft.path("results/demo/studies/efficiency")
    names = {"cases.csv", "receipt.json", "table.md", "targets.csv", "figure.svg", "figure.png"}
    assert {path.name for path in folder.iterdir()} == names
    assert ",void," not in (folder / "cases.csv").read_text(encoding="utf-8")
    figure = "benchmarks/reporting/efficiency_figure.py"
    draft.edit(figure, "ROW_INCHES = 0.17", "ROW_INCHES = 0.18")
    assert set(draft.plan(studies=["efficiency"])) == {"show_measurement", "all"}
