"""The tracking server gone in the middle of a workflow: `python -m tests.faults.outage [--seconds 300]`.

A real `mlflow server` is killed when the first run was tracked, stays away (at least until a record waits), and is
started again. The workflow must end well, with every run logged once, and with the cells that a store made anew from
the files gives.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reporting.tracking import Store
from tests.faults.tracking_support import TrackingServer, wait_until
from tests.scale.tiny_workflow import CELLS, tables, tiny_workflow
from tests.scale.tracking_load import stored_runs

MOST_SECONDS = 1800  # until the first run is tracked


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the check; an AssertionError is a failed one."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.outage")
    parser.add_argument("--seconds", type=float, default=300.0)
    seconds = parser.parse_args(arguments).seconds
    with tempfile.TemporaryDirectory() as name:
        check(Path(name), seconds)


def check(folder: Path, seconds: float) -> None:
    """One workflow with the server gone for so many seconds."""
    server, checkout = TrackingServer(folder / "server"), tiny_workflow(folder / "workflow")
    markers = checkout.path("results/tracking/demo")
    asked = checkout.snakemake_arguments(tracking_uri=server.uri, tracking_wait=round(seconds) + 600)
    try:
        server.start()
        with checkout.start(*asked) as workflow:
            wait_until(lambda: bool(list(markers.glob("*_s1-*.json"))), MOST_SECONDS)
            server.kill()
            print("the server is killed", flush=True)
            time.sleep(seconds)
            wait_until(lambda: bool(list((markers / "spool").glob("*.json"))), MOST_SECONDS)
            waiting = len(list((markers / "spool").glob("*.json")))
            assert workflow.poll() is None, "the workflow did not wait"
            server.start()
            print(f"the server is back after {seconds:.0f} s; {waiting} records wait", flush=True)
            text, _ = workflow.communicate(timeout=MOST_SECONDS)
        assert workflow.returncode == 0, text[-4000:]
        assert list((markers / "spool").glob("*.json")) == []
        names = [run.info.run_name for run in stored_runs(Store(uri=server.uri, scale="demo", artifacts=""))]
        assert len(names) == len(set(names)) == 4, names
    finally:
        server.kill()
    before = tables(checkout)
    for cell in CELLS:
        checkout.path(cell).unlink()
    checkout.make(*CELLS)
    assert tables(checkout) == before
    print(f"{len(names)} runs, each once; nothing lost; cells.csv identical to those of a store made from the files")


if __name__ == "__main__":
    main()
