"""Lack of memory, states of a training and its processes: what is kept, counted and refused."""

import gc
import subprocess
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import tiny_spec, toy_examples

from gliner_core import launch, trainer
from gliner_core import train as module
from gliner_core.checkpoint import content_digest, identity_of
from gliner_core.errors import InputError
from gliner_core.examples import write_jsonl
from gliner_core.fitting import attempt, is_out_of_memory
from gliner_core.train import train
from gliner_core.trainer import Trainer


def test_every_library_says_lack_of_memory_in_its_own_words() -> None:
    for words in (
        "CUDA error: out of memory",
        "cuBLAS: CUBLAS_STATUS_ALLOC_FAILED",
        "[enforce fail at alloc_cpu.cpp:116] . DefaultCPUAllocator: can't allocate memory: you tried",
    ):
        assert is_out_of_memory(RuntimeError(words)), words


def test_a_failed_attempt_in_a_cycle_keeps_no_tensor() -> None:
    seen = []

    def work(_: int) -> None:
        class Node:
            pass

        node = Node()
        node.own, node.large = node, torch.zeros(10)  # as autograd hooks do: freed by the collector alone
        seen.append(weakref.ref(node.large))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    gc.disable()
    try:
        assert attempt(work, 1) is None and seen[0]() is None
    finally:
        gc.enable()


def test_the_digest_covers_names_and_shapes() -> None:
    tensor = torch.arange(6.0)
    assert content_digest({"a": tensor}) != content_digest({"b": tensor})
    assert content_digest({"a": tensor}) != content_digest({"a": tensor.reshape(2, 3)})
    assert content_digest({"a": tensor}) != content_digest({"a": tensor.view(torch.int32)})
    whole = identity_of("spec", "data", "start", "code")
    for place in range(4):
        parts = ["spec", "data", "start", "code"]
        parts[place] += "x"
        assert identity_of(*parts) != whole


def test_when_the_job_is_stopped_its_processes_are_too_and_odd_bytes_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert launch._watched(["/bin/sh", "-c", r"printf 'error: \377\n'; exit 3"])[0] == 3
    started: list[Any] = []
    usual = subprocess.Popen
    monkeypatch.setattr(launch.subprocess, "Popen", lambda *a, **k: started.append(usual(*a, **k)) or started[-1])

    def stop(*_: object, **__: object) -> None:
        raise SystemExit(143)

    monkeypatch.setattr("builtins.print", stop)
    with pytest.raises(SystemExit):
        launch._watched(["/bin/sh", "-c", "echo go; exec sleep 30"])
    assert started[0].returncode == -15


def test_states_are_saved_at_their_distance_and_the_seconds_add_up(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    class Clock:  # a second each step
        def __init__(self, _: object) -> None:
            self.seconds = 0.0

        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None:
            self.seconds += 1.0

    saved: list[int] = []
    usual, step = module.save_state, module.Trainer.train_step
    monkeypatch.setattr(module, "Stopwatch", Clock)
    monkeypatch.setattr(module, "SAVE_EVERY_SECONDS", 1.5)
    monkeypatch.setattr(module, "save_state", lambda path, state: (saved.append(state.step), usual(path, state)))

    def until(own: Any, *batch: Any) -> Any:
        if own.step == 7 and len(saved) == 3:
            saved.append(-1)
            raise KeyboardInterrupt
        return step(own, *batch)

    monkeypatch.setattr(module.Trainer, "train_step", until)
    write_jsonl(tmp_path / "d", toy_examples())
    spec = tiny_spec(backbone, optim_steps=9)
    with pytest.raises(KeyboardInterrupt):
        module.train(spec, tmp_path / "d", tmp_path / "o", device="cpu")
    report = module.train(spec, tmp_path / "d", tmp_path / "o", device="cpu", resume=True)
    assert saved == [2, 4, 6, -1, 8] and report["seconds"] == 9.0


def test_the_halvings_of_an_interrupted_training_are_counted_on(backbone: Path) -> None:
    own = Trainer(tiny_spec(backbone), toy_examples(), "cpu")
    own.splits = 3
    other = Trainer(tiny_spec(backbone), toy_examples(), "cpu")
    other.restore(own.state(1.0, "x"))
    assert other.splits == 3


def test_a_last_update_that_leaves_the_finite_numbers_writes_no_model(backbone: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "d", toy_examples())
    spec = tiny_spec(backbone, optim_lr_encoder=1e39, optim_lr_others=1e39, optim_warmup_ratio=0.0, optim_steps=1)
    with pytest.raises(InputError, match="the last update, step 1, left weights that are not finite"):
        train(spec, tmp_path / "d", tmp_path / "o", device="cpu")
    assert not (tmp_path / "o").exists()


def test_each_process_draws_dropout_masks_of_its_own(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = trainer.Trainer(tiny_spec(backbone), toy_examples(), "cpu")
    drawn = []
    for rank in (0, 1, 0):
        monkeypatch.setattr(trainer, "process_rank", lambda rank=rank: rank)
        own._begin_step()
        drawn.append(torch.rand(3).tolist())
    assert drawn[0] == drawn[2] != drawn[1]


def test_weights_or_moments_that_do_not_fit_are_one_sentence(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    own = trainer.Trainer(tiny_spec(backbone), toy_examples(), "cpu")
    state = own.state(1.0, "x")
    monkeypatch.setattr(own.optimizer, "load_state_dict", full)
    with pytest.raises(InputError, match="need more memory than the device has"):
        own.restore(state)
    monkeypatch.setattr(trainer.Accelerator, "prepare_model", full)
    with pytest.raises(InputError, match="need more memory than the device has"):
        trainer.Trainer(tiny_spec(backbone), toy_examples(), "cpu")
