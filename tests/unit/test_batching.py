"""Batches of least cost against every way to cut the sorted texts."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gliner_core.batching import call_cost, cheapest_batches


def _price(batches: list[list[int]], lengths: list[int], call: int) -> int:
    return sum(call + len(batch) * max(lengths[index] for index in batch) for batch in batches)


def _cuts(items: list[int], size: int) -> Iterator[list[list[int]]]:
    if not items:
        yield []
    for count in range(1, min(size, len(items)) + 1):
        for rest in _cuts(items[count:], size):
            yield [items[:count], *rest]


@given(st.lists(st.integers(1, 60), max_size=9), st.integers(1, 5), st.sampled_from([0, 1, 20, 1000]))
def test_no_way_to_cut_is_cheaper(lengths: list[int], size: int, call: int) -> None:
    batches = cheapest_batches(lengths, size, call)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= size for batch in batches)
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    assert _price(batches, lengths, call) == min(_price(cut, lengths, call) for cut in _cuts(order, size))
    assert [lengths[index] for batch in batches for index in batch] == sorted(lengths, reverse=True)


def test_mixed_lengths_hardly_pad_and_equal_lengths_are_not_split() -> None:
    lengths = [5, 200, 8, 7, 190, 6, 60, 200]
    assert [sorted(batch) for batch in cheapest_batches(lengths, 8, 20)] == [[1, 4, 7], [6], [0, 2, 3, 5]]
    assert sorted(map(len, cheapest_batches([30] * 20, 8, 20))) == [4, 8, 8]


@pytest.mark.parametrize(("call", "batches"), [(20, 3), (2048, 1)])
def test_dear_calls_make_padding_worth_it(call: int, batches: int) -> None:
    assert len(cheapest_batches([5, 6, 60, 200, 190], 8, call)) == batches


def test_a_call_is_dearer_on_a_gpu() -> None:
    assert call_cost(torch.device("cpu")) < call_cost(torch.device("cuda"))
