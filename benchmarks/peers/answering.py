"""What the adapters of peer packages share: where weights come from, and entities as candidate spans.

A peer answers the words of the data set, not words of its own: every system is asked about the same spans.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gliner_core.errors import InputError
from gliner_core.predict import SpanScores

ALL_CANDIDATES = "all_candidates"  # every span above the floor: any protocol can be read from the file
DECODED_BY_PEER = "decoded_by_peer"  # what the peer's own decoder left at the floor, without overlap


class Found(NamedTuple):
    """One span of a text: word indices (end inclusive), index into the labels, probability."""

    start: int
    end: int
    label: int
    score: float


def check_installed(package: str, kind: str, extra: str) -> None:
    """Refuses a system whose package is missing."""
    if find_spec(package) is None:
        raise InputError(
            f"a system of kind `{kind}` needs the package {package}, which is not installed; install the extra "
            f"`{extra}` (pip install 'gliner-bench[{extra}]'), or leave the system out"
        )


def check_source(source: str | Path) -> str:
    """A hub id or the path of a folder that exists."""
    is_path = isinstance(source, Path) or str(source).startswith((".", "/", "~"))
    if is_path and not Path(source).is_dir():
        raise InputError(f"{source}: no such folder; give a checkpoint folder or a hub id")
    return str(source)


@contextmanager
def without_foreign_code(source: str) -> Iterator[None]:
    """Refuses Python files that a checkpoint names: the packages open backbones with `trust_remote_code`."""
    from transformers import dynamic_module_utils  # takes a second, and the command line imports this module

    def refuse(*_: object, **__: object) -> str:
        raise InputError(f"model {source} asks to run Python files of its own, which is never done here; leave it out")

    usual = dynamic_module_utils.get_cached_module_file
    dynamic_module_utils.get_cached_module_file = refuse
    try:
        yield
    finally:
        dynamic_module_utils.get_cached_module_file = usual


def unavailable(source: str, error: Exception) -> InputError:
    """The error of weights that a peer package cannot open."""
    reason = str(error).strip().split("\n")[0]
    return InputError(f"model {source} cannot be opened by its package ({reason}); check the name and the network")


def span_scores(found: Iterable[Found], lost_words: int) -> SpanScores:
    """Candidates of one text in (start, end, label) order."""
    rows = sorted(found)
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    start, end, label = (np.array(column, dtype=np.int64) for column in columns[:3])
    score = np.array(columns[3], dtype=np.float32)
    return SpanScores(start=start, end=end, label=label, score=score, lost_words=lost_words)


def in_batches(count: int, size: int) -> Iterable[range]:
    """Places of `count` texts in runs of at most `size`."""
    return (range(first, min(first + size, count)) for first in range(0, count, size))


def words_of(bounds: Sequence[tuple[int, int]], first: int, last: int) -> tuple[int, int] | None:
    """The words (start, inclusive end) that a character range covers exactly; None where it cuts a word.

    `bounds` holds first and past-the-end character of every word.
    """
    start = next((place for place, (begin, _) in enumerate(bounds) if begin == first), None)
    end = next((place for place, (_, stop) in enumerate(bounds) if stop == last), None)
    return None if start is None or end is None or end < start else (start, end)
