"""The transcription of the paper's tables: complete, keyed once, and equal to its own averages where the paper is."""

import csv
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from benchmarks.catalog.cards import Reference
from benchmarks.reporting.compare import PUBLISHED_COLUMNS, compare

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PROTOCOLS = {path.stem for path in (BENCHMARKS / "protocols").glob("*.yaml")}
Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="ascii", newline="") as stream:
        return list(csv.DictReader(stream))


ROWS = read(BENCHMARKS / "published" / "gliner_2311.08526.csv")
NEWER = read(BENCHMARKS / "published" / "newer_results.csv")


def f1(table: str) -> dict[tuple[str, str, str], float]:
    """(row, column, dataset) -> printed F1."""
    rows = (row for row in ROWS if row["table"] == table and row["metric"] == "f1_pct")
    return {(row["row"], row["column"], row["dataset"]): float(row["value"]) for row in rows}


def models(table: str) -> dict[str, dict[str, float]]:
    """Model -> dataset -> printed F1; Table 1 prints models as rows, the others as columns."""
    found: dict[str, dict[str, float]] = {}
    for (row, column, dataset), value in f1(table).items():
        found.setdefault(row if table == "Table 1" else column, {})[dataset] = value
    return found


def test_every_printed_number_is_there() -> None:
    sizes = Counter(row["table"] for row in ROWS if row["value"] != "n/a")
    assert sizes == {
        "Table 1": 11 * 8 + 10,  # ten of eleven parameter counts; ChatGPT has none
        "Table 2": 21 * 3,
        "Table 3": 12 * 4,
        "Table 4": 21 * 4,
        "Table 5": 3 * 3,
        "Table 6": 22 * 6,
    }


def test_each_number_has_one_row_and_a_number() -> None:
    keys = Counter((row["table"], row["row"], row["column"]) for row in ROWS)
    assert [key for key, count in keys.items() if count > 1] == []
    for row in ROWS:
        assert row["value"] == "n/a" or float(row["value"]) >= 0
        assert float(row["tolerance"]) >= 0


def test_values_that_are_only_drawn_are_kept_apart_and_explained() -> None:
    for row in ROWS:
        drawn = row["table"].startswith("Figure")
        assert (row["value"] == "n/a") == drawn
        assert not drawn or "prose" in row["note"] or "Table 4" in row["note"]


def test_figure_4_is_drawn_for_both_benchmarks() -> None:
    bars = {
        table: [row["row"] for row in ROWS if row["table"] == table] for table in ("Figure 4", "Figure 4 (20 sets)")
    }
    assert bars["Figure 4"] == bars["Figure 4 (20 sets)"] and len(bars["Figure 4"]) == 6
    columns = {(row["table"], row["column"], row["dataset"]) for row in ROWS if row["table"] in bars}
    assert columns == {("Figure 4", "OOD", "average"), ("Figure 4 (20 sets)", "20 NER", "average")}


def test_protocols_are_cards_or_said_to_be_unstated() -> None:
    heads = {row["protocol"].split(";")[0] for row in ROWS}
    assert heads <= PROTOCOLS | {"unstated"}
    assert {"gliner-official", "uniner-string"} <= heads


def test_printed_averages_are_the_means_of_their_rows() -> None:
    wrong = {}
    for table in ("Table 1", "Table 2", "Table 3", "Table 4"):
        for model, values in models(table).items():
            printed = values.pop("average")
            mean = sum(values.values()) / len(values)
            if abs(mean - printed) > 0.05 + 1e-9:
                wrong[table, model] = round(mean, 2)
    # The paper's own inconsistencies; each is named in the note of its row.
    assert wrong == {("Table 1", "GoLLIE"): 58.39, ("Table 3", "GLiNER-En"): 23.53}
    for (table, model), mean in wrong.items():
        notes = [
            row["note"]
            for row in ROWS
            if row["table"] == table and row["dataset"] == "average" and model in (row["row"], row["column"])
        ]
        assert any(str(mean) in note for note in notes)


def test_tables_agree_with_each_other() -> None:
    first, second, fifth = models("Table 1"), models("Table 2"), f1("Table 5")
    for dataset in ("mit_movie", "mit_restaurant"):
        for model in ("ChatGPT", "UniNER-7B", "GLiNER-L"):
            assert first[model][dataset] == second[model][dataset]
    assert fifth["50 %", "F1", "average"] == first["GLiNER-L"]["average"]


