"""The demo corpora keep their promises: determinism, shares, offsets, scripts, and zero overlap with training."""

import hashlib
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest
from demo_checks import leaks, surfaces

from benchmarks.corpora import demo
from benchmarks.corpora.demo_lexicon import Lexicon, lexicon_names, load
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span

ROOT = Path(__file__).parents[2]
DOMAINS = [name for name in lexicon_names("train_") if name != demo.COMMON]
OOD = [f"demo_{name}" for name in lexicon_names("ood_")]
ML = [f"demo_{name}" for name in lexicon_names("ml_")]
NESTED_OOD = "demo_ood_sport"
SCRIPTS = {"bn": "BENGALI", "fa": "ARABIC", "hi": "DEVANAGARI", "ko": "HANGUL", "ru": "CYRILLIC", "zh": "CJK"}
DIGEST_PROGRAM = (
    "import hashlib; from benchmarks.corpora import demo; "
    "data = [(name, demo.generate(name)) for name in demo.dataset_names()]; "
    "print(hashlib.sha256(repr(data).encode('utf-8')).hexdigest())"
)


@cache
def corpus(dataset: str, split: str = "test") -> tuple[Example, ...]:
    return tuple(demo.sentences(dataset)[split])


def training() -> tuple[Example, ...]:
    return corpus("demo_train", "train") + corpus("demo_train", "dev")


def lexicons(dataset: str) -> list[Lexicon]:
    return [load(name) for name in DOMAINS] if dataset == "demo_train" else [load(dataset.removeprefix("demo_"))]


def width_share(examples: Iterable[Example], low: int, high: int) -> float:
    widths = [span.width for example in examples for span in example.spans]
    return sum(low <= width <= high for width in widths) / len(widths)


def is_nested(example: Example) -> bool:
    spans = example.spans
    return any(a != b and a.start <= b.start and b.end <= a.end for a in spans for b in spans)


def share(examples: Iterable[Example], condition: Callable[[Example], bool]) -> float:
    verdicts = [condition(example) for example in examples]
    return sum(verdicts) / len(verdicts)


def pattern(surface: str) -> str:
    """Regular expression of the texts that a surface can yield, without its article."""
    plain = re.sub(r"/[^/\]]+\]|\[", "", surface).removeprefix("the ").casefold()
    return ".+".join(re.escape(part) for part in re.split(r"\{[^{}]*\}", plain))


def test_names_and_sizes() -> None:
    assert demo.dataset_names() == ["demo_train", *OOD, *ML]
    assert (len(DOMAINS), len(OOD), len(ML)) == (8, 5, 11)
    assert {split: len(found) for split, found in demo.sentences("demo_train").items()} == {"train": 3600, "dev": 240}
    assert {len(corpus(name)) for name in OOD} == {120}
    assert {len(corpus(name)) for name in ML} == {60}
    with pytest.raises(InputError, match="demo_nope"):
        demo.generate("demo_nope")


def test_same_bytes_in_processes_with_different_hash_seeds() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST_PROGRAM],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    data = [(name, demo.generate(name)) for name in demo.dataset_names()]
    assert digests == {hashlib.sha256(repr(data).encode("utf-8")).hexdigest()}


def test_training_lexicon_is_rich() -> None:
    assert len(demo.type_names("demo_train")) == 60
    for lexicon in lexicons("demo_train"):
        assert len(set(lexicon.templates)) >= 12, lexicon.name
        for name, entries in lexicon.grammar.types.items():
            assert name == name.casefold()
            assert len(set(entries)) >= 18 or any("{" in entry for entry in entries), (lexicon.name, name)


def test_training_shares() -> None:
    train = corpus("demo_train", "train")
    assert {name for example in train for name in example.types()} == set(demo.type_names("demo_train"))
    assert 0.07 <= share(train, lambda example: not example.spans) <= 0.09
    assert share(train, is_nested) >= 0.08
    assert 0.08 <= width_share(train, 5, 12) <= 0.10
    assert 0.028 <= width_share(train, 9, 12) <= 0.04
    assert share(train, lambda example: 6 <= len(example.words) <= 24) >= 0.9
    assert max(len(example.words) for example in train) <= 32
    assert max(len(example.spans) for example in train) == 4


