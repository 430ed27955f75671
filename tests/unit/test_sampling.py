"""Prompt types of training examples: the author's sampler in a loop, its statistics, no dependence on hashing."""

import os
import random
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import tiny_network, tiny_spec, toy_examples

from gliner_core.collate import batches_from, make_batch
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, write_jsonl
from gliner_core.sampling import POOL_SIZE, batch_pool, prompt_types
from gliner_core.seeding import generator
from gliner_core.spec import SamplingSpec
from gliner_core.train import train

ROOT = Path(__file__).resolve().parents[2]


def _example(types: list[str], negatives: tuple[str, ...] = ()) -> Example:
    """One word per entity."""
    words = tuple(f"w{index}" for index in range(max(len(types), 1)))
    spans = tuple(Span(index, index, label) for index, label in enumerate(types))
    return Example(id="x", words=words, spans=spans, negatives=negatives)


def _toy_batch() -> list[Example]:
    """Reference setting: 8 examples, 5 entities and 3 types each, no type shared."""
    return [_example([f"t{row}a", f"t{row}b", f"t{row}c", f"t{row}a", f"t{row}b"]) for row in range(8)]


def _plain(**changes: Any) -> SamplingSpec:
    return SamplingSpec(**{"negative_ratio": 1, "type_dropping": False, "shuffle_types": False} | changes)


def _by_the_loop(batch: list[Example], spec: SamplingSpec, draw: random.Random) -> list[tuple[str, ...]]:
    """The same rules step by step, with the same draws in the same order."""
    pool = []
    for example in batch:
        for span in example.spans:
            if span.type not in pool:
                pool.append(span.type)
    pool.sort()
    draw.shuffle(pool)
    del pool[POOL_SIZE:]
    prompts = []
    for example in batch:
        asked: list[str] = [span.type for span in example.spans]
        if spec.negative_pool == "explicit":
            asked += example.negatives
        else:
            ratio = draw.randint(0, spec.negative_ratio)
            candidates = list(pool)
            if spec.negative_pool == "per_example":
                draw.shuffle(candidates)
            asked += candidates[: ratio * (len(example.spans) or 1)]
        distinct = []
        for label in asked:
            if label not in distinct:
                distinct.append(label)
        if spec.shuffle_types:
            draw.shuffle(distinct)
        if spec.type_dropping and distinct:
            distinct = distinct[: draw.randint(1, len(distinct))]
        prompts.append(tuple(distinct[: spec.max_types]))
    return prompts


def test_the_supervised_prompt_is_the_sorted_label_list_of_its_dataset() -> None:
    batch = [_example(["b", "d"], ("a", "c", "e")), _example([], ("z", "y"))]
    spec = _plain(negative_pool="explicit", sort_types=True)
    assert prompt_types(batch, spec, random.Random(0)) == [("a", "b", "c", "d", "e"), ("y", "z")]
    capped = _plain(negative_pool="explicit", sort_types=True, max_types=3)
    assert prompt_types(batch, capped, random.Random(0))[0] == ("a", "b", "d")  # negatives go first


def test_sorting_and_shuffling_exclude_each_other() -> None:
    with pytest.raises(InputError, match=r"`sampling\.sort_types` and `sampling\.shuffle_types` are both true"):
        SamplingSpec(sort_types=True)


@pytest.mark.parametrize(("cap", "lost"), [(2, 0), (1, 2)])
def test_gold_that_the_prompt_leaves_out_is_counted(backbone: Path, cap: int, lost: int) -> None:
    words = ("anna", "saw", "boris", "in", "paris", "and", "rome")
    spans = (Span(0, 0, "person"), Span(2, 2, "person"), Span(4, 4, "city"), Span(6, 6, "city"))
    spec = tiny_spec(
        backbone,
        sampling_type_dropping=False,
        sampling_shuffle_types=False,
        sampling_sort_types=True,
        sampling_max_types=cap,
        sampling_negative_pool="explicit",
    )
    example = Example(id="x", words=words, spans=spans, negatives=("award",))
    made = make_batch([example], spec, tiny_network(backbone).prompts, 0)
    assert made is not None
    assert (made.counts.gold_not_asked, made.counts.gold, made.counts.types_negative) == (lost, 4 - lost, 0)


