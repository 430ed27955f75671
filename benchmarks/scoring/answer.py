"""Asks a model (or the random scorer) for one dataset and writes the prediction file and its cost."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.catalog.cards import DatasetCard, SystemCard
from benchmarks.catalog.grid import Decoding
from benchmarks.catalog.workspace import SYSTEM_WIDTH
from benchmarks.scoring.predictions import Candidates, write_predictions
from benchmarks.scoring.protocol import ask
from gliner_core.examples import Example, read_jsonl
from gliner_core.measure import Stopwatch, hardware, peak_bytes
from gliner_core.predict import SpanScores, candidate_spans
from gliner_core.pretrained import GLiNER
from gliner_core.seeding import derive_seed

FLOOR = 0.05  # candidates below it are not kept; thresholds in use are 0.1 and more


def answer_cell(
    model: Path | SystemCard,
    card: DatasetCard,
    data: Path,
    decoding: Decoding,
    out: Path,
    *,
    device: str,
    batch_size: int = 8,
) -> dict[str, Any]:
    """Writes `out` and returns what it cost and lost. `model` is a checkpoint folder or a system card."""
    examples = read_jsonl(data)
    labels = ask(decoding, card)
    if isinstance(model, SystemCard) and model.kind == "random":
        with Stopwatch() as watch:
            found = random_scores(examples, labels, model.seed, card.name)
        device = "cpu"
    else:
        network = _open(model, device).network
        with Stopwatch(device) as watch:
            found = candidate_spans(
                network,
                [example.words for example in examples],
                labels,
                floor=FLOOR,
                batch_size=batch_size,
                max_width=decoding.max_width,
            )
    header = {"dataset": card.name, "labels": list(labels), "floor": FLOOR, "decoding": asdict(decoding)}
    write_predictions(out, header, [_candidates(*pair) for pair in zip(examples, found, strict=True)])
    words = sum(len(example.words) for example in examples)
    return {
        "device": device,
        "hardware": hardware(device),
        "seconds": watch.seconds,
        "words": words,
        "words_per_second": words / watch.seconds,
        "bytes_peak": peak_bytes(device),
        "lost_words": sum(item.lost_words for item in found),
        "batch_size": batch_size,
    }


def random_scores(examples: Sequence[Example], labels: Sequence[str], seed: int, dataset: str) -> list[SpanScores]:
    """One uniform random score for every span of up to 12 words and every label."""
    draw = np.random.default_rng(derive_seed(seed, "random-scorer", dataset))
    found = []
    for example in examples:
        start, width, label = np.indices((len(example.words), SYSTEM_WIDTH, len(labels))).reshape(3, -1)
        inside = start + width < len(example.words)
        start, width, label = start[inside], width[inside], label[inside]
        score = draw.random(len(start), dtype=np.float32)
        keep = score > FLOOR
        found.append(
            SpanScores(start=start[keep], end=(start + width)[keep], label=label[keep], score=score[keep], lost_words=0)
        )
    return found


def _open(model: Path | SystemCard, device: str) -> GLiNER:
    if isinstance(model, SystemCard):
        return GLiNER.from_pretrained(model.hub or model.folder, revision=model.revision, device=device)
    return GLiNER.from_pretrained(model, device=device)


def _candidates(example: Example, found: SpanScores) -> Candidates:
    return Candidates(
        id=example.id,
        num_words=len(example.words),
        lost_words=found.lost_words,
        start=found.start,
        end=found.end,
        label=found.label,
        score=found.score,
    )
