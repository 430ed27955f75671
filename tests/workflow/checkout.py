"""A copy of the repository in a temporary folder, the workflow run in it, and what a dry run says it would do.

The copies hold the tracked files (and untracked ones that git does not ignore), so that a file which only lies on the
developer's disk cannot make a test pass. No job reaches the network: `sitecustomize.py` refuses every connection.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "workflow/config.yaml"
NO_NETWORK = '''"""Refuses every connection to another machine."""

import socket


def refuse(self, address):
    raise OSError(f"the test forbids the network: {address}")


class Socket(socket.socket):
    def connect(self, address):
        if self.family != socket.AF_UNIX:
            refuse(self, address)
        super().connect(address)

    connect_ex = refuse


socket.socket = Socket
'''
_JOB = re.compile(r"^(?:local)?rule (\w+):\n((?: {4}.*\n)+)", re.MULTILINE)
_WILDCARDS = re.compile(r"^ {4}wildcards: (.*)$", re.MULTILINE)
_VALUE = re.compile(r"\w+=([^,]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended and all it printed."""

    code: int
    text: str

    def lines(self, start: str) -> list[str]:
        """Printed lines that start with some text."""
        return [line for line in self.text.splitlines() if line.startswith(start)]


Jobs = dict[str, set[str]]  # rule -> wildcard values, joined by a slash; "" for a rule without wildcards


def parse_jobs(text: str) -> Jobs:
    """The jobs that a dry run lists."""
    jobs: Jobs = {}
    for rule, body in _JOB.findall(text):
        found = _WILDCARDS.search(body)
        jobs.setdefault(rule, set()).add("/".join(_VALUE.findall(found.group(1))) if found else "")
    return jobs


def counts(jobs: Jobs) -> dict[str, int]:
    """Rule -> number of jobs."""
    return {rule: len(names) for rule, names in jobs.items()}


def added(before: Jobs, after: Jobs) -> Jobs:
    """Jobs of `after` that `before` does not have."""
    new = {rule: names - before.get(rule, set()) for rule, names in after.items()}
    return {rule: names for rule, names in new.items() if names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """One copy of the repository, and a `site` folder beside it for the cache and the network guard."""

    folder: Path
    site: Path

    def copy(self, folder: Path, *, without: Sequence[str] = (".snakemake",)) -> "Checkout":
        """Another copy, by default with the results but not with Snakemake's records of them."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(*without))
        return Checkout(folder=folder, site=self.site)

    def path(self, name: str) -> Path:
        """A file of the copy."""
        return self.folder / name

    def write(self, name: str, text: str) -> Path:
        """Puts a file into the copy; an old one is replaced, never changed in place (it may be a hard link)."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def card(self, folder: str, name: str, /, **content: Any) -> Path:
        """Drops a card into its folder."""
        content = {"name": name, "title": name} | content
        return self.write(f"benchmarks/{folder}/{name}.yaml", yaml.safe_dump(content, sort_keys=False))

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces a text that occurs once."""
        text = self.path(name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times"
        self.write(name, text.replace(old, new))

    def change(self, name: str, /, **content: Any) -> None:
        """Sets keys of a YAML file."""
        known = yaml.safe_load(self.path(name).read_text(encoding="utf-8"))
        self.write(name, yaml.safe_dump(known | content, sort_keys=False, width=1000))

    def configure(self, **config: Any) -> None:
        """Sets keys of the one file that a user edits."""
        self.change(CONFIG, **config)

    def environment(self) -> dict[str, str]:
        """As after an activation, one thread a job, caches inside the site folder, no network."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GLINER_BENCH_", "SNAKEMAKE_"))}
        return kept | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.site),
            "XDG_CACHE_HOME": str(self.site / "cache"),
            "OMP_NUM_THREADS": "1",
            "MPLCONFIGDIR": str(self.site / "matplotlib"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "COLUMNS": "200",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `python -m ...` in the copy, as leader of a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> Outcome:
        """Runs `python -m ...` in the copy to its end."""
        with self.start(*arguments) as process:
            text, _ = process.communicate(timeout=600)
        return Outcome(code=process.returncode, text=text)

    def snakemake_arguments(self, *targets: str, **config: Any) -> list[str]:
        """Arguments of `python -m` for the workflow on one core, with `--config` values."""
        values = [f"{key}={json.dumps(value)}" for key, value in config.items()]
        return ["snakemake", "--cores", "1", *targets, *(["--config", *values] if values else [])]

    def snakemake(self, *targets: str, **config: Any) -> Outcome:
        """Runs the workflow, or what of it the targets name."""
        return self.run(*self.snakemake_arguments(*targets, **config))

    def make(self, *targets: str, **config: Any) -> Outcome:
        """Runs the workflow and insists on success."""
        outcome = self.snakemake(*targets, **config)
        assert outcome.code == 0, outcome.text[-4000:]
        return outcome

    def plan(self, *targets: str, **config: Any) -> Jobs:
        """The jobs of a dry run."""
        return parse_jobs(self.make("--dry-run", *targets, **config).text)


def tracked_files() -> list[str]:
    """Names of the repository's files: tracked, or new and not ignored."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip("\0").split("\0")


def copy_repository(folder: Path, site: Path) -> Checkout:
    """A fresh copy, without history and without results."""
    for name in tracked_files():
        if (ROOT / name).is_file():  # deleted files stay listed until they are committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=True)
    site.mkdir(parents=True, exist_ok=True)
    (site / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    return Checkout(folder=folder, site=site)


def commit(checkout: Checkout) -> str:
    """Makes the copy a git repository with everything committed; returns the commit."""
    git = ["git", "-C", str(checkout.folder), "-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    for step in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Copy"]):
        subprocess.run([*git, *step], check=True, capture_output=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
