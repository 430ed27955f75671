"""A small share of the fuzzer, and every crash that it found before, as an input of its own.

The whole of it: `python -m tests.faults.fuzz --inputs 100000 --seed 1`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gliner_core.errors import InputError
from tests.faults.fuzz import fuzz, fuzz_target
from tests.faults.fuzz_guard import Finding, outcome
from tests.faults.fuzz_input import Input
from tests.faults.fuzz_targets import Target, parquet_bytes, targets

DEEP = b"[" * 3000
DIGITS = b"9" * 5000
TARGETS = targets(with_models=False)  # models take seconds to import; the command fuzzes them too
HEADER = b'{"format": "gliner-bench-predictions/1", "dataset": "d", "labels": 7, "floor": 0, "decoding": {}}'
PROTOCOL = b"name: a\ntitle: A\nask_else: true\nscore_else: true\n"
QUESTION = b'[{"conversations": [{"value": "Text: a"}, {"value": "What describes x in the text?"}, {"value": "'
BOMB = b"a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
)


def test_three_thousand_inputs_are_parsed_or_refused() -> None:
    found = fuzz({name: target for name, target in TARGETS.items() if name != "reader parquet"}, 3000, seed=5)
    assert {name: tally.causes for name, tally in found.items() if tally.crashed} == {}
    assert sum(tally.parsed for tally in found.values()) > 200  # the mutations leave something to read
    assert [name for name, tally in found.items() if not tally.refused] == []


def _hangs(_item: Input, _folder: Path) -> None:
    while True:
        pass


def _eats(_item: Input, _folder: Path) -> None:
    """Does nothing; the test says what was measured, because a real peak depends on the tests before."""


def _raises(_item: Input, _folder: Path) -> None:
    raise KeyError("x")


@pytest.mark.parametrize("fault", [_hangs, _eats, _raises])
def test_the_fuzzer_sees_every_kind_of_fault(
    fault: Callable[[Input, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.faults.fuzz_guard.SECONDS", 0.2)
    peaks = iter([100.0, 700.0, 700.0] if fault is _eats else [100.0] * 3)
    monkeypatch.setattr("tests.faults.fuzz_guard.peak_megabytes", lambda: next(peaks))
    with pytest.raises(Finding, match=r"hangs|takes 600 MB|KeyError at"):
        outcome(lambda: fault(Input(data=b""), tmp_path))


def test_inputs_repeat_with_their_seed_and_a_crash_is_made_small() -> None:
    def run(item: Input, _folder: Path) -> None:
        if b"!" in item.data:
            raise KeyError("!")

    target = Target(share=1, make=lambda draw: Input(data=draw.randbytes(40)), run=run)
    first, again, other = (fuzz_target("x", target, 60, seed) for seed in (1, 1, 2))
    assert (first.parsed, first.crashed, first.causes) == (again.parsed, again.crashed, again.causes)
    assert 0 < first.crashed < 60 and [item.data for item in first.causes.values()] == [b"!"]
    assert other.parsed + other.crashed == 60


# Each crashed, hung, took gigabytes or was read as something else once: target, bytes, options, words of the refusal.
REGRESSIONS: list[tuple[str, bytes, dict[str, Any], str]] = [
    ("reader conll", b"a\tO\n", {"token": -9}, "columns where 9 are expected"),
    ("reader conll", b"a\tO\n", {"token": {"a": 1}}, "use a whole number"),
    ("reader conll", b"a\tO\n", {"id_comment": {"a": 1}}, "use a string"),
    ("reader conll", b"a\n", {"separator": "whitespace", "empty_words": "drop", "token": 3}, "columns"),
    ("reader conll", b"a\tO\n", {"encoding": "utf-1\x00"}, r"encoding 'utf-1\\x00' is unknown"),
    ("reader conll", b"+2AA-\tO\n", {"encoding": "utf-7"}, "not utf-7|half of a surrogate pair"),
    ("reader conll", b"a\tO\n", {"hold_out": {"split": "test", "every": 0}}, "`hold_out` needs"),
    ("reader conll", b"a\tO\n", {"hold_out": {"split": ["x"], "every": 2}}, "option `hold_out`"),
    ("reader author_json", DEEP, {}, "nested too deeply"),
    ("reader author_json", b"[" + DIGITS + b"]", {}, "too many digits"),
    ("reader author_json", b'[{"sentence": "\\ud800", "entities": []}]', {}, "half of a surrogate pair"),
    ("reader gliner_json", b'[{"tokenized_text": ["a"], "ner": [[false, false, "x"]]}]', {}, "lies outside"),
    ("reader jsonl", DEEP, {}, "nested too deeply"),
    ("reader jsonl", b'{"id": "\\ud800", "words": [], "spans": []}', {}, "half of a surrogate pair"),
    ("reader jsonl_tags", b'{"tokens": ["a"], "ner_tags": [null]}', {"tag_names": ["O"]}, "has no name"),
    ("reader jsonl_tags", b'{"tokens": ["a"]}', {"tags_column": {"a": 1}}, "use a string"),
    ("reader jsonl_tags", b'{"tokens": ["B-a"]}', {"tags_column": "tokens", "scheme": 7}, "use one of bio"),
    ("reader nlu_eval", b"answer_annotation\n[" + b" " * 5000 + b"\n", {}, "unbalanced"),
    ("reader nlu_eval", b"answer_annotation\n[ : a]\n", {}, "a slot without a name"),
    ("reader pile_ner_hub", QUESTION + DEEP + b'"}]}]', {}, "is not a JSON list"),
    ("examples", b'{"id": "a", "words": ["a"], "spans": [[' + DIGITS + b', 0, "x"]]}', {}, "too many digits"),
    ("predictions", b"[]", {}, "the format is not"),
    ("predictions", HEADER, {}, "a list of labels"),
    ("scores", b'{"interval": {}, "f1_pct": 1}', {}, "is no percentage"),
    ("scores", b"[]", {}, "no JSON object"),
    ("card protocols", b"a: &a [*a]", {}, "contain themselves"),
    ("card protocols", BOMB, {}, "its aliases make more than"),
    ("card protocols", DEEP, {}, "nested too deeply"),
    ("card protocols", b"threshold: " + DIGITS, {}, "not readable as YAML"),
    ("card protocols", b"title: 2001-99-99", {}, "month must be in"),
    ("card protocols", b"title: 2001-01-01", {}, "is a date, write it in quotes"),
    ("card protocols", b"threshold: .nan", {}, "no finite number"),
    ("card protocols", b"7: a", {}, "the key 7 is no string"),
    ("card protocols", b'title: "\\ud800"', {}, "surrogates not allowed"),
    ("card protocols", PROTOCOL + b'"a\\e[2J": 1', {}, r"unknown key `a\\x1b\[2J`"),
    ("settings", b'overrides: "[a"', {}, "`overrides`"),
    ("settings", b"cache: ~nobody-of-that-name/x", {}, "home of a user"),
    ("settings", b'results: "a\\x00"', {}, "`results`"),
    ("spec.json", DEEP, {}, "nested too deeply"),
    ("manifest.tsv", b"file\tsha256_raw\trepo\tcommit\tpath\n" + b"a" * 140_000, {}, "not readable as a table"),
    ("settings", b"mirror: " + b"a" * 5000, {}, "is not a folder"),
    ("published", b"a\n1,2\n", {}, "a line has more than 1 columns"),
    ("published", b"a\n\xff", {}, "not readable as a table"),
    ("published", b"a,b\n1,2,3,4\n1\n1,2,3,4,5,6\n", {}, "not readable as a table"),
    ("archive", b"\x1f\x8b\x08\x00", {}, "archive is damaged"),
]


@pytest.mark.parametrize(("name", "data", "options", "words"), REGRESSIONS, ids=range(len(REGRESSIONS)))
def test_what_crashed_once_is_refused_with_a_sentence(
    name: str, data: bytes, options: dict[str, Any], words: str, tmp_path: Path
) -> None:
    def run() -> None:
        with pytest.raises(InputError, match=words):
            TARGETS[name].run(Input(data=data, options=options), tmp_path)

    assert outcome(run) == "parsed"


def test_what_crashed_once_is_now_read(tmp_path: Path) -> None:
    row = b"file\tsha256_raw\trepo\tcommit\tpath\n" + b"a" * 300 + b".tar.gz\t\ta/b\t\t\n"  # a name too long for a file
    TARGETS["manifest.tsv"].run(Input(data=row), tmp_path)


def test_a_parquet_row_that_is_no_text_is_named(tmp_path: Path) -> None:
    data = TARGETS["reader parquet"]
    good = parquet_bytes()
    for place in range(len(good)):
        if good[place : place + 5] == b"B-PER":
            broken = good[:place] + b"B\xffPER" + good[place + 5 :]
            assert outcome(lambda broken=broken: data.run(Input(data=broken), tmp_path)) in ("parsed", "refused")


def test_a_study_with_too_many_variants_is_refused_before_they_are_made(tmp_path: Path) -> None:
    axes = "\n".join(f"  a{number}: [1, 2]" for number in range(80))
    card = "name: many\ntitle: Many\nquestion: '?'\nclaim: '!'\nsuite: ood\nlayout: axes\nfigure: bars\naxes:\n" + axes
    with pytest.raises(InputError, match="make more than 10000 variants"):
        TARGETS["card studies"].run(Input(data=card.encode()), tmp_path)
