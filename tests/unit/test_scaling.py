"""The analysis `scaling`: rows against direct arithmetic, coverage on simulated studies, and a page for every case."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scaling_samples import STUDY, scaling_results
from scipy import stats

from benchmarks.analyses.gathering import gather_rows
from benchmarks.analyses.page import Page
from benchmarks.analyses.pages import page_of
from benchmarks.analyses.power_law import fit_power_laws
from benchmarks.analyses.scaling_points import Points
from benchmarks.analyses.scaling_rows import BELOW, BEYOND, _noise, _Scores, crossings, gather
from benchmarks.catalog.workspace import Workspace
from gliner_core.errors import InputError
from gliner_core.files import read_json

TRUE = {False: (20.0, 40.0, 0.5), True: (20.0, 33.0, 0.5)}


def _curve(pretrained: bool, size: float) -> float:
    asymptote, height, exponent = TRUE[pretrained]
    return 1 - (asymptote + height * (size / 100) ** -exponent) / 100


def _page(space: Workspace) -> tuple[Page, pd.DataFrame]:
    folder = space.study(STUDY) / "scaling"
    folder.mkdir(parents=True, exist_ok=True)
    gather_rows(space, STUDY, "scaling", folder / "rows.csv")
    page = page_of(space, STUDY, "scaling")
    page.draw(Figure())
    return page, pd.read_csv(folder / "rows.csv")


def test_points_and_gaps_are_means_over_seeds_and_datasets(tmp_path: Path) -> None:
    space = scaling_results(tmp_path, _curve, (1, 2), sentences=60, jitter=0.05)
    rows = gather(space, STUDY)
    shares: dict[tuple[bool, str], dict[int, float]] = {}
    for row in space.grid.study_rows(STUDY):
        spec = space.grid.runs[row.owner].spec
        found = []
        for dataset in space.registry.suite_datasets(row.suite):
            folder = space.home / space.grid.cell_of(row, space.registry.datasets[dataset]).folder
            found.append(
                100 * np.mean([right for right, _, _ in read_json(folder / "scores.gliner-official.json")["sentences"]])
            )
        shares.setdefault((spec.start is not None, spec.data.name), {})[spec.seed] = float(np.mean(found))
    for number, start in ((100, False), (3000, True)):
        mine = list(shares[start, f"supervised_{number}"].values())
        name = "with pretraining" if start else "without pretraining"
        (line,) = rows[(rows["topic"] == "f1_pct") & (rows["start"] == name) & (rows["nominal"] == number)].itertuples()
        assert line.value == pytest.approx(np.mean(mine)) and (line.seed_min, line.seed_max) == (min(mine), max(mine))
        assert line.low < line.value < line.high
    with_start, without = (shares[start, "supervised_1000"] for start in (True, False))
    (gap,) = rows[(rows["topic"] == "gap") & rows["dataset"].isna() & (rows["nominal"] == 1000)].itertuples()
    assert gap.value == pytest.approx(np.mean([with_start[seed] - without[seed] for seed in (1, 2)]))
    each = rows[(rows["topic"] == "gap") & rows["dataset"].notna() & (rows["nominal"] == 1000)]
    assert each["value"].mean() == pytest.approx(gap.value) and len(each) == 4


def test_the_gap_is_paired_so_it_is_surer_than_its_sides(tmp_path: Path) -> None:
    rows = gather(scaling_results(tmp_path, _curve, (1,), sentences=800), STUDY)
    at = rows[(rows["nominal"] == 100) & rows["dataset"].isna()].set_index("topic")
    widths = (at["high"] - at["low"]).groupby(level=0).max()
    assert widths["gap"] < 0.75 * widths["f1_pct"]


def test_rows_are_the_same_at_every_call(tmp_path: Path) -> None:
    space = scaling_results(tmp_path, _curve, (1, 2), sentences=50, jitter=0.01)
    pd.testing.assert_frame_equal(gather(space, STUDY), gather(space, STUDY))


def test_intervals_of_the_exponent_over_sentences_cover_it() -> None:
    """Every study draws its own test sentences; the truth is one law."""
    space: Any = SimpleNamespace(settings=SimpleNamespace(resamples=200))
    hits = 0
    for number in range(100):
        hardness = np.random.default_rng(number).random((4, 300))
        law = _Scores(space, [_simulated(size, hardness) for size in (100.0, 300.0, 1000.0, 3000.0)])
        (line,) = [row for row in law.rows("without pretraining") if row["topic"] == "exponent"]
        hits += line["low"] <= TRUE[False][2] <= line["high"]
    assert hits >= 89  # 95 are expected; of a binomial number, fewer than 89 come once in 200 times


def _simulated(size: float, hardness: np.ndarray) -> Points:
    """One seed at one size: every sentence has one entity and one answer."""
    right = (hardness < _curve(False, size)).astype(int)  # [D, S]
    counts = np.stack([right, np.ones_like(right), np.ones_like(right)], axis=-1)[:, None]
    by_dataset = {f"d{place}": part for place, part in enumerate(counts)}
    return Points(start="without pretraining", nominal=int(size), size=size, passes=1.0, counts=by_dataset)


@pytest.mark.parametrize(("seeds", "degrees"), [(3, 12), (2, 6), (1, 3)])
def test_noise_of_seeds_is_students(seeds: int, degrees: int) -> None:
    draw = np.random.default_rng(5)
    errors = draw.normal(0, 2, (6, seeds))
    residual = 1.5
    noise = _noise(errors, residual, 3)
    assert noise is not None and noise.shape[1] == 6
    variance = errors.var(axis=1, ddof=1).mean() / seeds if seeds > 1 else 6 * residual**2 / degrees
    found = noise[:, 0] / np.sqrt(variance)
    assert stats.kstest(found, stats.t(degrees).cdf).pvalue > 0.01
    assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 0.15


def test_without_degrees_of_freedom_there_is_no_noise() -> None:
    assert _noise(np.zeros((3, 1)), 0.0, 1) is None


def test_intervals_over_seeds_cover_the_exponent() -> None:
    """Studies with three seeds whose points scatter around one law."""
    sizes = np.array([100.0, 300.0, 1000.0, 3000.0, 10_000.0])
    draw, hits = np.random.default_rng(11), 0
    for number in range(100):
        errors = 20 + 40 * (sizes[:, None] / 100) ** -0.5 + draw.normal(0, 1.0, (5, 3))
        noise = _noise(errors, 0.0, number)
        drawn = fit_power_laws(sizes, np.maximum(errors.mean(axis=1) + noise, 0)).exponent
        low, high = np.quantile(drawn, [0.025, 0.975])
        hits += low <= 0.5 <= high
    assert hits >= 89  # as above


def test_the_size_of_a_point_is_the_first_from_which_the_gap_stays_under_it() -> None:
    sizes = np.array([100.0, 200.0, 400.0, 800.0])
    gaps = np.array([[5, 3, 0.9, 0.5], [0.5, 3, 0.9, 0.5], [5, 3, 2, 1.0], [0.9, 0.2, -4, 0], [2, 0.5, 1.5, 0.4]])
    assert crossings(sizes, gaps).tolist() == [400.0, 400.0, BEYOND, BELOW, 800.0]


def test_the_page_says_what_is_known(tmp_path: Path) -> None:
    page, rows = _page(scaling_results(tmp_path, _curve, (1, 2, 3), sentences=2000))
    text = " ".join(page.findings)
    assert "gains 7" in text or "gains 6" in text
    assert "the gain shrinks by" in text and "both are identified" in text
    assert "with 1,000, 3,000 examples per dataset not all of them are seen once" in text
    assert "stays under 1 F1 is beyond 3,000" in text  # the true gain is 1.3 there
    assert [len(table.rows) for table in page.tables] == [4, 1, 4, 4]
    assert rows["seed_low"].notna().any()


def test_the_page_says_what_is_not_known(tmp_path: Path) -> None:
    flat, _ = _page(scaling_results(tmp_path / "flat", lambda *_: 0.4, (1, 2), sentences=200, jitter=0.05))
    text = " ".join(flat.findings)
    assert "is not shown to move F1" in text and "is not shown to change" in text
    assert "too wide to be of use" in text or "does not fall with the size" in text
    single, rows = _page(scaling_results(tmp_path / "one", _curve, (1,), sentences=200))
    assert "With one seed a verdict holds for these" in " ".join(single.findings)
    assert "one seed" in " ".join(single.findings) and "from the residuals of the curve" in " ".join(single.findings)
    assert rows.loc[rows["topic"] == "f1_pct", "seed_low"].isna().all()
    few, _ = _page(scaling_results(tmp_path / "demo", _curve, (1,), sentences=50, scale="demo"))
    assert "2 sizes are too few for a curve" in " ".join(few.findings) and len(few.tables) == 3


def test_a_step_is_not_called_a_curve_and_two_seeds_do_not_flatten_the_figure(tmp_path: Path) -> None:
    space = scaling_results(tmp_path, lambda _, size: 0.2 if size < 200 else 0.5, (1, 2), sentences=400, jitter=0.05)
    page, rows = _page(space)
    assert "the exponent lies at an end of the range that is searched" in " ".join(page.findings)
    figure = Figure()
    page.draw(figure)
    upper, lower = figure.axes[0].get_ylim(), figure.axes[1].get_ylim()
    points, gaps = rows[rows["topic"] == "f1_pct"], rows[(rows["topic"] == "gap") & rows["dataset"].isna()]
    assert points["seed_high"].max() > 80 and upper[1] < 70  # Student's t over two seeds is 12.7 standard errors wide
    for limits, mine in ((upper, points), (lower, gaps)):
        shown = mine[["low", "high", "seed_min", "seed_max"]].to_numpy()
        assert limits[0] < shown.min() and shown.max() < limits[1]


def test_other_axes_are_refused(tmp_path: Path) -> None:
    space = scaling_results(tmp_path, _curve, (1,), sentences=10)
    rows = space.grid.rows
    doubled = replace(space.grid, rows=(*rows, replace(rows[0], variant="another")))
    with pytest.raises(InputError, match="needs one variant per start and mixture"):
        gather(replace(space, grid=doubled), STUDY)
    lacking = replace(space.grid, rows=rows[1:])
    with pytest.raises(InputError, match="the starts have other mixtures"):
        gather(replace(space, grid=lacking), STUDY)


def test_one_start_has_curves_and_no_gain(tmp_path: Path) -> None:
    space = scaling_results(tmp_path, _curve, (1, 2), sentences=50)
    kept = tuple(row for row in space.grid.rows if space.grid.runs[row.owner].spec.start is None)
    page, rows = _page(replace(space, grid=replace(space.grid, rows=kept)))
    assert "nothing can be said about the gain from pretraining" in page.findings[0]
    assert not set(rows["topic"]) & {"gap", "gap_change", "size_of_a_point"} and len(page.tables) == 2
