"""The embedded synthetic corpora of the scale `demo`: original sentences drawn from `demo_data/*.yaml`.

`demo_train` stands in for Pile-NER (paper section 3.1), `demo_ood_*` for the zero-shot suite (section 4.1) and
`demo_ml_*` for the multilingual one. Nothing is fetched, and the bytes are the same everywhere.
Only `demo_ood_sport` and the training domains hold nested spans.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.corpora.demo_cues import with_cues
from benchmarks.corpora.demo_lexicon import Lexicon, lexicon_names, load
from benchmarks.corpora.demo_markup import render
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span

TRAIN = "demo_train"
COMMON = "train_common"
TRAIN_SIZES = {"train": 3600, "dev": 240}  # sentences
PER_PASSAGE = 2
OOD_SIZES = {"test": 120}
MULTILINGUAL_SIZES = {"test": 60}
TRAIN_PLAIN_SHARE = 0.08
TEST_PLAIN_SHARE = 0.05
MAX_WORDS = 28
MAX_SPANS = 4
MAX_WIDTH = 12
MAX_TRIES = 500


def dataset_names() -> list[str]:
    """Every dataset that `generate` knows, the training set first."""
    return [TRAIN, *(f"demo_{name}" for name in lexicon_names("ood_") + lexicon_names("ml_"))]


def generate(dataset: str) -> dict[str, list[Example]]:
    """All splits of a dataset as the workflow uses them: training text comes in passages, the rest in sentences."""
    splits = sentences(dataset)
    if dataset == TRAIN:
        splits["train"] = _passages(splits["train"], len(_recipe(dataset)[0]))
    return splits


def sentences(dataset: str) -> dict[str, list[Example]]:
    """All splits of a dataset, sentence by sentence; no sentence occurs twice in it."""
    if dataset not in dataset_names():
        raise InputError(f"unknown demo dataset {dataset!r}; known are {', '.join(dataset_names())}")
    lexicons, sizes, plain_share = _recipe(dataset)
    seen: set[tuple[str, ...]] = set()
    return {split: _split(dataset, split, lexicons, size, plain_share, seen) for split, size in sizes.items()}


def _passages(examples: list[Example], num_domains: int) -> list[Example]:
    """Joins sentences of one domain, as Pile-NER's passages do: their types must be told from each other.

    A sentence alone names two types on average, so a training on sentences meets few hard negatives in its short life.
    """
    passages = []
    for domain in range(num_domains):
        mine = examples[domain::num_domains]
        passages += [_joined(mine[at : at + PER_PASSAGE]) for at in range(0, len(mine), PER_PASSAGE)]
    return passages


def _joined(parts: list[Example]) -> Example:
    words: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    for part in parts:
        spans += tuple(Span(len(words) + span.start, len(words) + span.end, span.type) for span in part.spans)
        words += part.words
    return Example(id=parts[0].id, words=words, spans=spans, language=parts[0].language)


def type_names(dataset: str) -> list[str]:
    """The sorted types of a dataset, included ones too."""
    lexicons, _, _ = _recipe(dataset)
    return sorted({name for lexicon in lexicons for name in lexicon.grammar.types})


def _recipe(dataset: str) -> tuple[list[Lexicon], dict[str, int], float]:
    if dataset == TRAIN:
        return [load(name) for name in lexicon_names("train_") if name != COMMON], TRAIN_SIZES, TRAIN_PLAIN_SHARE
    name = dataset.removeprefix("demo_")
    return [load(name)], OOD_SIZES if name.startswith("ood_") else MULTILINGUAL_SIZES, TEST_PLAIN_SHARE


def _split(
    dataset: str,
    split: str,
    lexicons: list[Lexicon],
    size: int,
    plain_share: float,
    seen: set[tuple[str, ...]],
) -> list[Example]:
    rng = random.Random(f"gliner-bench-demo/{dataset}/{split}")
    # Cues draw from a generator of their own, so that the sentences stay the same without them.
    cues = random.Random(f"gliner-bench-demo/{dataset}/{split}/cues")
    decks = [_templates(lexicon, plain_share, rng) for lexicon in lexicons]
    examples = []
    for number in range(size):
        at = number % len(lexicons)
        words, spans = _fresh(next(decks[at]), lexicons[at], rng, seen)
        seen.add(words)
        if not lexicons[at].name.startswith("ml_"):  # those are asked with English type names
            words, spans = with_cues(words, spans, cues)
        examples.append(
            Example(id=f"{dataset}-{split}-{number:04d}", words=words, spans=spans, language=lexicons[at].language)
        )
    return examples


def _templates(lexicon: Lexicon, plain_share: float, rng: random.Random) -> Iterator[str]:
    """Deals every template equally often, and a sentence without entities at the given share."""
    decks: dict[str, list[str]] = {"templates": [], "plain": []}
    owed = 0.0
    while True:
        owed += plain_share
        kind = "plain" if owed >= 1 else "templates"
        owed -= kind == "plain"
        if not decks[kind]:
            decks[kind] = _shuffled(getattr(lexicon, kind), rng)
        yield decks[kind].pop()


def _shuffled(items: tuple[str, ...], rng: random.Random) -> list[str]:
    return [item for _, item in sorted((rng.random(), item) for item in items)]


def _fresh(
    template: str, lexicon: Lexicon, rng: random.Random, seen: set[tuple[str, ...]]
) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    for _ in range(MAX_TRIES):
        (first, *rest), spans = render(template, lexicon.grammar, rng)
        words = (first.capitalize() if first.islower() else first, *rest)
        narrow = all(span.width <= MAX_WIDTH for span in spans)
        if words not in seen and narrow and len(words) <= MAX_WORDS and len(spans) <= MAX_SPANS:
            return words, spans
    raise InputError(f"{lexicon.name}.yaml: template {template!r} yields no new sentence; add alternatives")
