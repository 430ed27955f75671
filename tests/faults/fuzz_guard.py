"""Runs one input under limits: time, memory, and only the declared error may leave the code."""

import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

from gliner_core.errors import InputError

SECONDS = 10.0  # of CPU; the slowest input that is in order takes well under one
MEGABYTES = 500
LONGEST_MESSAGE = 5000

Outcome = Literal["parsed", "refused"]


class Hang(BaseException):
    """The input took longer than the limit; no `except Exception` may swallow it."""


class Finding(AssertionError):
    """What the code should not have done with an input."""


def outcome(work: Callable[[], None]) -> Outcome:
    """Whether the input was read or refused. Raises `Finding` for any other end."""
    before = peak_megabytes()
    try:
        with _limit():
            work()
        result: Outcome = "parsed"
    except InputError as error:
        _check_message(str(error))
        result = "refused"
    except Hang:
        raise Finding(f"hangs: more than {SECONDS:.0f} s of CPU") from None
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/tests/" not in frame.filename]
        last = next((frame for frame in reversed(ours) if "site-packages" not in frame.filename), place)
        name = f"{type(error).__name__} at {last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
        raise Finding(f"{name}: {str(error)[:200]}") from error
    if peak_megabytes() - before > MEGABYTES:
        raise Finding(f"takes {peak_megabytes() - before:.0f} MB")
    return result


def _check_message(message: str) -> None:
    if len(message) > LONGEST_MESSAGE:
        raise Finding(f"refused with a message of {len(message)} letters: {message[:100]!r}")
    if not message.isprintable():
        raise Finding(f"refused with control characters in the message: {message[:300]!r}")


@contextmanager
def _limit() -> Iterator[None]:
    # Time of this process alone, so that a loaded machine raises no false alarm.
    previous = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Hang


def peak_megabytes() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


def cap_memory(gigabytes: float = 6) -> None:
    """Turns a request for more into MemoryError instead of the death of the machine."""
    limit = int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
