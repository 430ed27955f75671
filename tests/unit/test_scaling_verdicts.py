"""Verdicts of the analysis `scaling`: each pair by the rule, the change on simulated studies, words by verdict."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scaling_samples import STUDY, scaling_results
from scipy import stats

from benchmarks.analyses.scaling_findings import gap_findings
from benchmarks.analyses.scaling_page import present
from benchmarks.analyses.scaling_rows import gather
from benchmarks.analyses.scaling_verdicts import judge_change
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.paired import read_differences, write_differences
from benchmarks.reporting.summary import AVERAGE
from benchmarks.reporting.table_text import to_markdown
from benchmarks.scoring.drawing import shared_sums
from benchmarks.scoring.judging import HIGHER, LOWER, NOT_SHOWN, ONE_SEED
from benchmarks.scoring.statistics import holm

SIZES = (100, 300, 1000, 3000)
SEEDS = (1, 2, 3)


def _curve(pretrained: bool, size: float) -> float:
    """The gain is large with little data, small in the middle and at the end less than the seeds' luck."""
    return 0.5 + pretrained * {100: 0.2, 300: 0.04, 1000: 0.01, 3000: -0.006}[int(size)]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return scaling_results(tmp_path_factory.mktemp("gaps"), _curve, SEEDS, sentences=300, jitter=0.01)


@pytest.fixture(scope="module")
def rows(space: Workspace) -> pd.DataFrame:
    return gather(space, STUDY)


