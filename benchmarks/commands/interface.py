"""`python -m benchmarks ui`: MLflow's own UI over the tracking store, on this machine only unless told otherwise."""

import os
import subprocess
import sys

from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.tracking import experiment_id
from gliner_core.errors import InputError

CHARTS = "runs?workflowType=machine_learning&compareRunsMode=CHART"


def open_interface(space: Workspace, host: str, port: int) -> None:
    """Starts the UI and prints the address of the scale's charts (MLflow's first page is another one)."""
    uri = space.tracking_uri
    if uri.startswith("http"):
        raise InputError(f"`tracking_uri` is the server {uri}; open it in a browser")
    experiment = experiment_id(uri, space.settings.scale)
    print(
        f"charts of scale {space.settings.scale}: http://{host}:{port}/#/experiments/{experiment}/{CHARTS}", flush=True
    )
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--host", host, "--port", str(port)]
    # The server runs its job queue beside the pages unless told not to; one worker is enough for one reader.
    subprocess.run([*command, "--workers", "1"], env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}, check=False)
