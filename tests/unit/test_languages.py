"""The analysis `languages`: its statistics against other implementations, rows from files, the page from rows."""

import shutil
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from benchmarks.analyses.gathering import gather_rows
from benchmarks.analyses.languages_rows import gather
from benchmarks.analyses.languages_statistics import (
    NEITHER,
    ONLY_OWN,
    mean_of,
    reading_classes,
    scores_of,
    spearman,
    weighted,
)
from benchmarks.analyses.languages_verdicts import TOO_FEW
from benchmarks.analyses.page import Page
from benchmarks.analyses.pages import page_of
from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.reporting.cells import score_path
from benchmarks.reporting.style import SETTINGS
from benchmarks.scoring.judging import HIGHER
from benchmarks.scoring.statistics import bootstrap_interval, paired_bootstrap, seed_interval, suite_interval
from gliner_core.examples import Example, write_jsonl
from gliner_core.files import write_json

ROOT = Path(__file__).resolve().parents[2]
E5 = "backbone=multilingual-e5-small"
READ = ("am", "ha", "sw")


def _counts(draw: np.random.Generator, seeds: int, sentences: int, share: float) -> np.ndarray:
    gold = draw.integers(0, 4, sentences)
    rows = [[draw.binomial(gold, share), np.maximum(gold, 1), gold] for _ in range(seeds)]
    return np.array(rows).transpose(0, 2, 1)


@pytest.fixture(scope="module")
def counts() -> list[list[np.ndarray]]:
    """Counts [3, S, 3] of two variants on four datasets; the second loses a part of what the first finds."""
    draw = np.random.default_rng(5)
    first = [_counts(draw, 3, 200 + 20 * place, 0.6) for place in range(4)]
    second = [np.dstack([draw.binomial(rows[..., 0], 0.8), rows[..., 1:]]) for rows in first]
    return [first, second]


def _near(found: dict[str, Any], low: float, high: float) -> bool:
    """Bounds of two bootstraps with different draws: they differ by a small part of the interval's width."""
    width = high - low
    return abs(found["low"] - 100 * low) < 8 * width and abs(found["high"] - 100 * high) < 8 * width


def test_a_mean_has_the_intervals_of_the_average(counts: list[list[np.ndarray]]) -> None:
    one_seed = [rows[:1] for rows in counts[0]]
    found = weighted((scores_of(one_seed, [1, 2, 3, 4], 2000), mean_of(np.ones(4, dtype=bool))))
    expected = suite_interval([rows[0] for rows in one_seed], 9, 2000)
    assert found["value"] == pytest.approx(100 * expected.value) and _near(found, expected.low, expected.high)
    assert found["seed_low"] is None


def test_a_group_has_its_own_members_and_the_seeds_their_interval(counts: list[list[np.ndarray]]) -> None:
    scores, members = scores_of(counts[0], [1, 2, 3, 4], 200), np.array([True, False, False, True])
    found = weighted((scores, mean_of(members)))
    own = (scores.seeds[:, 0] + scores.seeds[:, 3]) / 2
    expected = seed_interval(own.tolist())
    assert found["value"] == pytest.approx(own.mean())
    assert (found["seed_low"], found["seed_high"]) == pytest.approx((expected.low, expected.high))


def test_a_gain_is_paired_by_sentence(counts: list[list[np.ndarray]]) -> None:
    first, second = (scores_of(rows, [1, 2, 3, 4], 2000) for rows in counts)
    weights = mean_of(np.ones(4, dtype=bool))
    found = weighted((first, weights), (second, -weights))
    expected = paired_bootstrap(counts[0], counts[1], 3, 2000)
    assert found["value"] == pytest.approx(100 * expected.difference) and _near(found, expected.low, expected.high)
    same = weighted((first, weights), (first, -weights))
    assert (same["value"], same["low"], same["high"]) == pytest.approx((0, 0, 0))


def test_the_rank_correlation_is_scipys() -> None:
    draw = np.random.default_rng(2)
    first, second = draw.integers(0, 6, 12).astype(float), draw.normal(size=12)
    found = spearman(first, second, 1, 500)
    assert found["value"] == pytest.approx(stats.spearmanr(first, second).statistic)
    assert -1 <= found["low"] < found["value"] < found["high"] <= 1
    assert spearman(first, np.ones(12), 1, 500) == {"value": None, "low": None, "high": None}
    assert spearman(first[:4], second[:4], 1, 500)["low"] is None  # four points have no interval to speak of


