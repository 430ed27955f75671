"""Corpora that may not be fetched: what is said when the file is missing, and that the announced layout is read."""

import json
from pathlib import Path
from typing import Any

import pytest
from corpora_support import load, names

from benchmarks.catalog.cards import DatasetCard, SourceFile
from benchmarks.catalog.settings import MIRROR_VARIABLE
from benchmarks.corpora.prepare import prepare_dataset
from benchmarks.corpora.sources import fetch_dataset
from gliner_core.errors import InputError
from gliner_core.examples import read_jsonl

OWN = [name for name in names("datasets") if load("datasets", name).bring_your_own]
WHY = {"reason": "its licence forbids it", "layout": "two columns"}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("network used"))


def test_the_licensed_corpora_are_bring_your_own() -> None:
    assert OWN == ["ace05", "conll03", "findvehicle", "ontonotes"]


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("has_mirror", [False, True])
def test_a_missing_copy_is_told_in_one_sentence(tmp_path: Path, name: str, has_mirror: bool) -> None:
    card = load("datasets", name)
    with pytest.raises(InputError) as error:
        fetch_dataset(card, tmp_path / "cache", tmp_path if has_mirror else None)
    message = str(error.value)
    first = next(iter(card.sources.values()))[0].path
    for part in (f"dataset {name}: ", first, card.bring_your_own.reason, card.bring_your_own.layout):
        assert part in message
    assert "`mirror:`" in message and MIRROR_VARIABLE in message
    assert "\n" not in message and not (tmp_path / "cache").exists()


def test_the_first_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "conll03").mkdir()
    (tmp_path / "conll03" / "eng.train").write_text("EU NNP B-NP B-ORG\n")
    with pytest.raises(InputError, match=r"dataset conll03: conll03/eng\.testa cannot be fetched, because"):
        fetch_dataset(load("datasets", "conll03"), tmp_path / "cache", tmp_path)


def _spread(tags: list[str]) -> list[tuple[list[str], list[int], str]]:
    """One sentence for each tag: words, inclusive span, tag."""
    return [(["a", "big", f"word{at}", "here"], [1, 2], tag) for at, tag in enumerate(tags)]


def _columns(tags: list[str], separator: str, middle: list[str]) -> str:
    lines = ["-DOCSTART- -X- O O\n"] if middle else []
    for words, (start, end), tag in _spread(tags):
        marks = ["O" if not start <= at <= end else f"{'B' if at == start else 'I'}-{tag}" for at in range(len(words))]
        rows = [separator.join([word, *middle, mark]) for word, mark in zip(words, marks, strict=True)]
        lines.append("\n".join(rows) + "\n")
    return "\n".join(lines)


def _own_file(card: DatasetCard) -> str:
    """A file as the card's `layout` describes it, with every type once."""
    tags = list(card.rename) or list(card.labels)
    if card.name == "conll03":
        return _columns(tags, " ", ["NN", "B-NP"])
    if card.name == "ontonotes":
        return _columns(tags, "\t", [])
    if card.name == "ace05":
        rows = [{"tokens": w, "entity_mentions": [{"start": s, "end": e + 1, "entity_type": t}]}
                for w, (s, e), t in _spread(tags)]  # fmt: skip
    else:
        rows = [{"id": str(at), "words": w, "spans": [[s, e, t]]} for at, (w, (s, e), t) in enumerate(_spread(tags))]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("name", OWN)
def test_the_announced_layout_is_read(tmp_path: Path, name: str) -> None:
    card = load("datasets", name)
    for items in card.sources.values():
        (tmp_path / items[0].path).parent.mkdir(exist_ok=True)
        (tmp_path / items[0].path).write_text(_own_file(card), encoding="utf-8")
    prepare_dataset(card, fetch_dataset(card, tmp_path / "cache", tmp_path, offline=True), tmp_path / "out")
    examples = read_jsonl(tmp_path / "out" / "test.jsonl")
    assert [len(example.words) for example in examples] == [4] * len(card.labels)
    assert sorted(span.type for example in examples for span in example.spans) == sorted(card.labels)
    assert {(span.start, span.end) for example in examples for span in example.spans} == {(1, 2)}


def test_a_corrected_copy_is_read_anew(tmp_path: Path) -> None:
    item = SourceFile(path="a.txt", private=True)
    card = DatasetCard(
        name="tiny", title="T", domain="d", licence="l", reader="conll", sources={"test": (item,)}, bring_your_own=WHY
    )
    found = []
    for text in ("one\tO\n", "two\tO\n"):
        (tmp_path / "a.txt").write_text(text)
        (path,) = fetch_dataset(card, tmp_path / "cache", tmp_path)["test"]
        found.append(path.read_text())
    assert found == ["one\tO\n", "two\tO\n"] and not (tmp_path / "cache" / "pins").exists()


@pytest.mark.parametrize(
    ("source", "keys", "message"),
    [
        ({"private": True}, {}, "`bring_your_own` and sources with `private: true` go together"),
        ({"hub": "a/b", "revision": "main"}, {"bring_your_own": WHY}, "go together; give both or neither"),
        ({"private": True, "hub": "a/b", "revision": "main"}, {"bring_your_own": WHY}, "give either `repo`"),
        ({}, {"bring_your_own": WHY}, "or `private: true`"),
    ],
)
def test_a_card_says_why_exactly_where_a_file_is_private(
    source: dict[str, Any], keys: dict[str, Any], message: str
) -> None:
    given = {"name": "tiny", "title": "T", "domain": "d", "licence": "l", "reader": "conll"}
    with pytest.raises(ValueError, match=message):
        DatasetCard(**given, sources={"test": [{"path": "a.txt"} | source]}, **keys)
