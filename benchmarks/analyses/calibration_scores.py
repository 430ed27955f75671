"""Scores of a run's candidates with what is true of them, and how far scores and truth lie apart.

Bins follow scikit-learn's `calibration_curve`: equal width over 0..1, or equal mass by quantiles of the scores. The
expected calibration error (Naeini et al. 2015) is the mean over candidates of |share correct - mean score| of the bin,
the maximum calibration error the largest of these gaps, the Brier score the mean squared difference of score and truth.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np

from benchmarks.analyses.answered import Gold
from benchmarks.catalog.cards import ProtocolCard
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.asking import answers
from benchmarks.scoring.predictions import Predictions, read_predictions
from benchmarks.scoring.protocol import decoded_spans, unscored_labels, with_decoding
from benchmarks.scoring.statistics import LEVEL
from gliner_core.examples import Span

NUM_BINS = 15
Binning = Literal["width", "mass"]
BINNINGS: tuple[Binning, ...] = ("width", "mass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Candidates of one run on some sentences: arrays [N] of sentence number, score and whether gold holds the span."""

    sentence: np.ndarray
    score: np.ndarray
    hit: np.ndarray
    num_sentences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One run on one dataset: the spans that decoding accepts at the floor, and every candidate above it."""

    decoded: Scored
    candidates: Scored
    floor: float


def read_told(space: Workspace, row: Row, gold: Gold) -> Told:
    """The prediction file of a row on one dataset, held against gold as the row's protocol counts it."""
    cell = space.grid.cell_of(row, gold.card)
    predictions = read_predictions(space.home / cell.folder / "predictions.jsonl")
    asked = with_decoding(space.registry.protocols[row.protocol], asdict(space.grid.decodings[cell.decoding]))
    decoded = [list(scores.items()) for scores in decoded_spans(asked, gold.card, predictions)]
    candidates = _candidates(asked, gold, predictions)
    truth = gold.spans
    return Told(decoded=_scored(decoded, truth), candidates=_scored(candidates, truth), floor=predictions.floor)


def _candidates(protocol: ProtocolCard, gold: Gold, predictions: Predictions) -> list[list[tuple[Span, float]]]:
    """Every candidate of every sentence whose label is scored, whether decoding would accept it or not."""
    labels = list(answers(protocol, gold.card, predictions.wording).values())
    unscored = unscored_labels(protocol, gold.card)
    found = []
    for item in predictions.sentences:
        columns = (column.tolist() for column in (item.start, item.end, item.label, item.score))
        found.append(
            [
                (Span(start, end, labels[label]), score)
                for start, end, label, score in zip(*columns, strict=True)
                if labels[label] not in unscored
            ]
        )
    return found


def _scored(found: Sequence[Sequence[tuple[Span, float]]], truth: Sequence[frozenset[Span]]) -> Scored:
    flat = [(number, score, span in truth[number]) for number, own in enumerate(found) for span, score in own]
    sentence, score, hit = zip(*flat, strict=True) if flat else ((), (), ())
    return Scored(
        sentence=np.array(sentence, dtype=np.int64),
        score=np.array(score, dtype=np.float32).astype(float),
        hit=np.array(hit, dtype=bool),
        num_sentences=len(truth),
    )


def joined(parts: Sequence[Scored]) -> Scored:
    """The sentences of several datasets as if they were one."""
    starts = np.cumsum([0, *(part.num_sentences for part in parts)])
    moved = [replace(part, sentence=part.sentence + start) for part, start in zip(parts, starts, strict=False)]
    columns = {name: np.concatenate([getattr(part, name) for part in moved]) for name in ("sentence", "score", "hit")}
    return Scored(**columns, num_sentences=int(starts[-1]))


def bin_numbers(score: np.ndarray, binning: Binning) -> np.ndarray:
    """The bin [N] of each score, 0 to 14."""
    if binning == "width" or not len(score):
        edges = np.linspace(0, 1, NUM_BINS + 1)
    else:
        edges = np.quantile(score, np.linspace(0, 1, NUM_BINS + 1))
    return np.searchsorted(edges[1:-1], score)


def bin_sums(scored: Scored, binning: Binning) -> np.ndarray:
    """Per sentence and bin [S, 15, 3]: candidates, sum of their scores, how many are correct."""
    sums = np.zeros((scored.num_sentences, NUM_BINS, 3))
    values = np.stack([np.ones(len(scored.score)), scored.score, scored.hit], axis=1)
    np.add.at(sums, (scored.sentence, bin_numbers(scored.score, binning)), values)
    return sums


def squared_errors(scored: Scored) -> np.ndarray:
    """Per sentence [S, 2]: candidates, and the sum of (score - truth)^2."""
    sums = np.zeros((scored.num_sentences, 2))
    errors = (scored.score - scored.hit) ** 2
    np.add.at(sums, scored.sentence, np.stack([np.ones(len(errors)), errors], axis=1))
    return sums


def expected_error(sums: np.ndarray) -> np.ndarray:
    """Expected calibration error, 0..1, of binned sums [..., 15, 3]; zero without candidates."""
    apart = np.abs(sums[..., 2] - sums[..., 1]).sum(axis=-1)
    return apart / np.maximum(sums[..., 0].sum(axis=-1), 1)


def maximum_error(sums: np.ndarray) -> np.ndarray:
    """The largest gap of any bin that holds a candidate, 0..1."""
    gaps = np.abs(sums[..., 2] - sums[..., 1]) / np.maximum(sums[..., 0], 1)
    return gaps.max(axis=-1)


def bias(sums: np.ndarray) -> np.ndarray:
    """Mean score minus share correct, -1..1: above zero the model is too sure of itself."""
    totals = sums.sum(axis=-2)
    return (totals[..., 1] - totals[..., 2]) / np.maximum(totals[..., 0], 1)


def mean_error(sums: np.ndarray) -> np.ndarray:
    """Brier score, 0..1, of sums [..., 2]."""
    return sums[..., 1] / np.maximum(sums[..., 0], 1)


def middle(values: np.ndarray) -> np.ndarray:
    """Where the middle 95 % of resampled values [R, ...] begin and end, [2, ...]."""
    return np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
