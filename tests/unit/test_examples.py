"""The JSONL contract: what is written is read back, and every fault names its file and line in one sentence."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, example_from_json, example_to_json, read_jsonl, write_jsonl

GOOD = '{"id": "a", "words": ["Anna", "left"], "spans": [[0, 0, "person"]]}'
text = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)


@st.composite
def examples(draw: st.DrawFn) -> Example:
    words = draw(st.lists(text, min_size=1, max_size=6))
    places = st.integers(0, len(words) - 1)
    spans = draw(st.lists(st.tuples(places, places, text), max_size=4))
    return Example(
        id=draw(text),
        words=tuple(words),
        spans=tuple(Span(min(pair), max(pair), label) for *pair, label in spans),
        language=draw(st.sampled_from(["en", "bn"])),
        negatives=tuple(draw(st.lists(text, max_size=3))),
    )


@given(st.lists(examples(), min_size=1, max_size=4))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, found: list[Example]) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "data.jsonl"
    write_jsonl(path, found)
    assert read_jsonl(path) == found
    assert len(path.read_text(encoding="utf-8").split("\n")) == len(found) + 1


def test_optional_keys_have_defaults_and_are_left_out_when_empty() -> None:
    example = example_from_json(json.loads(GOOD))
    assert (example.language, example.negatives) == ("en", ())
    assert example_to_json(example) == {**json.loads(GOOD), "language": "en"}


def test_types_keep_first_occurrence_and_surfaces_join_words() -> None:
    spans = (Span(1, 1, "b"), Span(0, 1, "a"), Span(0, 0, "b"))
    example = Example(id="x", words=("New", "York"), spans=spans)
    assert example.types() == ("b", "a")
    assert [example.text(span) for span in spans] == ["York", "New York", "New"]
    assert [span.width for span in spans] == [1, 2, 1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "b", "words": ["x"], "spans": [[0, 1, "t"]]}', ["[0, 1, 't']", "outside", "1 words"]),
        ('{"id": "b", "words": ["x"], "spans": [[-1, 0, "t"]]}', ["outside"]),
        ('{"id": "b", "words": ["x", "y"], "spans": [[1, 0, "t"]]}', ["outside"]),
        ('{"id": "b", "words": ["x"], "spans": [], "labels": []}', ["unknown key `labels`", "negatives"]),
        ('{"id": "b", "words": ["x"]}', ["key `spans` is missing"]),
        ('{"words": ["x"], "spans": []}', ["key `id` is missing"]),
        ('{"id": "b", "words": "x y", "spans": []}', ["`words` must be a list of strings"]),
        ('{"id": "b", "words": ["x", 1], "spans": []}', ["`words` must be a list of strings"]),
        ('{"id": "b", "words": ["x"], "spans": {}}', ["`spans` must be a list"]),
        ('{"id": "b", "words": ["x"], "spans": [[0, 0]]}', ["not [start, end, type]"]),
        ('{"id": "b", "words": ["x"], "spans": [[0.0, 0, "t"]]}', ["integer"]),
        ('{"id": "b", "words": ["x"], "spans": [[false, 0, "t"]]}', ["integer"]),
        ('{"id": "b", "words": ["x"], "spans": [], "negatives": "t"}', ["`negatives` must be a list of strings"]),
        ('["x"]', ["expected a JSON object"]),
        ('{"id": "b", ', ["not valid JSON", "repair the line"]),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, words: list[str]) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(f"{GOOD}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_jsonl(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:3: ") and "\n" not in message
    assert all(word in message for word in words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["holds no example"]),
        (b"\n  \n", ["holds no example"]),
        (GOOD.encode() + b"\n\xff\xfe", ["not UTF-8", f"byte {len(GOOD) + 1}"]),
    ],
)
def test_a_faulty_file_is_named(tmp_path: Path, content: bytes, words: list[str]) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_jsonl(path)
    assert all(word in str(caught.value) for word in [str(path), *words])


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.jsonl: no such file"):
        read_jsonl(tmp_path / "absent.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        read_jsonl(tmp_path)


def test_line_ends_of_another_system_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(f"{GOOD}\r\n{GOOD}\r\n".encode())
    assert len(read_jsonl(path)) == 2
