"""The tables: exact numbers, the baseline and its deltas, two uncertainties that never mix, and three safe formats."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import reporting_samples as samples

from benchmarks.catalog.cards import StudyCard
from benchmarks.reporting.inputs import published_of
from benchmarks.reporting.summary import CellIndex, read_cells
from benchmarks.reporting.table_text import escape_latex, escape_markdown, format_number, text_tables
from benchmarks.reporting.tables import build_table, readable_count, write_table
from gliner_core.errors import InputError

NOTHING = samples.published_rows().iloc[:0]


def row_of(frame: pd.DataFrame, name: str, protocol: str | None = None) -> pd.Series:
    column = "Model" if "Model" in frame.columns else "Variant"
    found = frame[frame[column] == name]
    found = found if protocol is None else found[found["Protocol"] == protocol]
    assert len(found) == 1
    return found.iloc[0]


def compared(cells: pd.DataFrame, card: StudyCard) -> pd.DataFrame:
    return build_table(cells, card, NOTHING, {}, differences=samples.differences(cells, card))


def written(frame: pd.DataFrame, folder: Path, caption: str = "A caption") -> tuple[str, str, str]:
    paths = [folder / f"table.{kind}" for kind in ("csv", "md", "tex")]
    write_table(frame, *paths, caption)
    return tuple(path.read_text(encoding="utf-8") for path in paths)


def test_headline_table_of_another_suite_keeps_two_blocks_apart(tmp_path: Path) -> None:
    frame = build_table(samples.main_cells(), samples.main_card(), samples.published_rows(), samples.DEMO_TITLES)
    assert list(frame["Model"]) == ["USM", "GLiNER-L", "Baseline", "Untrained", "Random scorer"]
    assert list(frame["Source"]) == ["published"] * 2 + ["measured here"] * 3
    theirs, ours = text_tables(frame)
    assert theirs.columns == ("Model", "Params", "Protocol", "Movie", "Restaurant", "AI", "Lit", "Average")
    assert ours.columns == ("Model", "Seeds", "Kitchen", "Harbour", "Sky", "Average")
    assert "not comparable" in theirs.heading and "not comparable" in ours.heading
    assert "protocol gliner_official" in ours.heading and "scale demo" in ours.heading
    baseline = row_of(frame, "Baseline")
    assert [baseline[name] for name in ("Kitchen", "Harbour", "Sky", "Average")] == [57.2, 58.2, 59.2, 58.2]
    assert (baseline["Kitchen (low)"], baseline["Kitchen (high)"]) == (55.0, 59.6)
    _, md, _ = written(frame, tmp_path)
    assert "| Baseline | 1 | 57.2 [55.0, 59.6] | 58.2 [56.0, 60.6] |" in md
    assert "| GLiNER-L | 300M | gliner_official | 57.2 | 58.2 | 59.2 | 60.2 | 58.09 |" in md
    assert "One seed per variant" in md


def test_headline_table_of_the_papers_suite_is_one_block() -> None:
    cells = samples.main_cells(seeds=(1, 2, 3), datasets=samples.OOD, scale="paper")
    frame = build_table(cells, samples.main_card(), samples.published_rows(), samples.OOD_TITLES)
    (table,) = text_tables(frame)
    assert [row[0].text for row in table.rows] == ["USM", "GLiNER-L", "Baseline", "Untrained", "Random scorer"]
    assert table.groups == ((0, "published"), (2, "measured here"))
    assert "not comparable" not in table.heading
    assert table.columns[-2:] == ("Average", "Average, seed spread")


def test_real_table_1_keeps_its_order_and_its_printed_values() -> None:
    card = samples.main_card()
    frame = build_table(samples.main_cells(), card, published_of(card), samples.DEMO_TITLES)
    theirs = frame[frame["Source"] == "published"]
    assert list(theirs["Model"]) == [
        "Vicuna-7B", "Vicuna-13B", "USM", "ChatGPT", "InstructUIE", "UniNER-7B", "UniNER-13B", "GoLLIE",
        "GLiNER-S", "GLiNER-M", "GLiNER-L",
    ]  # fmt: skip
    last = theirs.iloc[-1]
    names = ("Movie", "Restaurant", "AI", "Literature", "Music", "Politics", "Science", "Average")
    assert [last[name] for name in names] == [57.2, 42.9, 57.2, 64.4, 69.6, 72.6, 62.6, 60.9]
    assert list(text_tables(theirs)[0].columns) == ["Model", "Params", "Protocol", *names]
    assert list(theirs["Params"])[-3:] == ["50M", "90M", "0.3B"]


def test_a_table_printed_with_datasets_as_rows_is_turned() -> None:
    reference = ({"file": "gliner_2311.08526", "table": "Table 3"},)
    card = samples.study("languages", layout="datasets", references=reference)
    titles = {name: name.upper() for name in samples.LANGUAGE_TITLES}
    frame = build_table(samples.language_cells(), card, published_of(card), titles)
    assert list(frame["Model"])[:4] == ["Sup.", "ChatGPT", "GLiNER-En", "GLiNER-Multi"]
    multi = row_of(frame, "GLiNER-Multi")
    assert (multi["German"], multi["Chinese"], multi["Average"]) == (39.5, 24.3, 32.9)
    assert row_of(frame, "GLiNER-En")["Bengali"] == 0.89
    assert format_number(0.89) == "0.89"


def test_axis_table_puts_the_baseline_first_and_signs_the_deltas() -> None:
    frame = compared(samples.width_cells(), samples.width_card())
    assert list(frame["Variant"]) == ["Baseline (K = 12)", "K = 4", "K = 6", "K = 8"]
    values = frame["F1 - baseline"].tolist()
    assert pd.isna(values[0]) and values[1:] == [-8.0, -3.0, -1.0]
    four = row_of(frame, "K = 4")
    assert (four["Precision"], four["Recall"], four["F1"], four["Reachable recall"]) == (48.5, 42.5, 45.5, 75.5)
    assert (four["Peak memory, MiB"], four["Training, s"], four["Words/s, training"]) == (512.0, 61.2, 2020.0)
    assert four["Negative types, %"] == 50.0


def test_deltas_stay_inside_their_protocol() -> None:
    frame = compared(samples.loss_cells(), samples.loss_card())
    for protocol in ("gliner_official", "no_else"):
        assert row_of(frame, "Focal loss", protocol)["F1 - baseline"] == -2.0
        assert row_of(frame, "Positives x2", protocol)["F1 - baseline"] == 1.0
    assert list(frame["Protocol"]) == ["gliner_official"] * 3 + ["no_else"] * 3


def test_one_rule_says_what_others_are_held_against() -> None:
    card = samples.study("width", axes={"model.max_width": {"demo": [4, 8, 12]}}, figure="lines")
    index = CellIndex(samples.grid_cells(), card)
    assert index.baseline_variant == "max_width=4"  # no variant is the scale's baseline: the first of the card
    assert index.points == {"max_width=4": 4.0, "max_width=8": 8.0, "max_width=12": 12.0}
    assert CellIndex(samples.width_cells(), samples.width_card()).baseline_variant == "baseline"
    named = card.model_copy(update={"baseline_variant": "max_width=12"})
    assert CellIndex(samples.grid_cells(), named).baseline_variant == "max_width=12"
    frame = compared(samples.grid_cells(), named)
    assert list(frame["Variant"]) == ["Max width 12 (baseline)", "Max width 4", "Max width 8"]
    assert frame["F1 - baseline"].tolist()[1:] == [-8.0, -1.0]


def test_an_axis_table_shows_both_intervals_the_adjusted_p_and_the_verdict(tmp_path: Path) -> None:
    frame = compared(samples.width_cells(), samples.width_card())
    _, md, tex = written(frame, tmp_path)
    header = next(line for line in md.splitlines() if line.startswith("| Variant"))
    assert "| Reachable recall | F1 - baseline | Over seeds | p (Holm) | Shown | Negative types, % |" in header
    assert "| -8.0 [-9.0, -7.0] | -10.0 to -6.0 | &lt; 0.001 | lower |" in md
    assert "| -1.0 [-2.0, 0.0] | -3.0 to +1.0 | 0.212 | no (visible from 2.5) |" in md
    assert r"-8.0 {\scriptsize {[}-9.0, -7.0{]}} & -10.0 to -6.0 & \textless{} 0.001 & lower &" in tex
    assert "found 4 times in 5" in md and "(one seed)" not in md


def test_one_seed_is_said_in_the_verdict(tmp_path: Path) -> None:
    frame = compared(samples.width_cells((1,)), samples.width_card())
    _, md, _ = written(frame, tmp_path)
    assert "| &lt; 0.001 | lower (one seed) |" in md and "| 0.212 | no (visible from 1.5) |" in md
    assert "Over seeds" not in md and "(one seed): for these trained models only." in md


def test_a_table_of_datasets_shows_the_difference_of_the_average_last(tmp_path: Path) -> None:
    frame = compared(samples.main_cells((1, 2, 3)), samples.main_card())
    _, md, _ = written(frame, tmp_path)
    header = next(line for line in md.splitlines() if line.startswith("| Model"))
    assert header.endswith("| Average | Average, seed spread | Average - baseline | Shown |")
    assert "| -56.5 [-57.5, -55.4] | lower (sentences only) |" in md
    assert "p (Holm)" not in header and "(sentences only): a system has no seeds" in md


def test_a_study_with_nothing_to_compare_has_no_such_columns(tmp_path: Path) -> None:
    cells = pd.DataFrame(samples.rows_of("baseline", 50.0))
    nothing = samples.differences(samples.width_cells(), samples.width_card()).iloc[:0]
    frame = build_table(cells, samples.study("alone"), NOTHING, {}, differences=nothing)
    csv, md, _ = written(frame, tmp_path)
    assert "baseline" not in csv.splitlines()[0] and "Shown" not in csv + md


def test_sentence_and_seed_intervals_are_never_merged(tmp_path: Path) -> None:
    frame = build_table(samples.width_cells(), samples.width_card(), NOTHING, {})
    four = row_of(frame, "K = 4")
    # Seeds 45.0, 45.5, 46.0; each has the sentence interval -2.2/+2.4, so merging would widen it to 42.8 ... 48.4.
    assert (four["F1 (low)"], four["F1 (high)"]) == (43.3, 47.9)
    assert (four["F1 (seed min)"], four["F1 (seed max)"]) == (45.0, 46.0)
    csv, md, tex = written(frame, tmp_path)
    assert "45.5 [43.3, 47.9] | 45.0 to 46.0" in md
    assert r"45.5 {\scriptsize {[}43.3, 47.9{]}} & 45.0 to 46.0" in tex
    assert "F1 (low),F1 (high),F1 (seed min),F1 (seed max)" in csv
    assert "holds no seed variance" in md and "Seed spread" in md
    assert "| 3 |" in md


def test_an_interval_missing_in_one_seed_is_not_shown_for_the_mean() -> None:
    cells = samples.width_cells()
    cells.loc[(cells["seed"] == 2) & (cells["metric"] == "f1_pct"), ["low", "high"]] = None
    frame = build_table(cells, samples.width_card(), NOTHING, {})
    assert "F1 (low)" not in frame.columns or frame["F1 (low)"].isna().all()


def test_csv_round_trip_gives_the_same_table(tmp_path: Path) -> None:
    cells = samples.width_cells()
    cells.to_csv(tmp_path / "cells.csv", index=False)
    direct = build_table(cells, samples.width_card(), NOTHING, {})
    again = build_table(read_cells(tmp_path / "cells.csv"), samples.width_card(), NOTHING, {})
    pd.testing.assert_frame_equal(direct, again)


def test_printed_rows_of_an_axis_are_called_incomparable_below_the_papers_scale_only() -> None:
    card = samples.width_card(references=({"file": "gliner_2311.08526", "table": "5"},))
    for scale, expected in (("demo", True), ("paper", False)):
        frame = build_table(samples.width_cells().assign(scale=scale), card, samples.published_rows(), {})
        theirs, ours = text_tables(frame)
        assert theirs.columns == ("Variant", "Protocol", "Precision", "Recall", "F1")
        assert ("not comparable" in theirs.heading, "not comparable" in ours.heading) == (expected, expected)


def test_csv_holds_numbers_and_no_paths(tmp_path: Path) -> None:
    frame = build_table(samples.width_cells(), samples.width_card(), NOTHING, {})
    csv, _, _ = written(frame, tmp_path)
    back = pd.read_csv(tmp_path / "table.csv")
    assert "(path)" not in csv and "scores." not in csv
    assert back["F1"].tolist() == [53.5, 45.5, 50.5, 52.5]


def test_same_bytes_in_two_processes(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "import reporting_samples as samples\n"
        "from pathlib import Path\n"
        "from benchmarks.reporting.tables import build_table, write_table\n"
        "frame = build_table(samples.main_cells((1, 2)), samples.main_card(), samples.published_rows(), {})\n"
        "write_table(frame, *(Path(sys.argv[2]) / name for name in ('t.csv', 't.md', 't.tex')), 'Caption')\n"
    )
    for number in (1, 2):
        folder = tmp_path / str(number)
        command = [sys.executable, "-c", code, str(Path(samples.__file__).parent), str(folder)]
        environment = {"PYTHONHASHSEED": str(number), "PYTHONPATH": str(Path(__file__).parents[2])}
        subprocess.run(command, check=True, env=environment)
    for name in ("t.csv", "t.md", "t.tex"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


HOSTILE = r"a|b_c & 50 % {x} $y$ #1 ~ ^ \input <script>[l](javascript:x)`q`*z*"


def test_hostile_text_is_escaped_in_latex_and_markdown(tmp_path: Path) -> None:
    cells = samples.width_cells()
    cells["label"] = cells["label"].replace("K = 4", HOSTILE)
    _, md, tex = written(build_table(cells, samples.width_card(), NOTHING, {}), tmp_path, HOSTILE)
    (line,) = [line for line in tex.splitlines() if line.startswith("A\\textbar{}b")]
    assert r"b\_c \& 50 \% \{x\} \$y\$ \#1 \textasciitilde{} \textasciicircum{} \textbackslash{}input" in line
    assert "<script>" not in md and not re.search(r"(?<!\\)\]\(javascript", md)
    (line,) = [line for line in md.splitlines() if line.startswith("| A\\|b")]
    header = next(line for line in md.splitlines() if line.startswith("| Variant"))
    assert line.replace("\\|", "").count("|") == header.count("|")


@pytest.mark.parametrize("sign", "&%$#_{}")
def test_each_latex_special_sign_is_escaped_once(sign: str) -> None:
    assert escape_latex(sign) == "\\" + sign


def test_markdown_keeps_underscores_inside_words_only() -> None:
    assert escape_markdown("no_else") == "no_else"
    assert escape_markdown("_x_") == r"\_x\_"
    assert escape_markdown("two\nlines") == "two lines"


def test_numbers_are_shown_as_printed() -> None:
    assert [format_number(value) for value in (57.2, 0.89, 12345.0, 0.0)] == ["57.2", "0.89", "12,345", "0.0"]
    assert [format_number(value, signed=True) for value in (0.0, 0.4, -1.0)] == ["0.0", "+0.4", "-1.0"]


def test_parameter_counts() -> None:
    assert [readable_count(value) for value in (5e7, 3e8, 7e9, 1500, 12)] == ["50M", "300M", "7B", "1.5k", "12"]


def test_broken_cells_are_refused_in_one_sentence(tmp_path: Path) -> None:
    cells, card = samples.width_cells(), samples.width_card()
    with pytest.raises(InputError, match="column `protocol` is missing"):
        build_table(cells.drop(columns="protocol"), card, NOTHING, {})
    with pytest.raises(InputError, match="no rows"):
        build_table(cells.iloc[:0], card, NOTHING, {})
    with pytest.raises(InputError, match="repeats"):
        build_table(pd.concat([cells, cells.iloc[:1]]), card, NOTHING, {})
    other = cells.assign(suite=["ood", *["other"] * (len(cells) - 1)])
    with pytest.raises(InputError, match="exactly one suite"):
        build_table(other, card, NOTHING, {})
    with pytest.raises(InputError, match="no such file"):
        read_cells(tmp_path / "cells.csv")


def test_an_unknown_reference_table_is_refused() -> None:
    card = samples.study("main_table", layout="datasets", references=({"file": "gliner_2311.08526", "table": "9"},))
    with pytest.raises(InputError, match="no row has table `9`"):
        build_table(samples.main_cells(), card, samples.published_rows(), {})
