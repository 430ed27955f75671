"""`python -m benchmarks plan`: runs, cells and a rough estimate of hours and disk of a scale."""

from rich.console import Console
from rich.table import Table

from benchmarks.catalog.workspace import Workspace

FACTOR_HEADS = 42  # weights of the heads in units of D^2: type, start and end maps 8 each, pair map 12, BiLSTM 6
BYTES = 4


def print_plan(space: Workspace) -> None:
    """Prints the plan of the configured scale and studies."""
    console, grid = Console(), space.grid
    table = Table("study", "variants", "seeds", "runs", "cells", title=f"scale {grid.scale}, device {space.device}")
    for study in grid.studies:
        rows = grid.study_rows(study)
        owners = {row.owner for row in rows}
        cells = {cell for cell in grid.cells if cell.owner in owners}
        seeds = {row.seed for row in rows if row.seed is not None}
        runs = owners & set(grid.runs)
        table.add_row(study, str(len({row.variant for row in rows})), str(len(seeds)), str(len(runs)), str(len(cells)))
    console.print(table)
    console.print(f"in all, shared between studies: {len(grid.runs)} runs, {len(grid.cells)} cells")
    console.print(estimate(space))
    for name in space.measurements:
        size = space.registry.measurements[name].scales[space.settings.scale]
        console.print(f"{name}: times beside the published package, size {size}, alone on all cores")
    for run in grid.runs.values():
        console.print(f"  {run.id}", highlight=False)


def estimate(space: Workspace) -> str:
    """Hours and disk of the trainings, from the scale card's hours per run and the backbones' sizes."""
    device = "gpu" if space.device == "cuda" else "cpu"
    hours = space.scale.hours_per_run.get(device)
    size = sum(checkpoint_bytes(space, run) for run in space.grid.runs)
    disk = f"about {size / 1e9:.1f} GB of checkpoints"
    if hours is None:
        return f"{disk}; workflow/scales/{space.scale.name}.yaml has no `hours_per_run` for a {device}"
    trained = sum(run.spec.optim.steps > 0 for run in space.grid.runs.values())
    return f"about {hours * trained:.1f} {device.upper()} hours of training ({trained} x {hours:g} h), {disk}"


def checkpoint_bytes(space: Workspace, run: str) -> int:
    """Size of a checkpoint: the backbone's parameters from its card and the heads' from D."""
    spec = space.grid.runs[run].spec.model
    backbone = space.registry.backbones[spec.backbone.name]
    return BYTES * (backbone.parameters + FACTOR_HEADS * spec.hidden_size**2)
