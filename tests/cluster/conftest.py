"""Copies of the repository come from tests/workflow; the tests of Slurm need the cluster that slurm.sh starts."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "workflow"))  # checkout.py and tiny_demo.py


@pytest.fixture(scope="session")
def slurm() -> None:
    """Skips where our own one-node cluster is not up: its node is killed, which nobody may do to another's."""
    answer = subprocess.run([HERE / "slurm.sh", "status"], capture_output=True, text=True)
    if answer.returncode:
        pytest.skip(f"{answer.stderr.strip() or 'no Slurm'} (as root; installs Debian's packages)")
