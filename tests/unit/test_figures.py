"""The figures: what is drawn from which cells, the same bytes every time, and the mark of synthetic scales."""

import subprocess
import sys
from pathlib import Path

import pytest
import reporting_samples as samples
from matplotlib.figure import Figure

import benchmarks.reporting.figures as figures
from benchmarks.reporting.bars import BAR_INCHES
from benchmarks.reporting.figures import bar_groups, draw_figure
from benchmarks.reporting.style import wrap
from benchmarks.reporting.summary import CellIndex

STUDIES = {
    "main": (samples.main_cells, samples.main_card, samples.DEMO_TITLES),
    "width": (samples.width_cells, samples.width_card, {}),
    "loss": (samples.loss_cells, samples.loss_card, {}),
    "languages": (samples.language_cells, samples.language_card, samples.LANGUAGE_TITLES),
}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that would have been saved."""
    kept: list[Figure] = []
    monkeypatch.setattr(figures, "save_figure", lambda figure, svg, png: kept.append(figure))
    return kept


def draw(name: str, folder: Path, synthetic: bool = True) -> None:
    cells, card, titles = STUDIES[name]
    published = samples.published_rows()
    draw_figure(cells(), card(), published, folder / f"{name}.svg", folder / f"{name}.png", synthetic, titles)


def texts(figure: Figure) -> list[str]:
    return [item.get_text() for item in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


@pytest.mark.parametrize("name", STUDIES)
def test_every_kind_of_figure_is_written_without_date_and_software(name: str, tmp_path: Path) -> None:
    draw(name, tmp_path)
    svg, png = (tmp_path / f"{name}.svg").read_text(), (tmp_path / f"{name}.png").read_bytes()
    assert "<dc:date>" not in svg and "matplotlib.org" not in svg.split("<defs>")[0]
    assert png.startswith(b"\x89PNG") and b"Software" not in png
    assert "http-equiv" not in svg and "<script" not in svg


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_scales_are_marked_and_others_are_not(
    name: str, synthetic: bool, tmp_path: Path, drawn: list[Figure]
) -> None:
    draw(name, tmp_path, synthetic)
    assert ("synthetic corpora (scale demo)" in texts(drawn[0])) is synthetic


def test_same_bytes_in_two_processes(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "from pathlib import Path\n"
        "import test_figures\n"
        "for name in ('main', 'width'): test_figures.draw(name, Path(sys.argv[2]))\n"
    )
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        environment = {"PYTHONHASHSEED": str(number), "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", code, str(Path(__file__).parent), str(folder)]
        subprocess.run(command, check=True, env=environment)
    for file in ("main.svg", "main.png", "width.svg", "width.png"):
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


def test_dataset_bars_hold_the_values_of_the_cells() -> None:
    index = CellIndex(samples.main_cells((1, 2, 3)), samples.main_card())
    groups, names = bar_groups(index, samples.published_rows(), samples.DEMO_TITLES)
    assert names == ("Baseline", "Untrained", "Random scorer")
    assert [group.label for group in groups] == ["Kitchen", "Harbour", "Sky", "Average"]
    bar = groups[0].bars[0]
    assert bar is not None and (bar.value, bar.seeds) == (pytest.approx(57.7), pytest.approx((57.2, 57.7, 58.2)))
    assert (bar.low, bar.high) == (pytest.approx(55.5), pytest.approx(60.1))
    assert groups[0].bars[2].seeds == ()
    assert all(group.marker is None for group in groups), "the paper's numbers belong to other datasets"


def test_printed_values_are_marked_where_the_datasets_are_the_papers() -> None:
    cells = samples.main_cells(datasets=samples.OOD, scale="paper")
    groups, _ = bar_groups(CellIndex(cells, samples.main_card()), samples.published_rows(), samples.OOD_TITLES)
    assert [group.marker for group in groups] == [57.2, 58.2, 59.2, 60.2, 58.09]


def test_languages_stand_under_their_script_with_its_mean() -> None:
    index = CellIndex(samples.language_cells(), samples.language_card())
    groups, names = bar_groups(index, samples.published_rows(), samples.LANGUAGE_TITLES)
    assert names == ("Trained on English (baseline)", "Multilingual encoder")
    assert [group.section for group in groups if group.section] == ["Latin", "Other scripts", "All languages"]
    assert [group.label for group in groups][:6] == ["German", "English", "Spanish", "Dutch", "Turkish", "mean of 5"]
    assert groups[6].label == "Bengali (Bengali)"
    mean = groups[5].bars[0]
    assert mean is not None and mean.value == 22.0 and mean.low is None


def test_variant_bars_have_one_series_per_protocol() -> None:
    index = CellIndex(samples.loss_cells(), samples.loss_card())
    groups, names = bar_groups(index, samples.published_rows(), {})
    assert names == ("gliner_official", "no_else")
    assert [group.label for group in groups] == ["Baseline (BCE)", "Focal loss", "Positives x2"]
    assert [round(bar.value, 6) for bar in groups[1].bars if bar] == [49.5, 53.5]


def test_several_rows_under_several_protocols_draw_the_first_protocol_and_say_so(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    cells = samples.loss_cells()
    card = samples.study("loss", layout="datasets", protocols=("no_else", "gliner_official"))
    groups, names = bar_groups(CellIndex(cells, card), samples.published_rows(), {})
    assert len(names) == 3
    assert round(groups[-1].bars[0].value, 6) == 55.5
    draw_figure(cells, card, samples.published_rows(), tmp_path / "a.svg", tmp_path / "a.png", False)
    assert any("protocol no_else (others: see the table)" in text for text in texts(drawn[0]))


def test_lines_stand_at_the_numbers_of_the_axis(tmp_path: Path, drawn: list[Figure]) -> None:
    draw("width", tmp_path)
    scores, speed = drawn[0].axes
    lines = [line for line in scores.lines if len(line.get_xdata()) == 4]
    assert [list(line.get_xdata()) for line in lines] == [[4, 6, 8, 12], [4, 6, 8, 12]]
    assert list(lines[0].get_ydata()) == pytest.approx([45.5, 50.5, 52.5, 53.5])
    assert list(lines[1].get_ydata()) == pytest.approx([75.5, 80.5, 82.5, 83.5])
    assert speed.get_xlabel() == "max width; dashed: baseline"
    assert {"F1", "reachable recall"} <= set(texts(drawn[0]))


def test_a_line_study_with_words_on_its_axis_falls_back_to_bars(tmp_path: Path, drawn: list[Figure]) -> None:
    card = samples.loss_card().model_copy(update={"figure": "lines"})
    draw_figure(samples.loss_cells(), card, samples.published_rows(), tmp_path / "a.svg", tmp_path / "a.png", True)
    assert drawn[0].axes[0].get_xlabel() == "F1, %"


def test_hostile_labels_are_drawn_as_text(tmp_path: Path) -> None:
    cells = samples.loss_cells()
    cells["label"] = cells["label"].replace("Focal loss", r"$\frac{ <b> & _x^ " + "long " * 30)
    draw_figure(
        cells, samples.loss_card(), samples.published_rows(), tmp_path / "a.svg", tmp_path / "a.png", synthetic=True
    )
    assert "<b>" not in (tmp_path / "a.svg").read_text()


def test_long_labels_that_differ_at_their_end_stay_apart() -> None:
    labels = [wrap(f"Backbone multilingual-e5-small, max width {width}") for width in (4, 8, 12)]
    assert len(set(labels)) == 3 and all(label.count("\n") < len(BAR_INCHES) for label in labels)
    assert wrap("word " * 40).count("\n") == len(BAR_INCHES) - 1
