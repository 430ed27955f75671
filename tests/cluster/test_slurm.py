"""The tiny demo on a real Slurm, with everything that may happen to its jobs there, against a run on one machine.

During one training the node loses power with all its processes, is found down, and returns. Another is killed for its
memory and comes back with more, is then cancelled, saves its state and goes on. Nothing of it may be seen in a table.
"""

import json
import re
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from checkout import Checkout, commit, copy_repository
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from queue_records import SlurmJob, cancel, control, node_state, queue, wait_for
from tiny_demo import shrink

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

HOME = "results/demo"
PROFILES = ("--profile", "workflow/profiles/slurm", "--profile", str(Path(__file__).parent / "profile"))
TABLES = ("cells.csv", "verdicts.csv", "differences.csv", "table.csv", "table.md", "table.tex")
SAME = {"main_table": (*TABLES, "figure.svg"), "span_width": TABLES}  # the figure of K has a panel of speeds
# Each step of a training takes a second and is saved, so that there is a middle to be killed in.
SLOW_STEPS = """

import time

_save_at_once = save_state


def save_state(path, state):
    time.sleep(1)
    _save_at_once(path, state)
"""
# A training of another width holds 1,100 MB more than it asks for at first.
BALLAST = """

import time

_train_lean = train_run


def train_run(space, run, *arguments):
    ballast = b"x" * 1_100_000_000 if run.startswith("max_width") else b""
    time.sleep(5 if ballast else 0)
    _train_lean(space, run, *arguments)
    del ballast
"""


