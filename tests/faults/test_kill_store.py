"""A tracking store whose making was killed (signal 9) between two of its migrations is made by the next start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.reporting.tracking import init_store

ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from alembic.operations import Operations
from benchmarks.reporting.tracking import init_store

add_column = Operations.add_column
def cut(*given, **options):
    add_column(*given, **options)
    os.kill(os.getpid(), signal.SIGKILL)
Operations.add_column = cut
init_store(f"sqlite:///{sys.argv[1]}/mlflow.db", Path(sys.argv[1]) / "artifacts", "demo")
"""


def test_a_store_that_was_killed_while_its_tables_were_made_is_made_again(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "mlflow.db").exists()
    store = f"sqlite:///{tmp_path}/mlflow.db"
    experiment = init_store(store, tmp_path / "artifacts", "demo")
    assert init_store(store, tmp_path / "artifacts", "demo") == experiment