def _gaps(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[(rows["topic"] == "gap") & rows["dataset"].isna()].set_index("nominal")


def _change(rows: pd.DataFrame) -> pd.Series:
    return rows[rows["topic"] == "gap_change"].iloc[0]


def test_each_pair_is_the_line_of_a_study_with_these_two_points(
    space: Workspace, rows: pd.DataFrame, tmp_path: Path
) -> None:
    """differences.csv of a study that has one size only and the start without pretraining as its baseline."""
    found = _gaps(rows)
    for size in SIZES:
        name = f"supervised_{size}"
        kept = tuple(row for row in space.grid.rows if space.grid.runs[row.owner].spec.data.name == name)
        (base,) = {row.variant for row in kept if space.grid.runs[row.owner].spec.start is None}
        cards = space.registry.studies | {STUDY: _card(space, baseline_variant=base)}
        registry = replace(space.registry, studies=cards)
        write_differences(
            replace(space, grid=replace(space.grid, rows=kept), registry=registry), STUDY, tmp_path / name
        )
        lines = read_differences(tmp_path / name)
        (line,) = lines[lines["dataset"] == AVERAGE].to_dict("records")
        mine = found.loc[size]
        assert mine["value"] == pytest.approx(line["difference_points"])
        for column in ("low", "high", "seed_low", "seed_high", "p_value"):
            assert mine[column] == pytest.approx(line[column]), column


def _card(space: Workspace, **keys: object) -> StudyCard:
    return space.registry.studies[STUDY].model_copy(update=keys)


def test_the_sizes_are_one_family(rows: pd.DataFrame) -> None:
    found = _gaps(rows)
    assert found["p_adjusted"].tolist() == pytest.approx(holm(found["p_value"].tolist()))
    assert found["p_adjusted"].gt(found["p_value"]).any() and set(found["num_compared"]) == {4}
    assert found.loc[100, "verdict"] == HIGHER and found.loc[3000, "verdict"] == NOT_SHOWN
    for _, row in found.iterrows():
        clear = all(row[name] > 0 for name in ("low", "high", "seed_low", "seed_high"))
        assert row["verdict"] == (HIGHER if clear and row["p_adjusted"] < 0.05 else NOT_SHOWN)
    single = rows[(rows["topic"] == "gap") & rows["dataset"].notna()]
    assert single[["p_value", "verdict"]].isna().all(axis=None)  # described, not tested


def test_words_follow_the_verdict_and_not_the_intervals(rows: pd.DataFrame) -> None:
    tested = rows["verdict"].notna()
    changed = rows.assign(verdict=rows["verdict"].mask(tested, NOT_SHOWN))
    assert _gaps(changed).loc[100, ["low", "seed_low"]].gt(0).all()
    text = " ".join(gap_findings(changed))
    assert "gains" not in text and "shrinks" not in text and "to gain at none, to lose at none" in text
    text = " ".join(gap_findings(rows.assign(verdict=rows["verdict"].mask(tested, LOWER))))
    assert "Pretraining on open types loses" in text and "the gain shrinks by" in text
    assert "to lose at 100, 300, 1,000, 3,000" in text
    text = " ".join(gap_findings(rows.assign(verdict=rows["verdict"].mask(tested, HIGHER))))
    assert "Pretraining on open types gains" in text and "the gain grows by" in text


def test_the_page_prints_what_the_words_rest_on(space: Workspace, rows: pd.DataFrame) -> None:
    page = present(rows, space.registry.studies[STUDY], space)
    points, change = (to_markdown(table) for table in page.tables[:2])
    assert "| p | p, adjusted | Shown |" in points and "Holm's correction over the sizes" in points
    assert "higher" in points and "no (visible from" in points and "lower" in change
    first = page.findings[0]
    assert "gains" in first and "adjusted p < 0.001" in first and "over 3 seeds" in first
    assert "is not shown to move F1 at 3,000" in first and "visible from" in first


def test_one_seed_names_its_limit(tmp_path: Path) -> None:
    rows = gather(scaling_results(tmp_path, _curve, (1,), sentences=200), STUDY)
    assert set(_gaps(rows)["reach"]) == {ONE_SEED} == {_change(rows)["reach"]}
    assert "With one seed a verdict holds for these trained models only." in gap_findings(rows)


def _study(draw: np.random.Generator, gains: tuple[float, float], luck: float) -> tuple[np.ndarray, np.ndarray]:
    """Change of the gain by seed [3] and in 200 resamples, of two sizes on 300 sentences with one answer each."""
    skills = [0.4, 0.4 + gains[0], 0.6, 0.6 + gains[1]]
    hardness = 0.7 * draw.random((300, 1, 1)) + 0.3 * draw.random((300, 3, 4))
    shifts = draw.normal(0, luck, (3, 4)) if luck else 0.0
    right = (hardness < np.array(skills) + shifts).astype(float)  # [S, R, 4]
    weights = 100 * np.array([1, -1, -1, 1])  # without, with at the small size; without, with at the large one
    resampled = shared_sums(right, int(draw.integers(1 << 30)), 200) / 300
    return right.mean(axis=0) @ weights, resampled.mean(axis=1) @ weights


@pytest.mark.parametrize("luck", [0.0, 0.05])
def test_an_equal_gain_is_seldom_called_a_change(luck: float) -> None:
    draw = np.random.default_rng(3)
    shown = np.mean([judge_change(*_study(draw, (0.1, 0.1), luck))["verdict"] != NOT_SHOWN for _ in range(300)])
    assert shown <= stats.binom.ppf(0.99, 300, 0.05) / 300


def test_the_p_value_of_an_equal_gain_is_uniform_and_a_change_is_found() -> None:
    """Sentences alone: with p-values below 0.05 in one study of twenty, not fewer and not more."""
    draw = np.random.default_rng(4)
    small = np.mean([judge_change(*_study(draw, (0.1, 0.1), 0.0))["p_value"] < 0.05 for _ in range(400)])
    assert stats.binom.ppf(0.005, 400, 0.05) / 400 <= small <= stats.binom.ppf(0.995, 400, 0.05) / 400
    found = [judge_change(*_study(draw, (0.2, 0.05), 0.0))["verdict"] for _ in range(100)]
    assert found.count(LOWER) > 85 and HIGHER not in found
