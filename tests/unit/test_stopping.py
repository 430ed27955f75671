"""SIGTERM: clean-up runs, a training saves the step it was in and goes on from it, bit for bit."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from tiny_model import tiny_spec, toy_examples

from gliner_core import train as train_module
from gliner_core.examples import Example, write_jsonl
from gliner_core.files import atomic_write, file_digest
from gliner_core.stopping import EXIT_CODE, on_sigterm, until_sigterm
from gliner_core.train import train


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_half_written_file_is_removed(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended, on_sigterm(), atomic_write(tmp_path / "result.json") as stream:
        stream.write("half")
        terminate()
    assert ended.value.code == EXIT_CODE == 143
    assert list(tmp_path.iterdir()) == []


def test_the_item_at_hand_is_finished_and_saved_once() -> None:
    before = signal.getsignal(signal.SIGTERM)
    done: list[int] = []
    saved: list[int] = []

    def loop() -> None:
        for number in until_sigterm(range(9), lambda: saved.append(len(done))):
            if number == 4:
                terminate()
            done.append(number)

    with pytest.raises(SystemExit):
        loop()
    assert done == [0, 1, 2, 3, 4] and saved == [5]
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_signal_nothing_is_saved_and_outside_the_main_thread_nothing_is_set() -> None:
    saved: list[int] = []
    found: list[list[int]] = []

    def walk() -> None:
        found.append(list(until_sigterm(range(3), lambda: saved.append(1))))

    thread = threading.Thread(target=walk)
    thread.start()
    thread.join()
    walk()
    assert found == [[0, 1, 2]] * 2 and saved == []


def test_a_stopped_training_goes_on_bit_for_bit(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, spec = tmp_path / "train.jsonl", tiny_spec(backbone, optim_steps=9)
    write_jsonl(data, toy_examples())
    train(spec, data, tmp_path / "whole")
    step, seen = train_module.Trainer.train_step, []

    def stopped_in_the_fifth(trainer: Any, examples: list[Example], batch: Any) -> dict[str, float]:
        seen.append(trainer.step)
        if seen == list(range(5)):
            terminate()
        return step(trainer, examples, batch)

    monkeypatch.setattr(train_module.Trainer, "train_step", stopped_in_the_fifth)
    with pytest.raises(SystemExit):
        train(spec, data, tmp_path / "cut")
    train(spec, data, tmp_path / "cut", resume=True)
    assert seen == list(range(9))  # no step was lost, none repeated
    for name in ("model/model.safetensors", "history.jsonl"):
        assert file_digest(tmp_path / "cut" / name) == file_digest(tmp_path / "whole" / name)
