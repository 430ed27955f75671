"""`python -m benchmarks efficiency`: our model beside the published package, speed and memory."""

import argparse

from benchmarks.catalog.workspace import Workspace
from gliner_core.errors import InputError
from gliner_core.files import read_text


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--card", default="efficiency", help="a card of benchmarks/measurements")
    parser.add_argument("--size", default="quick", help="a size of the card: quick (minutes) or full (half an hour)")
    parser.add_argument("--name", help="folder below results/efficiency; default: SIZE-DEVICE-DTYPE-BACKBONE")
    parser.add_argument("--backbone", help="a backbone card; default: the card's")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1")
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32", help="bf16: autocast on both sides")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--rounds", type=int, help="passes A B C C B A a case; default: the size's")
    parser.add_argument("--compile", action="store_true", help="also inference with our encoder compiled")


def measure_efficiency(space: Workspace, options: argparse.Namespace) -> int:
    """Measures, prints the tables, and returns the exit code: 1 when a case is void."""
    # Imported here, because the options above are built at every start and torch would cost it seconds.
    from benchmarks.efficiency.suite import Order, run_suite
    from benchmarks.reporting.efficiency import PAGE, write_pages

    cards = space.registry.measurements
    if options.card not in cards:
        raise InputError(f"--card {options.card!r} is unknown; known: {', '.join(sorted(cards))}")
    card = cards[options.card]
    name = options.name or "-".join(
        [options.size, options.device.replace(":", ""), options.dtype, options.backbone or card.backbone]
    )
    order = Order(
        size=options.size,
        out=space.results / "efficiency" / name,
        backbone=options.backbone,
        device=options.device,
        dtype=options.dtype,
        threads=options.threads,
        rounds=options.rounds,
        compiled=options.compile,
    )
    void = run_suite(space, card, order)
    write_pages(order.out, card)
    print(read_text(order.out / PAGE))
    print(f"results: {order.out}")
    if void:
        print(f"{void} cases are void, because the sides do not compute the same; see the tables for the reasons")
    return 1 if void else 0
