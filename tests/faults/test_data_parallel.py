"""Two processes train what one trains: the same batches, gradients and losses; one of them writes; none dies unseen.

The loss and the gradient are sums over texts, so two processes add the same numbers in another order. In fp32 that
moves a sum by some 1e-7 of its value; Adam divides by the size of the gradient, so the noise of a gradient that is
truly 0 (key biases) becomes steps and the curves part slowly. CURVE bounds the loss of twelve steps.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from parallel_jobs import TIMEOUT, in_two_forks
from tiny_model import tiny_network
from training_support import losses, mixed_examples, still_backbone, still_spec, weights

from gliner_core import train as train_module
from gliner_core.collate import TrainBatch, make_batch
from gliner_core.errors import InputError
from gliner_core.examples import write_jsonl
from gliner_core.files import read_json, write_json
from gliner_core.orphans import PARENT, die_with_parent
from gliner_core.processes import check_equal, share_of, sum_gradients, summed
from gliner_core.spec import TrainSpec
from gliner_core.stopping import EXIT_CODE
from gliner_core.train import train
from gliner_core.trainer import Trainer

HERE = Path(__file__).resolve().parent
STEPS = 12
CURVE = 1e-5  # relative; measured: 1e-7
TINY: dict[str, Any] = {}  # what forked processes read


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, spec and what one process makes of them (`one`); eighteen texts in batches of four, the last of two."""
    folder = tmp_path_factory.mktemp("parallel")
    write_jsonl(folder / "train.jsonl", mixed_examples())
    # Without negatives a sentence without entities has nothing to be asked: some batches hold fewer texts, or none.
    changes = {"optim_steps": STEPS, "sampling_negative_ratio": 0, "optim_batch_size": 3, "optim_grad_clip": 10.0}
    spec = still_spec(still_backbone(folder / "backbone"), **changes)
    write_json(folder / "spec.json", spec.to_json())
    train(spec, folder / "train.jsonl", folder / "one", device="cpu")
    TINY.update(spec=spec, folder=folder)
    return folder


