"""Checkpoint + examples + labels -> candidate spans: `python -m gliner_core.predict MODEL --data X.jsonl --labels a,b`.

Every span of width <= K whose score exceeds a floor is kept with its score, so that thresholds, overlap rules and
protocols can be applied later without the model.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from gliner_core.decode import Overlap, select
from gliner_core.errors import InputError
from gliner_core.examples import read_jsonl
from gliner_core.files import atomic_write
from gliner_core.model import SpanScoringModel
from gliner_core.progress import progress
from gliner_core.spans import valid_cells


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanScores:
    """Candidates of one text: arrays [N] of word indices (end inclusive), label indices and probabilities."""

    start: np.ndarray
    end: np.ndarray
    label: np.ndarray
    score: np.ndarray
    lost_words: int

    def take(self, indices: np.ndarray) -> "SpanScores":
        """The chosen candidates, in that order."""
        return SpanScores(
            start=self.start[indices],
            end=self.end[indices],
            label=self.label[indices],
            score=self.score[indices],
            lost_words=self.lost_words,
        )


@torch.inference_mode()
def candidate_spans(
    model: SpanScoringModel,
    texts: Sequence[Sequence[str]],
    labels: Sequence[str],
    *,
    floor: float,
    batch_size: int = 8,
    max_width: int | None = None,
) -> list[SpanScores]:
    """Candidates above `floor` for each text (a list of words), in input order.

    Texts are batched by length, which changes scores only by rounding; K defaults to the model's.
    """
    if not labels or len(set(labels)) != len(labels):
        raise InputError(f"the labels {list(labels)} are empty or hold a duplicate; give distinct type names")
    if max_width is not None and max_width < 1:
        raise InputError(f"the span width is {max_width}; give at least 1 word")
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    found: dict[int, SpanScores] = {}
    was_training = model.training
    model.eval()
    chunks = [order[offset : offset + batch_size] for offset in range(0, len(order), batch_size)]
    for chunk in progress(chunks, "predict"):
        found.update(zip(chunk, _batch(model, [texts[i] for i in chunk], labels, floor, max_width), strict=True))
    model.train(was_training)
    return [found[index] for index in range(len(texts))]


def _batch(
    model: SpanScoringModel, texts: Sequence[Sequence[str]], labels: Sequence[str], floor: float, max_width: int | None
) -> list[SpanScores]:
    encoded = model.prompts.encode(texts, [labels] * len(texts)).to(model.device)
    scores = model(encoded, max_width).float().sigmoid()
    # The stand-in word of an empty text is scored with the batch, but no span may name it.
    real_words = encoded.num_words.minimum(torch.tensor([len(words) for words in texts], device=model.device))
    valid = valid_cells(real_words, encoded.num_types, *scores.shape[1:])
    cells = (valid & (scores > floor)).nonzero()  # [N, 4] in (text, start, width, label) order
    values = scores[tuple(cells.unbind(dim=1))].cpu().numpy()
    rows, start, width, label = cells.cpu().numpy().T
    bounds = np.searchsorted(rows, np.arange(len(texts) + 1))
    return [
        SpanScores(
            start=start[first:last],
            end=start[first:last] + width[first:last],
            label=label[first:last],
            score=values[first:last],
            lost_words=encoded.lost_words[row],
        )
        for row, (first, last) in enumerate(pairwise(bounds))
    ]


def best_spans(candidates: SpanScores, threshold: float, overlap: Overlap) -> SpanScores:
    """Greedy selection above the threshold, ordered by position."""
    above = candidates.take(np.flatnonzero(candidates.score > threshold))
    chosen = select(above.start, above.end, above.label, above.score, overlap)
    position = np.lexsort((above.label[chosen], above.end[chosen], above.start[chosen]))
    return above.take(chosen[position])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gliner_core.predict", description="Finds entities in JSONL data.")
    parser.add_argument("model", help="checkpoint folder or hub id")
    parser.add_argument("--data", type=Path, required=True, help="examples, JSONL (gold spans are ignored)")
    parser.add_argument("--labels", required=True, help="comma-separated type names, asked in this order")
    parser.add_argument("--out", type=Path, required=True, help="predicted spans, JSONL of the same form plus scores")
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--overlap", choices=get_args(Overlap), default="flat")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--max-width", type=int, help="K at inference; default: the model's")
    parser.add_argument("--device", help="cpu, cuda, cuda:1; default: a GPU if there is one")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; prints one sentence and returns 2 on wrong input."""
    from gliner_core.pretrained import GLiNER

    options = _parser().parse_args(arguments)
    try:
        model = GLiNER.from_pretrained(options.model, device=options.device)
        examples = read_jsonl(options.data)
        labels = [label.strip() for label in options.labels.split(",") if label.strip()]
        found = candidate_spans(
            model.network,
            [example.words for example in examples],
            labels,
            floor=options.threshold,
            batch_size=options.batch_size,
            max_width=options.max_width,
        )
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with atomic_write(options.out) as stream:
        for example, candidates in zip(examples, found, strict=True):
            best = best_spans(candidates, options.threshold, options.overlap)
            spans = [[int(s), int(e), labels[c]] for s, e, c in zip(best.start, best.end, best.label, strict=True)]
            record = {"id": example.id, "words": list(example.words), "spans": spans, "language": example.language}
            record |= {"scores": [round(float(score), 6) for score in best.score], "lost_words": best.lost_words}
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