@dataclass(slots=True, kw_only=True)
class Story:
    """What was seen while the workflow ran on the cluster."""

    reference: Checkout
    checkout: Checkout
    code: int = -1
    text: str = ""
    seconds: float = 0.0
    jobs: list[SlurmJob] = field(default_factory=list)
    killed_for_memory: SlurmJob | None = None
    stopped_log: str = ""
    steps_at_death: int = -1
    node_states: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def story(slurm: None, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("cluster")
    reference = copy_repository(folder / "reference", folder / "site")
    shrink(reference)
    reference.configure(device="cpu", offline=True)
    append(reference, "gliner_core/train.py", "\nSAVE_EVERY_SECONDS = 0.0\n")
    append(reference, "gliner_core/checkpoint.py", SLOW_STEPS)
    append(reference, "benchmarks/pipeline/training.py", BALLAST)
    commit(reference)
    story = Story(reference=reference, checkout=reference.copy(folder / "copy"))
    with reference.start("snakemake", "--cores", "2") as process:
        text, _ = process.communicate(timeout=3600)
    assert process.returncode == 0, text[-4000:]
    run_story(story)
    return story


def run_story(story: Story) -> None:
    """Runs the workflow on the cluster from scratch, with the faults."""
    known = {job.id for job in queue()}
    begin = time.monotonic()
    with story.checkout.start("snakemake", *PROFILES, "--config", 'device="cpu"') as process:
        try:
            tell(story, known, process)
            story.text, _ = process.communicate(timeout=3600)
        finally:
            process.terminate()
            if node_state().startswith("down"):
                control("node-returns")
    story.code, story.seconds = process.returncode, time.monotonic() - begin
    story.jobs = [job for job in queue() if job.id not in known]
    print(f"{len(story.jobs)} Slurm jobs, {story.seconds:.0f} s: {dict(Counter(job.state for job in story.jobs))}")


def tell(story: Story, known: set[str], process: subprocess.Popen[str]) -> None:
    """The node, then memory, then a cancelled job; each at the point where it is to happen."""

    def trainings(run: str, *states: str) -> list[SlurmJob]:
        mine = [job for job in queue() if job.id not in known and job.is_training and f"_{run}" in job.comment]
        return [job for job in mine if not states or job.state in states]

    scratch = story.checkout.path("results/scratch")
    logs = story.checkout.path(f"{HOME}/logs/train")
    wait_for("the baseline has saved a state", lambda: list(scratch.glob("baseline*/*/state.pt")), process=process)
    control("node-fails")
    story.steps_at_death = saved_step(scratch, "baseline")
    wait_for("Slurm finds the node down", lambda: node_state().startswith("down"), process=process)
    story.node_states.append(node_state())
    wait_for("the job is back in the queue", lambda: trainings("baseline", "PENDING"), process=process)
    control("node-returns")
    story.node_states.append(node_state())

    wait_for(
        "a training that needs too much is ended",
        lambda: trainings("max_width", "FAILED", "OUT_OF_MEMORY"),
        process=process,
    )
    story.killed_for_memory = trainings("max_width")[0]
    wait_for(
        "the other training runs with more memory",
        lambda: trainings("max_width", "RUNNING") and list(scratch.glob("max_width*/*/state.pt")),
        process=process,
    )
    (running,) = trainings("max_width", "RUNNING")
    cancel(running)
    log = next(logs.glob("max_width*.log"))
    wait_for("it says that it saved", lambda: "told to stop" in log.read_text(encoding="utf-8"), process=process)
    story.stopped_log = log.read_text(encoding="utf-8")


def saved_step(scratch: Path, run: str) -> int:
    """Step of the state that a training left."""
    (path,) = scratch.glob(f"{run}*/*/state.pt")
    return int(torch.load(path, map_location="cpu", weights_only=True)["step"])


def append(checkout: Checkout, name: str, text: str) -> None:
    checkout.write(name, checkout.path(name).read_text(encoding="utf-8") + text)


def test_the_workflow_ends_and_its_tables_are_those_of_one_machine(story: Story) -> None:
    assert story.code == 0, story.text[-4000:]
    for study, names in SAME.items():
        for name in names:
            place = f"{HOME}/studies/{study}/{name}"
            assert story.checkout.path(place).read_bytes() == story.reference.path(place).read_bytes(), place
    assert story.checkout.path(f"{HOME}/scorecard.html").stat().st_size > 0


def test_a_job_killed_for_memory_comes_back_with_more(story: Story) -> None:
    assert story.killed_for_memory is not None and story.killed_for_memory.memory == "1200M"
    mine = [job for job in story.jobs if "_max_width" in job.comment and job.is_training]
    assert [(job.memory, job.state) for job in mine[1:]] == [("2400M", "CANCELLED"), ("3600M", "COMPLETED")]


def test_a_cancelled_training_saved_its_state_and_went_on(story: Story) -> None:
    assert "told to stop (SIGTERM): state saved" in story.stopped_log
    (log,) = story.checkout.path(f"{HOME}/logs/train").glob("max_width*.log")
    done, asked = last_progress(log)
    assert done == asked < 12


def test_a_training_whose_node_died_goes_on_from_its_state(story: Story) -> None:
    assert story.node_states[0].startswith("down") and not story.node_states[1].startswith("down")
    mine = [job for job in story.jobs if "_baseline" in job.comment and job.is_training]
    assert [job.state for job in mine] == ["COMPLETED"]  # requeued by Slurm, not submitted anew
    (log,) = story.checkout.path(f"{HOME}/logs/train").glob("baseline*.log")
    assert last_progress(log) == (12 - story.steps_at_death, 12 - story.steps_at_death)
    assert 0 < story.steps_at_death < 12


def last_progress(log: Path) -> tuple[int, int]:
    """The last `train DONE/ALL` of a log."""
    done, asked = re.findall(r"train (\d+)/(\d+)", log.read_text(encoding="utf-8"))[-1]
    return int(done), int(asked)


def test_nothing_is_tracked_twice_or_left_running(story: Story) -> None:
    client = MlflowClient(f"sqlite:///{story.checkout.path('results/tracking/mlflow.db')}")
    experiment = client.get_experiment_by_name("gliner-bench/demo")
    runs: list[Run] = list(client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL))
    trained = {path.name for path in story.checkout.path(f"{HOME}/runs").iterdir()}
    assert sorted(run.info.run_name for run in runs) == sorted(trained | {"random-scorer"})
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_gpus_are_asked_for_and_small_jobs_share_a_slurm_job(story: Story) -> None:
    for job in story.jobs:
        with_model = job.comment.startswith(("rule_train", "rule_predict"))
        assert job.gpus == ("gres:gpu:1" if with_model else "N/A"), job
    # The executor writes rule_NAME of a job and rule_GROUP_RULES of a group into the comment.
    names = Counter(job.comment.split("_")[1] for job in story.jobs)
    assert set(names) == {"train", "predict", "gather", "data", "score", "tables", "pages"}
    assert names["data"] == 1 and names["train"] >= 3 + 2  # three trainings; two more attempts of one of them
    # The SQLite store is opened by this machine alone.
    assert not any(rule in job.comment for job in story.jobs for rule in ("track", "collect", "publish"))


def test_no_half_written_file_and_no_scratch_state_is_left(story: Story) -> None:
    files = [path for path in story.checkout.path("results").rglob("*") if path.is_file()]
    assert [path for path in files if "scratch" in path.parts] == []
    assert {path.name for path in files if path.name.startswith(".")} <= {".snakemake_timestamp"}
    assert (
        json.loads(next(story.checkout.path(f"{HOME}/runs").glob("baseline*/training.json")).read_text())["steps"] == 12
    )
