"""Texts -> batches that cost least: padding against the price of one more call of the model."""

from collections.abc import Sequence

import numpy as np
import torch

# What one call costs besides its sub-tokens, in sub-tokens. CPU: measured with a 6-layer encoder of width 384 and one
# thread (6 ms a call, 0.33 ms a sub-token). Others: an estimate for encoders bound by launches, 20 ms at 100k a second.
CPU_CALL, OTHER_CALL = 20, 2048


def call_cost(device: torch.device) -> int:
    """The price of a call on this device, in sub-tokens."""
    return CPU_CALL if device.type == "cpu" else OTHER_CALL


def cheapest_batches(lengths: Sequence[int], batch_size: int, call_cost: int) -> list[list[int]]:
    """Indices in batches of at most `batch_size` texts, longest texts first, so that a lack of memory shows at once.

    A batch of n texts costs `call_cost` + n * its longest length. Among all ways to cut the texts, sorted by length,
    into runs this is the cheapest (dynamic programme, O(texts * batch_size)); of equals the one with larger batches.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    longest = np.array([lengths[index] for index in order], dtype=np.int64)
    least = np.zeros(len(order) + 1, dtype=np.int64)  # of the first n texts
    begin = [0] * (len(order) + 1)  # of the batch that ends before text n
    for stop in range(1, len(order) + 1):
        first = max(0, stop - batch_size)
        cost = least[first:stop] + np.arange(stop - first, 0, -1) * longest[first:stop]
        begin[stop] = first + int(cost.argmin())
        least[stop] = cost[begin[stop] - first] + call_cost
    batches, stop = [], len(order)
    while stop:
        batches.append(order[begin[stop] : stop])
        stop = begin[stop]
    return batches[::-1]
