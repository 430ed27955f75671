"""Progress of long loops: a bar on a terminal; in a log, a quiet line now and then."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO, TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")
LOG_EVERY_SECONDS = 20.0

# A workflow job whose stderr is a log file names the terminal here: several jobs share it, so they write lines, no bar.
terminal: TextIO | None = None
label = ""


def progress(items: Sequence[Item], name: str, status: Callable[[], str] = str) -> Iterator[Item]:
    """Yields the items and reports how far the loop is; `status()` adds a few words such as the loss."""
    if sys.stderr.isatty():
        yield from _bar(items, name, status)
    else:
        yield from _lines(items, name, status)


def _bar(items: Sequence[Item], name: str, status: Callable[[], str]) -> Iterator[Item]:
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[status]}"))
    with Progress(TextColumn(name), *columns) as bar:
        task = bar.add_task(name, total=len(items), status="")
        for item in items:
            yield item
            bar.update(task, advance=1, status=status())


def _lines(items: Sequence[Item], name: str, status: Callable[[], str]) -> Iterator[Item]:
    begin = last = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= LOG_EVERY_SECONDS or number == len(items):
            last = now
            line = f"{name} {number}/{len(items)} {now - begin:.0f} s {status()}"
            print(line, file=sys.stderr, flush=True)
            if terminal is not None and number < len(items):
                print(f"[{label}] {line}", file=terminal, flush=True)