def test_a_language_is_in_one_class() -> None:
    own, other = np.array([True, True, False, False]), np.array([True, False, True, False])
    found = reading_classes(own, other)
    assert [members.tolist().index(True) for members in found.values()] == [0, 1, 2, 3]
    assert sum(members.astype(int) for members in found.values()).tolist() == [1, 1, 1, 1]


def _score(value: np.ndarray) -> dict[str, Any]:
    interval = bootstrap_interval(value, 1, 100)
    bounds = {"low_pct": 100 * interval.low, "high_pct": 100 * interval.high}
    return {"f1_pct": 100 * interval.value, "interval": bounds, "sentences": value.tolist(), "lost_words": 3}


def _space(folder: Path, backbone: Path, scale: str, study: str, seeds: list[int]) -> Workspace:
    """A workspace with made-up texts, scores and tokenizers; E5 finds more in the languages that it has read."""
    config = {"scale": scale, "studies": [study], "seeds": seeds, "device": "cpu", "results": str(folder)}
    space = open_workspace(ROOT, config | {"resamples": 100})
    draw = np.random.default_rng(0)
    for row in space.grid.study_rows(study):
        if not (space.run(row.owner) / "model").exists():
            shutil.copytree(backbone, space.run(row.owner) / "model")
        for name in space.registry.suite_datasets(row.suite):
            card = space.registry.datasets[name]
            words = ("anna", "visited", "\u12a0\u12f2-\u1235", "w7") if card.script == "Ethiopic" else ("anna", "left")
            write_jsonl(space.test_file(name, row.suite), [Example(id=str(n), words=words) for n in range(40)])
            share = 0.2 + 0.5 * (row.variant == E5 and card.language in READ) + 0.1 * (row.variant == E5)
            write_json(
                space.home / score_path(space.grid.cell_of(row, card).folder, row.protocol),
                _score(_counts(draw, 1, 40, share)[0]),
            )
    return space


def _gathered(space: Workspace, study: str) -> tuple[pd.DataFrame, Page]:
    path = space.study(study) / "languages" / "rows.csv"
    gather_rows(space, study, "languages", path)
    return pd.read_csv(path, keep_default_na=False, na_values=[""]), page_of(space, study, "languages")


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory, backbone: Path) -> tuple[Workspace, pd.DataFrame, Page]:
    space = _space(tmp_path_factory.mktemp("unseen"), backbone, "pilot", "unseen_languages", [1, 2, 3])
    return space, *_gathered(space, "unseen_languages")


