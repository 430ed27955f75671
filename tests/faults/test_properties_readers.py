"""Every reader on any file: it parses or names file and line; what was written is read back."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.corpora.formats import READERS
from benchmarks.scoring.predictions import Candidates, read_predictions, write_predictions
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, read_jsonl, write_jsonl
from tests.faults.fuzz_input import Input
from tests.faults.fuzz_seeds import PREDICTIONS, own_seeds, real_seeds
from tests.faults.fuzz_targets import read_raw
from tests.faults.profiles import drawn

NAMES = sorted(set(READERS) - {"parquet"})  # a binary file has no lines; the fuzzer reads damaged ones
OWN = own_seeds()
REAL = real_seeds()
# What stands behind the file in a message: a line, a record, a dialogue, an utterance of an intent, or the encoding.
PLACE = re.compile(
    r"a\.txt(:(\d+|record \d+|dialogue \d+|[^:]* \d+)|: (not |holds |encoding |JSONL ))|holds no sentence|known_unres"
)


@st.composite
def damaged(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """One of the files with up to three stretches replaced by bytes, or by text that such files are made of."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 30)))
        signs = st.sampled_from(
            [b"\n", b"\n\n", b"\t", b'"', b"{", b"}", b"]", b",", b":", b"O", b"B-", b"I-x", b"-1", b"9"]
        )
        piece = draw(st.one_of(st.binary(max_size=6), st.lists(signs, max_size=6).map(b"".join)))
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_parses_or_names_the_place(name: str, tmp_path: Path) -> None:
    seeds = OWN[name] + [data for _, data in REAL.get(name, [])]
    parsed = 0

    @drawn(60)
    @given(damaged(seeds))
    def holds(data: bytes) -> None:
        nonlocal parsed
        try:
            read_raw(name, Input(data=data), tmp_path)
            parsed += 1
        except InputError as error:
            assert PLACE.search(str(error)), str(error)

    holds()
    assert parsed, "every file was refused, so reading was not tested"


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@st.composite
def examples(draw: st.DrawFn) -> Example:
    found = tuple(draw(st.lists(words, min_size=1, max_size=8)))
    pairs = st.tuples(st.integers(0, len(found) - 1), st.integers(0, len(found) - 1), words)
    spans = tuple(Span(min(a, b), max(a, b), kind) for a, b, kind in draw(st.lists(pairs, max_size=4)))
    return Example(
        id=draw(words), words=found, spans=spans, language="en", negatives=tuple(draw(st.lists(words, max_size=2)))
    )


@drawn(100)
@given(st.lists(examples(), min_size=1, max_size=4))
def test_examples_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, found: list[Example]) -> None:
    path = tmp_path_factory.getbasetemp() / "round.jsonl"
    write_jsonl(path, found)
    assert read_jsonl(path) == found


@st.composite
def candidates(draw: st.DrawFn) -> Candidates:
    size = draw(st.integers(1, 9))
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, size - 1), st.integers(0, size - 1), st.integers(0, 1), st.floats(0, 1, width=32)),
            max_size=6,
        )
    )
    columns: Any = list(zip(*rows, strict=True)) or [(), (), (), ()]
    ends = np.array([columns[0], columns[1]], dtype=np.int64)
    return Candidates(
        id=draw(words),
        num_words=size,
        lost_words=draw(st.integers(0, size)),
        start=ends.min(axis=0),
        end=ends.max(axis=0),
        label=np.array(columns[2], dtype=np.int64),
        score=np.array(columns[3], dtype=np.float32),
    )


@drawn(100)
@given(st.lists(candidates(), max_size=4))
def test_predictions_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, found: list[Candidates]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-predictions.jsonl"
    header = {"dataset": "tiny", "labels": ["a", "b"], "floor": 0.0, "decoding": {"k": 1}}
    write_predictions(path, header, found)
    read = read_predictions(path)
    assert (read.dataset, read.labels, read.floor, read.decoding) == ("tiny", ("a", "b"), 0.0, {"k": 1})
    for one, other in zip(found, read.sentences, strict=True):
        assert (one.id, one.num_words, one.lost_words) == (other.id, other.num_words, other.lost_words)
        for name in ("start", "end", "label"):
            assert getattr(one, name).tolist() == getattr(other, name).tolist()
        assert one.score.tolist() == other.score.astype(np.float32).tolist()  # every float32 survives the file


@drawn(150)
@given(damaged([PREDICTIONS.encode()]))
def test_a_damaged_prediction_file_is_read_or_its_line_named(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.jsonl"
    path.write_bytes(data)
    try:
        read = read_predictions(path)
    except InputError as error:
        assert re.search(r"damaged\.jsonl(:\d+: |: not UTF-8)", str(error))
        return
    for sentence in read.sentences:
        assert (sentence.end < sentence.num_words).all() and (sentence.label < len(read.labels)).all()


@pytest.mark.parametrize(
    ("line", "change", "words"),
    [
        (1, {"floor": "x"}, "floor from 0 to 1"),
        (2, {"start": [0, 2.5]}, "no whole number"),
        (2, {"end": [1, 4]}, "lies outside the 4 words"),
        (2, {"label": [0, 2]}, "or 2 labels"),
        (2, {"label": [0, -1]}, "or 2 labels"),
        (3, {"num_words": True}, "no whole number"),
        (2, {"score": [0.9, float("nan")]}, "no finite score"),
        (2, {"start": [0]}, "differ in length"),
        (3, {"id": 7}, "`id` is no string"),
    ],
)
def test_a_wrong_value_of_a_prediction_is_named(tmp_path: Path, line: int, change: dict[str, Any], words: str) -> None:
    lines = PREDICTIONS.split("\n")
    lines[line - 1] = json.dumps(json.loads(lines[line - 1]) | change)
    (tmp_path / "p.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match=rf"p\.jsonl:{line}: .*{words}"):
        read_predictions(tmp_path / "p.jsonl")
