"""The plan of a grid a tenth as large as promised: its cost, that it grows no faster than the grid, and what is in it.

The full size is `python -m tests.scale.graph`.
"""

import re
from pathlib import Path

import pytest

from benchmarks.catalog.constraints import either
from tests.scale.graph import NOTHING, check_plan, check_triggers, finish, planned, prepared
from tests.scale.grids import Size
from tests.scale.measuring import MIB

START_SECONDS = 10.0  # imports of Snakemake and of the cards, on a slow machine; measured: 3
# A tenth of 60 s and 120 s, three times over: processor time, but on machines that share their caches.
PLAN_SECONDS, NOTHING_SECONDS, PEAK_BYTES = START_SECONDS + 18, START_SECONDS + 36, 600 * MIB
SIZE = Size(runs=200, cells=6000)


def test_a_grid_of_200_runs_is_planned_and_found_finished_in_time(tmp_path: Path) -> None:
    checkout = prepared(tmp_path, SIZE)
    plan, text = planned(checkout)
    check_plan(text, SIZE)
    assert plan.cpu_seconds < PLAN_SECONDS and plan.peak_bytes < PEAK_BYTES, str(plan)
    finish(checkout)
    nothing, text = planned(checkout)
    assert NOTHING in text, text[-3000:]
    assert nothing.cpu_seconds < NOTHING_SECONDS and nothing.peak_bytes < PEAK_BYTES, str(nothing)
    check_triggers(checkout, SIZE)


def test_a_plan_of_three_times_the_runs_takes_about_three_times_as_long(tmp_path: Path) -> None:
    small, large = Size(runs=100, cells=3000), Size(runs=300, cells=9000)
    one, _ = planned(prepared(tmp_path / "small", small))
    three, text = planned(prepared(tmp_path / "large", large))
    check_plan(text, large)
    assert three.cpu_seconds < 4 * one.cpu_seconds, f"{one} and {three}"  # what is fixed for both makes it less than 3


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["a"],
        ["a", "ab", "abc"],
        ["b", "a.b", "a-b", "axb"],
        ["", "a"],
        [f"run_s{n}-{n * 7:06x}" for n in range(500)],
    ],
)
def test_a_constraint_accepts_its_names_and_no_other(names: list[str]) -> None:
    pattern = re.compile(rf"cells/(?P<run>{either(names)})/scored")
    near = {name + "a" for name in names} | {name[:-1] for name in names} | {name.replace(".", "x") for name in names}
    assert all(pattern.fullmatch(f"cells/{name}/scored").group("run") == name for name in names)
    assert not any(pattern.fullmatch(f"cells/{name}/scored") for name in {*near, "z"} - set(names))


def test_a_constraint_on_many_names_is_shorter_than_their_list() -> None:
    names = [f"max_width-{n % 20}_positive_weight-1.5_s{n % 5}-{n * 7919:06x}" for n in range(2000)]
    assert len(either(names)) < len("|".join(names)) / 2
