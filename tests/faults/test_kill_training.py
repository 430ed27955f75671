"""A training killed with signal 9, also while it writes its state, goes on to the same losses and the same weights."""

import signal
from pathlib import Path

import pytest
import trainings

IN_THE_WRITE = """
write = checkpoint.torch.save
def half(payload, stream):
    write(payload, stream)
    if payload["step"] == {step}:
        stream.truncate(stream.tell() // 2)
        os.kill(os.getpid(), signal.SIGKILL)
checkpoint.torch.save = half
"""
IN_A_STEP = """
step = training.Trainer.train_step
def cut(trainer, *batch):
    row = step(trainer, *batch)
    if trainer.step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
    return row
training.Trainer.train_step = cut
"""
IN_THE_MODEL = """
def cut(network, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
import gliner_core.training_files as files
files.save_network = cut
"""


@pytest.mark.parametrize(
    ("name", "fault", "left"),
    [
        ("first_write", IN_THE_WRITE.format(step=1), 0),
        ("write", IN_THE_WRITE.format(step=4), 3),
        ("step", IN_A_STEP.format(step=3), 2),
        ("model", IN_THE_MODEL, trainings.STEPS),
    ],
)
def test_a_killed_training_goes_on_bit_for_bit(trained: Path, name: str, fault: str, left: int) -> None:
    killed = trainings.run(trained, name, fault)
    assert killed.returncode == -signal.SIGKILL
    state = trained / name / "scratch" / "state.pt"
    assert state.is_file() == bool(left)  # the state before the one that was being written
    resumed = trainings.run(trained, name)
    assert resumed.returncode == 0, resumed.stderr
    assert trainings.made(trained, name) == trainings.made(trained, "whole")
    assert not state.exists() and "warning" not in resumed.stderr
