"""What every workflow script does first: log file, thread limits, the workspace; and errors as one sentence."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from benchmarks.catalog.workspace import Workspace, open_workspace
from gliner_core import progress
from gliner_core.errors import InputError
from gliner_core.stopping import on_sigterm

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def job(snakemake: Any) -> Iterator[Workspace]:
    """Runs a script's body with its output in the rule's log; progress also goes to a terminal if there is one.

    Wrong input ends the job with its one sentence on the terminal and in the log; anything else keeps its traceback
    in the log.
    """
    terminal = sys.stderr
    progress.terminal = terminal if terminal.isatty() else None
    progress.label = " ".join([snakemake.rule, *map(str, snakemake.wildcards)])
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    Path(snakemake.log[0]).parent.mkdir(parents=True, exist_ok=True)
    with (
        on_sigterm(),
        open(snakemake.log[0], "w", encoding="utf-8", buffering=1) as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        try:
            yield open_workspace(ROOT, snakemake.config)
        except InputError as error:
            print(f"error: {error}", file=log)
            print(f"error: {error}", file=terminal)
            raise SystemExit(2) from None
        except Exception:
            traceback.print_exc(file=log)
            raise


def limit_threads(threads: int) -> None:
    """Gives torch as many threads as Snakemake gave the job."""
    import torch

    torch.set_num_threads(threads)
