"""A tracking server that can be killed and started again, a workspace without a grid, and synthetic records in it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.catalog.settings import Settings
from benchmarks.catalog.workspace import Workspace

START_SECONDS = 600  # a busy machine takes minutes; a quiet one 10 s


class TrackingServer:
    """`mlflow server` on the loopback: SQLite behind it, artifacts in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """What `tracking_uri` says."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def store(self) -> str:
        """The database behind the server, to look at while the server is gone."""
        return f"sqlite:///{self.folder}/mlflow.db"

    def start(self, wait: bool = True) -> None:
        """Starts the server and, by default, waits until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        places = ("--backend-store-uri", self.store, "--artifacts-destination", str(self.folder / "artifacts"))
        address = ("--host", "127.0.0.1", "--port", str(self.port), "--workers", "1")
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *places, *address],
                stdout=log,
                stderr=log,
                env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
                start_new_session=True,
            )
        if wait:
            wait_until(lambda: listens(self.port), START_SECONDS)

    def kill(self) -> None:
        """kill -9 of the server and its workers."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody answers at the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Waits for a condition; an AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.1)


def workspace(results: Path, uri: str | None = None, wait: int = 0) -> Workspace:
    """What delivery needs of a workspace; cards and grid are not part of it."""
    settings = Settings(results=str(results), tracking_uri=uri, tracking_wait=wait)
    nothing: Any = None
    return Workspace(root=results, registry=nothing, settings=settings, device="cpu", grid=nothing)
