"""The paired bootstrap over sentences against a plain one by index, with one seed and with several."""

import numpy as np
import pytest
from count_samples import f1, sentences

from benchmarks.scoring.statistics import approximate_randomisation, paired_bootstrap


def _plain_bootstrap(first: list[np.ndarray], second: list[np.ndarray], resamples: int) -> tuple[float, float, float]:
    """The same interval by drawing sentence indices, one resample and seed after the other."""
    draw = np.random.default_rng(7)
    found = []
    for _ in range(resamples):
        means = []
        for one, other in zip(first, second, strict=True):
            chosen = draw.integers(0, one.shape[1], one.shape[1])
            means.append(np.mean([f1(a[chosen]) - f1(b[chosen]) for a, b in zip(one, other, strict=True)]))
        found.append(np.mean(means))
    return (*np.quantile(found, [0.025, 0.975]), float(np.std(found, ddof=1)))


def _samples(num_seeds: int = 3) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Two datasets of 60 and 40 sentences; the second variant's answers are close to the first's, as trained twins'."""
    draw = np.random.default_rng(3)
    first, second = [], []
    for num in (60, 40):
        mine = np.stack([sentences(draw, num, 0.7) for _ in range(num_seeds)])
        other = mine.copy()
        worse = draw.random((num_seeds, num)) < 0.3
        other[..., 0] -= worse & (other[..., 0] > 0)
        first.append(mine)
        second.append(other)
    return first, second


def test_the_interval_is_that_of_a_bootstrap_by_index() -> None:
    first, second = _samples()
    found = paired_bootstrap(first, second, 1, resamples=6000)
    low, high, error = _plain_bootstrap(first, second, 6000)
    wanted = np.mean([[f1(a) - f1(b) for a, b in zip(*pair, strict=True)] for pair in zip(first, second, strict=True)])
    assert found.difference == pytest.approx(wanted, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.004)
    assert found.standard_error == pytest.approx(error, rel=0.05)


def test_seeds_that_answer_alike_count_as_one() -> None:
    first, second = (([part[:1] for part in side]) for side in _samples())
    alone = paired_bootstrap([part[0] for part in first], [part[0] for part in second], 1)
    assert alone == paired_bootstrap(first, second, 1)
    thrice = paired_bootstrap([np.repeat(part, 3, 0) for part in first], [np.repeat(part, 3, 0) for part in second], 1)
    assert (thrice.low, thrice.high) == pytest.approx((alone.low, alone.high))


def test_the_pairs_are_sentences() -> None:
    first, second = _samples()
    apart = [part[:, np.random.default_rng(5).permutation(part.shape[1])] for part in second]
    paired, unpaired = paired_bootstrap(first, second, 1), paired_bootstrap(first, apart, 1)
    assert unpaired.difference == pytest.approx(paired.difference)
    assert unpaired.standard_error > 1.5 * paired.standard_error


def test_sides_may_have_different_numbers_of_seeds() -> None:
    first, second = _samples()
    alone = [part[:1] for part in first]
    found = paired_bootstrap(alone, second, 1, resamples=500)
    thrice = paired_bootstrap([np.repeat(part, 3, axis=0) for part in alone], second, 1, resamples=500)
    assert (found.difference, found.low, found.high) == pytest.approx((thrice.difference, thrice.low, thrice.high))
    assert approximate_randomisation(alone, second, 1) == approximate_randomisation(
        [np.repeat(part, 3, axis=0) for part in alone], second, 1
    )
