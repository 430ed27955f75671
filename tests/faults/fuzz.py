"""Fuzzes everything that reads files: `python -m tests.faults.fuzz --inputs 100000 --seed 1`.

Each input is either parsed or refused with `InputError`; any other exception, more than 10 s of CPU, more than 500 MB
or a message that a terminal could not show counts as a crash. Input n of a target depends on seed, target and n alone.
Crashes are minimised and written to --out; the exit code is 1 if there is any.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from math import ceil
from multiprocessing import get_context
from pathlib import Path

from tests.faults.fuzz_guard import Finding, cap_memory, outcome
from tests.faults.fuzz_input import Input
from tests.faults.fuzz_targets import Target, targets

MOST_TRIES = 400  # of making one crash smaller


@dataclass(slots=True)
class Tally:
    """What happened to the inputs of one target; crashes by their cause, with the smallest input found."""

    parsed: int = 0
    refused: int = 0
    crashed: int = 0
    seconds: float = 0.0
    causes: dict[str, Input] = field(default_factory=dict)


def fuzz(chosen: dict[str, Target], inputs: int, seed: int, jobs: int = 1) -> dict[str, Tally]:
    """Shares the inputs among the targets and runs them all, a line of figures after each."""
    total = sum(target.share for target in chosen.values())
    parts = [(name, target, ceil(inputs * target.share / total), seed) for name, target in chosen.items()]
    if jobs == 1:
        return {name: _shown(name, fuzz_target(name, *rest)) for name, *rest in parts}
    _parts.extend(parts)
    with get_context("fork").Pool(jobs) as pool:  # children inherit the targets, which cannot be pickled
        return {name: _shown(name, tally) for name, tally in pool.imap(_fuzz_part, range(len(parts)), chunksize=1)}


_parts: list[tuple[str, Target, int, int]] = []


def _fuzz_part(number: int) -> tuple[str, Tally]:
    return _parts[number][0], fuzz_target(*_parts[number])


def fuzz_target(name: str, target: Target, inputs: int, seed: int) -> Tally:
    """Runs so many inputs of one target."""
    tally, started = Tally(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(inputs):
            item = target.make(random.Random(f"{seed} {name} {number}"))
            try:
                result = outcome(lambda item=item: target.run(item, Path(folder)))
                setattr(tally, result, getattr(tally, result) + 1)
            except Finding as finding:
                tally.crashed += 1
                cause = str(finding).split(": ")[0]
                if cause not in tally.causes:
                    tally.causes[cause] = minimised(target, item, cause, Path(folder))
    tally.seconds = time.process_time() - started
    return tally


def minimised(target: Target, item: Input, cause: str, folder: Path) -> Input:
    """The input without the pieces that its crash does not need, by halving the pieces (Zeller's ddmin, shortened)."""
    size, tries = len(item.data) // 2, 0
    while size and tries < MOST_TRIES and not cause.startswith("hangs"):
        place = 0
        while place < len(item.data):
            tries += 1
            smaller = replace(item, data=item.data[:place] + item.data[place + size :])
            if _cause(target, smaller, folder) == cause:
                item = smaller
            else:
                place += size
        size //= 2
    return item


def _cause(target: Target, item: Input, folder: Path) -> str | None:
    try:
        outcome(lambda: target.run(item, folder))
    except Finding as finding:
        return str(finding).split(": ")[0]
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes; the inputs stay the same")
    parser.add_argument("--only", help="targets whose name holds this text")
    parser.add_argument("--out", type=Path, help="folder for crashing inputs and report.json")
    given = parser.parse_args()
    cap_memory()
    all_targets = targets(with_models=not given.only or given.only in "model folder")
    chosen = {name: target for name, target in all_targets.items() if not given.only or given.only in name}
    print(f"{'target':26} {'inputs':>7} {'parsed':>7} {'refused':>7} {'crashes':>7} {'CPU s':>7}")
    tallies = fuzz(chosen, given.inputs, given.seed, given.jobs)
    _shown("all", _sum(tallies))
    if given.out:
        _keep(tallies, given.out)
    return 1 if any(tally.crashed for tally in tallies.values()) else 0


def _shown(name: str, tally: Tally) -> Tally:
    inputs = tally.parsed + tally.refused + tally.crashed
    print(f"{name:26} {inputs:7} {tally.parsed:7} {tally.refused:7} {tally.crashed:7} {tally.seconds:7.1f}", flush=True)
    for cause, item in tally.causes.items():
        print(f"    {cause}: {item.data[:120]!r} {dict(item.options) or ''}", flush=True)
    return tally


def _sum(tallies: dict[str, Tally]) -> Tally:
    names = ("parsed", "refused", "crashed", "seconds")
    return Tally(**{name: sum(getattr(tally, name) for tally in tallies.values()) for name in names})


def _keep(tallies: dict[str, Tally], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    report = {
        name: {
            "parsed": t.parsed,
            "refused": t.refused,
            "crashed": t.crashed,
            "seconds": t.seconds,
            "causes": list(t.causes),
        }
        for name, t in tallies.items()
    }
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name, tally in tallies.items():
        for number, item in enumerate(tally.causes.values()):
            (out / f"{name.replace(' ', '-')}-{number}.bin").write_bytes(item.data)


if __name__ == "__main__":
    sys.exit(main())