def _row(rows: pd.DataFrame, **keys: str) -> pd.Series:
    for key, value in keys.items():
        rows = rows[rows[key] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_rows_tell_what_backbone_and_tokenizer_know(unseen: tuple[Workspace, pd.DataFrame, Page]) -> None:
    _, rows, _ = unseen
    languages = rows[rows["kind"] == "language"]
    assert len(languages) == 20 and set(languages["in_training"]) == {"no"}
    read = languages[languages["in_pretraining"] == "yes"]
    assert set(zip(read["variant"], read["language"], strict=True)) == {(E5, code) for code in READ}
    amharic = _row(languages, variant="baseline", language="am")
    assert amharic["num_words"] == 160 and amharic["num_sentences"] == 40
    assert amharic["words_with_unknown_pct"] == 25
    assert amharic["unknown_pct"] == pytest.approx(2 * 100 / (4 * amharic["sub_words_per_word"]))  # before and after -
    assert amharic["words_lost_pct"] == pytest.approx(100 * 3 / 160)
    assert _row(languages, variant="baseline", language="ha")["unknown_pct"] == 0


def test_rows_hold_every_group_and_contrast(unseen: tuple[Workspace, pd.DataFrame, Page]) -> None:
    space, rows, _ = unseen
    languages = rows[(rows["kind"] == "language") & (rows["variant"] == E5)].set_index("language")
    means = rows[(rows["kind"] == "mean") & (rows["variant"] == E5)].set_index("group")
    assert dict(means["num_languages"]) == {
        "all languages": 10, "Ethiopic": 1, "Latin": 9, "in pretraining": 3, "not in pretraining": 7,
    }  # fmt: skip
    assert means.loc["in pretraining", "value"] == pytest.approx(languages.loc[list(READ), "value"].mean())
    contrast = _row(rows, kind="contrast", dimension="all")
    others = means.loc["not in pretraining", "value"]
    assert contrast["value"] == pytest.approx(means.loc["in pretraining", "value"] - others)
    assert (contrast["num_splits"], contrast["num_seeds"]) == (120, 3)
    gains = rows[rows["kind"] == "gain"].set_index("group")["value"]
    gain = _row(rows, kind="gain contrast", dimension="all")
    assert (gain["group"], gain["other"]) == (ONLY_OWN, NEITHER)
    assert gain["value"] == pytest.approx(gains[ONLY_OWN] - gains[NEITHER])
    latin = _row(rows, kind="gain contrast", dimension="Latin")
    assert (latin["num_languages"], latin["num_others"], latin["num_splits"]) == (2, 7, 36)
    assert space.grid.scale == "pilot"


def test_the_page_shows_every_language_under_its_script(unseen: tuple[Workspace, pd.DataFrame, Page]) -> None:
    _, _, page = unseen
    by_language, _, gains, contrasts = page.tables
    assert by_language.groups == ((0, "Ethiopic script"), (2, "Latin script")) and len(by_language.rows) == 20
    assert [row[0].text for row in by_language.rows[:4]] == ["MasakhaNER Amharic", '"', "MasakhaNER Hausa", '"']
    assert {row[0].text for row in gains.rows} >= {"read by multilingual-E5-small only", "read by neither"}
    assert [[cell.text for cell in row[-3:]] for row in contrasts.rows] == [
        ["1 of 120", "0.025", HIGHER], ["1 of 36", "-", TOO_FEW],
        ["1 of 120", "0.025", HIGHER], ["1 of 36", "0.028", HIGHER],
    ]  # fmt: skip
    assert page.findings[-1].startswith("Does it matter which languages multilingual-E5-small has read? It gains more")
    assert any("script and pretraining are not apart" in text for text in page.findings)


def test_the_figure_holds_a_dot_for_each_language_and_backbone(unseen: tuple[Workspace, pd.DataFrame, Page]) -> None:
    _, _, page = unseen
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(layout="constrained")
        page.draw(figure)
        figure.draw_without_rendering()
    scores, lengths = figure.axes
    for axes in (scores, lengths):
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert len(dots) == 20 and sum(line.get_markerfacecolor() != "white" for line in dots) == 3
    labels = [label.get_text() for label in scores.get_yticklabels()]
    assert labels[0] == "Amharic" and len(labels) == 10
    assert scores.get_ylim()[0] > scores.get_ylim()[1]  # the first language is on top


def test_one_variant_and_one_seed_need_no_more(tmp_path: Path, backbone: Path) -> None:
    rows, page = _gathered(_space(tmp_path, backbone, "demo", "multilingual", [1]), "multilingual")
    assert set(rows["kind"]) == {"language", "mean", "contrast", "correlation"}
    assert rows["seed_low"].isna().all()
    languages = rows[rows["kind"] == "language"].set_index("language")
    assert list(languages.index[languages["in_pretraining"] == "yes"]) == ["en"]
    assert list(languages.index[languages["in_training"] == "yes"]) == ["en"]
    assert any("no result could have p below 0.091" in text for text in page.findings)
    assert not any("Does it matter" in text or "nan" in text for text in page.findings)
    page.draw(Figure())


def test_a_gain_over_equal_answers_is_nothing_on_every_resample(tmp_path: Path, backbone: Path) -> None:
    """Both backbones answer the same resampled sentences, so equal answers stay equal in each."""
    space = _space(tmp_path, backbone, "pilot", "unseen_languages", [1, 2])
    by_seed = {row.seed: row for row in space.grid.study_rows("unseen_languages") if row.variant == "baseline"}
    for row in space.grid.study_rows("unseen_languages"):
        for name in space.registry.suite_datasets(row.suite):
            card = space.registry.datasets[name]
            source, target = (
                space.home / score_path(space.grid.cell_of(each, card).folder, each.protocol)
                for each in (by_seed[row.seed], row)
            )
            target.write_bytes(source.read_bytes())
    rows = gather(space, "unseen_languages")
    gains = rows[rows["kind"].isin(("gain", "gain contrast"))]
    assert len(gains) > 5
    assert np.abs(gains[["value", "low", "high", "seed_low", "seed_high"]].to_numpy(dtype=float)).max() < 1e-9
    means = rows[rows["kind"] == "mean"]
    assert (means["high"] - means["low"]).min() > 1  # the resamples do differ
