"""Batches: their order is a pure function of seed and epoch, and every batch counts what it could not use."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import tiny_network, tiny_spec, toy_examples

from gliner_core.collate import BatchCounts, batch_order, batches_from, make_batch
from gliner_core.examples import Example, Span
from gliner_core.spec import TrainSpec

HERE = Path()


def _spec(**changes: object) -> TrainSpec:
    return tiny_spec(HERE, **changes)


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=40),
    size=st.integers(1, 7),
    bucket=st.integers(1, 4),
    epoch=st.integers(0, 3),
)
def test_an_epoch_holds_every_example_once(lengths: list[int], size: int, bucket: int, epoch: int) -> None:
    spec = _spec(optim_batch_size=size, optim_bucket_batches=bucket)
    batches = batch_order(lengths, spec, epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // size)
    assert all(len(batch) <= size for batch in batches)
    assert batch_order(lengths, spec, epoch) == batches


def test_seed_and_epoch_each_give_another_order() -> None:
    lengths = list(range(30))
    orders = [batch_order(lengths, _spec(seed=seed), epoch) for seed in (1, 2) for epoch in (0, 1)]
    assert all(orders[first] != orders[second] for first in range(4) for second in range(first))


def test_buckets_hold_sentences_of_like_length() -> None:
    lengths = [(index * 37) % 64 for index in range(64)]

    def spread(bucket: int) -> int:
        batches = batch_order(lengths, _spec(optim_bucket_batches=bucket), 0)
        return sum(max(lengths[i] for i in batch) - min(lengths[i] for i in batch) for batch in batches)

    assert spread(16) == 16 * 3  # four neighbours in length
    assert spread(16) < spread(4) < spread(1)


def test_buckets_go_by_sub_tokens_and_not_by_words(backbone: Path) -> None:
    """By words the two kinds alternate; the tiny tokenizer spells one of them letter by letter."""
    spelt = [Example(id=f"spelt {number}", words=("qxzqxzqxzq",) * (2 + 2 * number)) for number in range(4)]
    whole = [Example(id=f"whole {number}", words=("anna",) * (3 + 2 * number)) for number in range(4)]
    prompts = tiny_network(backbone).prompts
    assert prompts.lengths([spelt[0].words, whole[3].words], [(), ()]) == [3 + 20, 3 + 9]  # [CLS], <<SEP>>, [SEP]
    spec = _spec(optim_bucket_batches=2)
    stream = batches_from([*spelt, *whole], spec, prompts, 0)
    kinds = [{example.id.split()[0] for example in next(stream)} for _ in range(20)]
    assert all(len(kind) == 1 for kind in kinds)


def test_bucketing_leaves_the_draws_of_an_example_alone(backbone: Path) -> None:
    """With negatives of its own, an example is asked the same whatever its company; only the order of draws moves."""
    examples = [Example(id=str(n), words=("anna",) * (n % 7 + 1), spans=(Span(0, 0, "p"),)) for n in range(16)]
    prompts = tiny_network(backbone).prompts
    asked = []
    for bucket in (1, 4):
        spec = _spec(optim_bucket_batches=bucket, sampling_negative_ratio=0, optim_batch_size=4)
        stream = batches_from(examples, spec, prompts, 0)
        counts = [make_batch(next(stream), spec, prompts, step).counts for step in range(4)]
        asked.append(sum(counts, BatchCounts()))
    assert asked[0] == asked[1] and asked[0].examples == 16


@pytest.mark.parametrize("bucket", [1, 2])
@pytest.mark.parametrize("count", [3, 8, 10])
def test_batches_continue_where_they_stopped(backbone: Path, count: int, bucket: int) -> None:
    examples, spec = toy_examples(count), _spec(optim_bucket_batches=bucket)
    prompts = tiny_network(backbone).prompts

    def take(first: int, number: int) -> list[list[str]]:
        stream = batches_from(examples, spec, prompts, first)
        return [[example.id for example in next(stream)] for _ in range(number)]

    whole = take(0, 12)
    assert all(take(step, 12 - step) == whole[step:] for step in range(12))


def test_lost_gold_is_counted(backbone: Path) -> None:
    words = ("anna", "visited", "paris", "and", "oslo", "and", "rome", "and", "london", ".")
    spans = (Span(0, 0, "person"), Span(2, 8, "route"), Span(8, 8, "city"), Span(2, 2, "city"))
    example = Example(id="x", words=words, spans=spans)
    changes = {"model_max_words": 8, "model_max_width": 4, "sampling_type_dropping": False}
    spec = tiny_spec(backbone, sampling_negative_ratio=0, **changes)
    prompts = tiny_network(backbone, **changes).prompts
    batch = make_batch([example, Example(id="y", words=("the",))], spec, prompts, 0)
    asked = prompts.tokenizer.convert_ids_to_tokens(batch.encoded.input_ids[0])
    assert batch.counts == BatchCounts(
        examples=1,
        examples_without_types=1,
        words=8,
        lost_words=2,
        gold=4,
        gold_too_wide=0,
        gold_outside=2,
        types_asked=3,
        types_negative=0,
    )
    assert batch.encoded.num_words.tolist() == [8] and "city" in asked
    assert sorted(batch.positives[:, :3].tolist()) == [[0, 0, 0], [0, 2, 0]]


def test_wide_gold_is_counted(backbone: Path) -> None:
    example = Example(id="x", words=("anna",) * 9, spans=(Span(0, 4, "team"), Span(0, 3, "team")))
    spec = tiny_spec(backbone, sampling_negative_ratio=0)
    batch = make_batch([example], spec, tiny_network(backbone).prompts, 0)
    assert (batch.counts.gold, batch.counts.gold_too_wide, batch.counts.gold_outside) == (2, 1, 0)
    assert torch.equal(batch.positives, torch.tensor([[0, 0, 3, 0]]))


def test_a_batch_without_any_type_is_none(backbone: Path) -> None:
    spec = tiny_spec(backbone, sampling_negative_ratio=0)
    prompts = tiny_network(backbone).prompts
    assert make_batch([Example(id="x", words=("the",))], spec, prompts, 0) is None


def test_the_prompt_depends_on_seed_and_step_alone(backbone: Path) -> None:
    prompts = tiny_network(backbone).prompts

    def ids(seed: int, step: int) -> list[list[int]]:
        spec = tiny_spec(backbone, seed=seed)
        return make_batch(toy_examples(8), spec, prompts, step).encoded.input_ids.tolist()

    assert ids(1, 3) == ids(1, 3)
    assert len({str(ids(seed, step)) for seed in (1, 2) for step in range(4)}) == 8


def test_counts_add_up() -> None:
    total = BatchCounts(examples=1, gold=2) + BatchCounts(examples=3, words=5)
    assert total == BatchCounts(examples=4, words=5, gold=2)
