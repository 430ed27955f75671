"""Training batches prepared while the device computes.

A batch is a pure function of spec and step, so preparing it earlier or in another thread changes nothing. On a CPU
nothing is prepared ahead: the thread would take its time from the training itself.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import TypeVar

import torch

from gliner_core.collate import TrainBatch, batches_from, make_batch
from gliner_core.examples import Example
from gliner_core.prompt import PromptEncoder
from gliner_core.spec import TrainSpec

T = TypeVar("T")
AHEAD = 4  # batches waiting for the device: enough to ride out one that takes long to prepare, little memory


def prepared(
    examples: Sequence[Example], spec: TrainSpec, prompts: PromptEncoder, first_step: int, device: torch.device
) -> Iterator[tuple[list[Example], TrainBatch | None]]:
    """Endless (examples, batch) from `first_step` on; for a GPU out of a thread and in page-locked memory.

    The batch is None where `make_batch` has nothing to ask.
    """
    drawn = zip(batches_from(examples, spec, prompts, first_step), count(first_step), strict=False)
    made = ((chosen, make_batch(chosen, spec, prompts, step)) for chosen, step in drawn)
    if device.type != "cuda":
        return made
    # torch's current device belongs to a thread; without it, pinning would open a context on the first GPU.
    pinned = ((chosen, batch and batch.pinned()) for chosen, batch in made)
    return in_background(pinned, start=partial(torch.cuda.set_device, torch.cuda.current_device()))


def in_background(source: Iterator[T], ahead: int = AHEAD, start: Callable[[], object] | None = None) -> Iterator[T]:
    """The items of `source` in their order, drawn by one thread that runs up to `ahead` items in front.

    An exception of the source is raised here, at its place. Closing the iterator (or dropping it) ends the thread.
    """
    end = object()
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch", initializer=start)
    try:
        waiting = deque(thread.submit(next, source, end) for _ in range(ahead))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, source, end))
            yield item
    finally:
        thread.shutdown(cancel_futures=True)
