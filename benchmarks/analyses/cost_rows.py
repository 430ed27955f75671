"""Tidy rows of what points of a study reach and cost; shared by the analyses `width` and `pareto`.

One row per variant, work and measure. Quality: `low` and `high` bound the 95 % interval over sentences, `seed_low` and
`seed_high` the one over seeds. Costs: median with 10th and 90th percentile over passes, and the `ratio` to the baseline
within the same pass, which holds where an absolute number of this machine says little.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from benchmarks.analyses.cost_names import CONDITIONS, DIFFERENCE, INFERENCE, QUALITY
from benchmarks.analyses.cost_points import Point
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.efficiency.serving import BATCH, Asked, latencies, num_words, percentiles, sides_of, throughput
from benchmarks.efficiency.timing import Joules, Pass, summarise
from benchmarks.reporting.difference_text import measured_text
from benchmarks.reporting.paired import average_difference, read_differences
from benchmarks.reporting.summary import AVERAGE, CellIndex, read_cells
from benchmarks.scoring.statistics import seed_interval
from gliner_core.measure import hardware

COLUMNS = (
    "variant", "label", "backbone", "max_width", "is_baseline", "work", "measure", "value", "low", "high", "seed_low",
    "seed_high", "num_seeds", "visible_points", "verdict", "ratio", "ratio_low", "ratio_high", "count", "detail",
)  # fmt: skip
Row = dict[str, Any]
Draw = Callable[[int], list[Asked]]  # number of a pass -> its texts


def identity(point: Point, baseline: Point) -> Row:
    """The columns that say which point a row is about."""
    return {
        "variant": point.variant, "label": point.label, "backbone": point.spec.model.backbone.name,
        "max_width": point.max_width, "is_baseline": point.variant == baseline.variant,
    }  # fmt: skip


def quality_rows(space: Workspace, card: StudyCard, points: Sequence[Point], baseline: Point) -> Iterator[Row]:
    """F1 and reachable recall of the suite's average, and the tested difference from the baseline."""
    folder, protocol = space.study(card.name), points[0].rows[0].protocol
    index, differences = CellIndex(read_cells(folder / "cells.csv"), card), read_differences(folder / "differences.csv")
    keys = {key.variant: key for key in index.rows if key.protocol == protocol and not key.system}
    for point in points:
        place = identity(point, baseline) | {"work": QUALITY}
        for measure in ("f1_pct", "reachable_recall_pct"):
            found = index.get(keys[point.variant], AVERAGE, measure)
            assert found is not None  # every cell has both
            over_seeds = seed_interval(found.seeds) if len(found.seeds) > 1 else None
            yield {
                **place, "measure": measure, "value": found.value, "low": found.low, "high": found.high,
                "seed_low": over_seeds.low if over_seeds else None,
                "seed_high": over_seeds.high if over_seeds else None, "num_seeds": len(found.seeds),
            }  # fmt: skip
        line = average_difference(differences, keys[point.variant])
        if line is not None:
            kept = ("low", "high", "seed_low", "seed_high", "num_seeds", "visible_points", "verdict")
            yield {
                **place, "measure": DIFFERENCE, "value": line["difference_points"],
                "detail": measured_text(line),
                **{name: line[name] for name in kept},
            }  # fmt: skip


def timed(
    points: Sequence[Point], baseline: Point, work: str, measure: str, values: Mapping[str, Sequence[float]]
) -> Iterator[Row]:
    """Rows of one measure from each point's values in the same passes."""
    for point in points:
        own = summarise(values[point.variant])
        against = summarise(
            [one / other for one, other in zip(values[point.variant], values[baseline.variant], strict=True)]
        )
        yield {
            **identity(point, baseline), "work": work, "measure": measure, "value": own.median, "low": own.p10,
            "high": own.p90, "ratio": against.median, "ratio_low": against.p10, "ratio_high": against.p90,
            "count": own.count,
        }  # fmt: skip


def serving_rows(
    points: Sequence[Point], baseline: Point, texts: Draw, device: torch.device, seconds: float, meter: Joules | None
) -> Iterator[Row]:
    """Words per second and energy in batches, then p50 and p95 of one text alone; `seconds` for each of the two."""
    sides = sides_of([point.served for point in points], device)
    passes = throughput(sides, texts, device, seconds, meter)
    words = [num_words(texts(number + 1)) for number in range(len(passes))]
    yield from speed_rows(points, baseline, INFERENCE, passes, words, device)
    if meter:
        yield from timed(points, baseline, INFERENCE, "joules_per_kiloword", _joules_per_kiloword(passes, words))
    alone = latencies(sides, texts, device, seconds)
    for percent in (50, 95):
        values = {name: [1000 * each for each in own] for name, own in percentiles(alone, percent).items()}
        yield from timed(points, baseline, INFERENCE, f"latency_p{percent}_ms", values)


def speed_rows(
    points: Sequence[Point],
    baseline: Point,
    work: str,
    passes: Sequence[Pass],
    words: Sequence[int],
    device: torch.device,
) -> Iterator[Row]:
    """Words per second of elapsed time and, on a CPU, of the process's own: neighbours disturb that one less."""
    yield from timed(points, baseline, work, "words_per_second", words_per(passes, words, "wall"))
    if device.type == "cpu":
        yield from timed(points, baseline, work, "words_per_cpu_second", words_per(passes, words, "cpu"))


def words_per(passes: Sequence[Pass], words: Sequence[int], clock: str) -> dict[str, list[float]]:
    """Side -> words per second of a clock in every pass, given the words of every pass."""
    return {
        name: [num / getattr(found[name], clock) for found, num in zip(passes, words, strict=True)]
        for name in passes[0]
    }


def _joules_per_kiloword(passes: Sequence[Pass], words: Sequence[int]) -> dict[str, list[float]]:
    return {
        name: [1000 * (found[name].joules or 0.0) / num for found, num in zip(passes, words, strict=True)]
        for name in passes[0]
    }


def single(
    points: Sequence[Point], baseline: Point, work: str, measure: str, values: Mapping[str, float]
) -> Iterator[Row]:
    """Rows of one measure that is taken once: no spread."""
    for point in points:
        ratio = values[point.variant] / values[baseline.variant]
        yield {
            **identity(point, baseline), "work": work, "measure": measure, "value": values[point.variant],
            "ratio": ratio, "count": 1,
        }  # fmt: skip


def condition_rows(device: torch.device, more: Mapping[str, object]) -> Iterator[Row]:
    """What the costs hold for."""
    told = {
        "device": device.type,
        "hardware": hardware(device),
        "threads": torch.get_num_threads(),
        "load of the machine after it": f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors",
        "precision of inference": "fp32",
        "texts per call": BATCH,
        **more,
    }
    return ({"work": CONDITIONS, "measure": name, "detail": str(value)} for name, value in told.items())
