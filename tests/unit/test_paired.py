"""Paired differences: against a plain bootstrap by index, over seeds, systems and protocols, and in a few sentences."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from catalog_support import change_card, write_repository
from count_samples import f1, improved, redrawn_f1, score_of, sentences
from reporting_samples import differences, loss_card, loss_cells, main_card, main_cells, width_card, width_cells

from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.reporting.cells import score_path
from benchmarks.reporting.narrative import held_against
from benchmarks.reporting.paired import average_difference, read_differences, write_differences
from benchmarks.reporting.summary import CellIndex
from benchmarks.scoring.judging import HIGHER, LOWER, NO_SEED, NOT_SHOWN, ONE_SEED
from benchmarks.scoring.power import visible_difference
from benchmarks.scoring.statistics import holm, seed_interval
from gliner_core.errors import InputError
from gliner_core.seeding import derive_seed

NEW = "max_width=4"


def _space(folder: Path, study: str = "width", **keys: object) -> Workspace:
    """A study over two datasets and two seeds; nothing is scored yet."""
    root = write_repository(folder)
    change_card(root, f"benchmarks/studies/{study}.yaml", **keys)
    config = {"scale": "tiny", "studies": [study], "results": str(folder / "results"), "device": "cpu"}
    return open_workspace(root, config)


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return _space(tmp_path, axes={"model.max_width": [4, 12]}, decoding_axes={})


Counts = dict[tuple[str, int | None, str], np.ndarray]


def _put_scores(space: Workspace, counts: Counts) -> None:
    (study,) = space.grid.studies
    for row in space.grid.study_rows(study):
        for dataset in ("alpha", "beta"):
            cell = space.grid.cell_of(row, space.registry.datasets[dataset])
            path = space.home / score_path(cell.folder, row.protocol)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(score_of(counts[row.variant, row.seed, dataset])))


def _resampled(counts: Counts, sides: tuple[list[tuple[str, int | None]], ...], datasets: Sequence[str]) -> np.ndarray:
    """First minus second side, mean over seeds and datasets, in points: one resample of sentences after another."""
    gaps = []
    for dataset in datasets:
        seed = derive_seed(0, "paired", "tested", dataset)
        first, second = (redrawn_f1([counts[*owner, dataset] for owner in side], seed, 1000) for side in sides)
        gaps.append(100 * (first.mean(axis=1) - second.mean(axis=1)))
    return np.mean(gaps, axis=0)


def _scored(space: Workspace, better: float) -> Counts:
    draw = np.random.default_rng(11)
    found: Counts = {}
    for seed in (1, 2):
        for dataset, num in (("alpha", 80), ("beta", 50)):
            found["baseline", seed, dataset] = sentences(draw, num, 0.5)
            found[NEW, seed, dataset] = improved(draw, found["baseline", seed, dataset], better)
    _put_scores(space, found)
    return found


def _written(space: Workspace, folder: Path) -> pd.DataFrame:
    (study,) = space.grid.studies
    write_differences(space, study, folder / "differences.csv")
    return read_differences(folder / "differences.csv")


def test_differences_of_a_study(space: Workspace, tmp_path: Path) -> None:
    counts = _scored(space, better=0.5)
    frame = _written(space, tmp_path)
    assert list(frame["dataset"]) == ["beta", "alpha", "average"]
    assert set(frame["variant"]) == {NEW} and set(frame["baseline_variant"]) == {"baseline"}
    assert list(frame["num_sentences"]) == [50, 80, 130] and set(frame["num_seeds"]) == {2}
    by_seed = {
        (dataset, seed): 100 * (f1(counts[NEW, seed, dataset]) - f1(counts["baseline", seed, dataset]))
        for dataset in ("alpha", "beta")
        for seed in (1, 2)
    }
    found = frame.set_index("dataset")["difference_points"]
    for dataset in ("alpha", "beta"):
        assert found[dataset] == pytest.approx((by_seed[dataset, 1] + by_seed[dataset, 2]) / 2)
    assert found["average"] == pytest.approx((found["alpha"] + found["beta"]) / 2)
    average = frame.iloc[2]
    values = [(by_seed["alpha", seed] + by_seed["beta", seed]) / 2 for seed in (1, 2)]
    over_seeds, both = seed_interval(values), ([(NEW, 1), (NEW, 2)], [("baseline", 1), ("baseline", 2)])
    assert (average["seed_low"], average["seed_high"]) == pytest.approx((over_seeds.low, over_seeds.high))
    for line, datasets in zip(frame.itertuples(), (["beta"], ["alpha"], ["alpha", "beta"]), strict=True):
        drawn = _resampled(counts, both, datasets)
        assert (line.low, line.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert average["visible_points"] == pytest.approx(visible_difference(drawn.std(ddof=1), values, 0.95))
    assert average["low"] > 0 and average["p_value"] == average["p_adjusted"] == pytest.approx(1 / 10_001)
    assert average["verdict"] == (HIGHER if over_seeds.low > 0 else NOT_SHOWN) and average["reach"] == ""


def test_the_p_value_is_that_of_the_average_over_datasets(space: Workspace, tmp_path: Path) -> None:
    """Against a loop that exchanges the two sides of one sentence after another; alpha gains, beta loses."""
    counts = _scored(space, better=0.0)
    draw = np.random.default_rng(4)
    for seed in (1, 2):
        counts[NEW, seed, "alpha"] = improved(draw, counts["baseline", seed, "alpha"], 0.12)
        counts[NEW, seed, "beta"] = sentences(draw, 50, 0.5)
        counts[NEW, seed, "beta"][:, 2] = counts["baseline", seed, "beta"][:, 2]
        counts[NEW, seed, "beta"][:, 0] = counts[NEW, seed, "beta"].min(axis=1)
    _put_scores(space, counts)
    sides = {
        dataset: np.array([[counts[name, seed, dataset] for seed in (1, 2)] for name in (NEW, "baseline")])
        for dataset in ("alpha", "beta")
    }

    def average(swaps: dict[str, np.ndarray]) -> float:
        gaps = []
        for dataset, pair in sides.items():
            first = np.where(swaps[dataset][None, :, None], pair[1], pair[0])
            second = np.where(swaps[dataset][None, :, None], pair[0], pair[1])
            gaps.append(np.mean([f1(one) - f1(other) for one, other in zip(first, second, strict=True)]))
        return abs(float(np.mean(gaps)))

    observed = average({"alpha": np.zeros(80, bool), "beta": np.zeros(50, bool)})
    reached = [
        average({"alpha": draw.random(80) < 0.5, "beta": draw.random(50) < 0.5}) >= observed for _ in range(2000)
    ]
    found = _written(space, tmp_path).iloc[2]["p_value"]
    assert 0.02 < found < 0.98
    assert found == pytest.approx(np.mean(reached), abs=0.04)  # three standard errors of 2,000 draws


def test_single_datasets_are_described_and_not_tested(space: Workspace, tmp_path: Path) -> None:
    _scored(space, better=0.5)
    frame = _written(space, tmp_path)
    single = frame[frame["dataset"] != "average"]
    assert single[["difference_points", "low", "high", "seed_low", "seed_high"]].notna().all(axis=None)
    assert single[["p_value", "p_adjusted", "visible_points", "num_compared"]].isna().all(axis=None)
    assert set(single["verdict"]) == {""}


def test_equal_answers_show_nothing(space: Workspace, tmp_path: Path) -> None:
    _scored(space, better=0.0)
    frame = _written(space, tmp_path)
    assert (frame[["difference_points", "low", "high", "seed_low", "seed_high"]] == 0).all(axis=None)
    average = frame.iloc[2]
    assert average["verdict"] == NOT_SHOWN and average["p_value"] == average["p_adjusted"] == 1
    assert " ".join(held_against(frame)) == (
        "Against baseline: max width 4 +0.0 points (95 % over sentences +0.0 to +0.0, over 2 seeds "
        "+0.0 to +0.0, adjusted p 1.000): no difference shown."
    )


def test_luck_of_the_seeds_is_no_difference(space: Workspace, tmp_path: Path) -> None:
    """Sentences alone would show it: one seed gains much, the other loses a little."""
    counts = _scored(space, better=0.0)
    for dataset in ("alpha", "beta"):
        counts[NEW, 1, dataset] = counts["baseline", 1, dataset].copy()
        counts[NEW, 1, dataset][:, 0] = counts[NEW, 1, dataset][:, [1, 2]].min(axis=1)
        counts[NEW, 2, dataset] = counts["baseline", 2, dataset].copy()
        counts[NEW, 2, dataset][:8, 0] = 0
    _put_scores(space, counts)
    average = _written(space, tmp_path).iloc[2]
    assert average["low"] > 0 and average["p_adjusted"] < 0.01 and average["seed_low"] < 0
    assert average["verdict"] == NOT_SHOWN


def test_other_sentences_are_refused(space: Workspace, tmp_path: Path) -> None:
    counts = _scored(space, better=0.5)
    counts[NEW, 2, "alpha"] = counts[NEW, 2, "alpha"][:-1]
    _put_scores(space, counts)
    with pytest.raises(InputError, match=r"scores.plain.json: scores 79 sentences of alpha .* baseline has 80; delete"):
        _written(space, tmp_path)


def test_systems_and_protocols(tmp_path: Path) -> None:
    """Two protocols make two families; a system has one answer, which meets every seed of the baseline."""
    space = _space(tmp_path, "main")
    draw = np.random.default_rng(5)
    counts: Counts = {}
    for dataset, num in (("alpha", 80), ("beta", 50)):
        for seed in (1, 2):
            counts["baseline", seed, dataset] = sentences(draw, num, 0.7)
            counts["untrained", seed, dataset] = improved(draw, counts["baseline", seed, dataset], 0.02)
        counts["chance", None, dataset] = sentences(draw, num, 0.1)
    _put_scores(space, counts)
    frame = _written(space, tmp_path)
    average = frame[frame["dataset"] == "average"]
    assert list(zip(average["variant"], average["system"], average["protocol"], strict=True)) == [
        ("untrained", "", "plain"), ("chance", "chance", "plain"),
        ("untrained", "", "without"), ("chance", "chance", "without"),
    ]  # fmt: skip
    for _, family in average.groupby("protocol"):
        assert holm(family["p_value"].tolist()) == pytest.approx(family["p_adjusted"].tolist())
        assert set(family["num_compared"]) == {2}
    system = average.iloc[1]
    assert system["num_seeds"] == 0 and pd.isna(system["seed_low"])
    assert (system["verdict"], system["reach"]) == (LOWER, NO_SEED)
    both = [("chance", None)], [("baseline", 1), ("baseline", 2)]
    drawn = _resampled(counts, both, ("alpha", "beta"))
    assert (system["low"], system["high"]) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert held_against(frame)[-1] == "Under without, 2 of 2 verdicts are the same."


def test_a_decoding_axis_is_compared_point_by_point(tmp_path: Path) -> None:
    """Every point is an answer of the same runs; the one with the K of training is the baseline."""
    space = _space(tmp_path, axes={}, decoding_axes={"max_width": [2, 4, 12]})
    draw = np.random.default_rng(6)
    counts: Counts = {}
    for dataset, num in (("alpha", 80), ("beta", 50)):
        for seed in (1, 2):
            base = counts["baseline", seed, dataset] = sentences(draw, num, 0.7)
            for name in ("max_width=2", "max_width=4"):
                counts[name, seed, dataset] = improved(draw, base, 0.2)
    _put_scores(space, counts)
    frame = _written(space, tmp_path)
    average = frame[frame["dataset"] == "average"]
    assert list(average["variant"]) == ["max_width=2", "max_width=4"]
    assert set(average["baseline_variant"]) == {"baseline"} and average["decoding"].nunique() == 2


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({"overrides": {"optim.batch_size": 3}}, "max_width=4"),
        ({"overrides": {"optim.batch_size": 3}, "baseline_variant": "max_width=12"}, "max_width=12"),
        ({}, "baseline"),
    ],
)
def test_what_others_are_held_against(keys: dict[str, object], wanted: str, tmp_path: Path) -> None:
    space = _space(tmp_path, axes={"model.max_width": [4, 12]}, decoding_axes={}, **keys)
    draw = np.random.default_rng(1)
    names = {row.variant for row in space.grid.rows}
    _put_scores(space, {(n, s, d): sentences(draw, 30, 0.5) for n in names for s in (1, 2) for d in ("alpha", "beta")})
    frame = _written(space, tmp_path)
    assert set(frame["baseline_variant"]) == {wanted} and set(frame["variant"]) == names - {wanted}


def test_one_seed_is_said(tmp_path: Path) -> None:
    root = write_repository(tmp_path)
    change_card(root, "benchmarks/studies/width.yaml", axes={"model.max_width": [4, 12]}, decoding_axes={})
    config = {
        "scale": "tiny",
        "studies": ["width"],
        "results": str(tmp_path / "results"),
        "device": "cpu",
        "seeds": [1],
    }
    space = open_workspace(root, config)
    _scored(space, better=0.5)
    frame = _written(space, tmp_path)
    assert (frame.iloc[2]["verdict"], frame.iloc[2]["reach"]) == (HIGHER, ONE_SEED)
    assert held_against(frame)[-1] == "With one seed a verdict holds for these trained models only."


def test_a_study_of_one_variant_has_a_header_only(tmp_path: Path) -> None:
    space = _space(tmp_path, "main", variants={}, systems=[])
    draw = np.random.default_rng(1)
    _put_scores(space, {("baseline", s, d): sentences(draw, 30, 0.5) for s in (1, 2) for d in ("alpha", "beta")})
    frame = _written(space, tmp_path)
    assert frame.empty and held_against(frame) == []


def test_the_same_bytes_twice(space: Workspace, tmp_path: Path) -> None:
    _scored(space, better=0.3)
    write_differences(space, "width", tmp_path / "a.csv")
    write_differences(space, "width", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_line_is_found_by_the_row_it_is_about() -> None:
    cells, card = loss_cells(), loss_card()
    lines = differences(cells, card)
    for row in CellIndex(cells, card).rows:
        line = average_difference(lines, row)
        assert (line is None) == row.is_baseline
        assert line is None or (line["variant"], line["protocol"]) == (row.variant, row.protocol)


def test_many_comparisons_are_told_in_a_few_sentences() -> None:
    told = held_against(differences(width_cells(), width_card()))
    assert told == [
        "Against baseline, 0 of 3 are shown to be higher and 2 lower; for 1 no difference is shown.",
        "The highest is K = 8 -1.0 points (95 % over sentences -2.0 to +0.0, over 3 seeds -3.0 to +1.0, adjusted p "
        "0.212): no difference shown.",
        "The lowest is K = 4 -8.0 points (95 % over sentences -9.0 to -7.0, over 3 seeds -10.0 to -6.0, adjusted p "
        "< 0.001): lower.",
        "Where nothing is shown, a true difference of 2.5 points would have been found 4 times in 5.",
    ]
    told = held_against(differences(loss_cells(), loss_card()))
    assert len(told) == 3 and told[-1] == "Under no_else, 2 of 2 verdicts are the same."
    told = held_against(differences(main_cells(), main_card()))
    assert "Random scorer -56.0 points (95 % over sentences -57.0 to -54.9, sentences only, adjusted p" in told[0]
