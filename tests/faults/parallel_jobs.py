"""Functions that run in two processes: forked ones for small questions, torchrun's for whole trainings."""

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import distributed

TIMEOUT = 300


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def in_two_forks(work: Callable[[int, Path], Any], folder: Path) -> list[Any]:
    """What `work(rank, folder)` gives in each of two connected processes, forked: torch is loaded already."""
    port, context = free_port(), get_context("fork")
    processes = [context.Process(target=_forked, args=(work, rank, folder, port)) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(TIMEOUT)
        assert process.exitcode == 0, (folder / "error").read_text() if (folder / "error").exists() else process
    return [torch.load(folder / f"answer{rank}.pt", weights_only=False) for rank in (0, 1)]


def _forked(work: Callable[[int, Path], Any], rank: int, folder: Path, port: int) -> None:
    own = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in own.items()} | {"MASTER_ADDR": "127.0.0.1"}
    try:
        distributed.init_process_group("gloo")
        torch.save(work(rank, folder), folder / f"answer{rank}.pt")
    except BaseException:
        (folder / "error").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def die_at(rank: int, step: int) -> None:
    """Lets one process of a training die by `kill -9` at a step, after states were saved at every step."""
    from gliner_core import train, trainer

    train.SAVE_EVERY_SECONDS = -1.0
    usual = trainer.Trainer.train_step

    def train_step(own: Any, *arguments: Any) -> dict[str, float]:
        if own.step == step and os.environ["RANK"] == str(rank):
            os.kill(os.getpid(), signal.SIGKILL)
        return usual(own, *arguments)

    trainer.Trainer.train_step = train_step
    sys.exit(train.main())


if __name__ == "__main__":
    die_at(rank=1, step=5)
