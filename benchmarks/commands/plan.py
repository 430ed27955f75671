"""`python -m benchmarks plan`: every run and cell of a scale with estimates, and which cell answers a printed number.

Nothing is fetched or written, except with `--out`, which leaves the three lists as CSV.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.catalog.estimates import Estimate, estimate_run
from benchmarks.catalog.grid import Cell, Run
from benchmarks.catalog.recipes import resolve
from benchmarks.catalog.reproduction import Reproduction, reproductions
from benchmarks.catalog.workspace import Workspace
from gliner_core.files import atomic_write

PAPER = "gliner_2311.08526"
GIB, GB = 2.0**30, 1e9
RUN_COLUMNS = ("run", "steps", "cells", "hours", "memory, GiB", "disk, GB")
CELL_COLUMNS = ("owner", "dataset", "split", "decoding", "protocols")


def print_plan(space: Workspace, is_short: bool, out: Path | None) -> None:
    """Prints the plan of the configured scale and studies; with `out`, writes runs.csv, cells.csv and numbers.csv."""
    console = Console()
    runs, cells, numbers = run_rows(space), cell_rows(space), reproductions(space, PAPER)
    if not is_short:
        console.print(_table("runs", RUN_COLUMNS, runs))
        console.print(_table("cells", CELL_COLUMNS, cells))
        console.print(_table("printed numbers and where they are reproduced", *_number_rows(numbers)))
    console.print(_studies(space))
    console.print(_summary(space))
    for name in space.measurements:
        size = space.registry.measurements[name].scales[space.settings.scale]
        console.print(f"{name}: times beside the published package, size {size}, alone on all cores")
    console.print(_told(numbers))
    if out is not None:
        _write(out / "runs.csv", RUN_COLUMNS, runs)
        _write(out / "cells.csv", CELL_COLUMNS, cells)
        _write(out / "numbers.csv", *_number_rows(numbers))


def run_rows(space: Workspace) -> list[tuple[str, ...]]:
    """One line per training."""
    rows = []
    for run in space.grid.runs.values():
        found = estimate_of(space, run)
        hours = "-" if found.hours is None else f"{found.hours:.2f}"
        figures = (hours, f"{found.bytes_memory / GIB:.1f}", f"{found.bytes_disk / GB:.2f}")
        rows.append((run.id, str(run.spec.optim.steps), str(len(space.grid.owner_cells(run.id))), *figures))
    return rows


def cell_rows(space: Workspace) -> list[tuple[str, ...]]:
    """One line per prediction file, with the protocols that it is scored under."""
    return [_cell_row(cell, protocols) for cell, protocols in space.grid.cells.items()]


def _cell_row(cell: Cell, protocols: Sequence[str]) -> tuple[str, ...]:
    return cell.owner, cell.dataset, cell.split, cell.decoding, ", ".join(protocols)


def estimate_of(space: Workspace, run: Run) -> Estimate:
    """Estimate of one run, scaled from the baseline of the scale."""
    base = resolve(space.registry, space.scale, {}, device=space.device, seed=run.spec.seed, where="baseline")
    num_cells = len(space.grid.owner_cells(run.id))
    return estimate_run(space.scale, run.spec, base, dict(space.registry.backbones), _hardware(space), num_cells)


def _hardware(space: Workspace) -> str:
    """cpu or gpu: what is estimated for. A plan made on another machine than it will run on takes the card's hours."""
    mine = "gpu" if space.device == "cuda" else "cpu"
    return mine if space.scale.hours_per_run.get(mine) else next(iter(space.scale.hours_per_run), mine)


def _studies(space: Workspace) -> Table:
    grid = space.grid
    rows = []
    for study in grid.studies:
        found = grid.study_rows(study)
        owners = {row.owner for row in found}
        cells = {(row.owner, row.decoding, row.suite) for row in found}
        num_cells = sum(len(space.registry.suite_datasets(suite)) for _, _, suite in cells)
        seeds = {row.seed for row in found if row.seed is not None}
        counts = (len({row.variant for row in found}), len(seeds), len(owners & set(grid.runs)), num_cells)
        rows.append((study, *map(str, counts)))
    return _table(
        f"scale {grid.scale}, estimated for a {_hardware(space).upper()}",
        ("study", "variants", "seeds", "runs", "cells"),
        rows,
    )


def _summary(space: Workspace) -> str:
    found = [estimate_of(space, run) for run in space.grid.runs.values()]
    counts = f"in all, shared between studies: {len(space.grid.runs)} runs, {len(space.grid.cells)} cells"
    hours = [item.hours for item in found]
    kind = _hardware(space).upper()
    time = "no hours on the scale card" if None in hours else f"about {sum(map(float, hours)):.1f} {kind} hours"
    disk = sum(item.bytes_disk for item in found) / GB
    memory = max((item.bytes_memory for item in found), default=0) / GIB
    return f"{counts}; {time}, {disk:.1f} GB of checkpoints and predictions, up to {memory:.1f} GiB of memory"


def _number_rows(numbers: Iterable[Reproduction]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    rows = [tuple(asdict(number).values()) for number in numbers]
    return tuple(Reproduction.__dataclass_fields__), rows


def _told(numbers: Sequence[Reproduction]) -> str:
    """How many printed numbers are answered, by table."""
    tables = list(dict.fromkeys(number.table for number in numbers))
    lines = []
    for table in tables:
        kinds = Counter(number.kind for number in numbers if number.table == table)
        lines.append(f"{table}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    reasons = Counter(number.note for number in numbers if number.kind == "missing")
    lines += [f"missing, {count}: {reason}" for reason, count in reasons.items()]
    head = "printed numbers (cell = a score or table of this scale, facts = of a prepared dataset)"
    return f"{head}:\n  " + "\n  ".join(lines)


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*row)
    return table


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
