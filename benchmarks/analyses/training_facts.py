"""What a test span may have met in training: its surface, its type, its sentence, and contexts like its own.

Text is compared in lower case. The context of a sentence is its words outside gold mentions, so that seen contexts and
seen surfaces are told apart; its nearness to training is the largest cosine between its tf-idf vector and that of a
training sentence (0 no word in common, 1 the same words).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.analyses.slice_names import NGRAMS, SURFACES
from benchmarks.analyses.training_shares import folded_mentions
from benchmarks.corpora.overlap import Texts, Words, fold, index, ngrams
from gliner_core.examples import Example

_AT_ONCE = 200  # test sentences compared with all training sentences at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceFacts:
    """Of every sentence of one dataset [S]: nearness of the nearest training context, and shared runs of words."""

    nearness: np.ndarray
    is_held: np.ndarray
    shares: dict[int, np.ndarray]


class TrainingFacts:
    """Surfaces, types and contexts of a training set, asked for test spans and sentences."""

    def __init__(self, examples: Sequence[Example]) -> None:
        mentions = [pair for example in examples for pair in folded_mentions(example)]
        self._examples = examples
        self._typed = frozenset(mentions)
        self._surfaces = frozenset(surface for surface, _ in mentions)
        self._types = Counter(kind for _, kind in mentions)
        self._texts = Texts(examples)
        self._vectoriser = TfidfVectorizer(analyzer=_same)
        self._contexts = self._vectoriser.fit_transform([_context(example) for example in examples])

    def surface(self, surface: str, kind: str) -> str:
        """Whether the surface was a training mention: of this type, of another type only, or never."""
        if (surface.lower(), kind.lower()) in self._typed:
            return SURFACES[2]
        return SURFACES[surface.lower() in self._surfaces]

    def num_mentions(self, kind: str) -> int:
        """Training mentions of exactly this type string."""
        return self._types[kind.lower()]

    def sentences(self, examples: Sequence[Example]) -> SentenceFacts:
        """Facts about test sentences; `is_held`: the whole sentence stands in a training text."""
        folded = [fold(example.words) for example in examples]
        return SentenceFacts(
            nearness=self._nearness(examples),
            is_held=np.array([self._texts.hold(words) for words in folded]),
            shares={size: self._shares(examples, folded, size) for size in NGRAMS},
        )

    def _nearness(self, examples: Sequence[Example]) -> np.ndarray:
        asked = self._vectoriser.transform([_context(example) for example in examples])
        best = [
            (asked[start : start + _AT_ONCE] @ self._contexts.T).max(axis=1).toarray().ravel()
            for start in range(0, len(examples), _AT_ONCE)
        ]
        return np.concatenate(best)

    def _shares(self, examples: Sequence[Example], folded: Sequence[Words], size: int) -> np.ndarray:
        """Which sentences have a run of `size` words in common with training; the short side is indexed."""
        asked = index(examples, size).grams
        met = {gram for example in self._examples for gram in ngrams(fold(example.words), size) if gram in asked}
        return np.array([any(gram in met for gram in ngrams(words, size)) for words in folded])


def _same(words: list[str]) -> list[str]:
    return words


def _context(example: Example) -> list[str]:
    inside = {word for span in example.spans for word in range(span.start, span.end + 1)}
    return [word.lower() for place, word in enumerate(example.words) if place not in inside]
