"""Paired differences: against a plain bootstrap by index, over seeds, and as a study's table shows them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalog_support import ROOT, change_card, write_repository
from reporting_samples import loss_card, loss_cells, published_rows

from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.reporting.cells import score_path
from benchmarks.reporting.inputs import published_of
from benchmarks.reporting.paired import average_verdicts, read_differences, write_differences
from benchmarks.reporting.table_text import DELTA, text_tables
from benchmarks.reporting.tables import SHOWN, build_table
from benchmarks.scoring.statistics import paired_bootstrap, seed_interval

NEW, OLD = "max_width=4", "max_width=12"


def _sentences(draw: np.random.Generator, num: int, skill: float) -> np.ndarray:
    """Counts [S, 3] of a system that finds each of 0 to 4 gold items with this chance, and adds some of its own."""
    gold = draw.integers(0, 5, num)
    hits = draw.binomial(gold, skill)
    return np.stack([hits, hits + draw.integers(0, 2, num), gold], axis=1)


def _f1(rows: np.ndarray) -> float:
    hits, predicted, gold = rows.sum(axis=0)
    return 2 * hits / (predicted + gold) if predicted + gold else 0.0


def _plain_bootstrap(first: list[np.ndarray], second: list[np.ndarray], resamples: int) -> tuple[float, float, float]:
    """The same interval by drawing sentence indices, one resample and seed after the other."""
    draw = np.random.default_rng(7)
    found = []
    for _ in range(resamples):
        means = []
        for one, other in zip(first, second, strict=True):
            chosen = draw.integers(0, one.shape[1], one.shape[1])
            means.append(np.mean([_f1(a[chosen]) - _f1(b[chosen]) for a, b in zip(one, other, strict=True)]))
        found.append(np.mean(means))
    return (*np.quantile(found, [0.025, 0.975]), float(np.std(found, ddof=1)))


def _samples(num_seeds: int = 3) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Two datasets of 60 and 40 sentences; the second variant's answers are close to the first's, as trained twins'."""
    draw = np.random.default_rng(3)
    first, second = [], []
    for num in (60, 40):
        mine = np.stack([_sentences(draw, num, 0.7) for _ in range(num_seeds)])
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
    wanted = np.mean(
        [[_f1(a) - _f1(b) for a, b in zip(*pair, strict=True)] for pair in zip(first, second, strict=True)]
    )
    assert found.difference == pytest.approx(wanted, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.004)
    assert found.standard_error == pytest.approx(error, rel=0.05)


def test_seeds_that_answer_alike_count_as_one() -> None:
    first, second = (([part[:1] for part in side]) for side in _samples())
    alone = paired_bootstrap([part[0] for part in first], [part[0] for part in second], 1)
    assert alone == paired_bootstrap(first, second, 1)
    thrice = paired_bootstrap([np.repeat(part, 3, 0) for part in first], [np.repeat(part, 3, 0) for part in second], 1)
    assert (thrice.low, thrice.high, thrice.p_value) == pytest.approx((alone.low, alone.high, alone.p_value))


def test_the_pairs_are_sentences() -> None:
    first, second = _samples()
    apart = [part[:, np.random.default_rng(5).permutation(part.shape[1])] for part in second]
    paired, unpaired = paired_bootstrap(first, second, 1), paired_bootstrap(first, apart, 1)
    assert unpaired.difference == pytest.approx(paired.difference)
    assert unpaired.standard_error > 1.5 * paired.standard_error


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """A study of two widths and two datasets that names a baseline variant; nothing is scored yet."""
    root = write_repository(tmp_path)
    axes = {"model.max_width": [4, 12]}
    change_card(root, "benchmarks/studies/width.yaml", axes=axes, decoding_axes={}, baseline_variant="baseline")
    config = {"scale": "tiny", "studies": ["width"], "results": str(tmp_path / "results"), "device": "cpu"}
    return open_workspace(root, config)


def _put_scores(space: Workspace, counts: dict[tuple[str, int, str], np.ndarray]) -> None:
    for row in space.grid.study_rows("width"):
        for dataset in ("alpha", "beta"):
            cell = space.grid.cell_of(row, space.registry.datasets[dataset])
            path = space.home / score_path(cell.folder, row.protocol)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"sentences": counts[row.variant, row.seed, dataset].tolist()}))


def _scored(space: Workspace, better: float) -> dict[tuple[str, int, str], np.ndarray]:
    draw = np.random.default_rng(11)
    found = {}
    for seed in (1, 2):
        for dataset, num in (("alpha", 80), ("beta", 50)):
            base = _sentences(draw, num, 0.5)
            hits = np.minimum(base[:, 2], base[:, 0] + (draw.random(num) < better))
            found["baseline", seed, dataset] = base
            found[NEW, seed, dataset] = np.stack([hits, base[:, 1] + hits - base[:, 0], base[:, 2]], axis=1)
    _put_scores(space, found)
    return found


