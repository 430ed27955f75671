"""Texts, types and gold spans of the efficiency suite: drawn from the demo corpora's words, the same on every machine.

What the words mean does not matter for time; how many there are, and into how many sub-tokens they fall, does. Each
repetition gets fresh texts, because a tokeniser's cache that has seen them all would flatter the side that has one.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from benchmarks.catalog.measurement import MeasurementCard, Shape
from benchmarks.corpora.demo import TRAIN, dataset_names, sentences, type_names
from gliner_core.examples import Example, Span
from gliner_core.seeding import generator

SPLIT_SHARE = 0.12  # words of two sub-tokens or more; English text under BERT's vocabulary has about as many
WORDS_PER_ENTITY = 8
MAX_ENTITY_WIDTH = 4  # not above the narrowest K, so that every case trains on the same gold


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Words by the number of sub-tokens that a tokenizer makes of them, and type names."""

    whole: tuple[str, ...]
    split: tuple[str, ...]
    types: tuple[str, ...]

    def word(self, draw: random.Random) -> str:
        """One word; both groups keep their share under every tokenizer that has both."""
        return draw.choice(self.split if self.split and draw.random() < SPLIT_SHARE else self.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one repetition works on: examples with gold and with every type to ask for as their negatives."""

    examples: tuple[Example, ...]
    types: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        """Texts as strings; either side's splitter gives the words back."""
        return [" ".join(example.words) for example in self.examples]


def vocabulary(tokenizer: PreTrainedTokenizerBase, num_types: int) -> Vocabulary:
    """Alphabetic words of the demo training set, and `num_types` names: of the demo types, then short words."""
    found = {word for example in sentences(TRAIN)["train"] for word in example.words}
    words = sorted(word for word in found if word.isascii() and word.isalpha() and word.islower())
    pieces = {word: len(tokenizer.tokenize(word)) for word in words}
    names = sorted({name for dataset in dataset_names() for name in type_names(dataset) if name.isalpha()})
    names = list(dict.fromkeys([*names, *sorted(words, key=lambda word: pieces[word])]))
    return Vocabulary(
        whole=tuple(word for word in words if pieces[word] == 1) or tuple(words),
        split=tuple(word for word in words if pieces[word] == 2),
        types=tuple(names[:num_types]),
    )


def load_for(card: MeasurementCard, shape: Shape, words: Vocabulary, count: int, repetition: int) -> Load:
    """`count` examples of a shape; a pure function of the card's seed, the shape and the repetition."""
    draw = generator(card.seed, "efficiency", shape.text, shape.batch, shape.types, repetition)
    types = words.types[: shape.types]
    examples = [
        _example(f"{repetition}-{number}", card.texts[shape.text], words, types, draw) for number in range(count)
    ]
    return Load(examples=tuple(examples), types=types)


def _example(
    name: str, bounds: tuple[int, int], words: Vocabulary, types: Sequence[str], draw: random.Random
) -> Example:
    text = tuple(words.word(draw) for _ in range(draw.randint(*bounds)))
    spans, position = [], draw.randrange(MAX_ENTITY_WIDTH)
    while position < len(text):
        last = min(position + draw.randrange(MAX_ENTITY_WIDTH), len(text) - 1)
        spans.append(Span(position, last, draw.choice(types)))
        position = last + 1 + draw.randint(1, 2 * WORDS_PER_ENTITY - MAX_ENTITY_WIDTH)
    return Example(id=name, words=text, spans=tuple(spans), negatives=tuple(types))
