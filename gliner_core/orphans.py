"""A process that was started for another one ends with it, also when that one is killed: no device stays in use.

Imports no torch, so that it can be asked for in the first moments of a process.
"""

import ctypes
import os
import signal
import sys

PARENT = "GLINER_BENCH_PARENT"  # environment variable: process id of the starter
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Asks Linux to kill this process when the one that started it dies, even by `kill -9`.

    A starter that wrote its number into the variable `PARENT` and has died before ends this process at once.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = str(os.getppid())
    if os.environ.get(PARENT, parent) != parent:
        os._exit(1)
