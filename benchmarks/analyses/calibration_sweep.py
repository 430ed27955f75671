"""Precision, recall and F1 at every threshold, and what one threshold for all datasets costs.

A choice of threshold is made on the test sentences themselves, so the F1 at a best threshold is what an oracle would
reach; each resample of the sentences chooses anew. Differences between two fixed thresholds hold no such choice.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.analyses.calibration_scores import Scored, middle
from benchmarks.analyses.claims import Claim, judge
from benchmarks.analyses.resampling import estimate
from benchmarks.reporting.summary import AVERAGE
from benchmarks.scoring.counts import Metric, rate
from benchmarks.scoring.drawing import shared_sums
from gliner_core.seeding import derive_seed

THRESHOLDS = np.arange(5, 96) / 100
LOW_THRESHOLD, USUAL_THRESHOLD = 0.3, 0.5  # v2.1's README against the package's default
RATES: tuple[Metric, ...] = ("precision", "recall", "f1")
POINTS = 100.0


def threshold_counts(scored: Scored, num_gold: np.ndarray) -> np.ndarray:
    """Counts [S, T, 3] = (true positives, predicted, gold) of every sentence at every threshold."""
    # A score counts where it lies strictly above a threshold, both as float32: so many thresholds does it pass.
    passed = np.searchsorted(THRESHOLDS.astype(np.float32), scored.score.astype(np.float32))
    steps = np.zeros((scored.num_sentences, len(THRESHOLDS) + 1, 2), dtype=np.int64)
    np.add.at(steps, (scored.sentence, passed), np.stack([scored.hit, np.ones(len(passed))], axis=1).astype(np.int64))
    above = steps[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]  # [S, T, 2]
    gold = np.broadcast_to(num_gold[:, None, None], (*above.shape[:2], 1))
    return np.concatenate([above, gold], axis=2)


class Sweep:
    """Rates of every dataset at every threshold: as measured, and for each resample of the sentences.

    `counts` holds one array [R, S, T, 3] per dataset, for R seeds.
    """

    def __init__(self, names: Sequence[str], counts: Sequence[np.ndarray], suite: str, resamples: int) -> None:
        self.names, self.counts, self.suite = names, counts, suite
        self.sums = [part.sum(axis=1) for part in counts]  # [R, T, 3]
        self.seeds = np.stack([rate(sums, "f1") for sums in self.sums])  # [D, R, T]
        self.f1 = self.seeds.mean(axis=1)  # [D, T]
        draws = [
            shared_sums(np.moveaxis(part, 0, 1), derive_seed(0, "calibration", suite, name), resamples)
            for name, part in zip(names, counts, strict=True)
        ]
        self.drawn = np.stack([rate(sums, "f1").mean(axis=1) for sums in draws], axis=1)  # [resamples, D, T]

    def rows(self) -> Iterator[dict[str, Any]]:
        """The curves, then the choices."""
        yield from self._curves()
        yield from self._choices()
        yield from self._differences()

    def _curves(self) -> Iterator[dict[str, Any]]:
        measured = {name: np.stack([rate(sums, name).mean(axis=0) for sums in self.sums]) for name in RATES}  # [D, T]
        for place, dataset in enumerate([*self.names, AVERAGE]):
            which = slice(None) if dataset == AVERAGE else slice(place, place + 1)
            f1_bounds = middle(self.drawn[:, which].mean(axis=1))  # [2, T]
            for name in RATES:
                values = measured[name][which].mean(axis=0)
                for at, threshold in enumerate(THRESHOLDS):
                    row = {"kind": "curve", "dataset": dataset, "threshold": threshold, "measure": f"{name}_pct"}
                    low, high = f1_bounds[:, at] if name == "f1" else (None, None)
                    yield row | _percent(values[at], low, high)

    def _choices(self) -> Iterator[dict[str, Any]]:
        """Best threshold of each dataset and of all together, and what the common one costs each dataset."""
        common, drawn_common = self.f1.mean(axis=0).argmax(), self.drawn.mean(axis=1).argmax(axis=1)
        own, drawn_own = self.f1.argmax(axis=1), self.drawn.argmax(axis=2)
        for place, dataset in enumerate(self.names):
            yield _threshold(dataset, own[place], drawn_own[:, place])
        yield _threshold(AVERAGE, common, drawn_common)
        draws = np.arange(len(self.drawn))
        lost = self.drawn.max(axis=2) - self.drawn[draws, :, drawn_common]  # [resamples, D]
        per_seed = np.take_along_axis(self.seeds, own[:, None, None], 2)[..., 0] - self.seeds[:, :, common]  # [D, R]
        yield from self._told("regret", None, lost, per_seed)

    def _differences(self) -> Iterator[dict[str, Any]]:
        """The lower threshold minus the usual one; the average, which comes last, is judged."""
        low, usual = (int(np.argmin(np.abs(THRESHOLDS - value))) for value in (LOW_THRESHOLD, USUAL_THRESHOLD))
        drawn = self.drawn[:, :, low] - self.drawn[:, :, usual]
        seeds = self.seeds[:, :, low] - self.seeds[:, :, usual]
        rows = list(self._told("low", LOW_THRESHOLD, drawn, seeds))
        first, second = ([part[:, :, at] for part in self.counts] for at in (low, usual))  # [R, S, 3]
        average = Claim(
            row=rows[-1], first=first, second=second, metric="f1", values=POINTS * seeds.mean(axis=0),
            resampled=POINTS * drawn.mean(axis=1),
        )  # fmt: skip
        judge([average], "calibration", self.suite)  # the only difference that the page tests
        yield from rows

    def _told(
        self, kind: str, threshold: float | None, drawn: np.ndarray, seeds: np.ndarray
    ) -> Iterator[dict[str, Any]]:
        """F1 differences of every dataset, [resamples, D] and [D, R], and their average."""
        for place, dataset in enumerate([*self.names, AVERAGE]):
            which = slice(None) if dataset == AVERAGE else slice(place, place + 1)
            row = {"kind": kind, "dataset": dataset, "threshold": threshold, "measure": "f1_points"}
            yield row | estimate(POINTS * seeds[which].mean(axis=0), POINTS * drawn[:, which].mean(axis=1))


def _threshold(dataset: str, best: int, drawn: np.ndarray) -> dict[str, Any]:
    low, high = middle(THRESHOLDS[drawn])
    place = {"kind": "best", "dataset": dataset, "measure": "threshold"}
    return place | {"value": THRESHOLDS[best], "low": low, "high": high}


def _percent(value: float, low: float | None, high: float | None) -> dict[str, Any]:
    return {
        "value": POINTS * value,
        "low": None if low is None else POINTS * low,
        "high": None if high is None else POINTS * high,
    }