def test_training_has_ambiguous_surfaces() -> None:
    types = defaultdict(set)
    for example in corpus("demo_train", "train"):
        for span in example.spans:
            types[example.text(span).casefold()].add(span.type)
    ambiguous = {text for text, names in types.items() if len(names) > 1}
    assert len(ambiguous) >= 25
    assert {"mercury", "java", "amazon"} <= ambiguous


def test_no_word_before_an_entity_gives_its_type_away() -> None:
    types = defaultdict(Counter)
    for example in corpus("demo_train", "train"):
        for span in example.spans:
            types[example.words[span.start - 1] if span.start else ""][span.type] += 1
    total = sum(counts.total() for counts in types.values())
    assert sum(counts.total() for counts in types.values() if len(counts) >= 2) >= 0.9 * total
    assert sum(counts.total() for counts in types.values() if len(counts) >= 3) >= 0.8 * total
    # The best guess from that word alone, against 11 % for always guessing the commonest type.
    assert sum(max(counts.values()) for counts in types.values()) <= 0.4 * total


def test_dev_and_train_share_no_sentence() -> None:
    words = [{example.words for example in corpus("demo_train", split)} for split in ("train", "dev")]
    assert not words[0] & words[1]


@pytest.mark.parametrize("dataset", demo.dataset_names())
def test_offsets_and_duplicates(dataset: str) -> None:
    patterns = defaultdict(set)
    for lexicon in lexicons(dataset):
        for name, entries in lexicon.grammar.types.items():
            patterns[name] |= {pattern(entry) for entry in entries}
        for line in lexicon.templates:
            for text, name in re.findall(r"\[([^\[\]/]*)/([^\]]+)\]", line):
                patterns[name].add(pattern(text))
    known = {name: re.compile("|".join(sorted(found))) for name, found in patterns.items()}
    for split, examples in demo.sentences(dataset).items():
        assert len({example.words for example in examples}) >= 0.98 * len(examples), split
        assert len({example.id for example in examples}) == len(examples)
        for example in examples:
            assert example.spans == tuple(sorted(set(example.spans)))
            for span in example.spans:
                assert 0 <= span.start <= span.end < len(example.words)
                text = example.text(span).casefold()
                nested = dataset == "demo_train" or dataset == NESTED_OOD
                assert known[span.type].fullmatch(text) or (nested and _is_inner(example, span)), (text, span)


def _is_inner(example: Example, span: Span) -> bool:
    return any(o != span and o.start <= span.start and span.end <= o.end for o in example.spans)


@pytest.mark.parametrize("dataset", OOD)
def test_held_out_domain_does_not_leak(dataset: str) -> None:
    assert leaks(training(), corpus(dataset)) == []
    assert 5 <= len(demo.type_names(dataset)) <= 8
    assert {name for example in corpus(dataset) for name in example.types()} == set(demo.type_names(dataset))
    assert share(corpus(dataset), lambda example: not example.spans) == 0.05
    assert any(is_nested(example) for example in corpus(dataset)) == (dataset == NESTED_OOD)
    assert load(dataset.removeprefix("demo_")).nested == (dataset == NESTED_OOD)


def test_held_out_domains_share_nothing_with_each_other() -> None:
    texts = [surfaces(corpus(name)) for name in OOD]
    assert sum(map(len, texts)) == len(set().union(*texts))
    templates = [set(lexicon.templates) for name in ["demo_train", *OOD] for lexicon in lexicons(name)]
    assert sum(map(len, templates)) == len(set().union(*templates))