@pytest.mark.parametrize("share", ["0 %", "50 %", "75 %"])
def test_table_5_f1_is_near_the_harmonic_mean_of_its_neighbours(share: str) -> None:
    row = {row["metric"]: float(row["value"]) for row in ROWS if (row["table"], row["row"]) == ("Table 5", share)}
    mean = 2 * row["precision_pct"] * row["recall_pct"] / (row["precision_pct"] + row["recall_pct"])
    assert row["f1_pct"] == pytest.approx(mean, abs=0.15)  # a mean of F1s is not the F1 of means


def test_wins_counted_in_the_prose() -> None:
    def wins(table: str, model: str, rivals: list[str]) -> list[str]:
        values = models(table)
        datasets = set(values[model]) - {"average"}
        return sorted(name for name in datasets if all(values[model][name] > values[rival][name] for rival in rivals))

    assert len(wins("Table 2", "GLiNER-L", ["ChatGPT", "UniNER-7B"])) == 13
    unseen = [name for name in wins("Table 3", "GLiNER-Multi", ["ChatGPT"]) if name != "multiconer_en"]
    assert len(unseen) == 8
    assert "multiconer_ko" not in unseen and "multiconer_tr" not in unseen
    assert len(wins("Table 4", "GLiNER-L w/", ["InstructUIE w/o", "UniNER-7B w/"])) == 7


def test_datasets_are_named_like_their_cards_or_say_that_there_is_none() -> None:
    cards = {path.stem for path in (BENCHMARKS / "datasets").glob("*.yaml")}
    assert {row["dataset"] for row in ROWS} - cards == {"", "average"}
    assert {row["dataset"] for row in NEWER} - cards == {
        "average", "average_19", "average_20", "average_crossner", "ace04",
    }  # fmt: skip


def test_the_suite_of_twenty_is_table_2_in_its_order() -> None:
    printed = [row["dataset"] for row in ROWS if row["table"] == "Table 2" and row["column"] == "GLiNER-L"]
    suite = yaml.safe_load((BENCHMARKS / "suites" / "ner20.yaml").read_text(encoding="utf-8"))
    assert [name.removeprefix("author_") for name in suite["datasets"]] == printed[:-1] and len(printed) == 21
    public = yaml.safe_load((BENCHMARKS / "suites" / "ner20_public.yaml").read_text(encoding="utf-8"))
    assert [name for name in printed if name in public["datasets"]] == sorted(public["datasets"], key=printed.index)


def test_where_the_cards_test_set_is_another_the_note_says_so() -> None:
    ours = [row for row in ROWS if row["table"] in ("Table 2", "Table 4") and row["column"].startswith("GLiNER")]
    noted = {row["dataset"] for row in ours if "(Table 6)" in row["note"]}
    assert noted == {"genia_nested", "multinerd", "polyglotner"}


def newer() -> dict[tuple[str, str, str], dict[str, float]]:
    """(table, row, metric) -> dataset -> value; averages over other lists than the table's are left out."""
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in NEWER:
        own = "average_19" if row["table"].endswith("19 sets") else "average"
        dataset = "average" if row["dataset"] == own else row["dataset"]
        if row["value"] != "n/a" and not dataset.startswith("average_"):
            found.setdefault((row["table"], row["row"], row["metric"]), {})[dataset] = float(row["value"])
    return found


def test_the_name_average_stands_for_the_seven_sets_alone() -> None:
    """Averages over other lists have names of their own, so that none of them meets an average of ours."""
    for row in NEWER:
        listed = {other["dataset"] for other in NEWER if other["table"] == row["table"]}
        listed = {name for name in listed if not name.startswith("average")}
        if row["dataset"] == "average":
            assert listed <= set(models("Table 1")["GLiNER-L"]), row
        assert (row["dataset"] == "average_19") <= (not listed or len(listed) == 19 or listed == {"mit_movie"}), row


def test_each_newer_number_has_one_row() -> None:
    keys = Counter((row["table"], row["row"], row["column"], row["metric"]) for row in NEWER)
    assert max(keys.values()) == 1
    assert {"NuNER_Zero", "NuNER_Zero-span", "NuNER_Zero-4k", "gliner_medium-v2.1", "gliner_xxl-v2.5", "GLiNER2",
            "GNER-T5-xxl", "SLIMER", "B2NER (InternLM2)", "UniNER-type+sup", "gliner-bi-base-v2.0",
            "gliner-multitask-v0.5"} <= {row["row"] for row in NEWER}  # fmt: skip


