"""K against what it reaches and what it costs, measured: speed, latency, memory of answering and of a training step."""

from collections.abc import Iterator, Sequence

import pandas as pd
import torch

from benchmarks.analyses.cost_names import INFERENCE, TRAINING
from benchmarks.analyses.cost_points import (
    Point,
    baseline_point,
    many_texts,
    study_points,
    texts_by_pass,
    training_sample,
)
from benchmarks.analyses.cost_rows import (
    COLUMNS,
    Row,
    condition_rows,
    quality_rows,
    serving_rows,
    speed_rows,
    timed,
)
from benchmarks.catalog.workspace import Workspace
from benchmarks.efficiency.point_memory import peaks_in_fresh_processes
from benchmarks.efficiency.serving import throughput
from benchmarks.efficiency.stepping import Stepper, with_width
from gliner_core.examples import Example

SECONDS = {True: 10.0, False: 50.0}  # of each kind of timing, on synthetic and on real corpora


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Tidy rows, see cost_rows.py; a training step is timed where the study varies K in training."""
    card, points = space.registry.studies[study], study_points(space, study)
    baseline, device, seconds = baseline_point(points, card), torch.device(space.device), SECONDS[space.scale.synthetic]
    rows = list(quality_rows(space, card, points, baseline))
    texts = texts_by_pass(space, study)
    rows += serving_rows(points, baseline, texts, device, seconds, None)
    trained = len({point.trained_width for point in points}) > 1
    examples = training_sample(space, baseline.spec) if trained else []
    rows += _step_rows(points, baseline, examples, device, seconds) if trained else []
    rows += _memory_rows(space, study, points, baseline, examples)
    told = {"texts per pass": len(texts(0)), "examples per training batch": baseline.spec.optim.batch_size}
    told |= {"precision of training": baseline.spec.optim.precision}
    rows += condition_rows(device, told)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _step_rows(
    points: Sequence[Point], baseline: Point, examples: Sequence[Example], device: torch.device, seconds: float
) -> Iterator[Row]:
    """Words of the training examples per second of a step, every K on the same batches."""
    stepper = Stepper(baseline.spec, [point.trained_width for point in points], examples, str(device))
    batches = stepper.batches(-(-len(examples) // baseline.spec.optim.batch_size))
    sides = {point.variant: stepper.side(point.trained_width) for point in points}
    passes = throughput(sides, batches, device, seconds)
    words = [sum(len(item.words) for item in batches(number + 1)[1]) for number in range(len(passes))]
    yield from speed_rows(points, baseline, TRAINING, passes, words, device)


def _memory_rows(
    space: Workspace, study: str, points: Sequence[Point], baseline: Point, examples: Sequence[Example]
) -> Iterator[Row]:
    specs = {point.variant: with_width(baseline.spec, point.trained_width) for point in points} if examples else None
    batch = examples[: baseline.spec.optim.batch_size]
    served = [point.served for point in points]
    found = peaks_in_fresh_processes(served, many_texts(space, study), space.device, specs, batch)
    for work in (INFERENCE, TRAINING) if examples else (INFERENCE,):
        yield from timed(points, baseline, work, "bytes_peak", {name: own[work] for name, own in found.items()})
