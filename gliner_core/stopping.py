"""SIGTERM (a time limit, a preemption, `scancel`) ends a process in order.

Python dies of SIGTERM on the spot: no `finally` runs, half-written temporary files stay, a training loses all steps
since its last state. Here the signal becomes `SystemExit`, and a loop may first finish its step and save.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Item = TypeVar("Item")
Handler = Callable[[int, FrameType | None], None]
EXIT_CODE = 128 + signal.SIGTERM  # what a shell says of a process that died of it


def leave(number: int, frame: FrameType | None) -> None:
    """Raises `SystemExit` where the process stands, so that its clean-up runs."""
    sys.exit(EXIT_CODE)


@contextmanager
def on_sigterm(handler: Handler = leave) -> Iterator[None]:
    """Answers SIGTERM by `handler` inside the block; outside the main thread, where Python forbids it, by nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def until_sigterm(
    items: Iterable[Item], save: Callable[[], None], agreed: Callable[[bool], bool] = bool
) -> Iterator[Item]:
    """The items; after a SIGTERM the item at hand is finished, then `save()` runs and the process ends.

    `agreed` is asked after every item whether to stop, with whether this process was told to: processes that work
    together must stop after the same item, and the signal may reach them during different ones.
    """
    asked = False

    def remember(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    with on_sigterm(remember):
        for item in items:
            yield item
            if agreed(asked):
                save()
                print("told to stop (SIGTERM): state saved, the next start continues from it", file=sys.stderr)
                leave(signal.SIGTERM, None)
