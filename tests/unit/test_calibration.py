"""Calibration and thresholds: against scikit-learn, against score files, against loops over candidates."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from analysis_samples import made_space
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
from benchmarks.reporting.cells import score_path
from benchmarks.scoring.counts import rate
from benchmarks.scoring.judging import HIGHER, LOWER, NOT_SHOWN
from benchmarks.scoring.statistics import approximate_randomisation
from gliner_core.files import read_json
from gliner_core.seeding import derive_seed

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


@pytest.fixture(scope="module")
def swept() -> tuple[list[np.ndarray], pd.DataFrame]:
    """Counts [R, S, T, 3] of three datasets whose best thresholds lie apart, and the rows of their sweep."""
    parts = [[_drawn(num=150 + 60 * place, seed=seed + 10 * place) for seed in (1, 2)] for place in range(3)]
    counts = [
        np.stack([threshold_counts(run, np.full(50, 1 + 2 * place)) for run in runs])
        for place, runs in enumerate(parts)
    ]
    return counts, pd.DataFrame(Sweep(["a", "b", "c"], counts, "s", 100).rows())


def _resampled_f1(counts: list[np.ndarray]) -> np.ndarray:
    """F1 [resamples, D, T] with sentences copied one by one."""
    found = np.zeros((100, 3, len(THRESHOLDS)))
    for place, (name, part) in enumerate(zip("abc", counts, strict=True)):
        draw = np.random.default_rng(derive_seed(0, "calibration", "s", name))
        for number in range(100):
            taken = draw.integers(0, 50, 50)
            found[number, place] = np.mean([rate(run[taken].sum(axis=0)) for run in part], axis=0)
    return found


def test_every_resample_chooses_its_thresholds_anew(swept: tuple[list[np.ndarray], pd.DataFrame]) -> None:
    counts, rows = swept
    f1 = _resampled_f1(counts)
    lost = np.array([[one[place].max() - one[place, one.mean(axis=0).argmax()] for place in range(3)] for one in f1])
    regret = rows[rows["kind"] == "regret"].set_index("dataset")
    for name, values in {"a": lost[:, 0], "b": lost[:, 1], "c": lost[:, 2], "average": lost.mean(axis=1)}.items():
        wanted = 100 * np.quantile(values, [0.025, 0.975])
        assert regret.loc[name, ["low", "high"]].tolist() == pytest.approx(wanted.tolist())
    commons = {int(one.mean(axis=0).argmax()) for one in f1}
    assert len(commons) > 5  # a threshold that is fixed would be another thing


def test_the_interval_of_the_low_threshold_has_its_sign(swept: tuple[list[np.ndarray], pd.DataFrame]) -> None:
    counts, rows = swept
    f1 = _resampled_f1(counts)
    low = rows[rows["kind"] == "low"].set_index("dataset")
    assert ((low["low"] <= low["value"]) & (low["value"] <= low["high"])).all()
    wanted = 100 * np.quantile((f1[:, :, 25] - f1[:, :, 45]).mean(axis=1), [0.025, 0.975])
    assert low.loc["average", ["low", "high"]].tolist() == pytest.approx(wanted.tolist())


def test_only_the_average_of_two_thresholds_is_tested(swept: tuple[list[np.ndarray], pd.DataFrame]) -> None:
    counts, rows = swept
    (tested,) = rows[rows["p_value"].notna()].to_dict("records")
    assert (tested["kind"], tested["dataset"], tested["num_compared"]) == ("low", "average", 1)
    sides = [[part[:, :, at] for part in counts] for at in (25, 45)]
    assert tested["p_value"] == approximate_randomisation(*sides, derive_seed(0, "exchanged", "calibration", "s"))
    assert tested["p_holm"] == tested["p_value"] and tested["verdict"] in (HIGHER, LOWER, NOT_SHOWN)


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


def test_the_page_claims_what_is_tested_and_describes_the_rest(space: Workspace) -> None:
    rows = calibration_rows.gather(space, STUDY)
    place = rows.index[(rows["kind"] == "low") & (rows["dataset"] == "average")]
    columns = ["low", "high", "seed_low", "seed_high", "p_holm", "verdict"]
    for found, ending in (
        ([1, 2, 1, 2, 0.2, NOT_SHOWN], f"0.200: {NOT_SHOWN}."),
        ([1, 2, 1, 2, 0.01, HIGHER], "0.010: higher."),
    ):
        rows.loc[place, columns] = found
        page = calibration_page.present(rows, space.registry.studies[STUDY], space)
        assert page.findings[-1].endswith(f"adjusted p {ending}")
    leans = [text for text in page.findings if text.startswith("Scores of")]
    assert len(leans) == 2 and all(text.endswith("left out; described, not tested.") for text in leans)
    assert not any("sure" in text for text in leans)
    (thresholds,) = [table for table in page.tables if "Best threshold" in table.columns]
    assert any("interval of what one threshold loses lies high" in note for note in thresholds.notes)


@pytest.mark.parametrize(("ends", "said"), [
    ((1, 2, None, None), "zero is left out"), ((-1, 2, None, None), "zero is not left out"),
    ((1, 2, 0.5, 2.5), "zero is left out"), ((1, 2, -0.5, 2.5), "zero is not left out"),
    ((-2, -1, -3, -0.5), "zero is left out"), ((-2, -1, 0.5, 2.5), "zero is not left out"),
])  # fmt: skip
def test_what_is_not_tested_says_where_zero_lies(ends: tuple, said: str) -> None:
    row = pd.Series(dict(zip(("low", "high", "seed_low", "seed_high"), ends, strict=True)))
    assert calibration_page._described(row).startswith(said)


def test_without_a_variant_named_baseline_the_first_is_read(tmp_path: Path) -> None:
    """Overrides move all points of `supervised_scaling` away from the scale's baseline."""
    study = "supervised_scaling"
    space = made_space(tmp_path, study, seeds=(1,))
    variants = [row.variant for row in space.grid.study_rows(study)]
    assert "baseline" not in variants
    rows = calibration_rows.gather(space, study)
    first = space.grid.study_rows(study)[0]
    name = space.registry.suite_datasets(first.suite)[0]
    score = read_json(
        space.home / score_path(space.grid.cell_of(first, space.registry.datasets[name]).folder, first.protocol)
    )
    curve = rows[(rows["kind"] == "curve") & (rows["dataset"] == name) & (rows["measure"] == "f1_pct")]
    assert curve.loc[np.isclose(curve["threshold"], 0.5), "value"].item() == pytest.approx(score["f1_pct"])