@given(
    batch=st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), min_size=1, max_size=5),
    ratio=st.integers(0, 3),
    pool=st.sampled_from(["per_example", "per_batch", "explicit"]),
    flags=st.tuples(st.booleans(), st.booleans()),
    seed=st.integers(0, 1000),
)
def test_the_sampler_is_the_loop(
    batch: list[list[str]], ratio: int, pool: Any, flags: tuple[bool, bool], seed: int
) -> None:
    examples = [_example(types, negatives=("n1", "n2", "n3")) for types in batch]
    spec = SamplingSpec(
        negative_ratio=ratio, negative_pool=pool, type_dropping=flags[0], shuffle_types=flags[1], max_types=4
    )
    expected = _by_the_loop(examples, spec, random.Random(seed))
    assert prompt_types(examples, spec, random.Random(seed)) == expected


Chances = dict[tuple[str, ...], Fraction]


def _chances_of_prompts(example: Example, pool: tuple[str, ...], spec: SamplingSpec) -> Chances:
    """Each prompt that one example may get from an ordered pool, with its probability."""
    chances: Chances = Counter()
    ratios = [0] if spec.negative_pool == "explicit" else range(spec.negative_ratio + 1)
    for ratio in ratios:
        drawn = example.negatives if spec.negative_pool == "explicit" else pool[: ratio * max(1, len(example.spans))]
        union = sorted({*example.types(), *drawn})
        orders = list(permutations(union))
        for order in orders:
            sizes = range(1, len(union) + 1) if spec.type_dropping and union else [len(union)]
            for size in sizes:
                chances[order[:size]] += Fraction(1, len(ratios) * len(orders) * len(sizes))
    return chances


def _chances_of_batches(batch: list[Example], spec: SamplingSpec) -> dict[tuple[tuple[str, ...], ...], Fraction]:
    pools = list(permutations(sorted({span.type for example in batch for span in example.spans})))
    shared = spec.negative_pool == "per_batch"
    seen = [(pool,) * len(batch) for pool in pools] if shared else list(product(pools, repeat=len(batch)))
    total: dict[tuple[tuple[str, ...], ...], Fraction] = Counter()
    for chosen in seen:
        singles = [_chances_of_prompts(example, pool, spec) for example, pool in zip(batch, chosen, strict=True)]
        for prompts in product(*singles):
            chance = Fraction(1, len(seen))
            for single, prompt in zip(singles, prompts, strict=True):
                chance *= single[prompt]
            total[prompts] += chance
    return total


@pytest.mark.parametrize("pool", ["per_example", "per_batch", "explicit"])
@pytest.mark.parametrize("dropping", [False, True])
def test_every_batch_of_prompts_is_as_likely_as_the_enumeration_says(pool: Any, dropping: bool) -> None:
    batch = [_example(["a"], negatives=("n",)), _example(["b", "c"])]
    spec = SamplingSpec(negative_pool=pool, negative_ratio=1, type_dropping=dropping)
    chances, draw, draws = _chances_of_batches(batch, spec), random.Random(3), 20_000
    assert sum(chances.values()) == 1
    counts = Counter(tuple(prompt_types(batch, spec, draw)) for _ in range(draws))
    assert set(counts) <= set(chances)
    for prompts, chance in chances.items():
        spread = (float(chance * (1 - chance)) / draws) ** 0.5
        assert abs(counts[prompts] / draws - float(chance)) < 5 * spread, prompts


def test_the_share_of_negatives_in_the_report_is_counted_over_all_types_asked(backbone: Path, tmp_path: Path) -> None:
    spec = tiny_spec(backbone, sampling_negative_ratio=2)
    write_jsonl(tmp_path / "data.jsonl", toy_examples())
    report = train(spec, tmp_path / "data.jsonl", tmp_path / "out", device="cpu")
    asked = negative = 0
    batches = batches_from(toy_examples(), spec, tiny_network(backbone).prompts, 0)
    for step, batch in zip(range(spec.optim.steps), batches, strict=False):
        prompts = prompt_types(batch, spec.sampling, generator(spec.seed, "sampling", step))
        for example, types in zip(batch, prompts, strict=True):
            asked += len(types)
            negative += sum(label not in {span.type for span in example.spans} for label in types)
    assert report["negative_share"] == pytest.approx(negative / asked) and 0 < negative < asked


