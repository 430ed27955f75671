"""Slices of gold and answers: every dimension parts all items of a test set, so its slices add up to the whole.

A slice is a property of an item (boundaries and type) or of its sentence, never of gold alone: an answer falls into
the slice that its own words and type put it in, so each slice has precision and F1 beside recall.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.analyses.answered import Gold
from benchmarks.analyses.slice_names import (
    APART,
    COLUMNS,
    FREQUENCIES,
    MOST_FREQUENT,
    NEARNESS,
    NO_WORDS,
    SEEN,
    SHARED,
    TYPE_UNSEEN,
    UNSEEN,
)
from benchmarks.analyses.training_facts import SentenceFacts, TrainingFacts
from benchmarks.analyses.training_shares import casing_of, class_of
from benchmarks.scoring.breakdown import WIDEST, WIDTHS
from benchmarks.scoring.protocol import Item
from gliner_core.examples import Example, Span

_PLACE = {column: place for place, column in enumerate(COLUMNS)}


class Slicer:
    """Puts the items of one dataset's sentences into slices."""

    def __init__(self, gold: Gold, training: TrainingFacts) -> None:
        self._gold, self._training = gold, training
        self._by_sentence = list(_sentence_slices(training.sentences(gold.examples)))

    def counts(self, predicted: Sequence[frozenset[Span]]) -> np.ndarray:
        """Counts [S, slices, 3] = (true positives, predicted, gold) of every sentence, in the order of `COLUMNS`."""
        found = np.zeros((len(predicted), len(COLUMNS), 3), dtype=np.int64)
        for row, (truth, answer) in enumerate(zip(self._gold.items, predicted, strict=True)):
            for item in truth | answer:
                hit = (item in truth and item in answer, item in answer, item in truth)
                for column in self._columns(row, item):
                    found[row, column] += hit
        return found

    def _columns(self, row: int, item: Item) -> Iterator[int]:
        own = _item_slices(self._gold.examples[row], item, self._training)
        return (_PLACE[column] for column in (own | self._by_sentence[row]).items())


def _item_slices(example: Example, item: Item, training: TrainingFacts) -> dict[str, str]:
    num = training.num_mentions(item.type)
    slices = {"type": SEEN if num else UNSEEN, "frequency": class_of(num, FREQUENCIES, MOST_FREQUENT)}
    if not isinstance(item, Span):
        return slices | dict.fromkeys(("surface", "surface of seen type", "casing", "width"), NO_WORDS)
    text = example.text(item)
    surface = training.surface(text, item.type)
    return slices | {
        "surface": surface,
        "surface of seen type": surface if num else TYPE_UNSEEN,
        "casing": casing_of(text),
        "width": class_of(item.width, WIDTHS, WIDEST),
    }


def _sentence_slices(facts: SentenceFacts) -> Iterator[Mapping[str, str]]:
    """Quarters are taken within the dataset, so that a quarter is not a name for a corpus; ties go to one side."""
    limits = np.quantile(facts.nearness, [0.25, 0.5, 0.75])
    quarters = np.searchsorted(limits, facts.nearness)
    for row, quarter in enumerate(quarters):
        shared = {f"{size}-gram": SHARED if flags[row] else APART for size, flags in facts.shares.items()}
        yield {"context": NEARNESS[quarter], "sentence": SHARED if facts.is_held[row] else APART, **shared}
