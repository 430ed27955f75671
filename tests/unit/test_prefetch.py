"""Batches prepared by a thread: the same ones, errors at their place, nothing left behind."""

import threading
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest
import torch
from tiny_model import tiny_network, tiny_spec, toy_examples

from gliner_core import prefetch
from gliner_core.collate import TrainBatch, batches_from, make_batch
from gliner_core.prefetch import in_background, prepared


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.fixture
def chosen_gpus(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stands in for what a CPU cannot give: page-locked memory and a current GPU; lists the GPUs that threads chose."""
    chosen: list[int] = []
    monkeypatch.setattr(TrainBatch, "pinned", lambda self: self)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    return chosen


def test_batches_are_those_of_make_batch(backbone: Path, chosen_gpus: list[int]) -> None:
    """Also from a later step and for a GPU."""
    spec, prompts = tiny_spec(backbone, optim_bucket_batches=2), tiny_network(backbone).prompts
    for first in (0, 5):
        drawn = zip(range(first, 12), batches_from(toy_examples(), spec, prompts, first), strict=False)
        expected = [(chosen, make_batch(chosen, spec, prompts, step)) for step, chosen in drawn]
        for device in ("cpu", "cuda"):
            ready = prepared(toy_examples(), spec, prompts, first, torch.device(device))
            found = list(islice(ready, 12 - first))
            assert [chosen for chosen, _ in found] == [chosen for chosen, _ in expected]
            for (_, mine), (_, theirs) in zip(found, expected, strict=True):
                assert torch.equal(mine.encoded.input_ids, theirs.encoded.input_ids)
                assert torch.equal(mine.positives, theirs.positives) and mine.counts == theirs.counts
            assert bool(_threads()) is (device == "cuda")
            ready.close()
            assert _threads() == []
    assert chosen_gpus == [1, 1]  # the thread works on the training's own GPU


@pytest.mark.usefixtures("chosen_gpus")
def test_a_batch_without_types_passes_as_none(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "make_batch", lambda *arguments: None)
    ready = prepared(toy_examples(), tiny_spec(backbone), tiny_network(backbone).prompts, 0, torch.device("cuda"))
    assert next(ready)[1] is None
    ready.close()


def test_it_runs_ahead_and_no_further() -> None:
    drawn: list[int] = []

    def source() -> Iterator[int]:
        for number in count():
            drawn.append(number)
            yield number

    ready = in_background(source(), ahead=3)
    assert [next(ready) for _ in range(5)] == list(range(5))
    ready.close()
    assert 5 <= len(drawn) <= 5 + 3 and _threads() == []


def test_an_error_comes_at_its_place_and_an_end_ends() -> None:
    def source() -> Iterator[int]:
        yield from range(3)
        raise ValueError("the fourth is broken")

    ready = in_background(source())
    assert [next(ready) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="the fourth is broken"):
        next(ready)
    assert _threads() == []
    assert list(in_background(iter(range(10)))) == list(range(10)) and list(in_background(iter(()))) == []
