"""Checkpoint + examples + labels -> candidate spans: `python -m gliner_core.predict MODEL --data X.jsonl --labels a,b`.

Every span of width <= K whose score exceeds a floor is kept with its score, so that thresholds, overlap rules and
protocols can be applied later without the model.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from gliner_core.batching import call_cost, cheapest_batches
from gliner_core.decode import Overlap, select
from gliner_core.errors import InputError
from gliner_core.examples import read_jsonl
from gliner_core.files import atomic_write
from gliner_core.fitting import in_fitting_batches
from gliner_core.model import SpanScoringModel
from gliner_core.progress import progress
from gliner_core.prompt import PromptEncoder
from gliner_core.spans import valid_spans
from gliner_core.windows import Range, best_window, window_ranges


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
    labels: Sequence[str] | Sequence[Sequence[str]],
    *,
    floor: float,
    batch_size: int = 8,
    max_width: int | None = None,
    window_overlap: int | None = None,
) -> list[SpanScores]:
    """Candidates above `floor` for each text (a list of words), in input order.

    `labels` is one list for all texts or one list per text; label indices refer to the text's own list. Texts are
    batched by length, at most `batch_size` at once and fewer where the memory of the device does not hold them, which
    changes scores only by rounding; one text that does not fit alone is an `InputError`. K defaults to the model's.
    Words beyond the model's window are lost and counted, or with `window_overlap` (in words, at least K) read in
    further windows, see windows.py.
    """
    width = model.spec.max_width if max_width is None else max_width
    _check_request(batch_size, width, window_overlap)
    asked = _labels_of_each(labels, len(texts))
    ranges = [_ranges(model.prompts, *pair, window_overlap) for pair in zip(texts, asked, strict=True)]
    parts = [(row, first, last) for row, own in enumerate(ranges) for first, last in own]
    words = [texts[row][first:last] for row, first, last in parts]
    types = [asked[row] for row, _, _ in parts]
    batches = cheapest_batches(model.prompts.lengths(words, types), batch_size, call_cost(model.device))
    found: dict[int, SpanScores] = {}
    was_training = model.training
    model.eval()
    try:
        for batch in progress(batches, "predict"):
            scored = in_fitting_batches(
                batch,
                lambda part: _batch(model, [words[i] for i in part], [types[i] for i in part], floor, width),
                lambda index: _too_large(model, parts[index], types[index], width),
            )
            found.update(zip(batch, scored, strict=True))
    finally:
        model.train(was_training)
    in_order = iter([found[index] for index in range(len(parts))])
    return [_stitched(own, list(islice(in_order, len(own)))) for own in ranges]


def _too_large(model: SpanScoringModel, part: tuple[int, int, int], labels: Sequence[str], width: int) -> str:
    row, first, last = part
    return (
        f"text {row + 1} ({last - first} words, {len(labels)} labels, spans of up to {width} words) needs more memory "
        f"than {model.device} has; ask for fewer labels at once, give a smaller span width or take another device"
    )


def _check_request(batch_size: int, max_width: int, window_overlap: int | None) -> None:
    if batch_size < 1:
        raise InputError(f"the batch size is {batch_size}; give at least 1 text")
    if max_width < 1:
        raise InputError(f"the span width is {max_width}; give at least 1 word")
    if window_overlap is not None and window_overlap < max_width:
        raise InputError(
            f"windows overlap by {window_overlap} words and spans have up to {max_width}; give an overlap of at least "
            f"{max_width}, so that some window holds each span whole"
        )


def _labels_of_each(labels: Sequence[str] | Sequence[Sequence[str]], num_texts: int) -> list[Sequence[str]]:
    if not labels and not num_texts:  # one list per text, for no text
        return []
    shared = not labels or isinstance(labels[0], str)
    lists = [labels] if shared else labels
    for own in lists:
        if not own or len(set(own)) != len(own):
            raise InputError(f"the labels {list(own)} are empty or hold a duplicate; give distinct type names")
    if not shared and len(labels) != num_texts:
        raise InputError(f"there are {len(labels)} lists of labels for {num_texts} texts; give one list per text")
    return list(lists) * (num_texts if shared else 1)


def _ranges(prompts: PromptEncoder, words: Sequence[str], labels: Sequence[str], overlap: int | None) -> list[Range]:
    if overlap is None:
        return [(0, len(words))]
    sizes = [len(pieces) for pieces in prompts.tokens.split([words])[0]]
    return window_ranges(sizes, prompts.max_words, prompts.room(labels), overlap)


def _batch(
    model: SpanScoringModel,
    texts: Sequence[Sequence[str]],
    labels: Sequence[Sequence[str]],
    floor: float,
    max_width: int,
) -> list[SpanScores]:
    encoded = model.prompts.encode(texts, labels)
    # The stand-in word of an empty text is scored with the batch, but no span may name it.
    real_words = encoded.num_words.minimum(torch.tensor([len(words) for words in texts])).to(model.device)
    encoded = encoded.to(model.device)
    scores = model(encoded, max_width).float()  # [B, L, K, C]
    inside = valid_spans(real_words, *scores.shape[1:3])
    cells = (
        inside[..., None] & (scores > _logit_below(floor))
    ).nonzero()  # [N, 4] in (text, start, width, label) order
    values = scores[tuple(cells.unbind(dim=1))].sigmoid()
    kept = (values > floor) & (cells[:, 3] < encoded.num_types[cells[:, 0]])
    values = values[kept].cpu().numpy()
    rows, start, width, label = cells[kept].cpu().numpy().T
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


def _logit_below(probability: float) -> float:
    """A logit under which sigmoid cannot exceed `probability`; 1e-6 is some 16 roundings of fp32 at 1."""
    safe = min(probability, 1.0) - 1e-6
    return math.log(safe) - math.log1p(-safe) if safe > 0 else -math.inf


def _stitched(ranges: Sequence[Range], found: Sequence[SpanScores]) -> SpanScores:
    """Candidates of one text from those of its windows, in (start, end, label) order."""
    if len(ranges) == 1:
        return found[0]
    parts = []
    for number, ((first, _), own) in enumerate(zip(ranges, found, strict=True)):
        moved = replace(own, start=own.start + first, end=own.end + first)
        parts.append(moved.take(np.flatnonzero(best_window(ranges, moved.start, moved.end) == number)))
    names = ("start", "end", "label", "score")
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    together = SpanScores(**whole, lost_words=sum(part.lost_words for part in parts))
    return together.take(np.lexsort((together.label, together.end, together.start)))


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
    parser.add_argument("--window-overlap", type=int, help="read long texts in windows that share so many words")
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
            window_overlap=options.window_overlap,
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
