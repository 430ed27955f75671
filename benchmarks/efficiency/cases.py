"""How each kind of work is measured on one case: the sides, what is checked before, the pairs that are reported."""

from collections.abc import Callable, Sequence
from functools import partial

import torch

from benchmarks.catalog.measurement import Shape, Work
from benchmarks.efficiency.bench import Bench, Opened, open_case
from benchmarks.efficiency.correctness import decoding_faults, inference_faults, training_faults
from benchmarks.efficiency.floor import PlainFloor
from benchmarks.efficiency.flops import forward_flops
from benchmarks.efficiency.memory import measure_memory
from benchmarks.efficiency.ours import Ours
from benchmarks.efficiency.package import Package
from benchmarks.efficiency.parts import ALLOWED, PARTS, parts_of_ours, parts_of_package
from benchmarks.efficiency.replay import Replay, threshold_for, threshold_of_share
from benchmarks.efficiency.results import Row, latency_rows, row, timed_rows, void
from benchmarks.efficiency.serving import one_by_one
from benchmarks.efficiency.texts import Load
from benchmarks.efficiency.timing import Pass, Side, alternate, undisturbed
from gliner_core.decode import Overlap
from gliner_core.pretrained import GLiNER

PAIRS = ("package/ours", "package/encoder", "ours/encoder")
ALONE = 24  # texts of a pass of single texts
MANY_SHARE = 0.1  # of all spans and types, as candidates of a decoding under a poor threshold
Measure = Callable[[Bench, Shape], list[Row]]


def _alternate(bench: Bench, shape: Shape, sides: dict[str, Side], count: int) -> list[Pass]:
    loads = bench.loads(shape, count)
    warmup = bench.card.sizes[bench.size].warmup
    return alternate(sides, loads, rounds=bench.rounds, warmup=warmup, device=bench.device, meter=bench.meter)


def _void(work: Work, shape: Shape, faults: Sequence[str], pairs: Sequence[str] = ("package/ours",)) -> list[Row]:
    return [void(work, shape, pair, "ratio_wall", "; ".join(faults)) for pair in pairs]


def _fits(case: Opened, load: Load) -> list[str]:
    lost = sum(case.ours.encoded(load).lost_words)
    return [f"{lost} words lie beyond the encoder's window"] if lost else []


def measure_training(bench: Bench, shape: Shape) -> list[Row]:
    """A whole step: examples to updated weights."""
    case, load = open_case(bench, shape), bench.loads(shape, shape.batch)(0)
    if faults := _fits(case, load) or training_faults(case.ours, case.package, load):
        return _void("training", shape, faults)
    sides: dict[str, Side] = {
        "ours": case.ours.training,
        "package": lambda load: case.package.training(load, case.ours.asked(load)),
        "encoder": case.floor.training,
        "plain_encoder": PlainFloor(case.ours).training,
    }
    pairs = [*PAIRS, "plain_encoder/encoder", "ours/plain_encoder"]
    if shape == bench.card.base:
        fused = Package(bench.checkpoint(shape), bench.spec(shape).optim, bench.device, bench.dtype, fused=True)
        sides["package_fused"] = lambda load: fused.training(load, case.ours.asked(load))
        pairs.append("package_fused/ours")
    return timed_rows("training", shape, _alternate(bench, shape, sides, shape.batch), pairs)


def num_texts(bench: Bench, shape: Shape) -> int:
    """Texts of one inference call."""
    return max(bench.card.min_texts, bench.card.batches * shape.batch)


def few_threshold(bench: Bench, ours: Ours, load: Load) -> float:
    """Where about the card's number of entities are found in each text."""
    return threshold_for(Replay(ours, load).candidates(0.0), round(bench.card.entities_per_text * len(load.examples)))


def measure_inference(bench: Bench, shape: Shape) -> list[Row]:
    """A whole call: strings to entities."""
    case, load = open_case(bench, shape), bench.loads(shape, num_texts(bench, shape))(0)
    first = Load(examples=load.examples[: shape.batch], types=load.types)
    threshold = few_threshold(bench, case.ours, first)
    if faults := _fits(case, load) or inference_faults(case.ours, case.package, first, shape.batch, threshold):
        return _void("inference", shape, faults)
    sides: dict[str, Side] = {
        "ours": lambda load: case.ours.inference(load, shape.batch, threshold),
        "package": lambda load: case.package.inference(load, shape.batch, threshold),
        "encoder": lambda load: case.floor.inference(load, shape.batch),
    }
    pairs = list(PAIRS)
    if bench.compiled:
        sides["ours_compiled"] = _compiled(bench, shape, threshold, load)
        pairs.append("package/ours_compiled")
    return timed_rows("inference", shape, _alternate(bench, shape, sides, len(load.examples)), pairs)


def _compiled(bench: Bench, shape: Shape, threshold: float, load: Load) -> Side:
    side = Ours(bench.spec(shape), bench.checkpoint(shape), load, bench.device, bench.dtype)
    side.network.encoder = torch.compile(side.network.encoder, dynamic=True)
    return lambda load: side.inference(load, shape.batch, threshold)


def measure_latency(bench: Bench, shape: Shape) -> list[Row]:
    """One text alone, strings to entities; the sides take turns at every text."""
    case, loads = open_case(bench, shape), bench.loads(shape, 1)
    first = loads(0)
    threshold = few_threshold(bench, case.ours, first)
    if faults := _fits(case, first) or inference_faults(case.ours, case.package, first, 1, threshold):
        return _void("latency", shape, faults)
    sides: dict[str, Side] = {
        "ours": lambda texts: case.ours.inference(texts[0], 1, threshold),
        "package": lambda texts: case.package.inference(texts[0], 1, threshold),
        "encoder": lambda texts: case.floor.inference(texts[0], 1),
    }
    warmup = bench.card.sizes[bench.size].warmup
    with undisturbed():
        passes = [
            one_by_one(sides, [loads(number * ALONE + place) for place in range(ALONE)], bench.device)
            for number in range(warmup + 2 * bench.rounds)
        ]
    return latency_rows("latency", shape, passes[warmup:], PAIRS)


