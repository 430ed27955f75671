"""Whether answers depend on what they should not depend on: a sample of sentences asked again in other company.

The baseline's first seed in 32 bits, against batches of 8. Scores of all spans and labels are compared, not only those
above a floor; entities and F1 follow the study's first protocol.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.answered import Gold, read_gold, trained_rows
from benchmarks.analyses.invariance_asking import CONDITIONS, USUAL_BATCH, Condition, Question, in_batches
from benchmarks.catalog.cards import ProtocolCard
from benchmarks.catalog.variants import baseline_of
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.summary import AVERAGE
from benchmarks.scoring.asking import answers
from benchmarks.scoring.counts import sentence_counts
from benchmarks.scoring.protocol import Item, unscored_labels
from benchmarks.scoring.statistics import paired_bootstrap
from gliner_core.examples import Span
from gliner_core.predict import SpanScores, best_spans
from gliner_core.pretrained import GLiNER
from gliner_core.seeding import derive_seed, generator

SENTENCES = 40  # of each dataset
BOUND = 1e-5  # of a probability in 32 bits: sums of a few hundred terms in another order
_CHUNK = 256  # texts encoded at once to count what the window cuts


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One way of asking on one dataset: differences of scores [N], decoded spans and counts [S, 3] of both answers."""

    differences: np.ndarray
    changed: int
    either: int
    counts: np.ndarray
    usual_counts: np.ndarray


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Rows of kind `condition` (per dataset and for all) and `truncation` (per dataset)."""
    row = space.grid.study_rows(study)[0]
    protocol = space.registry.protocols[row.protocol]
    variants = trained_rows(space, study, row.protocol)
    first = variants[baseline_of(space.registry.studies[study], list(variants))][0]
    model = GLiNER.from_pretrained(space.run(first.owner) / "model", device=space.device)
    found: dict[str, list[Compared]] = {name: [] for name in CONDITIONS}
    rows: list[dict[str, Any]] = []
    gold = read_gold(space, protocol, first.suite)
    for data in gold:
        labels = tuple(answers(protocol, data.card))
        rows.append(_truncation(model, data, labels))
        places = _sample(data)
        longest = max((example.words for example in data.examples), key=len)
        texts = [data.examples[place].words for place in places]
        question = Question(network=model.network, texts=texts, labels=labels, neighbour=longest)
        truth = [data.items[place] for place in places]
        usual = in_batches(USUAL_BATCH)(question)
        for name, condition in CONDITIONS.items():
            found[name].append(_compared(usual, condition.ask(question), truth, protocol, data))
    names = [data.card.name for data in gold]
    for name, condition in CONDITIONS.items():
        rows += _rows(name, condition, names, found[name], space.settings.resamples)
    return pd.DataFrame(rows)


def _sample(data: Gold) -> list[int]:
    """Numbers of the sentences that are asked again, in their order."""
    num = len(data.examples)
    return sorted(generator(0, "invariance", data.card.name).sample(range(num), min(SENTENCES, num)))


def _truncation(model: GLiNER, data: Gold, labels: Sequence[str]) -> dict[str, Any]:
    """What the model's window leaves unread of the whole test set."""
    texts = [example.words for example in data.examples]
    lost: list[int] = []
    for place in range(0, len(texts), _CHUNK):
        chunk = texts[place : place + _CHUNK]
        lost += model.network.prompts.encode(chunk, [labels] * len(chunk)).lost_words
    return {
        "kind": "truncation", "dataset": data.card.name, "num_sentences": len(texts), "words": sum(map(len, texts)),
        "lost_words": sum(lost), "sentences_cut": sum(number > 0 for number in lost),
    }  # fmt: skip


def _compared(
    usual: Sequence[SpanScores],
    other: Sequence[SpanScores],
    truth: Sequence[frozenset[Item]],
    protocol: ProtocolCard,
    data: Gold,
) -> Compared:
    differences = np.concatenate([_differences(*pair) for pair in zip(usual, other, strict=True)])
    before, after = ([_decoded(item, protocol, data) for item in found] for found in (usual, other))
    pairs = list(zip(before, after, strict=True))
    return Compared(
        differences=differences,
        changed=sum(len(one ^ two) for one, two in pairs),
        either=sum(len(one | two) for one, two in pairs),
        counts=sentence_counts(truth, after),
        usual_counts=sentence_counts(truth, before),
    )


def _differences(usual: SpanScores, other: SpanScores) -> np.ndarray:
    """Absolute differences of the scores of the spans that both texts hold."""
    last = min(found.end.max(initial=-1) for found in (usual, other))
    one, two = (found.take(np.flatnonzero(found.end <= last)) for found in (usual, other))
    return np.abs(one.score.astype(float) - two.score)


def _decoded(found: SpanScores, protocol: ProtocolCard, data: Gold) -> frozenset[Span]:
    labels = list(answers(protocol, data.card).values())
    best = best_spans(found, protocol.threshold, protocol.overlap)
    columns = (best.start.tolist(), best.end.tolist(), best.label.tolist())
    spans = (Span(start, end, labels[label]) for start, end, label in zip(*columns, strict=True))
    unscored = unscored_labels(protocol, data.card)
    return frozenset(span for span in spans if span.type not in unscored)


def _rows(
    name: str, condition: Condition, datasets: Sequence[str], found: Sequence[Compared], resamples: int
) -> Iterator[dict[str, Any]]:
    """One row per dataset, and one for all: sums and maxima, and the mean F1 of the datasets."""
    for place, dataset in enumerate([*datasets, AVERAGE]):
        mine = found if dataset == AVERAGE else found[place : place + 1]
        seed = derive_seed(0, "invariance", name, dataset)
        change = paired_bootstrap([one.counts for one in mine], [one.usual_counts for one in mine], seed, resamples)
        differences = np.concatenate([one.differences for one in mine])
        yield {
            "kind": "condition", "condition": name, "title": condition.title, "is_exact": int(condition.is_exact),
            "dataset": dataset, "num_sentences": sum(len(one.counts) for one in mine),
            "num_scores": len(differences), "max_difference": differences.max(initial=0.0),
            "mean_difference": differences.mean() if len(differences) else 0.0,
            "beyond_bound": int((differences > BOUND).sum()), "changed": sum(one.changed for one in mine),
            "entities": sum(one.either for one in mine), "difference_points": 100 * change.difference,
            "low": 100 * change.low, "high": 100 * change.high,
        }  # fmt: skip
