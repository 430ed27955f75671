"""Intervals and tests against brute-force twins, exact enumeration, simulation and scipy."""

import time
from itertools import product

import numpy as np
import pytest
from scipy import stats

from benchmarks.scoring.counts import rate
from benchmarks.scoring.statistics import (
    approximate_randomisation,
    bootstrap_interval,
    holm,
    minimum_detectable_difference,
    paired_bootstrap,
    seed_interval,
    suite_interval,
    t_quantile,
    visible_over_seeds,
)


def sample(num_sentences: int, seed: int, skill: float = 0.6) -> np.ndarray:
    """Counts of a made-up system that finds a gold entity with probability `skill`."""
    generator = np.random.default_rng(seed)
    gold = generator.integers(0, 5, num_sentences)
    found = generator.binomial(gold, skill)
    return np.stack([found, found + generator.integers(0, 3, num_sentences), gold], axis=1)


def by_indices(rows: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """The textbook bootstrap: draw sentence indices, sum, divide."""
    generator = np.random.default_rng(seed)
    draws = (rows[generator.integers(0, len(rows), len(rows))].sum(axis=0) for _ in range(resamples))
    return np.array([2 * hit / (answered + gold) for hit, answered, gold in draws])


def test_interval_equals_the_bootstrap_over_indices() -> None:
    rows = sample(80, seed=1)
    twin = np.quantile(by_indices(rows, 20_000, seed=2), [0.025, 0.975])
    interval = bootstrap_interval(rows, seed=3, resamples=20_000)
    assert interval.value == rate(rows.sum(axis=0))
    assert (interval.low, interval.high) == pytest.approx(twin, abs=0.003)


def test_standard_error_equals_the_enumeration_of_all_resamples() -> None:
    first, second = sample(4, seed=4), sample(4, seed=9, skill=0.2)
    picks = np.array(list(product(range(4), repeat=4)))
    differences = rate(first[picks].sum(axis=1)) - rate(second[picks].sum(axis=1))
    result = paired_bootstrap([first], [second], seed=5, resamples=40_000)
    assert differences.std() > 0.01
    assert result.standard_error == pytest.approx(differences.std(), rel=0.03)


@pytest.mark.parametrize("metric", ["precision", "recall", "f1"])
def test_intervals_cover_the_truth_as_often_as_they_say(metric: str) -> None:
    truth = rate(sample(400_000, seed=6).sum(axis=0), metric)
    intervals = [bootstrap_interval(sample(150, seed), seed, 300, metric=metric) for seed in range(100, 500)]
    covered = np.mean([item.low <= truth <= item.high for item in intervals])
    assert 0.91 < covered < 0.98  # 0.95 with three standard errors of 400 trials


def test_suite_interval_resamples_inside_each_dataset() -> None:
    small, large = sample(40, seed=7), sample(400, seed=8, skill=0.3)
    twin = (by_indices(small, 10_000, seed=1) + by_indices(large, 10_000, seed=2)) / 2
    interval = suite_interval([small, large], seed=3, resamples=10_000)
    assert interval.value == pytest.approx((rate(small.sum(axis=0)) + rate(large.sum(axis=0))) / 2)
    assert (interval.low, interval.high) == pytest.approx(np.quantile(twin, [0.025, 0.975]), abs=0.006)


def test_a_wider_level_gives_a_wider_interval() -> None:
    rows = sample(100, seed=9)
    narrow, wide = (bootstrap_interval(rows, 1, 2000, level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_randomness_comes_from_the_argument_alone() -> None:
    rows = sample(100, seed=10)
    assert bootstrap_interval(rows, 1) == bootstrap_interval(rows, np.random.default_rng(1))
    assert bootstrap_interval(rows, 1) != bootstrap_interval(rows, 2)


def exact_randomisation(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Share of all exchanges of the two variants' answers whose difference is at least the observed one."""
    sizes = [len(first) for first, _ in pairs]
    differences = []
    for swaps in product((False, True), repeat=sum(sizes)):
        total, offset = 0.0, 0
        for (first, second), size in zip(pairs, sizes, strict=True):
            swap = np.array(swaps[offset : offset + size])[:, None]
            offset += size
            total += rate(np.where(swap, second, first).sum(axis=0)) - rate(np.where(swap, first, second).sum(axis=0))
        differences.append(abs(total))
    return float(np.mean(np.array(differences) >= differences[0] - 1e-12))


@pytest.mark.parametrize("sizes", [(8,), (4, 5)])
def test_randomisation_equals_the_enumeration_of_all_exchanges(sizes: tuple[int, ...]) -> None:
    pairs = [(sample(size, 20 + size, 0.8), sample(size, 40 + size, 0.3)) for size in sizes]
    exact = exact_randomisation(pairs)
    first, second = zip(*pairs, strict=True)
    assert 0.01 < exact < 0.9
    assert approximate_randomisation(first, second, seed=1, exchanges=40_000) == pytest.approx(exact, abs=0.01)


def seed_samples(num_seeds: int, sizes: tuple[int, ...], skill: float, start: int) -> list[np.ndarray]:
    """Counts [R, S, 3] of each dataset; all seeds answer the same gold."""
    found = []
    for size in sizes:
        runs = np.stack([sample(size, start + place, skill) for place in range(num_seeds)])
        runs[..., 2] = runs[:1, :, 2]
        runs[..., 0] = np.minimum(runs[..., 0], runs[..., 2])
        found.append(runs)
    return found


@pytest.mark.parametrize("num_first", [3, 1])
def test_seeds_of_a_sentence_change_sides_together(num_first: int) -> None:
    """Against every exchange of 8 sentences, with plain loops over seeds; a system's one answer meets each seed."""
    sizes = (3, 5)
    first, second = seed_samples(num_first, sizes, 0.8, 1), seed_samples(3, sizes, 0.4, 50)

    def difference(swap: tuple[bool, ...]) -> float:
        total, offset = 0.0, 0
        for one, other in zip(first, second, strict=True):
            sides = np.array(swap[offset : offset + one.shape[1]])[:, None]
            offset += one.shape[1]
            for place in range(3):
                mine, theirs = one[place % num_first], other[place]
                total += rate(np.where(sides, theirs, mine).sum(axis=0)) - rate(
                    np.where(sides, mine, theirs).sum(axis=0)
                )
        return abs(total / 3)

    differences = [difference(swap) for swap in product((False, True), repeat=sum(sizes))]
    exact = np.mean(np.array(differences) >= differences[0] - 1e-12)
    assert 0.005 < exact < 0.9
    assert approximate_randomisation(first, second, 1, exchanges=40_000) == pytest.approx(exact, abs=0.01)


def test_randomisation_of_plain_differences_equals_scipy() -> None:
    """One prediction and one gold item a sentence: F1 is the share of hits, and scipy tests the mean difference."""
    generator = np.random.default_rng(3)
    hits = (generator.random((2, 60)) < np.array([[0.65], [0.5]])).astype(int)
    first, second = (np.stack([row, np.ones(60, int), np.ones(60, int)], axis=1) for row in hits)

    def statistic(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
        return one.mean(axis=axis) - other.mean(axis=axis)

    wanted = stats.permutation_test(
        tuple(hits), statistic, permutation_type="samples", n_resamples=40_000, vectorized=True, rng=1
    ).pvalue
    assert 0.01 < wanted < 0.2
    assert approximate_randomisation([first], [second], 2, exchanges=40_000) == pytest.approx(wanted, abs=0.008)


def test_identical_variants_do_not_differ() -> None:
    rows = sample(50, seed=12)
    result = paired_bootstrap([rows], [rows], seed=1)
    assert (result.difference, result.low, result.high, result.standard_error) == (0.0, 0.0, 0.0, 0.0)
    assert approximate_randomisation([rows], [rows], seed=1) == 1.0


def test_paired_tests_find_a_difference_and_its_sign() -> None:
    good, bad = sample(500, seed=13, skill=0.8), sample(500, seed=13, skill=0.5)
    forward, backward = paired_bootstrap([good], [bad], seed=1), paired_bootstrap([bad], [good], seed=1)
    assert forward.low > 0 > backward.high
    assert forward.difference == pytest.approx(-backward.difference)
    assert approximate_randomisation([good], [bad], seed=1) == pytest.approx(1 / 10_001)


@pytest.mark.parametrize("test", ["bootstrap", "randomisation"])
def test_false_alarms_stay_near_the_level(test: str) -> None:
    def is_alarm(seed: int) -> bool:
        first, second = sample(120, 2 * seed), sample(120, 2 * seed + 1)
        second[:, 2] = first[:, 2]  # the same gold
        second[:, 0] = np.minimum(second[:, 0], second[:, 2])
        flip = np.random.default_rng(seed).random(120)[:, None] < 0.5  # makes the variants exchangeable
        first, second = np.where(flip, first, second), np.where(flip, second, first)
        if test == "bootstrap":
            found = paired_bootstrap([first], [second], seed, 300)
            return found.low > 0 or found.high < 0
        return approximate_randomisation([first], [second], seed, 300) <= 0.05

    alarms = np.mean([is_alarm(seed) for seed in range(400)])
    assert 0.015 < alarms < 0.085  # 0.05 with about three standard errors of 400 trials


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 30, 101])
@pytest.mark.parametrize("probability", [0.5, 0.9, 0.975, 0.9995])
def test_t_quantile_equals_scipy(probability: float, degrees: int) -> None:
    assert t_quantile(probability, degrees) == pytest.approx(stats.t.ppf(probability, degrees), rel=1e-9, abs=1e-9)


def test_seed_interval_is_students() -> None:
    values = [60.1, 59.4, 61.3, 60.6]
    interval = seed_interval(values)
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (interval.value, interval.low, interval.high) == pytest.approx((60.35, low, high))
    single = seed_interval([60.1])
    assert single.low == single.value == single.high == 60.1


def test_holm_steps_down_and_keeps_the_order_of_arguments() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def by_brute_force(p_values: list[float]) -> list[float]:
    """Holm from its definition: the smallest level at which the step-down procedure rejects each hypothesis."""
    grid = sorted({(len(p_values) - rank) * p for p in p_values for rank in range(len(p_values))} | {1.0})
    found = [1.0] * len(p_values)
    for level in reversed([level for level in grid if level <= 1]):
        for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if p_values[place] > level / (len(p_values) - rank) * (1 + 1e-12):
                break
            found[place] = level
    return found


def test_holm_equals_the_procedure_at_every_level() -> None:
    for seed in range(40):
        generator = np.random.default_rng(seed)
        p_values = np.round(generator.random(6) ** 3, 3).tolist()
        assert holm(p_values) == pytest.approx(by_brute_force(p_values))


@pytest.mark.parametrize("num_seeds", [2, 3, 5, 10])
def test_what_seeds_could_have_shown_has_the_stated_power(num_seeds: int) -> None:
    generator = np.random.default_rng(num_seeds)
    values = generator.normal(size=num_seeds)
    spread = values.std(ddof=1)
    draws = generator.normal(visible_over_seeds(values.tolist()), spread, (100_000, num_seeds))
    low, high = stats.t.interval(0.95, num_seeds - 1, draws.mean(axis=1), stats.sem(draws, axis=1))
    assert np.mean((low > 0) | (high < 0)) == pytest.approx(0.8, abs=0.01)
    if num_seeds > 2:  # scipy's non-central t gives no number for one degree of freedom and such shifts
        shift = visible_over_seeds(values.tolist()) / spread * np.sqrt(num_seeds)
        assert stats.nct.sf(stats.t.ppf(0.975, num_seeds - 1), num_seeds - 1, shift) == pytest.approx(0.8, abs=0.002)


def test_minimum_detectable_difference_has_the_stated_power() -> None:
    difference = minimum_detectable_difference(1.5, power=0.8)
    observed = np.random.default_rng(1).normal(difference, 1.5, 200_000)
    assert np.mean(np.abs(observed) > stats.norm.ppf(0.975) * 1.5) == pytest.approx(0.8, abs=0.01)


def test_ten_thousand_sentences_take_less_than_three_seconds() -> None:
    generator = np.random.default_rng(1)
    rows = np.sort(generator.integers(0, 60, (10_000, 3)), axis=1)  # nearly all rows distinct: the worst case
    start = time.perf_counter()
    bootstrap_interval(rows, 1, resamples=1000)
    assert time.perf_counter() - start < 3


def test_a_large_comparison_takes_less_than_three_seconds() -> None:
    """A study compares 12 variants twice so, on single datasets and on average: far less than a minute."""
    first, second = (seed_samples(3, (3200,) * 11, skill, start) for skill, start in ((0.6, 1), (0.55, 70)))
    start = time.process_time()
    paired_bootstrap(first, second, 1, resamples=1000)
    approximate_randomisation(first, second, 1)
    assert time.process_time() - start < 3
