"""The pages of MLflow listen on 127.0.0.1 unless told otherwise, and no command line holds a password."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from benchmarks.__main__ import build_parser
from benchmarks.catalog.logins import PASSWORD_VARIABLE
from benchmarks.commands import interface
from benchmarks.reporting import delivery
from benchmarks.reporting.tracking import init_store
from gliner_core.errors import InputError
from tests.faults.tracking_support import START_SECONDS, free_port, listens, wait_until, workspace


def test_the_pages_listen_on_the_loopback_only(tmp_path: Path) -> None:
    init_store(delivery.store_of(workspace(tmp_path)))
    port = free_port()
    command = [sys.executable, "-m", "benchmarks", "ui", "--port", str(port), "--config", f"results={tmp_path}"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"charts of scale demo: http://127.0.0.1:{port}/#/experiments/1/")
        wait_until(lambda: listens(port), START_SECONDS)
        found = {item.laddr.ip for item in psutil.net_connections("inet") if item.laddr.port == port and not item.raddr}
        assert found == {"127.0.0.1"}
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("given, wanted", [([], "127.0.0.1"), (["--host", "0.0.0.0"], "0.0.0.0")])
def test_another_address_only_by_name_and_no_password_in_the_command(
    given: list[str], wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(interface, "experiment_id", lambda *_: "1")
    ended = SimpleNamespace(returncode=0)
    monkeypatch.setattr(interface.subprocess, "run", lambda command, env, check: asked.append((command, env)) or ended)
    monkeypatch.setenv(PASSWORD_VARIABLE, "")
    options = build_parser().parse_args(["ui", "--port", str(free_port()), *given])
    space = workspace(tmp_path, "postgresql://me:s3cr3t@host/db")
    interface.open_interface(space, options.host, options.port)
    ((command, environment),) = asked
    assert command[command.index("--host") + 1] == wanted
    assert "s3cr3t" not in " ".join(command) + capsys.readouterr().out
    assert environment["MLFLOW_BACKEND_STORE_URI"] == "postgresql://me:s3cr3t@host/db"


def test_a_warning_says_who_can_reach_the_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interface, "experiment_id", lambda *_: "1")
    monkeypatch.setattr(interface.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=-2))
    for host, is_open in (("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)):
        interface.open_interface(workspace(tmp_path), host, free_port())
        assert ("no password guards them" in capsys.readouterr().out) == is_open


def test_a_port_that_is_taken_is_no_success(tmp_path: Path) -> None:
    init_store(delivery.store_of(workspace(tmp_path)))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "benchmarks", "ui", "--port", port, "--config", f"results={tmp_path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS)
    assert done.returncode == 2 and done.stderr.startswith(f"error: port {port} of 127.0.0.1 cannot be listened on")


def test_pages_that_fail_are_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "experiment_id", lambda *_: "1")
    monkeypatch.setattr(interface.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    with pytest.raises(InputError, match="ended with exit code 1"):
        interface.open_interface(workspace(tmp_path), "127.0.0.1", free_port())
