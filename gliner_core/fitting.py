"""Work that may not fit into the memory of the device: it is done again in halves, or refused with one sentence.

Nothing is skipped. An attempt that fails leaves no tensors behind, so the halves find the memory it had taken.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch

from gliner_core.errors import InputError

Work = TypeVar("Work")
Result = TypeVar("Result")
# What torch and the CUDA libraries say when an allocation fails; the libraries and the CPU have no error class for it.
_SIGNS = (
    "out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED",
    "DefaultCPUAllocator: can't allocate memory",
)  # fmt: skip


def is_out_of_memory(error: BaseException) -> bool:
    """True for the errors that a lack of device memory raises."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


@contextmanager
def refused_if_too_large(sentence: str) -> Iterator[None]:
    """Turns a lack of memory inside the block into an `InputError` with this sentence."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise InputError(sentence) from None


def attempt(work: Callable[[Work], Result], item: Work) -> Result | None:
    """`work(item)`, or None when the memory did not suffice; all other errors pass."""
    try:
        return work(item)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    # Behind the block: the traceback of the error, gone by now, held the tensors of the failed attempt.
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    return None


def in_fitting_parts(
    parts: Sequence[Work],
    work: Callable[[Work], float],
    halves: Callable[[Work], Sequence[Work]],
    begin: Callable[[], None],
) -> tuple[float, int]:
    """Sum of `work` over the parts, and how many parts had to be halved; `halves` refuses what cannot be halved.

    Where one does not fit, everything begins again, after `begin()`, with its halves in its place: a backward pass that
    breaks off has added a share of its gradients that nobody can tell from the rest.
    """
    todo, splits = list(parts), 0
    while True:
        begin()
        total = 0.0
        for number, part in enumerate(todo):
            value = attempt(work, part)
            if value is None:
                todo[number : number + 1] = halves(part)
                splits += 1
                break
            total += value
        else:
            return total, splits


def in_fitting_batches(
    batch: Sequence[int], work: Callable[[Sequence[int]], list[Result]], too_large: Callable[[int], str]
) -> list[Result]:
    """One result for each index of the batch, in order, asked in halves where the whole does not fit.

    Raises `InputError` with `too_large(index)` for one that does not fit alone.
    """
    found = attempt(work, batch)
    if found is not None:
        return found
    if len(batch) == 1:
        raise InputError(too_large(batch[0]))
    middle = len(batch) // 2
    return [
        *in_fitting_batches(batch[:middle], work, too_large),
        *in_fitting_batches(batch[middle:], work, too_large),
    ]
