"""Calibration and thresholds: against scikit-learn, against score files, against loops over candidates."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from answered_samples import STUDY, answer_and_score, robust_space, score_of
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from benchmarks.analyses import calibration_page, calibration_rows
from benchmarks.analyses.calibration_scores import (
    NUM_BINS,
    Binning,
    Scored,
    bias,
    bin_numbers,
    bin_sums,
    expected_error,
    joined,
    maximum_error,
    mean_error,
    squared_errors,
)
from benchmarks.analyses.calibration_sweep import THRESHOLDS, Sweep, threshold_counts
from benchmarks.analyses.pages import page_of, write_page
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.counts import rate

STRATEGY: dict[Binning, str] = {"width": "uniform", "mass": "quantile"}


def _drawn(num: int = 800, sentences: int = 50, seed: int = 4) -> Scored:
    draw = np.random.default_rng(seed)
    score = draw.beta(0.6, 0.9, num).astype(np.float32).astype(float)
    hit = draw.random(num) < score**1.5
    return Scored(sentence=np.sort(draw.integers(0, sentences, num)), score=score, hit=hit, num_sentences=sentences)


@pytest.mark.parametrize("binning", ["width", "mass"])
def test_bins_are_those_of_scikit_learn(binning: Binning) -> None:
    scored = _drawn()
    sums = bin_sums(scored, binning).sum(axis=0)
    filled = sums[sums[:, 0] > 0]
    correct, mean = calibration_curve(scored.hit, scored.score, n_bins=NUM_BINS, strategy=STRATEGY[binning])
    assert filled[:, 2] / filled[:, 0] == pytest.approx(correct, abs=1e-12)
    assert filled[:, 1] / filled[:, 0] == pytest.approx(mean, abs=1e-12)
    weights = filled[:, 0] / len(scored.score)
    assert expected_error(sums) == pytest.approx(float(weights @ np.abs(correct - mean)), abs=1e-12)
    assert maximum_error(sums) == pytest.approx(np.abs(correct - mean).max(), abs=1e-12)


@pytest.mark.parametrize("binning", ["width", "mass"])
def test_the_expected_error_is_a_loop_over_candidates(binning: Binning) -> None:
    scored = _drawn(num=200)
    numbers = bin_numbers(scored.score, binning)
    total = 0.0
    for number in set(numbers.tolist()):
        inside = [place for place in range(200) if numbers[place] == number]
        share = sum(bool(scored.hit[place]) for place in inside) / len(inside)
        total += len(inside) / 200 * abs(share - sum(scored.score[place] for place in inside) / len(inside))
    assert expected_error(bin_sums(scored, binning).sum(axis=0)) == pytest.approx(total, abs=1e-12)
    if binning == "mass":
        assert np.ptp(np.bincount(numbers)) <= 2


def test_brier_and_bias() -> None:
    scored = _drawn()
    assert mean_error(squared_errors(scored).sum(axis=0)) == pytest.approx(brier_score_loss(scored.hit, scored.score))
    assert bias(bin_sums(scored, "width").sum(axis=0)) == pytest.approx(scored.score.mean() - scored.hit.mean())


def test_a_model_that_knows_what_it_knows_has_no_error() -> None:
    score = np.repeat([0.1, 0.5, 0.9], 1000)
    hit = np.concatenate([np.arange(1000) < share for share in (100, 500, 900)])
    scored = Scored(sentence=np.zeros(3000, dtype=int), score=score, hit=hit, num_sentences=1)
    assert expected_error(bin_sums(scored, "width").sum(axis=0)) == pytest.approx(0, abs=1e-12)


def test_no_candidate_is_no_fault() -> None:
    empty = Scored(sentence=np.array([], int), score=np.array([]), hit=np.array([], bool), num_sentences=3)
    for binning in STRATEGY:
        assert expected_error(bin_sums(empty, binning).sum(axis=0)) == 0
    assert joined([empty, empty]).num_sentences == 6


def test_joined_sentences_keep_their_own_candidates() -> None:
    one, two = _drawn(num=40, sentences=5), _drawn(num=30, sentences=7, seed=5)
    both = joined([one, two])
    assert both.num_sentences == 12
    apart = np.concatenate([bin_sums(one, "width"), bin_sums(two, "width")])
    assert bin_sums(both, "width") == pytest.approx(apart)


def test_every_threshold_counts_what_lies_strictly_above_it() -> None:
    scored = _drawn(num=300, sentences=10)
    scored.score[:3] = np.float32([0.05, 0.5, 0.95])  # on a threshold: not above it
    counts = threshold_counts(scored, np.arange(10))
    for at in (0, 1, 44, 45, 46, 90):
        above = scored.score.astype(np.float32) > np.float32(THRESHOLDS[at])
        for sentence in range(10):
            mine = above & (scored.sentence == sentence)
            assert counts[sentence, at].tolist() == [(mine & scored.hit).sum(), mine.sum(), sentence]


def test_choices_are_those_of_a_search_over_thresholds() -> None:
    parts = [[_drawn(seed=seed + 10 * place) for seed in (1, 2)] for place in range(3)]
    gold = [np.full(50, 5 + place) for place in range(3)]
    counts = [np.stack([threshold_counts(run, own) for run in runs]) for runs, own in zip(parts, gold, strict=True)]
    rows = pd.DataFrame(Sweep(["a", "b", "c"], counts, "s", 100).rows())
    f1 = np.array([[np.mean([rate(run[:, at].sum(axis=0)) for run in part]) for at in range(91)] for part in counts])
    common = max(range(91), key=lambda at: f1[:, at].mean())
    best = rows[rows["kind"] == "best"].set_index("dataset")["value"]
    assert best["average"] == THRESHOLDS[common]
    assert best["b"] == THRESHOLDS[f1[1].argmax()]
    regret = rows[rows["kind"] == "regret"].set_index("dataset")
    assert regret.loc["c", "value"] == pytest.approx(100 * (f1[2].max() - f1[2, common]))
    assert regret.loc["average", "value"] == pytest.approx(100 * (f1.max(axis=1) - f1[:, common]).mean())
    assert (regret["low"] >= 0).all() and regret.loc["average", "low"] <= regret.loc["average", "high"]
    low = rows[rows["kind"] == "low"].set_index("dataset")
    assert low.loc["average", "value"] == pytest.approx(100 * (f1[:, 25] - f1[:, 45]).mean())
    middle = (low["seed_low"] + low["seed_high"]) / 2
    assert middle["average"] == pytest.approx(low.loc["average", "value"])


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    found = robust_space(tmp_path)
    answer_and_score(found)
    return found


def test_the_sweep_agrees_with_the_score_files(space: Workspace) -> None:
    rows = calibration_rows.gather(space, STUDY)
    curve = rows[(rows["kind"] == "curve") & (rows["dataset"] == "alpha") & (rows["measure"] == "f1_pct")]
    files = [score_of(space, "baseline", seed, "alpha")["sweep"] for seed in (1, 2)]
    for points in zip(*files, strict=True):
        mine = curve.loc[np.isclose(curve["threshold"], points[0]["threshold"]), "value"]
        assert mine.item() == pytest.approx(np.mean([point["f1_pct"] for point in points]), abs=1e-9)


def test_populations_hold_what_they_say(space: Workspace) -> None:
    rows = calibration_rows.gather(space, STUDY)
    errors = rows[(rows["kind"] == "error") & (rows["measure"] == "brier")].set_index(["population", "dataset"])
    assert (errors.loc["candidates", "count"] >= errors.loc["decoded", "count"]).all()
    for name in ("decoded", "candidates"):
        assert errors.loc[(name, "all"), "count"] == errors.loc[[(name, "alpha"), (name, "beta")], "count"].sum()
    bins = rows[(rows["kind"] == "bin") & (rows["dataset"] == "all") & (rows["binning"] == "mass")]
    assert bins.groupby("population")["count"].sum().to_dict() == errors.xs("all", level="dataset")["count"].to_dict()
    assert (bins["low"] <= bins["high"]).all()


@pytest.mark.parametrize(("shift", "seeds"), [(0.0, [1, 2]), (0.0, [1]), (-5.0, [1])])
def test_the_page_reads_rows_from_a_file(shift: float, seeds: list[int], tmp_path: Path) -> None:
    space = robust_space(tmp_path, seeds=seeds)
    answer_and_score(space, shift)
    folder = space.study(STUDY) / "calibration"
    folder.mkdir(parents=True)
    calibration_rows.gather(space, STUDY).to_csv(folder / "rows.csv", index=False)
    page = page_of(space, STUDY, "calibration")
    said = " ".join(page.findings)
    assert ("nothing can be said" in said) == (shift < 0)
    assert (", one seed" in said) == (len(seeds) == 1 and shift == 0)
    write_page(
        space,
        STUDY,
        "calibration",
        [folder / name for name in ("table.md", "findings.txt", "figure.svg", "figure.png")],
    )
    assert "Best threshold" in (folder / "table.md").read_text()


def test_a_page_needs_the_pooled_name_that_rows_use() -> None:
    assert calibration_page.POOLED == calibration_rows.POOLED
    assert tuple(calibration_page.TITLES) == calibration_rows.POPULATIONS
