"""The transcription of the paper's tables: complete, keyed once, and equal to its own averages where the paper is."""

import csv
from collections import Counter
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PROTOCOLS = {path.stem for path in (BENCHMARKS / "protocols").glob("*.yaml")}
Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="ascii", newline="") as stream:
        return list(csv.DictReader(stream))


ROWS = read(BENCHMARKS / "published" / "gliner_2311.08526.csv")


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


def test_contradictions_of_the_prose_are_noted() -> None:
    notes = {(row["table"], row["row"], row["column"]): row["note"] for row in ROWS}
    assert "prose says that 0 % raises recall" in notes["Table 5", "0 %", "Rec"]
    assert "prose says that 75 % raises precision" in notes["Table 5", "75 %", "Prec"]
    assert "45,889" in notes["Table 1", "GLiNER-L", "Average"]
    assert "3 h 50 min" in notes["Table 1", "GLiNER-L", "Average"]
