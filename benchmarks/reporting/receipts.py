"""Receipts: where a run or cell came from - commit, dirty flag, digests, versions, hardware, times."""

import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from gliner_core.files import write_json

PACKAGES = ("torch", "transformers", "datasets", "accelerate", "seqeval", "mlflow", "pandas", "snakemake", "numpy")


@cache
def revision(root: Path) -> tuple[str, bool]:
    """(commit, dirty) of the checkout; ("unknown", True) outside git."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        dirty = bool(_git(root, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown", True
    return commit, dirty


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Installed versions of the packages that decide results."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def now() -> str:
    """UTC time, ISO 8601, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_receipt(path: Path, root: Path, started: str, content: Mapping[str, Any]) -> None:
    """Writes the receipt of a finished run or cell."""
    commit, dirty = revision(root)
    receipt = {
        "commit": commit,
        "dirty": dirty,
        "started": started,
        "ended": now(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "versions": versions(),
        **content,
    }
    write_json(path, receipt)
