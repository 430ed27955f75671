"""The analysis `pareto`: the front against brute force, and what its page says and draws."""

import random
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cost_samples import TinyStudy, cost_rows
from matplotlib.figure import Figure

from benchmarks.analyses import pareto_rows
from benchmarks.analyses.cost_names import CONDITIONS, FRONT, INFERENCE, QUALITY
from benchmarks.analyses.cost_showing import pick
from benchmarks.analyses.pareto_page import present
from benchmarks.analyses.pareto_rows import front
from benchmarks.efficiency.energy import Meter
from benchmarks.scoring.judging import LOWER, NOT_SHOWN

POINTS = {
    "baseline": (12, 40.0, 1.0, ""),
    "narrow": (4, 38.0, 1.3, LOWER),
    "small": (12, 36.0, 2.0, LOWER),
    "slow": (12, 39.0, 0.8, NOT_SHOWN),
}
BACKBONES = {"small": "little", "slow": "big"}
BEATEN = {"slow": "baseline"}
CARD: Any = SimpleNamespace(name="toy")
TITLES = {"tiny": "Tiny", "little": "Little", "big": "Big"}
SPACE: Any = SimpleNamespace(
    registry=SimpleNamespace(backbones={name: SimpleNamespace(title=title) for name, title in TITLES.items()})
)


@pytest.mark.parametrize("seed", range(20))
def test_the_front_is_that_of_brute_force(seed: int) -> None:
    draw = random.Random(seed)
    points = {str(place): (float(draw.randint(0, 6)), float(draw.randint(0, 6))) for place in range(9)}
    found = front(points)
    for name, (speed, quality) in points.items():
        better = [
            other for other, (x, y) in points.items() if (x > speed and y >= quality) or (x >= speed and y > quality)
        ]
        assert (found[name] == "") == (not better)
        assert not found[name] or found[name] in better
        if better:
            assert points[found[name]][1] == max(points[other][1] for other in better)


def test_equal_points_are_both_on_the_front() -> None:
    assert front({"a": (1.0, 2.0), "b": (1.0, 2.0)}) == {"a": "", "b": ""}


def test_the_front_is_decided_on_the_ratio_within_a_pass() -> None:
    """Medians of 60 and 61 words/s may belong to a ratio of 0.98: the machine was slow in other passes."""
    rows = [
        {"variant": name, "measure": measure, **values}
        for name, speed, ratio in (("baseline", 60.0, 1.0), ("narrow", 61.0, 0.98))
        for measure, values in (("words_per_second", {"value": speed, "ratio": ratio}), ("f1_pct", {"value": 40.0}))
    ]
    points: list[Any] = [
        SimpleNamespace(
            variant=name, label=name, max_width=12,
            spec=SimpleNamespace(model=SimpleNamespace(backbone=SimpleNamespace(name="tiny"))),
        )
        for name in ("baseline", "narrow")
    ]  # fmt: skip
    found = {row["variant"]: row["detail"] for row in pareto_rows._front_rows(points, points[0], rows)}
    assert found == {"baseline": "", "narrow": "baseline"}


@pytest.mark.parametrize("metered", [True, False])
def test_all_costs_are_measured(metered: bool, backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = [0.0]

    def joules() -> float:
        used[0] += 3.0
        return used[0]

    monkeypatch.setattr(pareto_rows, "SECONDS", {True: 0.0})
    meter = Meter(source="a meter", joules=joules) if metered else Meter(source="n/a: no meter")
    monkeypatch.setattr(pareto_rows, "find_meter", lambda device: meter)
    monkeypatch.setattr(
        pareto_rows,
        "peaks_in_fresh_processes",
        lambda models, *_: {model.name: {"inference": [100 if model.max_width else 200]} for model in models},
    )
    space: Any = TinyStudy(tmp_path, backbone, "inference")
    rows = pareto_rows.gather(space, "toy")
    for name, measure in product(("narrow", "baseline"), ("words_per_second", "latency_p50_ms", "latency_p95_ms")):
        assert pick(rows, name, INFERENCE, measure)["value"] > 0  # type: ignore[index]
    flops = [pick(rows, name, INFERENCE, "flops_per_word") for name in ("narrow", "baseline")]
    assert 0 < flops[0]["ratio"] < flops[1]["ratio"] == 1  # type: ignore[index]
    assert pick(rows, "narrow", INFERENCE, "bytes_peak")["ratio"] == 0.5  # type: ignore[index]
    energy = pick(rows, "narrow", INFERENCE, "joules_per_kiloword")
    assert (energy is not None) == metered
    if energy is not None:
        assert energy["ratio"] == 1.0  # three joules whatever is done
    told = dict(rows.loc[rows["work"] == CONDITIONS, ["measure", "detail"]].itertuples(index=False))
    assert told["energy"] == meter.source
    assert told["operations of the LSTM, added by hand"].startswith("at most ")
    fronts = [pick(rows, name, QUALITY, FRONT)["value"] for name in ("narrow", "baseline")]  # type: ignore[index]
    speeds = [pick(rows, name, INFERENCE, "words_per_second")["ratio"] for name in ("narrow", "baseline")]  # type: ignore[index]
    assert fronts == [float(speed == max(speeds)) for speed in speeds]  # their F1 is equal
    assert present(rows, CARD, SPACE).tables


def page() -> Any:
    return present(cost_rows(POINTS, backbones=BACKBONES, training=False, front=BEATEN), CARD, SPACE)


def test_the_front_is_told_fastest_first() -> None:
    first, *tested, off, last = page().findings
    assert first == (
        "On the front of F1 against words per second, fastest first: Little, K = 12 (F1 36.0 [34.0, 38.0], speed 2.00 "
        "x [1.94, 2.08]); Tiny, K = 4 (F1 38.0 [36.0, 40.0], speed 1.30 x [1.26, 1.35]); Tiny, K = 12 (F1 40.0 [38.0, "
        "42.0], speed 1.00 x [0.97, 1.04])."
    )
    assert tested == [
        "Tested against the baseline (Tiny, K = 12), on the front: narrow is lower.",
        "Tested against the baseline (Tiny, K = 12), on the front: small is lower.",
        "Tested against the baseline (Tiny, K = 12), behind it: slow is no difference shown.",
    ]
    assert off == (
        "Off the front: Big, K = 12 (F1 39.0 [37.0, 41.0], speed 0.80 x [0.78, 0.83]) behind Tiny, K = 12. Only "
        "differences from the baseline are tested."
    )
    assert "another device" in last


def test_two_points_beside_the_baseline_were_not_tested() -> None:
    rows = cost_rows(POINTS, backbones=BACKBONES, training=False, front={"slow": "narrow"})
    found = present(rows, CARD, SPACE).findings
    assert not any("slow is" in text for text in found) and "behind Tiny, K = 4." in found[-2]


def test_the_figure_draws_all_points_and_the_front() -> None:
    figure = Figure(layout="constrained")
    page().draw(figure)
    (axes,) = figure.axes
    assert list(axes.lines[0].get_xdata()) == [1.0, 1.3, 2.0] and list(axes.lines[0].get_ydata()) == [40, 38, 36]
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"Tiny", "Little", "Big"}
    marks = [line for line in axes.lines if line.get_marker() not in ("None", "")]
    assert sorted(str(line.get_markerfacecolor()) == "white" for line in marks) == [False, False, False, True]
    assert [line.get_markersize() for line in marks] == [5.6, 2.8, 5.6, 5.6]
    assert page().notes[-1] == "Small to large marks: K = 4, 12."
    figure.draw_without_rendering()
