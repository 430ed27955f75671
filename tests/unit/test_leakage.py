"""What a test set shares with the training data is found, and refused where it must not be."""

from pathlib import Path
from typing import Any

import pytest
from corpora_support import load

from benchmarks.corpora.demo import generate
from benchmarks.corpora.leakage import check_held_out, leakage_report
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, write_jsonl

LONG = "one two three four five six seven eight nine ten"


def _example(text: str, *spans: tuple[int, int, str], negatives: tuple[str, ...] = ()) -> Example:
    return Example(id="x", words=tuple(text.split()), spans=tuple(Span(*span) for span in spans), negatives=negatives)


def _report(folder: Path, test: list[Example], labels: tuple[str, ...] = ("song",)) -> dict[str, Any]:
    train = [_example(f"In {LONG} .", negatives=("absent type",)), _example("New York is big", (0, 1, "City"))]
    write_jsonl(folder / "train.jsonl", train)
    write_jsonl(folder / "test.jsonl", test)
    return leakage_report(folder / "train.jsonl", {"d": folder / "test.jsonl"}, {"d": labels} if labels else {})


def test_every_kind_of_overlap_is_counted_with_case_ignored(tmp_path: Path) -> None:
    test = [
        _example("new york IS big", (0, 1, "city")),
        _example(f"so {LONG} !", (0, 0, "song")),
        _example("nothing here", (0, 0, "song"), (1, 1, "song")),
    ]
    found = _report(tmp_path, test, ("CITY", "song", "Absent type"))["datasets"]["d"]
    assert (found["sentences"], found["exact_sentences"], found["ngram_rows"]) == (3, 1, 1)
    assert (found["surfaces"], found["surfaces_seen"], found["surfaces_seen_share"]) == (4, 1, 0.25)
    assert found["examples"]["types_seen"] == ["CITY", "Absent type"] and found["types_asked"] == 3


@pytest.mark.parametrize(
    ("test", "labels", "message"),
    [
        (_example("new york is big"), ("song",), r"dataset d: test sentences also stand .*'new york is big'"),
        (_example("hello NEW york", (1, 2, "song")), ("song",), r"dataset d: gold surfaces also stand .*'new york'"),
        (_example("a b", (0, 0, "song")), ("city",), r"dataset d: type strings also stand .*'city'"),
        (_example("a b", (0, 0, "city")), (), r"dataset d: type strings also stand .*'city'"),
    ],
)
def test_held_out_refuses_each_kind(tmp_path: Path, test: Example, labels: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        check_held_out(_report(tmp_path, [test], labels))
    assert "\n" not in str(error.value)


def test_held_out_accepts_disjoint_data(tmp_path: Path) -> None:
    check_held_out(_report(tmp_path, [_example("a b", (0, 0, "song"))]))


def test_the_demo_suite_is_held_out(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", generate("demo_train")["train"])
    suite = load("suites", "demo_ood")
    for name in suite.datasets:
        write_jsonl(tmp_path / f"{name}.jsonl", generate(name)[suite.split])
    labels = {name: load("datasets", name).labels for name in suite.datasets}
    files = {name: tmp_path / f"{name}.jsonl" for name in suite.datasets}
    report = leakage_report(tmp_path / "train.jsonl", files, labels)
    assert len(report["datasets"]) == len(suite.datasets)
    check_held_out(report)
