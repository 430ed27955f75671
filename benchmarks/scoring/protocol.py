"""A protocol applied to a dataset: which labels are asked, which gold counts, and what a prediction file answers.

The convention moves published numbers by points: the paper asks for and scores the CrossNER class `misc` under the
name `else`, UniNER and GNER leave it out (issue yyDing1/GNER#3), and UniNER compares normalised strings.
"""

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.catalog.cards import DatasetCard, ProtocolCard
from benchmarks.scoring.asking import answers
from benchmarks.scoring.predictions import Candidates, Predictions
from gliner_core.decode import Overlap, select
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(a|an|the)\b")


class Mention(NamedTuple):
    """What the unit `string` compares: a normalised surface string and its type, wherever it stands."""

    text: str
    type: str


class Unresolved(NamedTuple):
    """A gold entity that no word span can equal (its offsets fall inside a word): counted, and never found."""

    number: int
    type: str


Item = Span | Mention | Unresolved


def decoding_of(protocol: ProtocolCard) -> dict[str, Any]:
    """The part of a protocol that decides the prediction file; protocols that agree on it share one file."""
    return {name: getattr(protocol, name) for name in ("ask_else", "label_case", "label_order")}


def with_decoding(protocol: ProtocolCard, decoding: Mapping[str, Any]) -> ProtocolCard:
    """The protocol as a cell with decoding axes asked it: label case and order as in the cell, the rest unchanged."""
    asked = {name: decoding[name] for name in decoding_of(protocol) if name in decoding}
    return ProtocolCard.model_validate(protocol.model_dump() | asked)


def gold_spans(protocol: ProtocolCard, card: DatasetCard, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
    """The gold spans that count, one tuple per example, after repair and without what is not scored."""
    types = _counted_types(protocol, card, (span.type for example in examples for span in example.spans))
    return [
        tuple(Span(span.start, span.end, types[span.type]) for span in example.spans if span.type in types)
        for example in examples
    ]


def unresolved_gold(
    protocol: ProtocolCard, card: DatasetCard, examples: Sequence[Example], listed: Sequence[Sequence[Any]]
) -> list[frozenset[Unresolved]]:
    """Unresolved entities that count, one set per example; `listed` holds [id, type, ...] as a prepared card.json."""
    types = _counted_types(protocol, card, (kind for _, kind, *_ in listed))
    found: dict[str, set[Unresolved]] = {example.id: set() for example in examples}
    for number, (identity, kind, *_) in enumerate(listed):
        if identity not in found:
            raise InputError(f"unresolved gold names sentence {identity!r}, which {card.name} lacks; prepare it again")
        if kind in types:
            found[identity].add(Unresolved(number, types[kind]))
    return [frozenset(found[example.id]) for example in examples]


def decoded_spans(protocol: ProtocolCard, card: DatasetCard, predictions: Predictions) -> list[dict[Span, float]]:
    """Accepted spans with their scores, one dict per sentence, decoded once at the file's floor.

    Every higher threshold is the part of it whose score lies `above` it (see `gliner_core.decode`).
    """
    labels = answers(protocol, card, predictions.wording)
    if predictions.labels != tuple(labels):
        raise InputError(
            f"predictions of {predictions.dataset} answer {list(predictions.labels)} but protocol {protocol.name} "
            f"asks {card.name} for {list(labels)}; predict again with the labels of the protocol"
        )
    if protocol.threshold < predictions.floor:
        raise InputError(
            f"benchmarks/protocols/{protocol.name}.yaml: `threshold` {protocol.threshold} lies below the floor "
            f"{predictions.floor} of the predictions of {predictions.dataset}; raise it or predict with a lower floor"
        )
    unscored = unscored_labels(protocol, card)
    card_labels = tuple(labels.values())
    return [_decode(candidates, card_labels, protocol.overlap, unscored) for candidates in predictions.sentences]


def predicted_spans(protocol: ProtocolCard, card: DatasetCard, predictions: Predictions) -> list[tuple[Span, ...]]:
    """The spans that the protocol's threshold accepts, with the labels of the card."""
    return [above(scores, protocol.threshold) for scores in decoded_spans(protocol, card, predictions)]


def above(scores: Mapping[Any, float], threshold: float) -> tuple[Any, ...]:
    """The keys whose score exceeds the threshold, strictly (paper section 2.3 and the author's code)."""
    # Scores are float32, and torch rounds the threshold to float32 before it compares.
    cutoff = float(np.float32(threshold))
    return tuple(key for key, score in scores.items() if score > cutoff)


def scored_items(
    protocol: ProtocolCard, examples: Sequence[Example], decoded: Sequence[Mapping[Span, float]]
) -> list[dict[Item, float]]:
    """Decoded spans in the protocol's unit; mentions that coincide keep the best score."""
    if protocol.unit == "span":
        return [dict(scores) for scores in decoded]
    return [_best_mentions(example, scores) for example, scores in zip(examples, decoded, strict=True)]


def gold_items(
    protocol: ProtocolCard, examples: Sequence[Example], gold: Sequence[tuple[Span, ...]]
) -> list[frozenset[Item]]:
    """Gold spans in the protocol's unit, as sets."""
    if protocol.unit == "span":
        return [frozenset(spans) for spans in gold]
    return [frozenset(_mention(example, span) for span in spans) for example, spans in zip(examples, gold, strict=True)]


def normalise(text: str) -> str:
    """UniNER's normal form (universal-ner, src/eval/evaluate.py): no case, punctuation, articles or extra spaces."""
    return " ".join(_ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def unscored_labels(protocol: ProtocolCard, card: DatasetCard) -> frozenset[str]:
    """Labels of a dataset that the protocol leaves out of answers and gold."""
    if protocol.score_else or card.else_label is None:
        return frozenset()
    aliases = (old for old, new in card.gold_repairs.items() if new == card.else_label)
    return frozenset({card.else_label, *aliases})


def _counted_types(protocol: ProtocolCard, card: DatasetCard, types: Iterable[str]) -> dict[str, str]:
    """Gold type -> the type it is scored as; types that are not scored are absent."""
    unscored = unscored_labels(protocol, card)
    repairs = card.gold_repairs if protocol.repair_gold else {}
    return {kind: repairs.get(kind, kind) for kind in set(types) if kind not in unscored}


def _decode(
    candidates: Candidates, labels: tuple[str, ...], overlap: Overlap, unscored: frozenset[str]
) -> dict[Span, float]:
    score = candidates.score.astype(np.float32)
    chosen = select(candidates.start, candidates.end, candidates.label, score, overlap)
    columns = (candidates.start, candidates.end, candidates.label, score)
    return {
        Span(start, end, labels[label]): value
        for start, end, label, value in zip(*(column[chosen].tolist() for column in columns), strict=True)
        if labels[label] not in unscored
    }


def _best_mentions(example: Example, scores: Mapping[Span, float]) -> dict[Item, float]:
    best: dict[Item, float] = {}
    for span, score in scores.items():
        mention = _mention(example, span)
        best[mention] = max(score, best.get(mention, score))
    return best


def _mention(example: Example, span: Span) -> Mention:
    return Mention(normalise(example.text(span)), span.type)
