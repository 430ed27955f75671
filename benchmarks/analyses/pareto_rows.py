"""Quality against cost of backbones and K: speed, latency, operations, memory, energy, all of the same texts."""

from collections.abc import Iterator, Sequence

import pandas as pd
import torch

from benchmarks.analyses.cost_names import FRONT, INFERENCE, QUALITY
from benchmarks.analyses.cost_points import Point, baseline_point, many_texts, study_points, texts_by_pass
from benchmarks.analyses.cost_rows import (
    COLUMNS,
    Row,
    condition_rows,
    identity,
    quality_rows,
    serving_rows,
    single,
    timed,
)
from benchmarks.catalog.workspace import Workspace
from benchmarks.efficiency.energy import find_meter
from benchmarks.efficiency.flops import Flops, forward_flops
from benchmarks.efficiency.point_memory import peaks_in_fresh_processes
from benchmarks.efficiency.serving import BATCH, Asked, num_words
from gliner_core.pretrained import GLiNER

SECONDS = {True: 12.0, False: 80.0}  # of each kind of timing, on synthetic and on real corpora


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Tidy rows, see cost_rows.py; `pareto_front` is 1, or 0 with the name of a point that is better in both."""
    card, points = space.registry.studies[study], study_points(space, study)
    baseline, device, seconds = baseline_point(points, card), torch.device(space.device), SECONDS[space.scale.synthetic]
    rows = list(quality_rows(space, card, points, baseline))
    texts, meter = texts_by_pass(space, study), find_meter(device)
    rows += serving_rows(points, baseline, texts, device, seconds, meter.joules)
    flops = {point.variant: _flops(point, texts(0)) for point in points}
    per_word = {name: found.total / num_words(texts(0)) for name, found in flops.items()}
    rows += single(points, baseline, INFERENCE, "flops_per_word", per_word)
    peaks = peaks_in_fresh_processes([point.served for point in points], many_texts(space, study), space.device)
    rows += timed(points, baseline, INFERENCE, "bytes_peak", {name: own[INFERENCE] for name, own in peaks.items()})
    rows += _front_rows(points, baseline, rows)
    by_hand = max(found.by_hand / found.total for found in flops.values())
    told = {"texts per pass": len(texts(0)), "energy": meter.source}
    told |= {"operations of the LSTM, added by hand": f"at most {100 * by_hand:.1f} % of all"}
    rows += condition_rows(device, told)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _flops(point: Point, texts: Sequence[Asked]) -> Flops:
    """Operations of some texts in batches as they come, in the order of their length."""
    network = GLiNER.from_pretrained(point.served.folder, device="cpu").network
    ordered = sorted(texts, key=lambda text: len(text.words))
    found = [
        forward_flops(
            network,
            network.prompts.encode([text.words for text in batch], [text.labels for text in batch]),
            point.served.max_width,
        )
        for batch in (ordered[first : first + BATCH] for first in range(0, len(ordered), BATCH))
    ]
    return Flops(counted=sum(item.counted for item in found), by_hand=sum(item.by_hand for item in found))


def front(points: dict[str, tuple[float, float]]) -> dict[str, str]:
    """Point -> the point that is better in both of (speed, quality), or "" for a point of the Pareto front.

    Better is at least as good in both and better in one; of several the one of highest quality is named.
    """
    found = {}
    for name, (speed, quality) in points.items():
        ahead = [
            (other[1], other[0], rival)
            for rival, other in points.items()
            if other[0] >= speed and other[1] >= quality and other != (speed, quality)
        ]
        found[name] = max(ahead)[2] if ahead else ""
    return found


def _front_rows(points: Sequence[Point], baseline: Point, rows: Sequence[Row]) -> Iterator[Row]:
    """Decided on what the figure draws: the ratio of speeds within a pass, which a slow minute leaves as it is."""
    quality = {row["variant"]: row["value"] for row in rows if row["measure"] == "f1_pct"}
    speed = {row["variant"]: row["ratio"] for row in rows if row["measure"] == "words_per_second"}
    ahead = front({point.variant: (speed[point.variant], quality[point.variant]) for point in points})
    for point in points:
        rival = ahead[point.variant]
        yield {
            **identity(point, baseline), "work": QUALITY, "measure": FRONT, "value": float(not rival), "detail": rival,
        }  # fmt: skip
