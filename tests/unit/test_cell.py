"""Score files from a prediction file, a gold file and a protocol, checked by hand-made sentences."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.catalog.cards import DatasetCard, ProtocolCard
from benchmarks.scoring.cell import score_cell
from benchmarks.scoring.predictions import Candidates, write_predictions
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, write_jsonl

ROOT = Path(__file__).parents[2]
CARD = DatasetCard(
    name="tiny",
    title="Tiny",
    domain="test",
    licence="none",
    generator="demo",
    labels=("person", "place", "else"),
    else_label="else",
    gold_repairs={"misc": "else", "location": "place"},
)
OFFICIAL = ProtocolCard(name="gliner-official", title="Official", ask_else=True, score_else=True)
Row = tuple[int, int, int, float]

WORDS = tuple(f"w{number}" for number in range(20))
GOLD = (
    Example(id="a", words=WORDS, spans=(Span(0, 1, "person"), Span(3, 3, "place"), Span(5, 17, "person"))),
    Example(id="b", words=WORDS, spans=(Span(2, 4, "location"), Span(6, 7, "misc"), Span(18, 19, "place"))),
    Example(id="c", words=WORDS, spans=(Span(0, 2, "person"), Span(2, 3, "place"))),
    Example(id="d", words=WORDS),
)
ANSWERS: tuple[list[Row], ...] = (
    [(0, 1, 0, 0.95), (3, 3, 0, 0.85), (5, 6, 0, 0.55), (10, 10, 1, 0.45)],
    [(2, 4, 1, 0.75), (12, 12, 2, 0.65)],
    [(0, 2, 0, 0.35), (2, 3, 1, 0.9)],
    [],
)


class Cell:
    """A folder with the two input files and the score file."""

    def __init__(self, folder: Path) -> None:
        self.predictions, self.gold, self.out = (folder / name for name in ("p.jsonl", "gold.jsonl", "scores.json"))
        write_jsonl(self.gold, GOLD)
        self.predict()

    def predict(self, ids: str = "abcd", lost_words: int = 0, **header: Any) -> None:
        sentences = []
        for name, rows in zip(ids, ANSWERS, strict=False):
            columns = np.array(rows, dtype=float).reshape(-1, 4)
            start, end, label = (columns[:, place].astype(np.int64) for place in range(3))
            score = columns[:, 3].astype(np.float32)
            one = Candidates(
                id=name, num_words=20, lost_words=lost_words, start=start, end=end, label=label, score=score
            )
            sentences.append(one)
        defaults = {"dataset": "tiny", "labels": list(CARD.labels), "floor": 0.3, "decoding": {}}
        write_predictions(self.predictions, defaults | header, sentences)

    def scores(self, max_width: int = 12, **changes: Any) -> dict[str, Any]:
        protocol = OFFICIAL.model_copy(update=changes)
        score_cell(self.predictions, self.gold, CARD, protocol, max_width, self.out, 200)
        return json.loads(self.out.read_text(encoding="utf-8"))


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    return Cell(tmp_path)


def test_counts_rates_and_sentences(cell: Cell) -> None:
    scores = cell.scores()
    assert scores["counts"] == {"true_positive": 2, "predicted": 6, "gold": 8}
    assert scores["sentences"] == [[1, 3, 3], [0, 2, 3], [1, 1, 2], [0, 0, 0]]
    assert scores["precision_pct"] == pytest.approx(100 * 2 / 6)
    assert scores["recall_pct"] == pytest.approx(25.0)
    assert scores["f1_pct"] == pytest.approx(100 * 4 / 14)
    assert (scores["dataset"], scores["protocol"], scores["num_sentences"]) == ("tiny", "gliner-official", 4)


def test_interval_is_reproducible_and_holds_the_value(cell: Cell) -> None:
    interval = cell.scores()["interval"]
    assert interval["low_pct"] <= 100 * 4 / 14 <= interval["high_pct"]
    assert (interval["level"], interval["resamples"]) == (0.95, 200)
    assert cell.scores()["interval"] == interval


def test_repair_turns_a_miss_into_a_hit(cell: Cell) -> None:
    assert cell.scores(repair_gold=True)["counts"] == {"true_positive": 3, "predicted": 6, "gold": 8}


def test_types(cell: Cell) -> None:
    by_type = {row.pop("type"): row for row in cell.scores()["per_type"]}
    assert sorted(by_type) == ["else", "location", "misc", "person", "place"]
    assert by_type["person"] | {"recall_pct": 0, "precision_pct": 0, "f1_pct": 0} == {
        "true_positive": 1, "predicted": 3, "gold": 3, "recall_pct": 0, "precision_pct": 0, "f1_pct": 0,
    }  # fmt: skip
    assert by_type["place"]["precision_pct"] == pytest.approx(50.0)


def test_widths(cell: Cell) -> None:
    widths = {row["width"]: (row["gold"], row["found"]) for row in cell.scores()["per_width"]}
    assert widths == {
        "1": (1, 0), "2": (4, 2), "3": (2, 0), "4": (0, 0), "5-8": (0, 0), "9-12": (0, 0), ">12": (1, 0),
    }  # fmt: skip


def test_every_error_has_one_class(cell: Cell) -> None:
    scores = cell.scores()
    errors, counts = scores["errors"], scores["counts"]
    # type: (3,3) and `place` for `location`; boundary: (5,6); spurious: (12,12). Missed: misc, (18,19), person (0,2).
    assert errors == {"boundary": 1, "type": 2, "missed": 3, "spurious": 1}
    assert counts["predicted"] == counts["true_positive"] + errors["boundary"] + errors["type"] + errors["spurious"]


def test_unreachable_gold_by_reason(cell: Cell) -> None:
    cell.predict(lost_words=1)
    scores = cell.scores()
    assert scores["unreachable"] == {"offset": 0, "label": 2, "width": 1, "window": 1, "overlap": 1}
    assert scores["reachable_recall_pct"] == pytest.approx(100 * 3 / 8)
    assert (scores["lost_words"], scores["max_width"]) == (4, 12)


def test_unresolved_gold_is_counted_and_never_found(cell: Cell, tmp_path: Path) -> None:
    facts = tmp_path / "card.json"
    listed = [["a", "person", 1, 2], ["d", "misc", 0, 3]]
    facts.write_text(json.dumps({"splits": {"gold": {"unresolved_gold": listed}}}), encoding="utf-8")
    scores = cell.scores()
    assert scores["counts"] == {"true_positive": 2, "predicted": 6, "gold": 10}
    assert [row[2] for row in scores["sentences"]] == [4, 3, 2, 1]
    assert (scores["unreachable"]["offset"], scores["errors"]["missed"]) == (2, 5)
    assert scores["reachable_recall_pct"] == pytest.approx(100 * 4 / 10)


def test_facts_of_another_split_are_refused(cell: Cell, tmp_path: Path) -> None:
    facts = tmp_path / "card.json"
    facts.write_text(json.dumps({"splits": {"dev": {"unresolved_gold": []}}}), encoding="utf-8")
    with pytest.raises(InputError, match=r"card.json: `splits.gold.unresolved_gold` is missing; prepare"):
        cell.scores()


def test_the_ceiling_counts_the_best_choice_of_disjoint_gold(cell: Cell) -> None:
    spans = (Span(0, 9, "person"), Span(1, 2, "place"), Span(4, 5, "place"), Span(10, 13, "person"))
    write_jsonl(cell.gold, [Example(id=item.id, words=WORDS, spans=spans if item.id == "a" else ()) for item in GOLD])
    assert cell.scores(max_width=10)["unreachable"]["overlap"] == 1  # only the span around the two short ones
    assert cell.scores(max_width=10)["unreachable"]["width"] == 0
    assert cell.scores(max_width=10, overlap="nested")["reachable_recall_pct"] == 100.0
    assert cell.scores(max_width=9)["unreachable"] == {"offset": 0, "label": 0, "width": 1, "window": 0, "overlap": 0}


def test_nested_decoding_does_not_excuse_crossing_gold(cell: Cell) -> None:
    assert cell.scores(overlap="nested")["unreachable"]["overlap"] == 1


def test_a_wider_model_never_reaches_less(cell: Cell) -> None:
    reachable = [cell.scores(max_width=width)["reachable_recall_pct"] for width in range(1, 15)]
    assert reachable == sorted(reachable)
    assert reachable[0] < reachable[-1]


@pytest.mark.parametrize("unit", ["span", "string"])
def test_the_sweep_is_what_rescoring_at_each_threshold_gives(cell: Cell, unit: str) -> None:
    sweep = cell.scores(unit=unit)["sweep"]
    assert [point["threshold"] for point in sweep] == [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]  # the floor is 0.3
    for point in sweep:
        rescored = cell.scores(unit=unit, threshold=point["threshold"])
        assert {key: rescored[key] for key in point} == pytest.approx(point)
    assert len({point["recall_pct"] for point in sweep}) > 1


def test_strings_forget_positions(cell: Cell) -> None:
    write_jsonl(cell.gold, [Example(id=item.id, words=("w",) * 20, spans=item.spans) for item in GOLD])
    scores = cell.scores(unit="string", ask_else=True)
    # One word repeated: spans of equal width and type are one mention, so (5,6) is the mention of (0,1).
    assert scores["counts"] == {"true_positive": 2, "predicted": 5, "gold": 8}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"ids": "abdc"}, r"p\.jsonl:4: sentence 'd' .* is not 'c' .* of .*gold\.jsonl"),
        ({"ids": "abc"}, r"p\.jsonl: holds 3 sentences but .*gold\.jsonl holds 4"),
        ({"labels": ["place", "person", "else"]}, r"p\.jsonl, to be scored against .*gold\.jsonl: .* asks tiny for"),
        ({"dataset": "other"}, r"p\.jsonl:1: `dataset` is 'other' but .*gold\.jsonl"),
        ({"floor": 0.6}, r"p\.jsonl, .*gold\.jsonl: .*`threshold` 0.5 lies below the floor 0.6"),
    ],
    ids=["order", "number", "labels", "dataset", "floor"],
)
def test_files_that_do_not_belong_together_are_named(cell: Cell, header: dict[str, Any], message: str) -> None:
    cell.predict(**header)
    with pytest.raises(InputError, match=message):
        cell.scores()
    assert not cell.out.exists()


def test_no_gold_and_no_answers_score_zero(tmp_path: Path) -> None:
    cell = Cell(tmp_path)
    write_jsonl(cell.gold, [Example(id=item.id, words=item.words) for item in GOLD])
    scores = cell.scores(threshold=0.99)
    assert (scores["f1_pct"], scores["reachable_recall_pct"], scores["interval"]["high_pct"]) == (0.0, 0.0, 0.0)


def test_scoring_starts_without_torch_and_pandas() -> None:
    code = "import sys, benchmarks.scoring.cell; print(sorted({'torch', 'pandas', 'scipy'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