def test_newer_averages_are_the_means_of_their_rows() -> None:
    wrong, num_checked = {}, 0
    for (table, model, _), values in newer().items():
        printed = values.pop("average", None)
        if printed is not None and len(values) > 2:
            num_checked += 1
            mean = sum(values.values()) / len(values)
            if abs(mean - printed) > 0.05 + 1e-9:
                wrong[table, model] = round(mean, 2)
    assert num_checked == 10
    assert wrong == {
        ("NuNER Zero-4k", "NuNER_Zero-4k"): 66.44,
        ("multitask page, v0.5", "gliner-multitask-v0.5"): 62.85,
    }
    for (table, model), mean in wrong.items():
        (row,) = [row for row in NEWER if (row["table"], row["row"], row["dataset"]) == (table, model, "average")]
        assert str(mean) in row["note"]


def test_newer_metrics_say_what_they_are() -> None:
    heads = {row["protocol"].split(";")[0] for row in NEWER}
    assert heads == {"unstated", "uniner-string", "no-else"}
    for row in NEWER:
        assert tuple(row) == PUBLISHED_COLUMNS and ";" in row["protocol"]
        assert (row["metric"] == "token_f1_pct") == ("token level: " in row["protocol"])
        assert row["metric"] in ("f1_pct", "token_f1_pct")
        assert ("CrossNER alone" in row["protocol"]) == (row["dataset"] == "average_crossner")
    assert [row["row"] for row in NEWER if row["value"] == "n/a"] == ["SLIMER"]


def our_cells(names: set[str], protocol: str) -> pd.DataFrame:
    """Systems of these names with 60.0 everywhere: on the sets of Table 1 and on those of Table 2 and ACE 2004."""
    suites = {"seven": [*models("Table 1")["GLiNER-L"]], "twenty": [*models("Table 2")["GLiNER-L"], "ace04"]}
    given = {
        "scale": "paper", "run": "", "seed": "", "decoding": "default", "protocol": protocol, "metric": "f1_pct",
        "value": 60.0, "low": 59.0, "high": 61.0,
    }  # fmt: skip
    return pd.DataFrame(
        [
            given | dict.fromkeys(("variant", "label", "system"), name) | {"suite": suite, "dataset": dataset}
            for name in sorted(names)
            for suite, datasets in suites.items()
            for dataset in datasets
        ]
    )


@pytest.mark.parametrize("table", sorted({row["table"] for row in NEWER}))
def test_only_like_metrics_get_a_verdict(table: str) -> None:
    rows = [row for row in NEWER if row["table"] == table]
    ours = pd.concat([our_cells({row["row"] for row in rows}, protocol) for protocol in sorted(PROTOCOLS)])
    found = compare(ours[ours["suite"] == "seven"], [Reference(file="newer_results", table=table)], "paper")
    assert len(found) == len(rows)
    seven = {name for name in models("Table 1")["GLiNER-L"] if name != "average"}
    listed = {row["dataset"] for row in rows} - {"average"}
    for row, verdict in zip(rows, found["verdict"], strict=True):
        is_like = row["protocol"].split(";")[0] in PROTOCOLS and row["metric"] == "f1_pct" and row["value"] != "n/a"
        is_ours = row["dataset"] in seven or (row["dataset"] == "average" and listed == seven)
        assert (verdict != "n/a") == (is_like and is_ours), row


def test_contradictions_of_the_prose_are_noted() -> None:
    notes = {(row["table"], row["row"], row["column"]): row["note"] for row in ROWS}
    assert "prose says that 0 % raises recall" in notes["Table 5", "0 %", "Rec"]
    assert "prose says that 75 % raises precision" in notes["Table 5", "75 %", "Prec"]
    assert "45,889" in notes["Table 1", "GLiNER-L", "Average"]
    assert "3 h 50 min" in notes["Table 1", "GLiNER-L", "Average"]


def test_what_was_quoted_from_one_source_has_one_protocol() -> None:
    """MIT Movie and Restaurant of ChatGPT and UniNER-7B stand in Tables 1 and 2, both from Zhou et al. 2023."""
    quoted = [row for row in ROWS if row["table"] in ("Table 1", "Table 2") and "Zhou et al." in row["note"]]
    assert len(quoted) > 2 * 21
    assert {row["protocol"] for row in quoted if row["metric"] == "f1_pct"} == {
        "uniner-string; evaluator of Zhou et al. 2023"
    }


def test_sizes_without_embeddings_and_gains_have_metrics_of_their_own() -> None:
    for row in ROWS:
        assert (row["metric"] == "parameters_without_embeddings") == (
            row["column"] == "Params" and row["row"].startswith("GLiNER")
        )
        assert (row["metric"] == "f1_gain_points") == (row["column"] == "difference")
