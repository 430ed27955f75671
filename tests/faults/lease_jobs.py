"""Small jobs that lease stand-in devices, as processes of their own: `python lease_jobs.py KIND COUNT DEVICES FOLDER`.

`rounds` leases again and again and lays a marker for each device while it holds it: a second holder would find it.
`hold` leases, says so and stays until it is killed. Both print the devices that they hold, one lease a line.
"""

import os
import random
import sys
import time
from pathlib import Path

from benchmarks.pipeline import leases

ROUNDS = 5


def rounds(count: int, devices: list[str], folder: Path) -> None:
    """ROUNDS leases of `count` devices; fails where a device that was leased has a marker of another process."""
    for _ in range(ROUNDS):
        with leases.leased(count, devices, "rounds") as held:
            markers = [folder / name for name in held]
            for marker in markers:
                os.close(os.open(marker, os.O_CREAT | os.O_EXCL))  # FileExistsError: someone else holds it
            print(*held, len(list(folder.iterdir())), flush=True)
            time.sleep(random.uniform(0.0, 0.02))
            for marker in markers:
                marker.unlink()


def hold(count: int, devices: list[str], folder: Path) -> None:
    """One lease, kept for good."""
    with leases.leased(count, devices, "hold"):
        print("holding", flush=True)
        time.sleep(600)


if __name__ == "__main__":
    leases.POLL_SECONDS = 0.01
    kind, number, names, place = sys.argv[1:]
    {"rounds": rounds, "hold": hold}[kind](int(number), names.split(","), Path(place))
