"""Kills the whole workflow (signal 9 to its process group) again and again and holds what it makes against one run.

    python -m tests.faults.kill --times 20 --seed 1

A story starts from nothing, is killed once in each phase that it is given, in their order, and ends with a run that is
left alone; every start is the same plain command. The phase is waited for in Snakemake's output, then a random part of
the time that the phase took without a kill. Prints what ran at each kill, and ends with 1 if anything was lost.
"""

import argparse
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from small_study import HOME, STUDY, command, make_study

from gliner_core.files import file_digest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from checkout import Checkout

CHECKPOINT = "checkpoint"
PHASES = ("fetch", "train", CHECKPOINT, "predict", "score", "open_store", "track", "collect")
TABLES = ("cells.csv", "differences.csv", "table.csv", "table.md", "table.tex", "verdicts.csv")
PATIENCE = 900.0  # seconds without the phase: the machine is busy, not stuck
_START = re.compile(r"^(?:local)?rule (\w+):")
_ID = re.compile(r"^    jobid: (\d+)")
_END = re.compile(r"^Finished jobid: (\d+) ")


@dataclass(slots=True)
class Watched:
    """A started workflow, its output, and when each rule first started."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    running: dict[str, str] = field(default_factory=dict)  # job id -> rule
    seen: dict[str, float] = field(default_factory=dict)  # rule -> clock
    ended: dict[str, float] = field(default_factory=dict)

    def read(self) -> None:
        """Follows the output to its end."""
        rule = ""
        for line in self.process.stdout or ():
            self.lines.append(line)
            if found := _START.match(line):
                rule = found.group(1)
                self.seen.setdefault(rule, time.monotonic())
            elif found := _ID.match(line):
                self.running[found.group(1)] = rule
            elif found := _END.match(line):
                self.ended.setdefault(self.running.pop(found.group(1), ""), time.monotonic())


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One kill: the phase that was waited for, how long after its start, and what ran."""

    phase: str
    delay: float
    running: str


def start(checkout: Checkout) -> Watched:
    """Starts the workflow and follows it."""
    watched = Watched(process=checkout.start(*command()))
    threading.Thread(target=watched.read, daemon=True).start()
    return watched


def kill_in(checkout: Checkout, phase: str, delay: float) -> Kill | None:
    """Starts the workflow, waits for the phase and the delay, and kills everything; None where it ended before."""
    watched = start(checkout)
    try:
        if not _wait_for(checkout, watched, phase):
            return None
        with_patience = time.monotonic() + delay
        while time.monotonic() < with_patience and watched.process.poll() is None:
            time.sleep(0.005)
        running = "+".join(sorted(set(watched.running.values()))) or "between jobs"
        return Kill(phase=phase, delay=delay, running=running) if watched.process.poll() is None else None
    finally:
        end(watched.process)


