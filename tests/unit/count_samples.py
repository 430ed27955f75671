"""Made-up counts per sentence, and their F1 by its definition."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def sentences(draw: np.random.Generator, num: int, skill: float) -> np.ndarray:
    """Counts [S, 3] of a system that finds each of 0 to 4 gold items with this chance, and adds some of its own."""
    gold = draw.integers(0, 5, num)
    hits = draw.binomial(gold, skill)
    return np.stack([hits, hits + draw.integers(0, 2, num), gold], axis=1)


def improved(draw: np.random.Generator, base: np.ndarray, share: float) -> np.ndarray:
    """The same answers with one more hit in this share of the sentences, where there is one to make."""
    hits = np.minimum(base[:, 2], base[:, 0] + (draw.random(len(base)) < share))
    return np.stack([hits, base[:, 1] + hits - base[:, 0], base[:, 2]], axis=1)


def f1(rows: np.ndarray) -> float:
    hits, predicted, gold = rows.sum(axis=0)
    return 2 * hits / (predicted + gold) if predicted + gold else 0.0


def redrawn_f1(runs: Sequence[np.ndarray], seed: int, resamples: int) -> np.ndarray:
    """F1 [B, R] of R runs with counts [S, 3] each, on one resample of the sentences after another."""
    draw, num = np.random.default_rng(seed), len(runs[0])
    picked = [draw.integers(0, num, num) for _ in range(resamples)]
    return np.array([[f1(run[places]) for run in runs] for places in picked])


def score_of(counts: np.ndarray) -> dict[str, Any]:
    """As much of a score file as its readers ask for."""
    hits, predicted, gold = counts.sum(axis=0)
    rates = {"precision_pct": 100 * hits / max(predicted, 1), "recall_pct": 100 * hits / max(gold, 1)}
    facts = {"reachable_recall_pct": 100.0, "interval": {"low_pct": 1.0, "high_pct": 99.0}}
    return {**rates, "f1_pct": 100 * f1(counts), **facts, "num_sentences": len(counts), "sentences": counts.tolist()}
