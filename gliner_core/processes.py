"""Data parallel training: every process (one for each GPU) holds the whole model and computes its share of each batch.

The loss is a sum over cells, so the gradients of the shares add up to that of the batch. They are summed here, after
the backward passes, and not by DistributedDataParallel: it takes the mean, wants equally many backward passes and a
gradient of every weight from every process, while a share here may be empty or need more passes than another.
Batches are drawn whole in every process, so what is asked does not depend on the number of processes.
"""

import os
from collections.abc import Iterable, Sequence

import torch
from torch import distributed, nn

from gliner_core.collate import TrainBatch
from gliner_core.errors import InputError
from gliner_core.parts import take_rows


def process_count() -> int:
    """Processes of this training: what `torchrun --nproc-per-node` was given, else 1."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def process_rank() -> int:
    """Number of this process, from 0; the first one writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def started_with_others() -> bool:
    """True in a process that torchrun started, also before the processes have found each other."""
    return "LOCAL_RANK" in os.environ


def share_of(batch: TrainBatch, rank: int, count: int) -> TrainBatch | None:
    """The texts of a batch that one of `count` processes computes, None if it gets none; like amounts of long ones."""
    if count == 1:
        return batch
    order = batch.encoded.attention_mask.sum(dim=1).argsort(descending=True, stable=True)
    rows = order[rank::count]
    return take_rows(batch, rows) if len(rows) else None


def summed(values: Sequence[float], device: torch.device) -> list[float]:
    """Each value summed over the processes, the same in all of them."""
    if process_count() == 1:
        return list(values)
    numbers = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(numbers)
    return numbers.tolist()


def any_of(said: bool, device: torch.device) -> bool:
    """Whether any of the processes says so; all of them wait for each other."""
    return summed([float(said)], device)[0] > 0


def sum_gradients(weights: Iterable[nn.Parameter], device: torch.device) -> None:
    """Puts the sum over the processes into every gradient; a weight that no process used keeps none, as with one."""
    if process_count() == 1:
        return
    trained = [weight for weight in weights if weight.requires_grad]
    used = torch.tensor([weight.grad is not None for weight in trained], dtype=torch.int32, device=device)
    distributed.all_reduce(used)
    pending = []
    for weight, users in zip(trained, used.tolist(), strict=True):
        if users:
            weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
            pending.append(distributed.all_reduce(weight.grad, async_op=True))
    for work in pending:
        work.wait()


def check_equal(numbers: Iterable[torch.Tensor], device: torch.device, what: str) -> None:
    """Raises `InputError` where the processes hold different numbers (by the sum of each tensor, to the bit)."""
    if process_count() == 1:
        return
    own = torch.tensor(
        [float(tensor.detach().double().sum()) for tensor in numbers], dtype=torch.float64, device=device
    )
    first = own.clone()
    distributed.broadcast(first, src=0)
    (different,) = summed([float(not torch.equal(own, first))], device)
    if different:
        raise InputError(
            f"{what} differ in {different:.0f} of {process_count()} processes from those of the first; give all the "
            "same files and the same kind of GPU, or train with one process"
        )


def leave() -> None:
    """Ends the connection to the other processes."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