def end(process: subprocess.Popen[str]) -> None:
    """Signal 9 to Snakemake and all its jobs."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_for(checkout: Checkout, watched: Watched, phase: str) -> bool:
    limit = time.monotonic() + PATIENCE
    while watched.process.poll() is None and time.monotonic() < limit:
        if phase == CHECKPOINT and any(checkout.folder.glob("results/scratch/*/*/.state.pt.*.partial")):
            return True
        if phase in watched.seen:
            return True
        time.sleep(0.001)
    return False


def finish(checkout: Checkout) -> Watched:
    """The workflow to its end; insists on success."""
    watched = start(checkout)
    watched.process.wait()
    time.sleep(0.1)  # the last lines
    assert watched.process.returncode == 0, "".join(watched.lines)[-4000:]
    return watched


def results(checkout: Checkout) -> dict[str, str]:
    """Digest of everything that a repetition must make again to the byte."""
    names = [f"{STUDY}/{name}" for name in TABLES]
    for pattern in ("runs/*/model/model.safetensors", "runs/*/history.jsonl", "cells/*/*/*/predictions.jsonl"):
        names += [str(path.relative_to(checkout.folder)) for path in checkout.folder.glob(f"{HOME}/{pattern}")]
    return {name: file_digest(checkout.path(name)) for name in sorted(names)}


def losses(checkout: Checkout, wanted: dict[str, str]) -> list[str]:
    """What a finished story lost, invented or left lying about; empty if nothing."""
    found = results(checkout)
    lost = [f"{name} differs" for name in sorted(wanted.keys() | found.keys()) if found.get(name) != wanted.get(name)]
    return [*lost, *_wrong_runs(checkout), *(f"{path} was left" for path in _left(checkout))]


def _wrong_runs(checkout: Checkout) -> Iterator[str]:
    with closing(sqlite3.connect(checkout.path("results/tracking/mlflow.db"))) as store:
        rows = store.execute("select name, status from runs where lifecycle_stage = 'active'").fetchall()
    owners = sorted(path.name for path in checkout.path(f"{HOME}/runs").iterdir())
    if sorted(name for name, _ in rows) != owners:
        yield f"MLflow holds {sorted(name for name, _ in rows)} where {owners} were made"
    yield from (f"MLflow run {name} is {status}" for name, status in rows if status != "FINISHED")


def _left(checkout: Checkout) -> list[str]:
    found = [path for path in checkout.path("results").rglob("*") if path.name.endswith(".partial")]
    found += [path for path in checkout.path("results/scratch").rglob("*") if path.is_file()]
    found += checkout.site.rglob(".incoming-*")
    for folder in ("locks", "incomplete"):
        found += [path for path in checkout.path(f".snakemake/{folder}").rglob("*") if path.is_file()]
    return sorted(map(str, found))


def fresh(checkout: Checkout) -> None:
    """Forgets everything that was made, the cache too."""
    for name in ("results", ".snakemake"):
        shutil.rmtree(checkout.path(name), ignore_errors=True)
    shutil.rmtree(checkout.site / "cache" / "gliner-bench", ignore_errors=True)


def durations(watched: Watched) -> dict[str, float]:
    """Seconds that the first job of each rule took."""
    return {rule: watched.ended.get(rule, began + 5.0) - began for rule, began in watched.seen.items()}


def story(checkout: Checkout, phases: Sequence[str], took: dict[str, float], draw: random.Random) -> list[Kill]:
    """From nothing through one kill a phase to the end; the finished story lies in the checkout."""
    fresh(checkout)
    kills = []
    for phase in phases:
        longest = 0.05 if phase == CHECKPOINT else took[phase]
        kill = kill_in(checkout, phase, draw.uniform(0, longest))
        if kill is not None:
            kills.append(kill)
            print(f"  killed in {kill.running} ({phase} + {kill.delay:.2f} s)", flush=True)
    finish(checkout)
    return kills


def main(arguments: Sequence[str] | None = None) -> int:
    """Stories until enough kills fell; prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill", description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    options = parser.parse_args(arguments)
    draw, kills, lost = random.Random(options.seed), [], []
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        checkout = make_study(Path(folder))
        took = durations(finish(checkout))
        wanted = results(checkout)
        while len(kills) < options.times:
            phases = options.phases[: options.times - len(kills)]
            kills += (new := story(checkout, phases, took, draw))
            lost += (wrong := losses(checkout, wanted))
            print(f"story of {len(new)} kills: {'; '.join(wrong) or 'nothing lost'}", flush=True)
            if not new:
                raise RuntimeError("no kill fell: the workflow ended before every phase")
    print("| phase waited for | running when killed | kills |\n|---|---|---:|")
    for phase, running in sorted({(kill.phase, kill.running) for kill in kills}):
        print(f"| {phase} | {running} | {sum((kill.phase, kill.running) == (phase, running) for kill in kills)} |")
    print(f"{len(kills)} kills, {len(lost)} losses")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
