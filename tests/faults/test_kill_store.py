"""A tracking store whose making was killed (signal 9) between two of its migrations is made by the next start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.reporting.tracking import Store, init_store

ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from alembic.operations import Operations
from benchmarks.reporting.tracking import Store, init_store

add_column = Operations.add_column
def cut(*given, **options):
    add_column(*given, **options)
    os.kill(os.getpid(), signal.SIGKILL)
Operations.add_column = cut
folder = Path(sys.argv[1])
init_store(Store(uri=f"sqlite:///{folder}/mlflow.db", scale="demo", artifacts=(folder / "artifacts").as_uri()))
"""


def test_a_store_that_was_killed_while_its_tables_were_made_is_made_again(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "mlflow.db").exists()
    store = Store(uri=f"sqlite:///{tmp_path}/mlflow.db", scale="demo", artifacts=(tmp_path / "artifacts").as_uri())
    assert init_store(store) == init_store(store)
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith("mlflow.db")}
    assert left == {"mlflow.db"}
