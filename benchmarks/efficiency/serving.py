"""Models asked in turn about the same texts: words per second in batches, seconds of one text alone, energy.

What is timed is words to entities: collation, the network, candidates above a threshold, flat selection.
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.efficiency.timing import Job, Joules, Pass, Side, alternate, read, undisturbed
from gliner_core.predict import best_spans, candidate_spans
from gliner_core.pretrained import GLiNER

BATCH = 8  # texts of one call of the network, as the workflow predicts
THRESHOLD = 0.5
MIN_ROUNDS, MAX_ROUNDS = 3, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One text as words, and the labels that are asked of it."""

    words: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model under a K: `folder` holds the checkpoint; `max_width` None = the model's own."""

    name: str
    folder: Path
    max_width: int | None


Texts = Sequence[Asked]
Latencies = dict[str, list[float]]  # side -> seconds of each text


def num_words(texts: Texts) -> int:
    """Words of some texts."""
    return sum(len(text.words) for text in texts)


def sides_of(models: Sequence[Served], device: torch.device) -> dict[str, Side]:
    """Model -> what answers texts; a checkpoint that stands under several K is opened once."""
    opened = {folder: GLiNER.from_pretrained(folder, device=str(device)) for folder in {m.folder for m in models}}
    return {model.name: answering(opened[model.folder], model.max_width) for model in models}


def answering(model: GLiNER, max_width: int | None, batch_size: int = BATCH) -> Side:
    """Texts -> the job of answering them."""

    def prepare(texts: Texts) -> Job:
        words, labels = [text.words for text in texts], [text.labels for text in texts]
        asked = {"floor": THRESHOLD, "batch_size": batch_size, "max_width": max_width}
        return lambda: [
            best_spans(found, THRESHOLD, "flat") for found in candidate_spans(model.network, words, labels, **asked)
        ]

    return prepare


def throughput(
    sides: Mapping[str, Side],
    loads: Callable[[int], object],
    device: torch.device,
    seconds: float,
    meter: Joules | None = None,
) -> list[Pass]:
    """Passes over texts of their own, the same for all sides, after a warm-up; about `seconds` long in all."""
    begin = time.perf_counter()
    alternate(sides, loads, rounds=0, warmup=1, device=device)
    rounds = rounds_within(seconds, time.perf_counter() - begin)
    return alternate(sides, lambda number: loads(number + 1), rounds=rounds, warmup=0, device=device, meter=meter)


def rounds_within(seconds: float, one_pass: float) -> int:
    """Rounds of two passes that fit, within the bounds that a percentile needs and patience allows."""
    return max(MIN_ROUNDS, min(MAX_ROUNDS, int(seconds / (2 * one_pass))))


def latencies(
    sides: Mapping[str, Side], loads: Callable[[int], Texts], device: torch.device, seconds: float
) -> list[Latencies]:
    """Passes of one text at a time; the sides take turns at every text, in reverse order at every second one."""
    with undisturbed():
        begin = time.perf_counter()
        one_by_one(sides, loads(0), device)
        rounds = rounds_within(seconds, time.perf_counter() - begin)
        return [one_by_one(sides, loads(number), device) for number in range(1, 2 * rounds + 1)]


def one_by_one(sides: Mapping[str, Side], texts: Sequence[Any], device: torch.device) -> Latencies:
    """Seconds of each text alone; a side is given a list of one text."""
    found: Latencies = {name: [] for name in sides}
    order = list(sides)
    for place, text in enumerate(texts):
        gc.collect()
        for name in reversed(order) if place % 2 else order:
            found[name].append(read(sides[name]([text]), device).wall)
    return found


def percentiles(passes: Sequence[Latencies], percent: float) -> dict[str, list[float]]:
    """Side -> this percentile over the texts of every pass, in seconds."""
    return {name: [float(np.percentile(found[name], percent)) for found in passes] for name in passes[0]}
