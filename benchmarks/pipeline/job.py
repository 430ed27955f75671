"""What every workflow script does first: log file, thread limits, the workspace; and errors as one sentence."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.catalog.logins import Redacted, redact
from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.pipeline.leases import leased, seen_alone
from benchmarks.pipeline.locking import lock_job
from gliner_core import progress
from gliner_core.errors import InputError
from gliner_core.files import disk_full, is_disk_full
from gliner_core.stopping import on_sigterm

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def job(snakemake: Any) -> Iterator[Workspace]:
    """Runs a script's body with its output in the rule's log; progress also goes to a terminal if there is one.

    Wrong input ends the job with its one sentence on the terminal and in the log; anything else with its traceback
    in both. Passwords and tokens reach neither.
    """
    terminal = sys.stderr
    progress.terminal = terminal if terminal.isatty() else None
    progress.label = " ".join([snakemake.rule, *map(str, snakemake.wildcards)])
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    Path(snakemake.log[0]).parent.mkdir(parents=True, exist_ok=True)
    with (
        on_sigterm(),
        open(snakemake.log[0], "w", encoding="utf-8", buffering=1) as stream,
        redirect_stdout(Redacted(stream)) as log,
        redirect_stderr(log),
    ):
        try:
            space = open_workspace(ROOT, snakemake.config)
            with lock_job(space.results), own_devices(space, getattr(snakemake.resources, "gpu", 0)) as devices:
                yield replace(space, leased=devices)
        except Exception as error:
            sentence = _sentence(error, snakemake)
            told = f"error: {sentence}" if sentence else traceback.format_exc()
            with suppress(OSError):  # the log may stand on the full disk
                print(told, file=log)
            print(redact(told), file=terminal)
            raise SystemExit(2 if sentence else 1) from None


def _sentence(error: Exception, snakemake: Any) -> str | None:
    """What the user is told of an error that a user can repair."""
    if isinstance(error, InputError):
        return str(error)
    return disk_full(next(iter([*snakemake.output]), snakemake.rule)) if is_disk_full(error) else None


@contextmanager
def own_devices(space: Workspace, count: int) -> Iterator[tuple[str, ...]]:
    """The devices of a job that asks for `count` of them, its own until the end of the block.

    On the CPU without stand-ins there are none: a cluster's profile may still ask its scheduler for a node with GPUs.
    """
    shared = space.shared_devices
    with ExitStack() as stack:
        devices = stack.enter_context(leased(count if shared or space.device == "cuda" else 0, shared, progress.label))
        if devices and space.device == "cuda":
            stack.enter_context(seen_alone(devices))
        yield devices


def limit_threads(threads: int) -> None:
    """Gives torch as many threads as Snakemake gave the job."""
    import torch

    torch.set_num_threads(threads)