def test_differences_of_a_study(space: Workspace, tmp_path: Path) -> None:
    counts = _scored(space, better=0.5)
    write_differences(space, "width", tmp_path / "differences.csv")
    frame = read_differences(tmp_path / "differences.csv")
    assert list(frame["dataset"]) == ["beta", "alpha", "average"]
    assert set(frame["variant"]) == {NEW} and set(frame["baseline_variant"]) == {"baseline"}
    assert list(frame["num_sentences"]) == [50, 80, 130] and set(frame["num_seeds"]) == {2}
    by_seed = {
        (dataset, seed): 100 * (_f1(counts[NEW, seed, dataset]) - _f1(counts["baseline", seed, dataset]))
        for dataset in ("alpha", "beta")
        for seed in (1, 2)
    }
    found = frame.set_index("dataset")["difference_points"]
    for dataset in ("alpha", "beta"):
        assert found[dataset] == pytest.approx((by_seed[dataset, 1] + by_seed[dataset, 2]) / 2)
    assert found["average"] == pytest.approx((found["alpha"] + found["beta"]) / 2)
    average = frame.iloc[2]
    over_seeds = seed_interval([(by_seed["alpha", seed] + by_seed["beta", seed]) / 2 for seed in (1, 2)])
    assert (average["seed_low"], average["seed_high"]) == pytest.approx((over_seeds.low, over_seeds.high))
    assert average["low"] > 0 and average["is_shown"] == (over_seeds.low > 0)


def test_equal_answers_show_nothing(space: Workspace, tmp_path: Path) -> None:
    _scored(space, better=0.0)
    write_differences(space, "width", tmp_path / "differences.csv")
    frame = read_differences(tmp_path / "differences.csv")
    assert (frame[["difference_points", "low", "high", "seed_low", "seed_high"]] == 0).all(axis=None)
    assert not frame["is_shown"].any() and (frame["p_value"] == 1).all()
    (said,) = average_verdicts(frame)
    assert said == (
        f"{NEW} minus baseline, plain: no difference could be shown: +0.0 points, and no resample of the sentences "
        "tells the two apart."
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
    write_differences(space, "width", tmp_path / "differences.csv")
    average = read_differences(tmp_path / "differences.csv").iloc[2]
    assert average["low"] > 0 and average["seed_low"] < 0
    assert not average["is_shown"] and average["verdict"].startswith("no difference could be shown")


def _differences(**changes: Any) -> Any:
    import pandas as pd

    row = {
        "variant": "loss=focal", "baseline_variant": "baseline", "protocol": "gliner_official", "dataset": "average",
        "difference_points": -2.04, "low": -3.06, "high": -1.02, "is_shown": True, "visible_points": 1.46,
        "verdict": "difference shown",
    }  # fmt: skip
    return pd.DataFrame([row | changes, row | {"dataset": "demo_sky", "difference_points": 9.0}])


def _table(**changes: Any) -> Any:
    card = loss_card().model_copy(update={"baseline_variant": "baseline"})
    cells = loss_cells(("gliner_official",))
    return build_table(cells, card, published_of(card), {}, None, _differences(**changes))


def test_the_table_shows_the_difference_with_its_interval() -> None:
    frame = _table().set_index("Variant")
    focal = frame.loc["Focal loss"]
    assert [focal[DELTA], focal[f"{DELTA} (low)"], focal[f"{DELTA} (high)"]] == [-2.0, -3.06, -1.02]
    assert focal[SHOWN] == "yes"
    (table,) = text_tables(_table())
    column = table.columns.index(DELTA)
    assert [row[column].text for row in table.rows][1:] == ["-2.0", "+1.0"]
    assert "[-3.1, -1.0]" in {row[column].detail for row in table.rows}
    assert any("paired difference" in note for note in table.notes)


def test_the_table_says_what_could_have_been_seen() -> None:
    frame = _table(is_shown=False).set_index("Variant")
    assert frame.loc["Focal loss", SHOWN] == "no (visible from 1.5)"


def test_a_study_without_differences_has_the_table_it_had() -> None:
    frame = build_table(loss_cells(), loss_card(), published_rows().iloc[:0], {})
    assert SHOWN not in frame.columns and not any(
        f"{DELTA} (low)" in name for name in frame if frame[name].notna().any()
    )


def test_only_studies_that_name_a_baseline_variant_are_paired() -> None:
    config = {"scale": "demo", "studies": ["trainer_parity", "main_table"]}
    cards = open_workspace(ROOT, config).registry.studies
    assert cards["trainer_parity"].baseline_variant == "optim.trainer=gliner-0.2.29".removeprefix("optim.")
    assert cards["main_table"].baseline_variant is None
