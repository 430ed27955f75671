"""The efficiency suite without the published package: card, texts, timing, rows, verdicts, pages, memory."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from transformers import AutoTokenizer

from benchmarks.catalog.measurement import Change, MeasurementCard
from benchmarks.catalog.registry import load_registry, parse
from benchmarks.efficiency.network import train_spec
from benchmarks.efficiency.ours import types_asked
from benchmarks.efficiency.parts import Marks
from benchmarks.efficiency.peaks import extra_bytes
from benchmarks.efficiency.replay import threshold_for, threshold_of_share
from benchmarks.efficiency.results import Row, latency_rows, row, timed_rows, void, write_rows
from benchmarks.efficiency.texts import load_for, vocabulary
from benchmarks.efficiency.timing import Reading, alternate, ratios, summarise
from benchmarks.reporting.efficiency import judge, read_cases, write_pages
from gliner_core.errors import InputError
from gliner_core.predict import SpanScores

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def card() -> MeasurementCard:
    return load_registry(ROOT).measurements["efficiency"]


def changed(card: MeasurementCard, **keys: Any) -> MeasurementCard:
    return parse(MeasurementCard, card.model_dump(exclude_none=True) | keys, "x.yaml")


def test_a_case_changes_one_factor_of_the_base(card: MeasurementCard) -> None:
    assert card.shape(Change()) == card.base
    assert card.shape(Change(batch=32, text="mixed")).slug == "b32-t10-mixed-k12"
    assert card.shape(Change(candidates="many")).slug == "b8-t10-short-k12-many"


def test_the_card_measures_what_its_targets_ask_for(card: MeasurementCard) -> None:
    full = card.sizes["full"].cases
    for target in card.targets:
        assert card.shape(target.case) in [card.shape(change) for change in full[target.work]], target.title


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"base": {"batch": 8, "types": 10, "text": "verse", "max_width": 12}}, "names the text 'verse'"),
        ({"scales": {"demo": "huge"}}, "names the size 'huge'"),
        ({"texts": {"short": (9, 2), "mixed": (5, 9), "long": (9, 9)}}, "'short' has more words at least"),
        ({"targets": [{"title": "t", "work": "training", "pair": "a/b", "measure": "m"}]}, "either `at_least` or"),
    ],
)
def test_a_wrong_card_is_refused(card: MeasurementCard, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        changed(card, **keys)


@pytest.fixture(scope="module")
def words(backbone: Path) -> Any:
    return vocabulary(AutoTokenizer.from_pretrained(backbone), 100)


def test_texts_repeat_for_a_repetition_and_are_fresh_for_the_next(card: MeasurementCard, words: Any) -> None:
    first, again, other = (load_for(card, card.base, words, 8, number) for number in (3, 3, 4))
    assert first == again
    assert not {example.words for example in first.examples} & {example.words for example in other.examples}
    assert all(20 <= len(example.words) <= 40 for example in first.examples)
    assert first.texts[0].split() == list(first.examples[0].words)


def test_gold_spans_do_not_overlap_and_fit_the_narrowest_width(card: MeasurementCard, words: Any) -> None:
    for example in load_for(card, card.shape(Change(text="mixed")), words, 32, 0).examples:
        taken = [place for span in example.spans for place in range(span.start, span.end + 1)]
        assert len(set(taken)) == len(taken)
        assert all(span.width <= card.narrow_width for span in example.spans)


@pytest.mark.parametrize("types", [5, 100])
def test_every_example_is_asked_for_all_types_of_the_case(card: MeasurementCard, words: Any, types: int) -> None:
    shape = card.shape(Change(types=types))
    backbone = {"name": "x", "kind": "folder", "base": "folder", "location": "x"}
    spec = train_spec(card, backbone, shape, "fp32")
    load = load_for(card, shape, words, 8, 0)
    assert len(set(load.types)) == types
    assert [set(asked) for asked in types_asked(load, spec, 0)] == [set(load.types)] * 8


def test_sides_take_turns_on_the_same_texts() -> None:
    calls: list[tuple[str, int]] = []

    def side(name: str) -> Any:
        return lambda load: lambda: calls.append((name, load))

    sides = {name: side(name) for name in "ABC"}
    passes = alternate(sides, lambda number: number, rounds=2, warmup=1, device=CPU)  # type: ignore[arg-type, return-value]
    assert "".join(name for name, _ in calls[3:]) == "ABCCBAABCCBA"
    assert [load for _, load in calls] == [number for number in range(5) for _ in "ABC"]
    assert len(passes) == 4 and set(passes[0]) == set("ABC")


def test_the_clocks_tell_work_from_waiting() -> None:
    import time

    passes = alternate({"A": lambda _: lambda: time.sleep(0.05)}, lambda number: number, rounds=1, warmup=1, device=CPU)  # type: ignore[arg-type, return-value]
    assert all(item["A"].wall >= 0.05 and item["A"].cpu < 0.04 for item in passes)


def test_ratios_are_taken_within_a_pass_and_summed_up_by_percentiles() -> None:
    passes = [{"a": Reading(wall=2.0 * n, cpu=6.0), "b": Reading(wall=1.0 * n, cpu=n)} for n in (1, 2, 3)]
    assert ratios(passes, "a", "b", "wall") == [2.0, 2.0, 2.0]
    found = summarise(ratios(passes, "a", "b", "cpu"))
    assert (found.median, found.count) == (3.0, 3)
    assert (found.p10, found.p90) == pytest.approx((2.2, 5.4))


def scores(*values: float) -> SpanScores:
    import numpy as np

    places = np.arange(len(values))
    return SpanScores(start=places, end=places, label=places * 0, score=np.array(values), lost_words=0)


def test_a_threshold_lies_between_scores_and_lets_the_wanted_number_through() -> None:
    texts = [scores(0.9, 0.7, 0.1), scores(0.8, 0.2, 0.15)]
    threshold = threshold_for(texts, 3)
    assert 0.2 < threshold < 0.7
    assert threshold_of_share(texts, 0.5) not in [value for text in texts for value in text.score]


STEP = ("model", "encoder", "encoder end", "lstm", "lstm end", "loss", "scores grad", "lstm grad", "lstm grad end")
STEP += ("encoder grad", "encoder grad end")


def test_parts_cover_a_step_of_several_passes_once() -> None:
    marks = Marks(CPU)
    names = ("start", *STEP, *STEP, "end")
    marks.log = [(name, float(place**2)) for place, name in enumerate(names)]  # the n-th gap lasts 2n + 1
    seconds = marks.seconds()
    assert seconds == {
        "collate": 1, "encoder": 5 + 21 + 27 + 43, "word_lstm": 9 + 17 + 31 + 39, "loss": 13 + 35,
        "heads_and_scores": 3 + 7 + 11 + 15 + 19 + 25 + 29 + 33 + 37 + 41, "optimiser": 23 + 45,
    }  # fmt: skip
    assert sum(seconds.values()) == (len(names) - 1) ** 2


ALONE = [{"ours": [0.01, 0.02, 0.03], "package": [0.04, 0.04, 0.09]}, {"ours": [0.02] * 3, "package": [0.03] * 3}]


def test_latencies_are_percentiles_over_the_texts_of_a_pass(card: MeasurementCard) -> None:
    found = {(item.pair, item.measure): item for item in latency_rows("latency", card.base, ALONE, ("package/ours",))}
    assert found["ours", "seconds_p50"].median == 0.02 and found["package", "seconds_p50"].median == pytest.approx(
        0.035
    )
    ratio = found["package/ours", "ratio_p50"]  # 2 and 1.5 in the two passes
    assert (ratio.median, ratio.count) == (pytest.approx(1.75), 2)
    assert found["package/ours", "ratio_p95"].median == pytest.approx((0.085 / 0.029 + 1.5) / 2)


def test_energy_has_rows_where_it_was_metered(card: MeasurementCard) -> None:
    bare = [{"ours": Reading(wall=1.0, cpu=1.0)}] * 2
    assert not [item for item in timed_rows("training", card.base, bare, ()) if item.measure == "joules"]
    metered = [{"ours": Reading(wall=1.0, cpu=1.0, joules=used)} for used in (2.0, 4.0)]
    (found,) = (item for item in timed_rows("training", card.base, metered, ()) if item.measure == "joules")
    assert (found.pair, found.median, found.count) == ("ours", 3.0, 2)


def sample_rows(card: MeasurementCard) -> list[Row]:
    base, wide = card.base, card.shape(Change(batch=32))
    return [
        row("training", base, "package/ours", "ratio_wall", [1.7, 1.9, 2.1]),
        row("training", base, "package/encoder", "ratio_wall", [3.0, 3.1, 3.2]),
        row("training", base, "ours", "seconds_wall", [0.5, 0.5, 0.5]),
        void("training", wide, "package/ours", "ratio_wall", "logits differ by up to 3.0e-01"),
        row("inference", base, "package/ours", "ratio_wall", [1.5, 1.5, 1.5]),
        row("parts", base, "ours", "outside_pct", [14.0, 15.0, 16.0]),
        *latency_rows("latency", card.shape(Change(batch=1)), ALONE, ("package/ours",)),
        row("operations", base, "ours", "flops_per_word", [21.3e6]),
        row("operations", base, "ours", "flops_per_word_by_hand", [3.5e6]),
    ]


def test_targets_are_met_missed_void_or_not_measured(card: MeasurementCard, tmp_path: Path) -> None:
    write_rows(tmp_path / "cases.csv", sample_rows(card))
    found = {item.target.title: item.verdict for item in judge(read_cases(tmp_path), card)}
    assert found["training step, 8 short texts, 10 types"] == "met"  # 1.9 of 1.8
    assert found["training step, 32 short texts"] == "void"
    assert found["inference, short texts in batches of 8"] == "not met"  # 1.5 of 2.0
    assert found["share of a training step outside encoder and optimiser, %"] == "met"  # 15 of at most 15
    assert found["training step with K = 24 against K = 4"] == "not measured"


def test_pages_show_verdicts_and_reasons_and_repeat_to_the_byte(card: MeasurementCard, tmp_path: Path) -> None:
    write_rows(tmp_path / "cases.csv", sample_rows(card))
    write_pages(tmp_path, card)
    names = ("table.md", "targets.csv", "figure.svg", "figure.png")
    first = {name: (tmp_path / name).read_bytes() for name in names}
    text = first["table.md"].decode()
    assert "| 1.9 [1.74, 2.06] | met |" in text
    assert "void: logits differ by up to 3.0e-01" in text
    assert "| b1-t10-short-k12 | 1.75 [1.55, 1.95] |" in text
    assert "| b8-t10-short-k12 | 21.3 | 3.5 |" in text
    assert len(pd.read_csv(tmp_path / "targets.csv")) == len(card.targets)
    write_pages(tmp_path, card)
    assert first == {name: (tmp_path / name).read_bytes() for name in names}


def test_rows_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run `python -m benchmarks efficiency` first"):
        read_cases(tmp_path)


def test_peak_memory_is_that_of_the_job_alone() -> None:
    megabyte = 2**20
    before = torch.ones(64 * megabyte // 4)  # in use before and after: not the job's
    del before  # freed: must not hide the job's peak
    found = extra_bytes(lambda: torch.ones(96 * megabyte // 4).sum(), CPU)
    assert 90 * megabyte < found < 110 * megabyte
    assert extra_bytes(lambda: None, CPU) < 4 * megabyte
