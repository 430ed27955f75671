"""The verdict rule and the mapping of our cells to printed numbers."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.catalog.cards import Reference
from benchmarks.reporting.compare import COLUMNS, compare, load_published, verdict
from gliner_core.errors import InputError

FILE = "gliner_2311.08526"
TABLE_1 = (
    "mit_movie",
    "mit_restaurant",
    *(f"crossner_{n}" for n in ("ai", "literature", "music", "politics", "science")),
)


def cells(*rows: dict[str, Any], datasets: tuple[str, ...] = TABLE_1) -> pd.DataFrame:
    """Tidy cells: per given row one per dataset and the average, all with the same value."""
    defaults = {
        "scale": "paper", "study": "main", "variant": "gliner-l", "label": "GLiNER-L", "run": "r-1", "seed": "1",
        "system": "", "backbone": "deberta-v3-large", "suite": "ood", "language": "en", "script": "Latin",
        "protocol": "gliner-official", "decoding": "d1", "metric": "f1_pct", "value": 60.0, "low": 59.0, "high": 60.5,
        "num_sentences": 100, "path": "scores.json",
    }  # fmt: skip
    return pd.DataFrame([defaults | {"dataset": dataset} | row for row in rows for dataset in (*datasets, "average")])


def held(frame: pd.DataFrame, table: str = "Table 1", scale: str = "paper", **reference: str) -> pd.DataFrame:
    result = compare(frame, [Reference(file=FILE, table=table, **reference)], scale)
    assert tuple(result.columns) == COLUMNS
    return result


def number(result: pd.DataFrame, row: str, column: str) -> pd.Series:
    return result[(result["row"] == row) & (result["column"] == column)].iloc[0]


@pytest.mark.parametrize(
    ("ours", "low", "high", "expected"),
    [
        (60.9, None, None, "match"),
        (60.4, None, None, "match"),  # exactly the tolerance
        (59.9, None, None, "close"),  # exactly twice the tolerance
        (59.8, None, None, "off"),
        (61.9, None, None, "close"),
        (58.0, 55.0, 60.9, "match"),  # the bound belongs to the interval
        (58.0, 55.0, 60.8, "off"),
        (60.3, 60.2, 60.4, "close"),
        (None, None, None, "n/a"),
        (float("nan"), None, None, "n/a"),
    ],
)
def test_verdict_rule(ours: float | None, low: float | None, high: float | None, expected: str) -> None:
    assert verdict(ours, low, high, 60.9, 0.5, scale="paper", same_protocol=True) == expected


def test_the_tolerance_is_not_missed_by_a_rounding_error() -> None:
    assert 0.9 - 0.3 > 0.6
    assert verdict(0.9, None, None, 0.3, 0.6, scale="paper", same_protocol=True) == "match"


def test_no_verdict_outside_the_paper_scale_and_protocol() -> None:
    assert verdict(60.9, 60.0, 61.0, 60.9, 0.5, scale="pilot", same_protocol=True) == "n/a"
    assert verdict(60.9, 60.0, 61.0, 60.9, 0.5, scale="paper", same_protocol=False) == "n/a"
    assert verdict(60.9, 60.0, 61.0, float("nan"), 0.5, scale="paper", same_protocol=True) == "n/a"


def test_a_named_variant_is_held_against_its_row() -> None:
    result = held(cells({"value": 60.0, "low": 59.0, "high": 60.5}))
    movie, average = number(result, "GLiNER-L", "Movie"), number(result, "GLiNER-L", "Average")
    assert (movie["verdict"], movie["ours"], movie["published"]) == ("off", 60.0, 57.2)
    assert movie["delta"] == pytest.approx(2.8)
    assert (average["verdict"], average["reason"]) == ("close", "within twice the tolerance")
    assert movie["reason"] == "beyond twice the tolerance"
    assert number(held(cells({"high": 61.0})), "GLiNER-L", "Average")["reason"] == "inside our 95 % interval"


def test_rows_of_others_stay_without_a_value() -> None:
    result = held(cells({}))
    other = result[(result["row"] != "GLiNER-L")]
    assert len(result) == 98 and set(other["verdict"]) == {"n/a"}
    assert other["ours"].isna().all()
    assert number(result, "ChatGPT", "AI")["reason"] == "no variant or system here is named ChatGPT or AI"


def test_seeds_are_averaged() -> None:
    rows = ({"run": f"r-{seed}", "seed": str(seed), "value": 58.0 + seed, "high": 60.0 + seed} for seed in (1, 2, 3))
    average = number(held(cells(*rows)), "GLiNER-L", "Average")
    assert (average["ours"], average["high"]) == (60.0, 62.0)


def test_an_average_over_other_datasets_is_not_comparable() -> None:
    average = number(held(cells({}, datasets=TABLE_1[:-1])), "GLiNER-L", "Average")
    assert (average["verdict"], pd.isna(average["ours"])) == ("n/a", True)
    assert average["reason"] == "f1_pct of average over the paper's datasets was not measured here"


def test_each_table_has_its_own_average() -> None:
    average = number(held(cells({}), "Table 2"), "Average", "GLiNER-L")
    assert (average["verdict"], pd.isna(average["ours"])) == ("n/a", True)


def test_another_protocol_is_shown_without_a_verdict() -> None:
    movie = number(held(cells({"protocol": "no-else", "value": 57.2})), "GLiNER-L", "Movie")
    assert (movie["verdict"], movie["ours"]) == ("n/a", 57.2)
    assert movie["reason"] == "scored under no-else, printed under gliner-official"


def test_the_printed_protocol_is_preferred() -> None:
    frame = cells({"protocol": "no-else", "value": 40.0}, {"value": 57.0})
    movie = number(held(frame), "GLiNER-L", "Movie")
    assert (movie["ours"], movie["verdict"], movie["reason"]) == (57.0, "match", "within the tolerance")


def test_several_decodings_are_not_mixed() -> None:
    movie = number(held(cells({"decoding": "k6"}, {"decoding": "k12"})), "GLiNER-L", "Movie")
    assert (movie["verdict"], pd.isna(movie["ours"])) == ("n/a", True)
    assert movie["reason"] == "2 cells here answer for it; they differ in decoding"


def test_a_reference_names_the_variant_that_answers() -> None:
    frame = cells({"variant": "baseline", "label": "all"}, {"variant": "max_width=6", "label": "K = 6", "value": 1.0})
    result = held(frame, row="GLiNER-L", variant="baseline")
    assert set(result["row"]) == {"GLiNER-L"}
    assert number(result, "GLiNER-L", "Average")["ours"] == 60.0
    assert number(held(frame, row="GLiNER-L", variant="max_width=6"), "GLiNER-L", "Movie")["ours"] == 1.0
    assert held(frame, row="GLiNER-L", variant="max_width=8")["reason"].str.endswith("is named max_width=8").all()
    assert held(frame)["ours"].isna().all()


def test_a_reference_may_name_a_printed_column() -> None:
    frame = cells({"variant": "baseline", "label": "all"}, datasets=("multiconer_de",))
    result = held(frame, "Table 3", row="GLiNER-Multi", variant="baseline")
    assert len(result) == 12
    german = number(result, "German", "GLiNER-Multi")
    assert (german["ours"], german["verdict"]) == (60.0, "n/a")
    assert german["reason"] == "scored under gliner-official, printed under unstated"


def test_a_table_of_averages_maps_over_the_paper_suite_only() -> None:
    changes = {"variant": "negative_ratio=0", "label": "none", "value": 53.0, "low": 52.9, "high": 53.1}
    zero = {"row": "0 %", "variant": "negative_ratio=0"}
    assert number(held(cells(changes), "5", **zero), "0 %", "F1")["verdict"] == "match"
    demo = cells(changes, datasets=("demo_sky", "demo_sea"))
    assert held(demo, "5", **zero)["ours"].isna().all()


def test_the_authors_files_count_as_the_dataset() -> None:
    frame = cells({}, datasets=tuple(f"author_{name}" for name in TABLE_1))
    result = held(frame, row="GLiNER-L")
    assert result.loc[result["metric"] == "f1_pct", "ours"].tolist() == [60.0] * 8


def test_the_demo_scale_maps_nothing_and_says_why() -> None:
    frame = cells({"scale": "demo"}, datasets=("demo_ood_sport", "demo_ood_space"))
    for table, size in (("Table 1", 98), ("Table 3", 48), ("Table 5", 9)):
        result = held(frame, table, "demo")
        assert len(result) == size
        assert set(result["verdict"]) == {"n/a"} and result["ours"].isna().all()
        assert result["reason"].str.startswith("scale demo is not the paper's").all()


def test_drawn_values_say_so() -> None:
    result = held(cells({}), "Figure 4")
    assert result["reason"].str.startswith("the paper draws this value").all()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"table": "Table 9"}, r"gliner_2311.08526.csv: holds no `table` 'Table 9'; correct"),
        ({"table": "Table 1", "row": "GLiNER-XL"}, r"holds no `table` 'Table 1' with `row` 'GLiNER-XL'"),
        ({"table": "Table 1", "file": "nobody"}, r"nobody.csv: no such file; correct `file`"),
    ],
)
def test_wrong_references_are_named(reference: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(cells({}), [Reference(**{"file": FILE} | reference)], "paper")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",57.2,", ",57.2x,", r"copy.csv:\d+: `value` '57.2x' is not a number"),
        (",1.0,params as printed: 7B;", ",n/a,params as printed: 7B;", r"copy.csv:\d+: `tolerance` 'n/a'"),
        ("paper,version", "version,paper", r"copy.csv:1: the columns must be paper,version"),
    ],
)
def test_faults_of_a_published_file_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (Path(__file__).parents[2] / "benchmarks" / "published" / f"{FILE}.csv").read_text(encoding="utf-8")
    copy = tmp_path / "copy.csv"
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_published(copy)


def test_drawn_values_load_as_nan_and_text_stays_text() -> None:
    frame = load_published(FILE)
    assert frame.loc[frame["table"] == "Figure 4", "value"].isna().all()
    assert frame["value"].notna().sum() == 434
    assert frame["paper"].unique().tolist() == ["2311.08526"]