def measure_operations(bench: Bench, shape: Shape) -> list[Row]:
    """Floating-point operations of our forward pass per word, counted on a CPU, and the part counted by hand."""
    load = bench.loads(shape, shape.batch)(0)
    network = GLiNER.from_pretrained(bench.checkpoint(shape), device="cpu").network
    texts = [example.words for example in load.examples]
    found = forward_flops(network, network.prompts.encode(texts, [load.types] * len(texts)), shape.max_width)
    words = sum(map(len, texts))
    parts = {"flops_per_word": found.total / words, "flops_per_word_by_hand": found.by_hand / words}
    return [row("operations", shape, "ours", name, [value]) for name, value in parts.items()]


def measure_collate(bench: Bench, shape: Shape) -> list[Row]:
    """Examples to the tensors of a training step."""
    case, load = open_case(bench, shape), bench.loads(shape, shape.batch)(0)
    if faults := _fits(case, load) or training_faults(case.ours, case.package, load):
        return _void("collate", shape, faults)
    sides: dict[str, Side] = {
        "ours": case.ours.collate,
        "package": lambda load: case.package.collate(load, case.ours.asked(load)),
    }
    return timed_rows("collate", shape, _alternate(bench, shape, sides, shape.batch), PAIRS[:1])


def measure_decode(bench: Bench, shape: Shape) -> list[Row]:
    """Given scores to entities: few candidates without overlap, or many with nested spans."""
    case, load = open_case(bench, shape), bench.loads(shape, shape.batch)(0)
    many = shape.candidates == "many"
    overlap: Overlap = "nested" if many else "flat"
    threshold = few_threshold(bench, case.ours, load)
    if many:
        threshold = threshold_of_share(Replay(case.ours, load).candidates(0.0), MANY_SHARE)
    if faults := decoding_faults(case.ours, case.package, load, threshold, overlap):
        return _void("decode", shape, faults)
    sides: dict[str, Side] = {
        "ours": lambda load: Replay(case.ours, load).decoding(threshold, overlap),
        "package": lambda load: case.package.decoding(load, threshold, overlap, Replay(case.ours, load).scores),
    }
    return timed_rows("decode", shape, _alternate(bench, shape, sides, shape.batch), PAIRS[:1])


def measure_parts(bench: Bench, shape: Shape) -> list[Row]:
    """Shares of a training step by part, and the share outside encoder and optimiser."""
    case, loads = open_case(bench, shape), bench.loads(shape, shape.batch)
    if faults := training_faults(case.ours, case.package, loads(0)):
        return _void("parts", shape, faults, ("ours", "package"))
    found: dict[str, list[dict[str, float]]] = {"ours": [], "package": []}
    for number in range(1 + 2 * bench.rounds):
        load = loads(number)
        asked = case.ours.asked(load)
        mine = parts_of_ours(case.ours, case.ours.training(load))
        theirs = parts_of_package(case.package, case.package.training(load, asked))
        if number:  # the first is warm-up
            found["ours"].append(mine)
            found["package"].append(theirs)
    return [item for side, steps in found.items() for item in _part_rows(shape, side, steps)]


def _part_rows(shape: Shape, side: str, steps: list[dict[str, float]]) -> list[Row]:
    whole = [sum(step.values()) for step in steps]
    rows = [row("parts", shape, side, f"seconds_{part}", [step[part] for step in steps]) for part in PARTS]
    shares = {
        f"pct_{part}": [100 * step[part] / all_ for step, all_ in zip(steps, whole, strict=True)] for part in PARTS
    }
    rows += [row("parts", shape, side, name, values) for name, values in shares.items()]
    inside = [sum(step[part] for part in ALLOWED) for step in steps]
    outside = [100 * (1 - part / all_) for part, all_ in zip(inside, whole, strict=True)]
    return [*rows, row("parts", shape, side, "outside_pct", outside)]


def measure_widths(bench: Bench, shape: Shape) -> list[Row]:
    """Our training step at the case's K against the same at the card's narrow K."""
    narrow = shape.model_copy(update={"max_width": bench.card.narrow_width})
    cases = {"wide": open_case(bench, shape), "narrow": open_case(bench, narrow)}
    load = bench.loads(shape, shape.batch)(0)
    if faults := [fault for case in cases.values() for fault in training_faults(case.ours, case.package, load)]:
        return _void("widths", shape, faults, ("wide/narrow",))
    sides: dict[str, Side] = {name: case.ours.training for name, case in cases.items()}
    sides |= {f"package_{name}": _package_step(case) for name, case in cases.items()}
    passes = _alternate(bench, shape, sides, shape.batch)
    return timed_rows("widths", shape, passes, ("wide/narrow", "package_wide/package_narrow"))


def _package_step(case: Opened) -> Side:
    return lambda load: case.package.training(load, case.ours.asked(load))


MEASURES: dict[Work, Measure] = {
    "training": measure_training,
    "inference": measure_inference,
    "latency": measure_latency,
    "operations": measure_operations,
    "collate": measure_collate,
    "decode": measure_decode,
    "parts": measure_parts,
    "widths": measure_widths,
    "memory_training": partial(measure_memory, "memory_training"),
    "memory_inference": partial(measure_memory, "memory_inference"),
}