@pytest.mark.parametrize("dropping", [False, True])
@pytest.mark.parametrize(("ratio", "share"), [(0, 0.0), (1, 0.29), (2, 0.45), (3, 0.54)])
def test_the_mean_negative_share_is_the_authors(ratio: int, share: float, dropping: bool) -> None:
    batch, draw = _toy_batch(), random.Random(ratio)
    spec = SamplingSpec(negative_ratio=ratio, type_dropping=dropping)
    shares = []
    for _ in range(400):
        for example, asked in zip(batch, prompt_types(batch, spec, draw), strict=True):
            shares.append(len(set(asked) - set(example.types())) / len(asked))
    assert sum(shares) / len(shares) == pytest.approx(share, abs=0.02)


def test_dropping_keeps_each_number_of_types_equally_often() -> None:
    batch, draw = [_example(list("abcdef"))], random.Random(0)
    sizes = Counter(len(prompt_types(batch, SamplingSpec(negative_ratio=0), draw)[0]) for _ in range(6000))
    assert set(sizes) == set(range(1, 7))
    assert all(abs(count - 1000) < 150 for count in sizes.values())  # five standard deviations


def test_without_dropping_every_gold_type_is_asked() -> None:
    draw = random.Random(0)
    for example, asked in zip(_toy_batch(), prompt_types(_toy_batch(), _plain(negative_ratio=3), draw), strict=True):
        assert asked[: len(example.types())] == example.types()


def test_shuffling_moves_the_gold_types() -> None:
    draw = random.Random(0)
    orders = {prompt_types([_example(["a", "b", "c"])], _plain(shuffle_types=True), draw)[0] for _ in range(100)}
    assert len(orders) == 6


@settings(max_examples=20)
@given(st.integers(1, 30), st.integers(0, 50))
def test_the_cap_cuts_after_everything_else(cap: int, seed: int) -> None:
    spec = _plain(negative_ratio=3)
    free = prompt_types(_toy_batch(), spec, random.Random(seed))
    capped = prompt_types(_toy_batch(), _plain(negative_ratio=3, max_types=cap), random.Random(seed))
    assert capped == [types[:cap] for types in free]


def test_a_batch_pool_gives_every_example_a_prefix_of_one_list() -> None:
    batch = [_example([]), _example([]), _example(list("abcdefgh"))]
    draws = {"per_batch": set(), "per_example": set()}
    for pool, seen in draws.items():
        for seed in range(50):
            first, second, _ = prompt_types(batch, _plain(negative_pool=pool, negative_ratio=3), random.Random(seed))
            shared = min(len(first), len(second))
            seen.add(first[:shared] == second[:shared])
    assert draws == {"per_batch": {True}, "per_example": {True, False}}


@pytest.mark.parametrize("ratio", [0, 1, 3])
def test_explicit_negatives_are_all_of_the_examples_own_at_any_ratio(ratio: int) -> None:
    batch = [_example(["a"], ("n1", "n2", "a")), _example(["b"]), _example([], ("n3",))]
    for seed in range(20):
        asked = prompt_types(batch, _plain(negative_pool="explicit", negative_ratio=ratio), random.Random(seed))
        assert asked == [("a", "n1", "n2"), ("b",), ("n3",)]


def test_a_sentence_without_entities_counts_as_one() -> None:
    batch = [_example([]), _example(list("abcdefgh"))]
    sizes = {len(prompt_types(batch, _plain(negative_ratio=3), random.Random(seed))[0]) for seed in range(200)}
    assert sizes == {0, 1, 2, 3}
    assert prompt_types(batch, _plain(negative_ratio=0), random.Random(0))[0] == ()


def test_the_pool_is_at_most_a_hundred_types() -> None:
    batch = [_example([f"t{row}-{index}" for index in range(50)]) for row in range(4)]
    pool = batch_pool(batch, random.Random(0))
    assert len(pool) == len(set(pool)) == POOL_SIZE == 100


def test_hash_randomisation_changes_nothing() -> None:
    code = (
        "from random import Random; from gliner_core.examples import Example, Span;"
        "from gliner_core.sampling import prompt_types; from gliner_core.spec import SamplingSpec;"
        "batch = [Example(id='x', words=('w',) * 9, spans=tuple(Span(i, i, f'type {i * r}') for i in range(9)))"
        " for r in range(1, 5)];"
        "print(prompt_types(batch, SamplingSpec(negative_ratio=3), Random(1)))"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1] and "type" in printed[0]
