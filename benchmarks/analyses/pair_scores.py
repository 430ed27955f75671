"""Scores of every span against every label of a sentence, told apart by what gold says of the pair."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gliner_core.examples import Span
from gliner_core.model import SpanScoringModel
from gliner_core.spans import valid_spans

# Kinds of pairs, in this order: a gold span with its label; a gold span with a label that it has not; a span that
# shares a word with a gold span but not both ends; a span that shares no word with any.
KINDS = ("matching", "right span, wrong type", "overlapping a gold span", "disjoint from gold")
MATCHING, WRONG_TYPE, OVERLAPPING, DISJOINT = range(len(KINDS))
LEFT_OUT = -1  # a span that gold gives a type which is not asked: one of the labels may mean it, so nothing is known


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLogits:
    """Spans of one sentence: first and last words [N] and logits [N, C] in the order of the labels asked."""

    start: np.ndarray
    end: np.ndarray
    logits: np.ndarray


@torch.inference_mode()
def span_logits(network: SpanScoringModel, words: Sequence[str], labels: Sequence[str]) -> SpanLogits:
    """Logits of all spans up to the model's K in what its window holds of a sentence of at least one word.

    One sentence at a time: `candidate_spans` returns probabilities, in which high scores cannot be told apart.
    """
    encoded = network.prompts.encode([words], [labels]).to(network.device)
    scores = network(encoded)[0].float()  # [L, K, C]
    inside = valid_spans(encoded.num_words, *scores.shape[:2])[0]  # [L, K]
    start, width = inside.nonzero().cpu().numpy().T
    return SpanLogits(start=start, end=start + width, logits=scores[inside].cpu().numpy())


def pair_kinds(start: np.ndarray, end: np.ndarray, labels: Sequence[str], gold: Collection[Span]) -> np.ndarray:
    """Place in `KINDS`, or `LEFT_OUT`, of every pair [N, C] of a span [N] and a label of the dataset's card."""
    kinds = np.full((len(start), len(labels)), DISJOINT, dtype=np.int8)
    exact = [(start == span.start) & (end == span.end) for span in gold]
    for span in gold:
        kinds[(start <= span.end) & (end >= span.start)] = OVERLAPPING
    for found in exact:
        kinds[found] = WRONG_TYPE
    for found, span in zip(exact, gold, strict=True):
        if span.type not in labels:
            kinds[found] = LEFT_OUT
    for found, span in zip(exact, gold, strict=True):
        if span.type in labels:
            kinds[found, labels.index(span.type)] = MATCHING
    return kinds