def _torchrun(folder: Path, out: str, *program: str) -> subprocess.CompletedProcess[str]:
    arguments = [str(folder / "spec.json"), "--data", str(folder / "train.jsonl"), "--out", str(folder / out)]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *program]
    paths = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    return subprocess.run(
        [*command, *arguments, "--device", "cpu", "--resume"],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def _assert_same(folder: Path, out: str) -> float:
    one, two = folder / "one", folder / out
    found, expected = losses(two), losses(one)
    assert len(expected) == STEPS and len(set(expected)) > STEPS // 2
    assert found == pytest.approx(expected, rel=CURVE)
    mine, reference = weights(two), weights(one)
    assert mine.keys() == reference.keys()
    distance = max(float((value - reference[key]).abs().max()) for key, value in mine.items())
    print(f"largest difference of a weight: {distance:.1e}")
    assert distance < 1e-4  # measured: 3e-6; one step of Adam moves a weight of the heads by 3e-3
    assert read_json(two / "training.json")["counts"] == read_json(one / "training.json")["counts"]
    return max(abs(a - b) / b for a, b in zip(found, expected, strict=True) if b)


def test_two_processes_of_torchrun_give_the_curve_of_one(place: Path) -> None:
    done = _torchrun(place, "two", "-m", "gliner_core.train")
    assert done.returncode == 0, done.stderr[-3000:]
    print(f"largest relative difference of {STEPS} losses: {_assert_same(place, 'two'):.1e}")
    report = read_json(place / "two" / "training.json")
    assert (report["processes"], report["splits_for_memory"]) == (2, 0)
    assert done.stdout.count('"steps": 12') == 1  # one process writes and reports
    assert sorted(path.name for path in (place / "two").iterdir()) == ["history.jsonl", "model", "training.json"]


def test_a_process_that_dies_ends_the_run_and_one_process_goes_on_from_its_state(place: Path) -> None:
    begin = time.monotonic()
    done = _torchrun(place, "died", str(HERE / "parallel_jobs.py"))
    assert done.returncode != 0 and time.monotonic() - begin < TIMEOUT
    assert [path.name for path in (place / "died").iterdir()] == ["scratch"]  # no model, no history
    train(TINY["spec"], place / "train.jsonl", place / "died", device="cpu", resume=True)
    _assert_same(place, "died")
    assert read_json(place / "died" / "training.json")["processes"] == 1


def _two_to_the_end(rank: int, folder: Path) -> int:
    return train(TINY["spec"], folder / "train.jsonl", folder / "grown", device="cpu", resume=True)["processes"]


def test_two_processes_go_on_from_the_state_of_one(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Trainer.train_step

    def until(own: Trainer, *arguments: Any) -> dict[str, float]:
        if own.step == 6:
            raise KeyboardInterrupt
        return usual(own, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(train_module, "SAVE_EVERY_SECONDS", -1.0)
        patch.setattr(Trainer, "train_step", until)
        with pytest.raises(KeyboardInterrupt):
            train(TINY["spec"], place / "train.jsonl", place / "grown", device="cpu")
    assert in_two_forks(_two_to_the_end, place) == [2, 2]
    _assert_same(place, "grown")


def _told_to_stop(rank: int, folder: Path) -> list[int]:
    """Steps of a process: the second one gets a SIGTERM in its fifth, the first one in its sixth."""
    usual, seen = Trainer.train_step, []

    def told(own: Trainer, *arguments: Any) -> dict[str, float]:
        seen.append(own.step)
        done = usual(own, *arguments)
        if len(seen) == 6 - rank:
            os.kill(os.getpid(), signal.SIGTERM)
        return done

    Trainer.train_step = told
    try:
        train(TINY["spec"], folder / "train.jsonl", folder / "told", device="cpu")
    except SystemExit as end:
        return [*seen, int(end.code or 0)]
    return seen


def test_processes_that_are_told_to_stop_in_different_steps_save_the_same_one(place: Path) -> None:
    assert in_two_forks(_told_to_stop, place) == [[*range(5), EXIT_CODE]] * 2
    state = torch.load(place / "told" / "scratch" / "state.pt", map_location="cpu", weights_only=True)
    assert state["step"] == 5
    train(TINY["spec"], place / "train.jsonl", place / "told", device="cpu", resume=True)
    _assert_same(place, "told")


def _gradient(batch: TrainBatch, spec: TrainSpec) -> tuple[float, list[torch.Tensor | None]]:
    own = Trainer(spec, mixed_examples(), "cpu")
    own.model.double().train()
    loss = own._gradients(batch)
    sum_gradients(own.network.parameters(), own.accelerator.device)
    return loss, [weight.grad for weight in own.network.parameters()]


def _gradients_of_batches(rank: int, folder: Path) -> list[tuple[float, list[torch.Tensor | None]]]:
    return [_gradient(batch, TINY["spec"]) for batch in TINY["batches"]]


def test_an_empty_share_and_an_unused_weight_change_no_gradient(place: Path) -> None:
    """A batch of five texts, and one of a single text, of which the second process gets nothing."""
    prompts, spec = tiny_network(place / "backbone").prompts, TINY["spec"]
    batches = [make_batch(mixed_examples()[:size], spec, prompts, 0) for size in (5, 1)]
    assert all(batches)
    TINY["batches"] = batches
    first, second = in_two_forks(_gradients_of_batches, place)
    for number, batch in enumerate(batches):
        loss, expected = _gradient(batch, spec)
        for found, gradients in (first[number], second[number]):
            assert found == pytest.approx(loss, rel=1e-6)
            assert None in gradients  # the encoder's pooler: no process uses it, so AdamW must not decay it
            for mine, reference in zip(gradients, expected, strict=True):
                assert (mine is None) == (reference is None)
                if mine is not None:
                    torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-6)


def _answers(rank: int, folder: Path) -> tuple[list[float], str, list[str]]:
    cpu = torch.device("cpu")
    try:
        check_equal([torch.tensor([1.0, float(rank)])], cpu, "the weights")
        sentence = ""
    except InputError as error:
        sentence = str(error)
    own = Trainer(TINY["spec"], mixed_examples(), "cpu")
    own.objective = lambda scores, *_: scores.sum() * (float("nan") if rank else 1.0)
    batch = make_batch(own.examples, own.spec, own.network.prompts, 0)
    try:
        own.train_step(own.examples, batch)
        ended = []
    except InputError as error:
        ended = [str(error)]
    return summed([rank + 1.0, 0.5], cpu), sentence, ended


def test_all_processes_know_what_happens_in_one(place: Path) -> None:
    for sums, sentence, ended in in_two_forks(_answers, place):
        assert sums == [3.0, 1.0]
        assert sentence.startswith("the weights differ in 1 of 2 processes from those of the first")
        assert len(ended) == 1 and ended[0].startswith("the loss is nan at step 1;")


@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_shares_hold_each_text_once(place: Path, count: int) -> None:
    prompts = tiny_network(place / "backbone").prompts
    batch = make_batch(mixed_examples()[:7], TINY["spec"], prompts, 0)
    assert batch is not None
    shares = [share for rank in range(count) if (share := share_of(batch, rank, count)) is not None]
    assert len(shares) == min(count, 7)
    rows = [tuple(row[row != 0].tolist()) for share in shares for row in share.encoded.input_ids]
    assert sorted(rows) == sorted(tuple(row[row != 0].tolist()) for row in batch.encoded.input_ids)
    assert sum(len(share.positives) for share in shares) == len(batch.positives)


def test_a_gpu_by_number_is_refused_for_several_processes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr("gliner_core.trainer.choose_device", lambda _: torch.device("cuda:0"))
    with pytest.raises(InputError, match="cuda:0 was asked for in several processes"):
        Trainer(TINY["spec"], mixed_examples(), "cuda:0")


def test_a_process_dies_with_the_one_that_started_it(tmp_path: Path) -> None:
    parent = os.fork()
    if not parent:
        child = os.fork()
        if child:
            (tmp_path / "child").write_text(str(child))
        else:
            die_with_parent()
            (tmp_path / "ready").touch()
        time.sleep(TIMEOUT)
        os._exit(0)
    while not ((tmp_path / "ready").exists() and (tmp_path / "child").exists()):
        time.sleep(0.01)
    child = Path("/proc") / (tmp_path / "child").read_text()
    assert child.exists()
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    end = time.monotonic() + TIMEOUT
    while child.exists() and "Z" not in (child / "stat").read_text().split()[2]:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_process_whose_starter_died_before_it_looked_ends_at_once() -> None:
    code = "from gliner_core.orphans import die_with_parent; die_with_parent(); print('lives')"
    command = [sys.executable, "-c", code]
    for parent, said in ((os.getpid(), "lives\n"), (os.getpid() + 1, "")):
        environment = os.environ | {PARENT: str(parent)}
        done = subprocess.run(command, env=environment, cwd=HERE.parents[1], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0 if said else 1, said)
