"""Runs the cases of a size of a card and writes what came out: tidy rows and a receipt."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.catalog.measurement import CASES, MeasurementCard
from benchmarks.catalog.recipes import backbone_spec
from benchmarks.catalog.workspace import Workspace
from benchmarks.efficiency.bench import Bench
from benchmarks.efficiency.cases import MEASURES
from benchmarks.efficiency.energy import find_meter
from benchmarks.efficiency.package import package_version
from benchmarks.efficiency.results import VOID, Row, write_rows
from benchmarks.efficiency.texts import vocabulary
from benchmarks.reporting.receipts import now, write_receipt
from gliner_core.device import choose_device
from gliner_core.encoder import load_backbone
from gliner_core.errors import InputError
from gliner_core.measure import hardware
from gliner_core.spec import BackboneSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one invocation asks for; None = as the card says."""

    size: str
    out: Path
    backbone: str | None = None
    device: str = "cpu"
    dtype: str = "fp32"
    threads: int = 1
    rounds: int | None = None
    compiled: bool = False


def run_suite(space: Workspace, card: MeasurementCard, order: Order) -> int:
    """Measures and writes; returns how many cases are void because the sides do not compute the same."""
    started = now()
    check_order(space, card, order)
    torch.set_num_threads(order.threads)
    torch.backends.cudnn.allow_tf32 = False  # cuDNN's LSTM would round to 10 bits, and fp32 shall mean fp32
    card_backbone = space.registry.backbones[order.backbone or card.backbone]
    backbone = backbone_spec(space.registry, card_backbone)
    device = choose_device(order.device)
    meter = find_meter(device)
    _, tokenizer = load_backbone(BackboneSpec(**backbone))
    types = max(card.shape(change).types for cases in card.sizes[order.size].cases.values() for change in cases)
    with tempfile.TemporaryDirectory(prefix="efficiency-") as scratch:
        bench = Bench(
            card=card,
            size=order.size,
            backbone=backbone,
            words=vocabulary(tokenizer, types),
            device=device,
            dtype=order.dtype,
            threads=order.threads,
            compiled=order.compiled,
            rounds=order.rounds or card.sizes[order.size].rounds,
            scratch=Path(scratch),
            meter=meter.joules,
        )
        rows = list(_measured(bench))
    write_rows(order.out / CASES, rows)
    content = receipt_content(order, card, card_backbone.name, bench.rounds, device) | {"energy": meter.source}
    write_receipt(order.out / "receipt.json", space.root, started, content)
    return len({(row.work, row.case) for row in rows if row.status == VOID})


def check_order(space: Workspace, card: MeasurementCard, order: Order) -> None:
    """Refuses wrong names and a missing package before anything is loaded."""
    package_version()
    if order.size not in card.sizes:
        raise InputError(f"--size {order.size!r} is unknown; the card {card.name} has: {', '.join(card.sizes)}")
    if (order.backbone or card.backbone) not in space.registry.backbones:
        known = ", ".join(sorted(space.registry.backbones))
        raise InputError(f"--backbone {order.backbone!r} is unknown; known: {known}")
    if order.dtype == "bf16" and order.device == "cpu":
        raise InputError("--dtype bf16 needs a GPU, because our trainer lowers precision only there; add --device cuda")
    for name, value in {"--threads": order.threads, "--rounds": order.rounds or 1}.items():
        if value < 1:
            raise InputError(f"{name} is {value}; give at least 1")


def _measured(bench: Bench) -> Iterator[Row]:
    log = sys.stderr
    for work, changes in bench.card.sizes[bench.size].cases.items():
        for change in changes:
            shape = bench.card.shape(change)
            # Both sides report progress and warn there; writing to a slow terminal would be timed with them.
            with open(os.devnull, "w", encoding="utf-8") as nothing, redirect_stderr(nothing):
                rows = MEASURES[work](bench, shape)
            first = rows[0]
            figure = first.reason if first.status == VOID else f"{first.pair} {first.measure} {first.median:.3g}"
            print(f"{work} {shape.slug}: {first.status}, {figure}", file=log, flush=True)
            yield from rows


def receipt_content(
    order: Order, card: MeasurementCard, backbone: str, rounds: int, device: torch.device
) -> dict[str, object]:
    """What decides the figures beside code and package versions."""
    return {
        "package": {"gliner": package_version()},
        "card": card.content(),
        "size": order.size,
        "rounds": rounds,
        "backbone": backbone,
        "device": str(device),
        "hardware": hardware(device),
        "dtype": order.dtype,
        "compiled": order.compiled,
        "threads": order.threads,
        "processors": os.cpu_count(),
    }
