"""Scores one cell: predictions + gold + protocol -> one JSON file with counts, interval, breakdowns and sweep.

Everything is derived from the prediction file, so a change of metric or protocol costs no model time.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.catalog.cards import DatasetCard, ProtocolCard
from benchmarks.scoring.breakdown import describe, errors, per_type, per_width, unreachable
from benchmarks.scoring.counts import sentence_counts, total
from benchmarks.scoring.predictions import Predictions, read_predictions
from benchmarks.scoring.protocol import (
    Item,
    above,
    answers,
    decoded_spans,
    gold_items,
    gold_spans,
    scored_items,
    unresolved_gold,
)
from benchmarks.scoring.statistics import LEVEL, RESAMPLES, bootstrap_interval
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, read_jsonl
from gliner_core.files import read_json, write_json
from gliner_core.seeding import derive_seed

THRESHOLDS = tuple(round(0.1 * step, 1) for step in range(1, 10))


def score_cell(
    predictions: Path,
    gold: Path,
    card: DatasetCard,
    protocol: ProtocolCard,
    max_width: int,
    out: Path,
    resamples: int = RESAMPLES,
) -> None:
    """Writes the score file of one prediction file; `max_width` is the widest span the model could propose.

    Where `prepare` left a card.json beside the gold, its `unresolved_gold` counts as never found.
    """
    answered, examples = read_predictions(predictions), read_jsonl(gold)
    _check(predictions, gold, answered, examples, card)
    facts = _facts(gold)
    unresolved = unresolved_gold(protocol, card, examples, facts["unresolved_gold"])
    truth = gold_spans(protocol, card, examples)
    try:
        decoded = decoded_spans(protocol, card, answered)
    except InputError as error:
        raise InputError(f"{predictions}, to be scored against {gold}: {error}") from None
    found = gold_items(protocol, examples, truth)
    gold_sets = [items | lost for items, lost in zip(found, unresolved, strict=True)]
    scored = scored_items(protocol, examples, decoded)
    write_json(
        out,
        {
            "dataset": card.name,
            "protocol": protocol.name,
            "unit": protocol.unit,
            "threshold": protocol.threshold,
            "num_sentences": len(examples),
            "sampled_from": facts.get("sampled_from"),
            **_headline(gold_sets, scored, card, protocol, resamples),
            **_span_facts(truth, sum(map(len, unresolved)), decoded, answered, card, protocol, max_width),
            "sweep": _sweep(gold_sets, scored, answered.floor),
        },
    )


def _check(
    predictions: Path,
    gold: Path,
    answered: Predictions,
    examples: Sequence[Example],
    card: DatasetCard,
) -> None:
    if answered.dataset != card.name:
        raise InputError(
            f"{predictions}:1: `dataset` is {answered.dataset!r} but {gold} is to be scored as {card.name!r}; "
            f"give the predictions of {card.name}"
        )
    if len(answered.sentences) != len(examples):
        raise InputError(
            f"{predictions}: holds {len(answered.sentences)} sentences but {gold} holds {len(examples)}; "
            f"predict again on that file"
        )
    for line, (sentence, example) in enumerate(zip(answered.sentences, examples, strict=True), start=2):
        if (sentence.id, sentence.num_words) != (example.id, len(example.words)):
            raise InputError(
                f"{predictions}:{line}: sentence {sentence.id!r} ({sentence.num_words} words) is not {example.id!r} "
                f"({len(example.words)} words) of {gold}; predict again on that file"
            )


def _facts(gold: Path) -> dict[str, Any]:
    """What `prepare` (or the drawing of a sample) wrote down about the gold."""
    path = gold.with_name("card.json")
    if not path.exists():
        return {"unresolved_gold": []}
    try:
        facts = read_json(path)["splits"][gold.stem]
        return facts | {"unresolved_gold": facts["unresolved_gold"]}
    except (KeyError, TypeError):
        raise InputError(
            f"{path}: `splits.{gold.stem}.unresolved_gold` is missing; prepare the dataset again"
        ) from None


def _headline(
    gold: Sequence[frozenset[Item]],
    scored: Sequence[Mapping[Item, float]],
    card: DatasetCard,
    protocol: ProtocolCard,
    resamples: int,
) -> dict[str, Any]:
    """Counts, rates, interval and types in the protocol's unit, and the counts of every sentence."""
    predicted = [frozenset(above(scores, protocol.threshold)) for scores in scored]
    rows = sentence_counts(gold, predicted)
    rates = describe(total(rows))
    seed = derive_seed(0, "bootstrap", card.name)
    interval = bootstrap_interval(rows, seed, resamples)
    return {
        "counts": {name: rates.pop(name) for name in ("true_positive", "predicted", "gold")},
        **rates,
        "interval": {
            "low_pct": 100 * interval.low,
            "high_pct": 100 * interval.high,
            "level": LEVEL,
            "method": "percentile bootstrap over sentences",
            "resamples": resamples,
            "seed": seed,
        },
        "per_type": per_type(gold, predicted),
        "sentences": rows.tolist(),
    }


def _span_facts(
    truth: Sequence[tuple[Span, ...]],
    num_unresolved: int,
    decoded: Sequence[Mapping[Span, float]],
    answered: Predictions,
    card: DatasetCard,
    protocol: ProtocolCard,
    max_width: int,
) -> dict[str, Any]:
    """What is only defined for spans, whatever the unit: widths, kinds of error, the ceiling of recall."""
    gold = [frozenset(spans) for spans in truth]
    predicted = [frozenset(above(scores, protocol.threshold)) for scores in decoded]
    visible = [sentence.num_words - sentence.lost_words for sentence in answered.sentences]
    mistakes = errors(gold, predicted)
    lost = {"offset": num_unresolved} | unreachable(
        gold, visible, answers(protocol, card).values(), max_width, protocol.overlap
    )
    num_gold = num_unresolved + sum(len(spans) for spans in gold)
    return {
        "per_width": per_width(gold, predicted),
        "errors": mistakes | {"missed": mistakes["missed"] + num_unresolved},
        "max_width": max_width,
        "lost_words": sum(sentence.lost_words for sentence in answered.sentences),
        "unreachable": lost,
        "reachable_recall_pct": 100 * (1 - sum(lost.values()) / num_gold) if num_gold else 0.0,
    }


def _sweep(
    gold: Sequence[frozenset[Item]], scored: Sequence[Mapping[Item, float]], floor: float
) -> list[dict[str, float]]:
    """Rates at every threshold that the file can answer, in one pass over the decoded items."""
    pairs = [
        (score, item in truth) for truth, scores in zip(gold, scored, strict=True) for item, score in scores.items()
    ]
    score = np.array([score for score, _ in pairs], dtype=np.float32)
    hit = np.array([hit for _, hit in pairs], dtype=bool)
    num_gold = sum(len(truth) for truth in gold)
    points = []
    for threshold in (value for value in THRESHOLDS if value >= floor):
        kept = score > np.float32(threshold)
        counts = describe(total(np.array([[(kept & hit).sum(), kept.sum(), num_gold]])))
        points.append({"threshold": threshold, **{k: counts[k] for k in ("precision_pct", "recall_pct", "f1_pct")}})
    return points
