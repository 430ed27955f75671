"""What all cases of one invocation share, and how a case is opened: both sides on one checkpoint, and its texts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.catalog.measurement import MeasurementCard, Shape
from benchmarks.efficiency.floor import Floor
from benchmarks.efficiency.network import save_spread_network, train_spec
from benchmarks.efficiency.ours import Ours
from benchmarks.efficiency.package import Package
from benchmarks.efficiency.texts import Load, Vocabulary, load_for
from benchmarks.efficiency.timing import Joules
from gliner_core.spec import TrainSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One invocation: the card, how much of it, the machine's part, and a folder for checkpoints."""

    card: MeasurementCard
    size: str
    backbone: dict[str, Any]  # of gliner_core.spec.BackboneSpec
    words: Vocabulary
    device: torch.device
    dtype: str
    threads: int
    compiled: bool
    rounds: int
    scratch: Path
    meter: Joules | None = None  # of energy

    def spec(self, shape: Shape) -> TrainSpec:
        """The training spec of a case."""
        return train_spec(self.card, self.backbone, shape, self.dtype)

    def loads(self, shape: Shape, count: int) -> Callable[[int], Load]:
        """Repetition -> its texts."""
        return lambda number: load_for(self.card, shape, self.words, count, number)

    def checkpoint(self, shape: Shape) -> Path:
        """Folder of the case's network; written at the first call."""
        folder = self.scratch / shape.slug
        if not folder.exists():
            save_spread_network(self.spec(shape), self.loads(shape, min(shape.batch, 4))(0), folder)
        return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The sides of one case."""

    ours: Ours
    package: Package
    floor: Floor


def open_case(bench: Bench, shape: Shape) -> Opened:
    """Loads the case's network on all sides."""
    folder, spec = bench.checkpoint(shape), bench.spec(shape)
    load = bench.loads(shape, shape.batch)(0)
    ours = Ours(spec, folder, load, bench.device, bench.dtype)
    package = Package(folder, spec.optim, bench.device, bench.dtype)
    return Opened(ours=ours, package=package, floor=Floor(ours))
