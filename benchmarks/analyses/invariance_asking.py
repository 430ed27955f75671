"""One model asked for the same sentences in several ways: scores of every span and label, in one order.

What a model of this kind computes for a sentence depends on its words and on the labels beside them in the prompt, and
on nothing else: the batch, its padding and the order of the texts may only move roundings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from gliner_core.model import SpanScoringModel
from gliner_core.predict import SpanScores, candidate_spans
from gliner_core.spans import valid_spans

Texts = Sequence[Sequence[str]]
USUAL_BATCH = 8
FULL_STOP = "."
_EVERYTHING = -1.0  # a floor below every score: all spans and labels are kept, so two answers can be laid side by side


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Sentences and labels of one dataset, with the longest sentence of its test set for company in a batch."""

    network: SpanScoringModel
    texts: Texts
    labels: tuple[str, ...]
    neighbour: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A way of asking; `is_exact`: by construction it may move roundings only."""

    title: str
    is_exact: bool
    ask: Callable[[Question], list[SpanScores]]


def in_batches(size: int) -> Callable[[Question], list[SpanScores]]:
    """At most so many sentences at once."""
    return lambda question: _asked(question, question.texts, question.labels, size)


def _asked(question: Question, texts: Texts, labels: Sequence[str], size: int = USUAL_BATCH) -> list[SpanScores]:
    return candidate_spans(question.network, texts, labels, floor=_EVERYTHING, batch_size=size)


def _turned(question: Question) -> list[SpanScores]:
    return _asked(question, question.texts[::-1], question.labels)[::-1]


def _padded(question: Question) -> list[SpanScores]:
    return [_beside(question, words) for words in question.texts]


@torch.inference_mode()
def _beside(question: Question, words: Sequence[str]) -> SpanScores:
    """A sentence in one batch with the neighbour: `candidate_spans` would keep texts of unlike length apart."""
    network = question.network
    encoded = network.prompts.encode([words, question.neighbour], [question.labels] * 2).to(network.device)
    scores = network(encoded, network.spec.max_width)[0].float().sigmoid()  # [L, K, C]
    num_words = encoded.num_words[:1].clamp(max=len(words))  # the stand-in word of an empty text is no word
    inside = valid_spans(num_words, *scores.shape[:2])[0]  # [L, K]
    start, width = inside.nonzero().cpu().numpy().T
    num_labels = len(question.labels)
    return SpanScores(
        start=np.repeat(start, num_labels),
        end=np.repeat(start + width, num_labels),
        label=np.tile(np.arange(num_labels), len(start)),
        score=scores[inside].flatten().cpu().numpy(),
        lost_words=encoded.lost_words[0],
    )


def _halved(question: Question) -> list[SpanScores]:
    """Two prompts with half of the labels each, answers put together again."""
    half = (len(question.labels) + 1) // 2
    parts = [_asked(question, question.texts, own) for own in (question.labels[:half], question.labels[half:]) if own]
    return [_together(found, half) for found in zip(*parts, strict=True)]


def _together(parts: Sequence[SpanScores], half: int) -> SpanScores:
    moved = [replace(part, label=part.label + half * number) for number, part in enumerate(parts)]
    names = ("start", "end", "label", "score")
    whole = SpanScores(
        **{name: np.concatenate([getattr(part, name) for part in moved]) for name in names},
        lost_words=max(part.lost_words for part in parts),
    )
    return whole.take(np.lexsort((whole.label, whole.end, whole.start)))


def _dotted(question: Question) -> list[SpanScores]:
    return _asked(question, [other_end(words) for words in question.texts], question.labels)


def other_end(words: Sequence[str]) -> list[str]:
    """The sentence without its final full stop, or with one if it has none."""
    if len(words) > 1 and words[-1] == FULL_STOP:
        return list(words[:-1])
    return [*words, FULL_STOP]


CONDITIONS = {
    "batch_1": Condition(title="batch of 1", is_exact=True, ask=in_batches(1)),
    "batch_32": Condition(title="batch of 32", is_exact=True, ask=in_batches(32)),
    "padding": Condition(title="padded by a long neighbour", is_exact=True, ask=_padded),
    "order": Condition(title="sentences in reverse order", is_exact=True, ask=_turned),
    "labels_halved": Condition(title="labels in two prompts", is_exact=False, ask=_halved),
    "full_stop": Condition(title="final full stop added or removed", is_exact=False, ask=_dotted),
}
