"""Rates of many runs over shared resamples: against one run, one resample and one sentence after another."""

import numpy as np
import pytest
from count_samples import redrawn_f1, sentences

import benchmarks.scoring.drawing as drawing
from benchmarks.scoring.counts import Metric, rate
from benchmarks.scoring.drawing import _fair_bits, exact_type
from benchmarks.scoring.shared_resamples import resampled_rates, suite_intervals
from benchmarks.scoring.statistics import suite_interval

METRICS: tuple[Metric, ...] = ("precision", "recall", "f1")
SEEDS = (3, 4)


def runs(num_runs: int, num: int = 40, start: int = 0) -> np.ndarray:
    """Counts [R, S, 3]."""
    return np.stack([sentences(np.random.default_rng(start + run), num, 0.2 + run / 10) for run in range(num_runs)])


def test_rates_are_those_of_a_loop_over_resamples() -> None:
    counts = runs(4)
    assert resampled_rates(counts, 7, 50)[0] == pytest.approx(redrawn_f1(counts, 7, 50), abs=1e-12)
    found = resampled_rates(counts, 7, 50, METRICS)
    precision, recall, both = found
    assert (found[2] == resampled_rates(counts, 7, 50)[0]).all()
    assert both == pytest.approx(2 * precision * recall / (precision + recall))


def test_a_run_gets_the_same_alone_among_others_and_in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = runs(5)
    together = resampled_rates(counts, 2, 33)
    assert all((together[..., [place]] == resampled_rates(counts[[place]], 2, 33)).all() for place in range(5))
    monkeypatch.setattr(drawing, "_CELLS_AT_ONCE", 7 * counts.shape[1])
    assert (together == resampled_rates(counts, 2, 33)).all()
    assert (together != resampled_rates(counts, 3, 33)).any()


def test_runs_with_one_gold_are_drawn_like_runs_of_which_one_has_another() -> None:
    """Equal gold is summed once for all runs; a run scored against other gold keeps its own."""
    counts = runs(4)
    counts[..., 2] = counts[..., 2].max(axis=0)
    other = counts.copy()
    other[3, :, 2] += 1
    shared, apart = resampled_rates(counts, 5, 40, METRICS), resampled_rates(other, 5, 40, METRICS)
    assert shared[2] == pytest.approx(redrawn_f1(counts, 5, 40), abs=1e-12)
    assert apart[2] == pytest.approx(redrawn_f1(other, 5, 40), abs=1e-12)
    assert (shared[..., :3] == apart[..., :3]).all() and (shared[0] == apart[0]).all()
    assert (shared[1:, :, 3] > apart[1:, :, 3]).all()


def test_large_counts_stay_exact() -> None:
    """Sums beyond 2**24 are no whole numbers in single precision."""
    large = runs(2) * 2**20 + 1
    assert exact_type(large, 40) is np.float64 and exact_type(runs(2), 40) is np.float32
    draw = np.random.default_rng(1)
    picked = draw.integers(0, 40, 40)
    assert (resampled_rates(large, 1, 1)[0, 0] == rate(large[:, picked].sum(axis=1))).all()
    assert exact_type(runs(2) / 2, 40) is np.float64


def test_suite_intervals_are_percentiles_of_the_mean_over_datasets() -> None:
    datasets = [runs(3), runs(3, num=25, start=50)]
    found = suite_intervals(datasets, SEEDS, 200, METRICS)
    drawn = np.mean([redrawn_f1(*pair, 200) for pair in zip(datasets, SEEDS, strict=True)], axis=0)
    assert found[2] == pytest.approx(np.quantile(drawn, [0.025, 0.975], axis=0).T)
    assert found.shape == (3, 3, 2) and (found[..., 0] < found[..., 1]).all()


def test_they_agree_with_the_bootstrap_of_one_run() -> None:
    """Two programs with draws of their own: multinomial over distinct rows there, indices here."""
    datasets = [runs(1, 300), runs(1, 200, start=50)]
    ours = suite_intervals(datasets, SEEDS, 20_000, METRICS, level=0.9)
    for place, metric in enumerate(METRICS):
        other = suite_interval([counts[0] for counts in datasets], 1, 20_000, 0.9, metric)
        assert ours[place, 0] == pytest.approx((other.low, other.high), abs=0.001)


def test_negative_rows_count_for_the_type_too() -> None:
    assert exact_type(np.array([[-(2**23), 1]]), 40) is np.float64
    assert exact_type(np.array([[-3, 0]]), 40) is np.float32


def test_each_row_is_exchanged_in_half_of_the_draws() -> None:
    drawn = np.packbits(_fair_bits(np.random.default_rng(1), 5_000, 8), axis=1)
    assert set(drawn.ravel().tolist()) == set(range(256))
