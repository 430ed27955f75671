"""Plans a large synthetic grid, and decides that nothing of it is to be done:

    python -m tests.scale.graph --runs 2000 --cells 60000

Both are `snakemake --dry-run` of the whole workflow on a copy of the repository, every rerun trigger on. In between the
copy is made to look finished (`finishing.py`). At the end one source file is edited, to see that the records count.
"""

import argparse
import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.catalog.store_state import experiment_name
from tests.scale.grids import Size, write_cards
from tests.scale.measuring import MIB, Cost, measure
from tests.workflow.checkout import ROOT, Checkout, copy_repository, counts, parse_jobs

PLAN_SECONDS, PLAN_BYTES, NOTHING_SECONDS = 60.0, 2000 * MIB, 120.0  # bounds for 2,000 runs with 60,000 cells
NOTHING = "Nothing to be done"
DRY_RUN = ("snakemake", "--dry-run", "--cores", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What planning a grid cost, and deciding that nothing of it is to be done."""

    plan: Cost
    nothing: Cost


def prepared(folder: Path, size: Size) -> Checkout:
    """A copy of the repository with the cards of a grid."""
    checkout = copy_repository(folder / "copy", folder / "site")
    write_cards(checkout, size)
    return checkout


def planned(checkout: Checkout, *arguments: str) -> tuple[Cost, str]:
    """Cost of a dry run, and what it printed."""
    log = checkout.site / "snakemake.log"
    cost = measure([sys.executable, "-m", *DRY_RUN, *arguments], checkout.folder, checkout.environment(), log)
    return cost, log.read_text(encoding="utf-8")


def finish(checkout: Checkout) -> Cost:
    """Makes the copy look as after a finished workflow."""
    path = os.pathsep.join([str(checkout.folder), str(checkout.site)])
    command = [sys.executable, "-m", "tests.scale.finishing"]
    log = checkout.site / "finishing.log"
    cost = measure(command, checkout.folder, checkout.environment() | {"PYTHONPATH": path}, log)
    _make_store(checkout.path("results/tracking/mlflow.db"))
    return cost


def _make_store(path: Path) -> None:
    """As much of an SQLite store as the workflow looks at when it starts."""
    with closing(sqlite3.connect(path)) as store, store:
        for table in ("runs", "latest_metrics", "alembic_version"):
            store.execute(f"create table {table} (x)")
        store.execute("create table experiments (name)")
        for marker in path.parent.glob("*/store.json"):
            store.execute("insert into experiments values (?)", [experiment_name(marker.parent.name)])
            _fill(marker, "{}")


def _fill(path: Path, text: str) -> None:
    """Writes a file in place, with its time: Snakemake's records stay true."""
    times = path.stat()
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def check_plan(text: str, size: Size) -> None:
    """Refuses a plan that holds other jobs than the grid has."""
    found = counts(parse_jobs(text))
    batches = size.runs * len(size.suites)
    wanted = {"train": size.runs, "predict": batches, "score": batches, "track": size.runs, "tabulate": size.studies}
    assert {rule: found.get(rule) for rule in wanted} == wanted, found


def check_triggers(checkout: Checkout, size: Size) -> None:
    """Refuses records that do not notice an edit: one of the tables' code must repeat all tables, and train nothing."""
    path = "benchmarks/reporting/table_text.py"
    checkout.write(path, checkout.path(path).read_text(encoding="utf-8") + "# edited\n")
    found = counts(parse_jobs(planned(checkout)[1]))
    assert found.get("tabulate") == size.studies and "train" not in found and "score" not in found, found


def costs_of(folder: Path, size: Size) -> Costs:
    """Plans, finishes and plans again."""
    checkout = prepared(folder, size)
    plan, text = planned(checkout)
    check_plan(text, size)
    finish(checkout)
    nothing, text = planned(checkout)
    assert NOTHING in text, text[-3000:]
    check_triggers(checkout, size)
    return Costs(plan=plan, nothing=nothing)


def main() -> int:
    """Prints both costs; exit code 1 where a grid of the size that is promised misses a bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--cells", type=int, default=60_000)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gliner-bench-scale-"))
    try:
        found = costs_of(folder, Size(runs=given.runs, cells=given.cells))
    finally:
        shutil.rmtree(folder)
    print(f"{given.runs} runs, {given.cells} cells of {ROOT.name}")
    print(f"planned:            {found.plan}")
    print(f"nothing to be done: {found.nothing}")
    kept = (
        found.plan.cpu_seconds <= PLAN_SECONDS,
        max(found.plan.peak_bytes, found.nothing.peak_bytes) <= PLAN_BYTES,
        found.nothing.cpu_seconds <= NOTHING_SECONDS,
    )
    print(f"bounds of {PLAN_SECONDS:.0f} s, {PLAN_BYTES / MIB:.0f} MiB and {NOTHING_SECONDS:.0f} s: ", end="")
    print("kept" if all(kept) else "missed")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
