"""Word n-grams and sentences shared between corpora, case ignored: what zero-shot hygiene is decided on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gliner_core.examples import Example

Words = tuple[str, ...]
START = 5


def fold(words: Sequence[str]) -> Words:
    """Words in lower case: the form in which sentences are compared."""
    return tuple(word.lower() for word in words)


def ngrams(words: Words, size: int) -> Iterator[Words]:
    """Every run of `size` words; none if the sentence is shorter."""
    return (words[start : start + size] for start in range(len(words) - size + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Folded sentences and n-grams of a set of test examples."""

    sentences: frozenset[Words]
    grams: frozenset[Words]
    size: int | None

    def holds(self, words: Words) -> bool:
        """Whether a folded sentence is one of the indexed sentences."""
        return words in self.sentences

    def shares(self, words: Words) -> bool:
        """Whether a folded sentence has an n-gram in common with an indexed one."""
        return self.size is not None and any(gram in self.grams for gram in ngrams(words, self.size))


class Texts:
    """Folded training texts, searched for whole test sentences: a sentence may stand inside a longer passage."""

    def __init__(self, examples: Iterable[Example]) -> None:
        folded = [fold(example.words) for example in examples]
        self._starts = {gram for words in folded for gram in ngrams(words, START)}
        self._short = {gram for words in folded for size in range(1, START) for gram in ngrams(words, size)}
        self._joined = "".join(f"\n {' '.join(words)} " for words in folded)

    def hold(self, sentence: Words) -> bool:
        """Whether a folded sentence stands in one of the texts as a run of words."""
        if len(sentence) < START:
            return sentence in self._short
        # Most sentences are settled by their first words; only the others pay for a search through all texts.
        return sentence[:START] in self._starts and f" {' '.join(sentence)} " in self._joined


def index(examples: Iterable[Example], size: int | None) -> Index:
    """Indexes examples; `size` None leaves n-grams out."""
    folded = frozenset(fold(example.words) for example in examples)
    grams = frozenset(gram for words in folded for gram in ngrams(words, size)) if size else frozenset()
    return Index(sentences=folded, grams=grams, size=size)