def test_held_out_shares() -> None:
    examples = [example for name in OOD for example in corpus(name)]
    assert 0.10 <= width_share(examples, 5, 8) <= 0.14
    assert 0.04 <= width_share(examples, 9, 12) <= 0.065
    assert width_share(examples, 13, 99) == 0
    holders = [name for name in OOD if "else" in demo.type_names(name)]
    assert holders == ["demo_ood_astronomy"]
    types = Counter(span.type for example in corpus(holders[0]) for span in example.spans)
    assert 0.06 <= types["else"] / types.total() <= 0.10
    ambiguous = defaultdict(set)
    for name in OOD:
        for type_name, entries in load(name.removeprefix("demo_")).grammar.types.items():
            for entry in entries:
                ambiguous[entry.casefold()].add(type_name)
    assert sum(len(names) > 1 for names in ambiguous.values()) >= 3


@pytest.mark.parametrize(
    ("words", "span", "finding"),
    [
        (("He", "saw", "Zeus"), Span(2, 2, "Cities"), "type 'city'"),
        (("He", "saw", "PARIS"), Span(2, 2, "deity"), "surface 'paris'"),
        (("He", "likes", "blue", "cheese"), Span(2, 3, "dish"), "phrase 'blue cheese'"),
        (("Some", "Blue", "cheese", "in", "Paris"), Span(0, 0, "dish"), "sentence 'some blue cheese in paris'"),
    ],
)
def test_leaks_finds_what_is_planted(words: tuple[str, ...], span: Span, finding: str) -> None:
    train = [Example(id="a", words=("Some", "blue", "cheese", "in", "Paris"), spans=(Span(4, 4, "city"),))]
    test = [Example(id="b", words=words, spans=(span,))]
    assert any(line.startswith(finding) for line in leaks(train, test))
    assert leaks(train, [Example(id="c", words=("Zeus",), spans=(Span(0, 0, "deity"),))]) == []


@pytest.mark.parametrize("dataset", ML)
def test_multilingual_sets(dataset: str) -> None:
    language = dataset.removeprefix("demo_ml_")
    assert demo.type_names(dataset) == ["creative work", "location", "organization", "person", "product"]
    assert {name for example in corpus(dataset) for name in example.types()} == set(demo.type_names(dataset))
    assert {example.language for example in corpus(dataset)} == {language}
    assert len(set(lexicons(dataset)[0].templates)) >= 6
    letters = [char for example in corpus(dataset) for word in example.words for char in word if char.isalpha()]
    script = SCRIPTS.get(language, "LATIN")
    assert sum(unicodedata.name(char).startswith(script) for char in letters) >= 0.9 * len(letters)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("types: {city: Oslo}\ntemplates: 'In {town} .'", "`templates` entry 1 .*unknown slot 'town'"),
        ("types: {city: 'Oslo ; [Old/part] Oslo'}", "`city` entry 2 .*unknown type 'part'"),
        ("types: {city: Oslo}\nplain: 'It (rained .'", r"`plain` entry 1 .*`\(` without `\)`"),
        ("types: {city: '[Oslo'}", "`city` entry 1"),
        ("types: {city: 'Oslo/city]'}", "`city` entry 1 .*stray"),
        ("tipes: {city: Oslo}", "unknown key `tipes`"),
    ],
)
def test_faulty_files_are_named(tmp_path: Path, body: str, message: str) -> None:
    (tmp_path / "bad.yaml").write_text(f"language: en\nnested: false\n{body}\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"bad.yaml: {message}"):
        load("bad", tmp_path)


def test_training_text_comes_in_passages_of_one_domain() -> None:
    passages, parts = demo.generate("demo_train")["train"], corpus("demo_train", "train")
    assert len(passages) == 1800
    assert Counter(word for item in passages for word in item.words) == Counter(w for item in parts for w in item.words)
    surfaces = Counter((item.text(span), span.type) for item in parts for span in item.spans)
    assert Counter((item.text(span), span.type) for item in passages for span in item.spans) == surfaces
    assert sum(len(item.types()) for item in passages) / len(passages) >= 3  # hard negatives beside each positive
