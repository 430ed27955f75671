"""The workflow at its smallest in a copy of the repository, for the commands of this folder: with a network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from checkout import Checkout, copy_repository
from tiny_demo import STUDIES, shrink

CELLS = [f"results/demo/studies/{study}/cells.csv" for study in STUDIES]


def tiny_workflow(folder: Path) -> Checkout:
    """A copy that runs in about a minute of CPU time, and whose jobs may reach the loopback."""
    checkout = copy_repository(folder / "copy", folder / "site")
    (checkout.site / "sitecustomize.py").unlink()
    checkout.configure(device="cpu", offline=True)
    shrink(checkout)
    return checkout


def tables(checkout: Checkout) -> dict[str, bytes]:
    """The tidy cells of every study."""
    return {name: checkout.path(name).read_bytes() for name in CELLS}


def holders(checkout: Checkout, secret: str) -> list[str]:
    """Files of the results and of Snakemake's records that hold a text."""
    files = [path for top in ("results", ".snakemake") for path in checkout.path(top).rglob("*") if path.is_file()]
    return [str(path) for path in files if secret.encode() in path.read_bytes()]
