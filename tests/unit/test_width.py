"""The analysis `width`: what is measured on tiny models, and what its page says and draws."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib
import pytest
from cost_samples import K_POINTS, TinyStudy, cost_rows
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from benchmarks.analyses import width_rows
from benchmarks.analyses.cost_names import CONDITIONS, INFERENCE, QUALITY, TRAINING
from benchmarks.analyses.cost_points import TEXTS, study_points, texts_by_pass, training_sample
from benchmarks.analyses.cost_rows import timed, words_per
from benchmarks.analyses.cost_showing import pick
from benchmarks.analyses.width_page import SEEDS, present
from benchmarks.efficiency.timing import Reading
from benchmarks.reporting.style import SETTINGS
from benchmarks.scoring.judging import HIGHER, LOWER, NOT_SHOWN

CARD: Any = SimpleNamespace(name="toy")
SPACE: Any = SimpleNamespace()


def point(name: str) -> Any:
    spec = SimpleNamespace(model=SimpleNamespace(backbone=SimpleNamespace(name="tiny")))
    return SimpleNamespace(variant=name, label=name, spec=spec, max_width=4)


def test_ratios_are_of_the_same_pass() -> None:
    passes = [
        {"a": Reading(wall=2.0, cpu=0), "b": Reading(wall=1.0, cpu=0)},
        {"a": Reading(wall=8.0, cpu=0), "b": Reading(wall=4.0, cpu=0)},
        {"a": Reading(wall=3.0, cpu=0), "b": Reading(wall=1.5, cpu=0)},
    ]
    speeds = words_per(passes, [100, 100, 300], "wall")
    assert speeds == {"a": [50, 12.5, 100], "b": [100, 25, 200]}
    rows = list(timed([point("a"), point("b")], point("a"), INFERENCE, "words_per_second", speeds))
    assert [(row["value"], row["ratio"], row["ratio_low"], row["ratio_high"]) for row in rows] == [
        (50, 1, 1, 1), (100, 2, 2, 2),
    ]  # fmt: skip
    assert [row["is_baseline"] for row in rows] == [True, False] and rows[1]["count"] == 3


@pytest.fixture
def measured(backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """How to gather the rows of a tiny study: the shortest timings, and memory without processes."""
    monkeypatch.setattr(width_rows, "SECONDS", {True: 0.0, False: 0.0})
    asked: list[Any] = []
    peaks = {"run-k2": (1000, 3000), "run-k4": (2000, 4000)}

    def memory(models: Any, texts: Any, device: str, specs: Any, batch: Any) -> dict[str, dict[str, list[int]]]:
        assert len(texts) == 8 * TEXTS[True]
        found = {}
        for model in models:
            asked.append((model.name, model.max_width, specs and specs[model.name].model.max_width, len(batch)))
            inference, training = peaks[model.folder.parent.name]
            found[model.name] = {"inference": [inference] * 3, "training": [training] * 3 if specs else []}
        return found

    monkeypatch.setattr(width_rows, "peaks_in_fresh_processes", memory)

    def gather(axis: str) -> tuple[Any, list[Any], Any]:
        space: Any = TinyStudy(tmp_path, backbone, axis)
        return width_rows.gather(space, "toy"), asked, space

    return gather


def test_training_and_answering_are_measured_at_every_k(measured: Any) -> None:
    rows, asked, _ = measured("training")
    for name, width, peak in (("narrow", 2, 0.75), ("baseline", 4, 1.0)):
        for work in (INFERENCE, TRAINING):
            found = pick(rows, name, work, "words_per_second")
            assert found is not None and found["max_width"] == width and found["value"] > 0 and found["count"] == 6
            assert pick(rows, name, work, "words_per_cpu_second") is not None
        assert pick(rows, name, TRAINING, "bytes_peak")["ratio"] == peak  # type: ignore[index]
        for measure in ("latency_p50_ms", "latency_p95_ms"):
            assert pick(rows, name, INFERENCE, measure) is not None
    assert asked == [("narrow", None, 2, 4), ("baseline", None, 4, 4)]
    assert pick(rows, "narrow", QUALITY, "f1_pct")["low"] == 39.0  # type: ignore[index]
    assert pick(rows, "narrow", QUALITY, "f1_difference_points")["verdict"] == NOT_SHOWN  # type: ignore[index]
    told = dict(rows.loc[rows["work"] == CONDITIONS, ["measure", "detail"]].itertuples(index=False))
    assert told["device"] == "cpu" and told["texts per pass"] == "24" and told["examples per training batch"] == "4"


def test_a_k_of_decoding_moves_no_training(measured: Any) -> None:
    rows, asked, _ = measured("inference")
    assert not (rows["work"] == TRAINING).any()
    assert asked == [("narrow", 2, None, 0), ("baseline", None, None, 0)]
    assert set(rows["max_width"].dropna()) == {2, 4}


def test_texts_are_new_in_every_pass_and_come_from_all_test_sets(measured: Any) -> None:
    _, _, space = measured("inference")
    draw = texts_by_pass(space, "toy")
    first, second, third = (draw(number) for number in range(3))
    each = TEXTS[True] // 2
    assert len(first) == 2 * each and first == texts_by_pass(space, "toy")(0)
    assert {text.labels for text in first} == {("person", "big city", "river")}
    seen = [text.words for text in (*first[:each], *second[:each])]
    assert len(seen) == 24 and first != second and third[: 30 - 2 * each] + first[: 3 * each - 30] == third[:each]
    sample = training_sample(space, study_points(space, "toy")[0].spec)
    assert len(sample) == len({example.id for example in sample}) == 24


def page(**changes: Any) -> Any:
    return present(cost_rows(K_POINTS, **changes), CARD, SPACE)


def test_the_caption_of_the_visible_size_names_seeds_too() -> None:
    """The size is that of the whole rule, which asks seeds as well as sentences."""
    (note,) = next(table for table in page(seeds=3).tables if "visible, points" in table.columns).notes
    assert "over these sentences and, where there are several, these seeds at once" in note


def test_the_smallest_k_without_a_shown_loss_is_told_with_what_it_saves() -> None:
    first, *others = page().findings
    assert first == (
        "The smallest K without a shown loss of F1 is 6 (a loss of less than 1.5 points could have stayed unseen); "
        "against K = 12 it answers 1.20 x [1.16, 1.25] as many words per second, needs 0.50 x [0.49, 0.51] the extra "
        "memory, trains 1.20 x [1.16, 1.25] as many words per second and needs 0.50 x [0.49, 0.51] the extra memory of "
        "a step."
    )
    assert [text.split(":")[0] for text in others[:-1]] == ["K = 4", "K = 6", "K = 8", "K = 16"]
    assert "answers 1.01 x [0.98, 1.05] as many words per second (within the noise)" in others[2]
    assert "within the noise" not in others[0]
    near = present(cost_rows(K_POINTS | {"near": (11, 39.9, 1.2, NOT_SHOWN)}), CARD, SPACE).findings[3]
    assert "0.92 x [0.91, 0.93] the extra memory (within the noise)" in near and "second (within" not in near
    assert others[-1].startswith("Each K was trained with one seed")


def test_a_loss_ends_the_search_and_a_gain_is_told() -> None:
    broken = K_POINTS | {"near": (8, 38.0, 1.0, LOWER)}
    assert present(cost_rows(broken), CARD, SPACE).findings[0] == (
        "No K below 12 was measured without a shown loss of F1."
    )
    better = K_POINTS | {"half": (6, 41.0, 1.2, HIGHER)}
    assert "is 6 (its F1 is higher by 1.0 points)" in present(cost_rows(better), CARD, SPACE).findings[0]


def test_several_seeds_need_no_excuse() -> None:
    found = page(seeds=3)
    assert not any("one seed" in text for text in found.findings)
    assert found.tables[0].rows[0][2].text == "33.0 to 39.0"


def test_tables_hold_ratios_beside_numbers() -> None:
    quality, answering, training, conditions = page().tables
    assert [row[0].text for row in quality.rows] == ["4", "6", "8", "12 (baseline)", "16"]
    assert answering.columns[:3] == ("K", "words/s, x", "words/s")
    assert [cell.text for cell in answering.rows[0]][:3] == ["4", "1.40 x", "1,400"]
    assert answering.rows[0][1].detail == "[1.36, 1.46]"
    assert [cell.text for cell in training.rows[0]][-2:] == ["0.33 x", "10"]
    assert conditions.rows[0][1].text == "cpu"
    assert len(page(training=False).tables) == 3


@pytest.mark.parametrize("changes", [{}, {"training": False}, {"seeds": 3}])
def test_every_panel_shows_every_k(changes: dict[str, Any]) -> None:
    figure = Figure(layout="constrained")
    page(**changes).draw(figure)
    assert len(figure.axes) == 5
    for panel in figure.axes:
        curves = [line for line in panel.lines if len(line.get_xdata()) == 5]
        assert curves and all(list(line.get_xdata()) == [4, 6, 8, 12, 16] for line in curves)
    speeds = [line for line in figure.axes[2].lines if len(line.get_xdata()) == 5]
    assert [list(line.get_ydata()) for line in speeds] == [[1.4, 1.2, 1.01, 1.0, 0.9]] * len(speeds)
    assert len(speeds) == (2 if changes.get("training", True) else 1)
    low, high = figure.axes[2].get_ylim()
    assert low < 0.97 * 0.9 and high > 1.04 * 1.4
    figure.draw_without_rendering()


def test_no_legend_stands_in_a_title() -> None:
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(layout="constrained")
        page().draw(figure)
        figure.draw_without_rendering()
        for panel in figure.axes[2:]:
            (title,) = [
                text for text in panel.findobj(Text) if text.get_text() and text.get_text() == panel.get_title("left")
            ]
            legend = panel.get_legend()
            assert legend is not None and title.get_window_extent().x1 < legend.get_window_extent().x0


def test_the_interval_over_seeds_is_drawn_and_does_not_flatten_the_curve() -> None:
    rows = cost_rows(K_POINTS, seeds=2)
    f1 = rows["measure"] == "f1_pct"
    rows.loc[f1, "seed_low"], rows.loc[f1, "seed_high"] = -40.0, 110.0
    figure, found = Figure(layout="constrained"), present(rows, CARD, SPACE)
    found.draw(figure)
    figure.draw_without_rendering()
    panel = figure.axes[0]
    drawn = [line for line in panel.findobj(Line2D) if line.get_gid() == SEEDS]
    assert [list(line.get_ydata()) for line in drawn] == [[-40.0, 110.0]] * 5 and all(
        line.get_clip_on() for line in drawn
    )
    low, high = panel.get_ylim()
    assert 20 < low < rows.loc[f1, "low"].min() and rows.loc[f1, "high"].max() < high < 60
    assert any("over seeds" in note for note in found.notes) and not any("over seeds" in note for note in page().notes)


def test_one_k_alone_is_a_page_too() -> None:
    rows = cost_rows({"baseline": K_POINTS["baseline"]})
    found = present(rows, CARD, SPACE)
    assert found.findings[0].startswith("No K below 12")
    found.draw(Figure())
