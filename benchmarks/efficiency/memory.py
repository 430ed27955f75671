"""Peak memory of one step, each side in a fresh process: what a step needs beyond the loaded model.

The process loads the side, makes one step on a single short text (optimiser state, library buffers), gives free pages
back, and then makes the measured step. `python -m benchmarks.efficiency.memory` is that process; it reads a request
and writes the bytes.
"""

import json
import sys
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from benchmarks.catalog.measurement import MeasurementCard, Shape
from benchmarks.efficiency.bench import Bench, open_case
from benchmarks.efficiency.correctness import training_faults
from benchmarks.efficiency.floor import Floor, PlainFloor
from benchmarks.efficiency.ours import Ours, types_asked
from benchmarks.efficiency.package import Package
from benchmarks.efficiency.peaks import ask_fresh_process, extra_bytes
from benchmarks.efficiency.results import Row, row, void
from benchmarks.efficiency.texts import Load, vocabulary
from benchmarks.efficiency.timing import Side
from gliner_core.encoder import load_backbone
from gliner_core.examples import Example
from gliner_core.spec import BackboneSpec

MemorySide = Literal["ours", "package", "encoder", "plain_encoder"]
MemoryWork = Literal["memory_training", "memory_inference"]
SIDES = get_args(MemorySide)
WARM_WORDS = 5
HIGH = 0.95  # a threshold that few spans pass: what is measured is the network


def measure_memory(work: MemoryWork, bench: Bench, shape: Shape) -> list[Row]:
    """Bytes of each side, the package over ours, and ours over the package's, each above its own encoder alone."""
    case = open_case(bench, shape)
    if faults := training_faults(case.ours, case.package, bench.loads(shape, shape.batch)(0)):
        return [void(work, shape, "package/ours", "ratio_bytes", "; ".join(faults))]
    del case
    repeats = range(bench.card.sizes[bench.size].processes)
    sides = SIDES if work == "memory_training" else SIDES[:3]  # without dropout both encoders are the same
    found = {side: [_in_fresh_process(work, bench, shape, side) for _ in repeats] for side in sides}
    ours, package, encoder = (found[side] for side in SIDES[:3])
    quotients = [theirs / mine for mine, theirs in zip(ours, package, strict=True)]
    own = found.get("plain_encoder", encoder)  # the package's encoder is the one that transformers makes
    above = [(a - e) / (b - p) for a, e, b, p in zip(ours, encoder, package, own, strict=True)]
    return [
        row(work, shape, "package/ours", "ratio_bytes", quotients),
        row(work, shape, "ours/package", "ratio_above_encoder", above),
        *(row(work, shape, side, "bytes_extra", values) for side, values in found.items()),
    ]


def _in_fresh_process(work: MemoryWork, bench: Bench, shape: Shape, side: MemorySide) -> int:
    request = {
        "work": work,
        "side": side,
        "card": bench.card.model_dump(mode="json"),
        "size": bench.size,
        "backbone": bench.backbone,
        "shape": shape.model_dump(mode="json"),
        "device": str(bench.device),
        "dtype": bench.dtype,
        "threads": bench.threads,
        "folder": str(bench.checkpoint(shape)),
    }
    what = f"the memory of side {side!r}, case {shape.slug},"
    return int(ask_fresh_process("benchmarks.efficiency.memory", request, what))


def answer(request: dict[str, Any]) -> int:
    """Extra bytes of one side's step in this process."""
    torch.set_num_threads(request["threads"])
    card = MeasurementCard.model_validate(request["card"])
    shape = Shape.model_validate(request["shape"])
    _, tokenizer = load_backbone(BackboneSpec(**request["backbone"]))
    device = torch.device(request["device"])
    bench = Bench(
        card=card,
        size=request["size"],
        backbone=request["backbone"],
        words=vocabulary(tokenizer, shape.types),
        device=device,
        dtype=request["dtype"],
        threads=request["threads"],
        compiled=False,
        rounds=1,
        scratch=Path(request["folder"]).parent,
    )
    load = bench.loads(shape, shape.batch)(0)
    network, side = _side(request["side"], request["work"], bench, shape)
    side(_warm_load(load))()
    network.zero_grad(set_to_none=True)  # sides keep or drop gradients between steps; here they are the step's own
    return extra_bytes(side(load), device)


def _side(name: MemorySide, work: MemoryWork, bench: Bench, shape: Shape) -> tuple[torch.nn.Module, Side]:
    folder, spec = bench.checkpoint(shape), bench.spec(shape)
    is_training = work == "memory_training"
    if name == "package":
        package = Package(folder, spec.optim, bench.device, bench.dtype)
        if is_training:
            return package.core, lambda load: package.training(load, types_asked(load, spec, 0))
        return package.core, lambda load: package.inference(load, shape.batch, HIGH)
    ours = Ours(spec, folder, bench.loads(shape, 1)(0), bench.device, bench.dtype)
    if name in ("encoder", "plain_encoder"):
        floor = Floor(ours) if name == "encoder" else PlainFloor(ours)
        return ours.network, floor.training if is_training else lambda load: floor.inference(load, shape.batch)
    return ours.network, ours.training if is_training else lambda load: ours.inference(load, shape.batch, HIGH)


def _warm_load(load: Load) -> Load:
    first = load.examples[0]
    words = first.words[:WARM_WORDS]
    spans = tuple(span for span in first.spans if span.end < len(words))
    example = Example(id="warm", words=words, spans=spans, negatives=first.negatives)
    return Load(examples=(example,), types=load.types)


if __name__ == "__main__":
    print(answer(json.load(sys.stdin)))
