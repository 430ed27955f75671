"""One workflow at a time per results folder, by locks that the kernel frees when their owner dies (`flock`).

Snakemake's own lock files outlive a `kill -9` and then ask for `--unlock`. Here the main process holds `workflow.lock`
of the results folder for its life, and every job shares `jobs.lock`: jobs that outlive their workflow keep the next
one out. Whoever holds them removes what killed jobs had half written, and whoever holds the working directory's alone
knows that Snakemake's lock files there belong to the dead. A file system without `flock` is said on the terminal, and
Snakemake's lock files are all there is.
"""

import fcntl
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from benchmarks.reporting.receipts import now
from gliner_core.errors import InputError
from gliner_core.files import is_without_locks, remove_partial

WORKFLOW, JOBS = "workflow.lock", "jobs.lock"
OWNER = "GLINER_BENCH_WORKFLOW"  # environment variable: the folder and the workflow that a job belongs to
# Invocations of Snakemake that run no job; a dry run is told apart by Snakemake itself.
LOOKS = (
    "--archive", "--conda-cleanup", "--conda-create", "--containerize", "--d3dag", "--dag", "--detailed-summary", "-D",
    "--filegraph", "--generate-unit-tests", "--lint", "--list", "-l", "--list-changes", "--lc",
    "--list-conda-envs", "--list-input-changes", "--li", "--list-params-changes", "--lp", "--list-rules",
    "--list-target-rules", "--lt", "--list-untracked", "--lu", "--print-compilation", "--report", "--rulegraph",
    "--summary", "-S", "--unlock",
)  # fmt: skip


def runs_jobs(arguments: Sequence[str]) -> bool:
    """Whether a Snakemake command line (not a dry run) starts jobs rather than shows something."""
    return not any(argument == name or argument.startswith(f"{name}=") for argument in arguments for name in LOOKS)


def lock_workflow(results: Path, work: Path) -> list[BinaryIO]:
    """Takes the results folder and `work`, Snakemake's own folder, for this process; keep what is returned open.

    Another living workflow, or a job that outlived its own, is an `InputError` that says who and what to do.
    """
    held = [_own(results / WORKFLOW, results)]
    os.environ[OWNER] = "".join(_owner(results))
    _lock(results / JOBS, fcntl.LOCK_EX, _outlived(results / JOBS, results)).close()
    remove_partial(results)
    return [*held, *_clear_stale(work)]


@contextmanager
def lock_job(results: Path) -> Iterator[None]:
    """Shares the results folder with the other jobs of the workflow for the length of a job.

    A job that was still starting when its workflow was killed must not enter beside the next one: `InputError`.
    """
    with _open(results / JOBS) as file:
        _try(file, fcntl.LOCK_SH)
        folder, own = _owner(results)
        known = os.environ.get(OWNER, "")
        if known.startswith(folder) and known != folder + own:
            raise InputError(f"{results}: the workflow of this job has ended and another one works there; nothing done")
        yield


def _owner(results: Path) -> tuple[str, str]:
    """The folder, and what its workflow lock says of the holder."""
    path = results / WORKFLOW
    return f"{results.resolve()} ", path.read_text(encoding="utf-8") if path.is_file() else ""


def _own(path: Path, results: Path) -> BinaryIO:
    file = _lock(path, fcntl.LOCK_EX, f"{results}: {_holder(path)} is working in this results folder; wait for it, end "
                 "it, or give another folder with `--config results=DIR`")  # fmt: skip
    record = {"pid": os.getpid(), "host": platform.node(), "since": now(), "folder": str(Path.cwd())}
    file.truncate(0)
    file.write(json.dumps(record).encode() + b"\n")
    file.flush()
    return file


def _holder(path: Path) -> str:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return "another workflow (process {pid} on {host}, since {since}, started in {folder})".format_map(record)
    except (OSError, ValueError, KeyError, TypeError):  # it has just been started
        return "another workflow"


def _outlived(path: Path, results: Path) -> str:
    return (
        f"{results}: a job of a workflow that has ended is still writing there; wait for it or end it "
        f"(`fuser -v {path}` on its machine names the process), then start again"
    )


def _clear_stale(work: Path) -> list[BinaryIO]:
    """Removes the lock files of dead workflows, unless a living one with other results shares the directory."""
    file = _open(work / WORKFLOW)
    if _try(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
        for stale in (work / "locks").glob("*.lock"):
            stale.unlink(missing_ok=True)
    _try(file, fcntl.LOCK_SH)
    return [file]


def _lock(path: Path, kind: int, refusal: str) -> BinaryIO:
    file = _open(path)
    if _try(file, kind | fcntl.LOCK_NB) is False:
        file.close()
        raise InputError(refusal)
    return file


def _open(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(path, "a+b", buffering=0)  # NFS keeps a shared lock only on what is open for reading too


def _try(file: BinaryIO, kind: int) -> bool | None:
    """True: locked; False: someone else holds it; None: this file system has no such locks."""
    try:
        fcntl.flock(file, kind)
    except BlockingIOError:
        return False
    except OSError as error:
        if not is_without_locks(error):
            raise
        print(
            f"warning: {file.name}: this file system keeps no locks ({error.strerror}); start one workflow at a time, "
            "and after a kill give `snakemake --unlock`",
            file=sys.stderr,
        )
        return None
    return True
