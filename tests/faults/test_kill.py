"""The whole workflow killed with signal 9 in four phases; the same plain command then makes the same tables.

Twenty kills and more: `python -m tests.faults.kill --times 20`.
"""

import random
from pathlib import Path

import pytest
from kill import durations, finish, losses, results, story
from small_study import make_study

PHASES = ("train", "predict", "track", "collect")
SEED = 5


@pytest.mark.slow
def test_a_workflow_that_is_killed_in_four_phases_loses_and_invents_nothing(tmp_path: Path) -> None:
    checkout = make_study(tmp_path)
    whole = finish(checkout)
    wanted = results(checkout)
    assert len(wanted) == 14 and losses(checkout, wanted) == []
    kills = story(checkout, PHASES, durations(whole), random.Random(SEED))
    assert len(kills) >= 3, kills  # a short last phase can be over before its kill
    assert losses(checkout, wanted) == []
