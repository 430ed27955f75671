"""`python -m benchmarks ui`: MLflow's own UI over the tracking store, on this machine only unless told otherwise."""

import os
import socket
import subprocess
import sys

from benchmarks.catalog.logins import login_address
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.tracking import experiment_id
from gliner_core.errors import InputError

CHARTS = "runs?workflowType=machine_learning&compareRunsMode=CHART"
HERE = ("127.0.0.1", "localhost", "::1")


def open_interface(space: Workspace, host: str, port: int) -> None:
    """Starts the UI and prints the address of the scale's charts (MLflow's first page is another one)."""
    uri = space.tracking_uri
    if uri.startswith("http"):
        raise InputError(f"`tracking_uri` is the server {uri}; open it in a browser")
    experiment = experiment_id(uri, space.settings.scale)
    _check_free(host, port)
    if host not in HERE:
        print(f"whoever reaches port {port} of {host} can read, change and delete the runs: no password guards them")
    print(
        f"charts of scale {space.settings.scale}: http://{host}:{port}/#/experiments/{experiment}/{CHARTS}", flush=True
    )
    # The server runs its job queue beside the pages unless told not to; one worker is enough for one reader.
    command = [sys.executable, "-m", "mlflow", "ui", "--host", host, "--port", str(port), "--workers", "1"]
    # Every user of the machine can read a command line, so the address of the store is not on it.
    store = {"MLFLOW_BACKEND_STORE_URI": login_address(uri), "MLFLOW_DISABLE_TELEMETRY": "true"}
    code = subprocess.run(command, env={**os.environ, **store}, check=False).returncode
    if code > 0:  # below zero, a signal ended it, as Ctrl-C does
        raise InputError(f"MLflow's pages ended with exit code {code}; the lines above say why")


def _check_free(host: str, port: int) -> None:
    """MLflow ends without an error where another program listens already."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"port {port} of {host} cannot be listened on ({error}); give another --port") from None
