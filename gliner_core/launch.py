"""One training by several processes of this machine, started and watched by torchrun: `... -m gliner_core.launch N`.

The processes are `python -m gliner_core.train ...`. When one dies torchrun ends the others; when the process that
started them dies, all of them do.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gliner_core.errors import InputError
from gliner_core.files import read_json, write_json
from gliner_core.orphans import PARENT, die_with_parent
from gliner_core.spec import TrainSpec

SAVE_SECONDS = 120  # that torchrun leaves its processes to end a step and save; workflow/profiles/slurm gives as many
ROOT = Path(__file__).resolve().parent.parent


def train_in_processes(
    count: int,
    spec: TrainSpec,
    data: Path,
    out: Path,
    *,
    start: Path | None = None,
    resume: bool = False,
    scratch: Path,
    device: str,
    code: str = "",
) -> dict[str, Any]:
    """`gliner_core.train.train` by `count` processes, on the first `count` visible GPUs or on the CPU.

    Raises the `InputError` that one of them ended with, or `ChildProcessError` where one died without a word. A state
    that was saved before stays, and the next call with `resume` continues from it.
    """
    write_json(scratch / "spec.json", spec.to_json())
    places = {"data": data, "out": out, "scratch": scratch, "start": start, "device": device, "code": code}
    options = [part for name, value in places.items() if value for part in (f"--{name}", str(value))]
    options += ["--resume"] * resume
    command = [sys.executable, "-m", "gliner_core.launch", str(count), str(scratch / "spec.json"), *options]
    code_of_end, sentences = _watched(command)
    if code_of_end:
        if sentences:
            raise InputError(sentences[0])
        raise ChildProcessError(
            f"one of the {count} processes of the training died (exit code {code_of_end}, see above); start again: a "
            "saved state is continued"
        )
    (scratch / "spec.json").unlink()
    return read_json(out / "training.json")


def _watched(command: Sequence[str]) -> tuple[int, list[str]]:
    """Runs a command with its output on stderr; returns its exit code and the sentences of its errors."""
    # The project need not be installed, and a job of the workflow may run in another folder.
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    sentences = []
    process = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": paths, PARENT: str(os.getpid())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        for line in process.stdout or ():
            print(line, end="", file=sys.stderr)
            if line.startswith("error: "):
                sentences.append(line.removeprefix("error: ").strip())
        return process.wait(), sentences
    finally:
        if process.poll() is None:
            process.terminate()  # torchrun hands it on to its processes
            process.wait()


def main(arguments: Sequence[str]) -> None:
    """Becomes torchrun; `arguments` are the number of processes and what `gliner_core.train` takes."""
    die_with_parent()
    os.environ[PARENT] = str(os.getpid())  # of the processes that torchrun starts from here
    from torch.distributed.run import main as torchrun

    count, *rest = arguments
    patience = ["--shutdown-timeout", str(SAVE_SECONDS)]
    torchrun(["--standalone", "--nproc-per-node", count, *patience, "-m", "gliner_core.train", *rest])


if __name__ == "__main__":
    main(sys.argv[1:])
