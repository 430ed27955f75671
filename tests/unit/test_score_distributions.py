"""Scores of pairs: one family of tests, averages over the same datasets, and gold that no pair stands for."""

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score
from span_samples import BASELINE, LABELS, STUDY, fill, read_back, sentence, span_space, unnamed_baseline
from tiny_model import tiny_network

from benchmarks.analyses import invariance_rows, score_distributions_page, score_distributions_rows, similarity_map_page
from benchmarks.analyses import similarity_map_rows as map_rows
from benchmarks.analyses.answered import Gold
from benchmarks.analyses.page import Page
from benchmarks.analyses.score_distributions_rows import Answered
from benchmarks.analyses.separation import Estimate
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.statistics import holm
from gliner_core.examples import Example, Span
from gliner_core.predict import candidate_spans
from gliner_core.pretrained import GLiNER

RESAMPLES = 50


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory, backbone: Path) -> Workspace:
    found = span_space(tmp_path_factory.mktemp("study"))
    fill(found, backbone)
    return found


@pytest.fixture(scope="module")
def rows(space: Workspace) -> pd.DataFrame:
    return read_back(score_distributions_rows.gather(space, STUDY))


def _page(space: Workspace, rows: pd.DataFrame) -> Page:
    return score_distributions_page.present(rows, space.registry.studies[STUDY], space)


def test_the_variants_of_a_metric_are_one_family(rows: pd.DataFrame) -> None:
    average = rows[(rows["kind"] == "metric") & (rows["dataset"] == "average") & (rows["variant"] != BASELINE)]
    for metric, family in average.groupby("metric"):
        assert len(family) == 3
        assert family["p_holm"].tolist() == pytest.approx(holm(family["p_value"].tolist()), rel=1e-12), metric
    assert (average["p_holm"] > average["p_value"]).any()
    assert rows[rows["dataset"] != "average"]["p_holm"].isna().all()


def _variant(values: Mapping[str, float], seed: int) -> list[Answered]:
    """AUROC of some datasets; the resamples of a dataset without a value have none either."""
    draw = np.random.default_rng(seed)
    return [
        Answered(
            dataset=name, pairs=None, out_of_reach=0, not_asked=0,
            estimates={"auroc": Estimate(value=value, resampled=value + 0.01 * draw.normal(size=RESAMPLES))},
        )
        for name, value in values.items()
    ]  # fmt: skip


def test_averages_are_taken_over_the_datasets_that_all_have() -> None:
    base = _variant({"a": 0.9, "b": 0.8, "c": 0.1}, 1)
    narrow = _variant({"a": 0.8, "b": 0.6, "c": float("nan")}, 2)
    nothing = _variant(dict.fromkeys("abc", float("nan")), 3)
    left_out = score_distributions_rows._left_out([base, narrow, nothing])
    assert left_out == {"auroc": ("c",)}
    mine, other = (score_distributions_rows._with_average(one, left_out) for one in (narrow, base))
    *_, row = score_distributions_rows._metric_rows(mine, other, left_out)
    assert row["value"] == pytest.approx(0.7) and row["left_out"] == "c"
    assert row["difference"] == pytest.approx(0.7 - 0.85)  # with `c`, the baseline would be worse
    apart = [
        np.mean([n.estimates["auroc"].resampled[at] - b.estimates["auroc"].resampled[at]
                 for n, b in zip(narrow[:2], base[:2], strict=True)])
        for at in range(RESAMPLES)
    ]  # fmt: skip
    wanted = np.quantile(apart, [0.025, 0.975]).tolist()
    assert [row["difference_low"], row["difference_high"]] == pytest.approx(wanted)


def test_a_resample_that_lacks_a_dataset_has_no_average() -> None:
    """Otherwise its mean would be that of the other datasets, and of others for another variant."""
    found = _variant({"a": 0.9, "b": 0.3}, 1)
    found[1].estimates["auroc"].resampled[7] = np.nan
    average = score_distributions_rows._with_average(found, {"auroc": ()})["average"]["auroc"]
    assert np.flatnonzero(np.isnan(average.resampled)).tolist() == [7]


def test_the_page_names_what_is_left_out(space: Workspace, rows: pd.DataFrame) -> None:
    assert not any(text.startswith("Left out") for text in _page(space, rows).findings)
    changed = rows.assign(left_out=rows["left_out"].astype(object))
    place = (changed["dataset"] == "average") & changed["metric"].isin(["auroc", "median_gap"])
    changed.loc[place, "left_out"] = "beta"
    (said,) = [text for text in _page(space, changed).findings if text.startswith("Left out")]
    assert said.endswith("there: beta (AUROC; Median gap).")


def _answered(space: Workspace, backbone: Path, spans: list[Span]) -> tuple[Answered, Gold]:
    one = sentence("x", 1)
    examples = tuple(Example(id=str(at), words=one.words, spans=tuple(spans)) for at in range(2))
    items = tuple(frozenset(example.spans) for example in examples)
    gold = Gold(card=space.registry.datasets["alpha"], examples=examples, items=items)
    protocol = space.registry.protocols["plain"]
    return score_distributions_rows._answered_one(tiny_network(backbone), protocol, gold, RESAMPLES), gold


def test_gold_of_a_type_that_is_not_asked_is_no_pair(space: Workspace, backbone: Path) -> None:
    """As in the author's CrossNER files: gold says `organisation` where `organization` is asked."""
    spans = [Span(0, 0, "person"), Span(5, 5, "town"), Span(0, 8, "person"), Span(0, 4, "team")]
    answered, gold = _answered(space, backbone, spans)
    width = tiny_network(backbone).spec.max_width
    wide = [span for span in spans if span.width > width]
    assert (answered.not_asked, answered.out_of_reach) == (4, 2 * sum(span.type in LABELS for span in wide))
    truth, scores = [], []
    texts = [example.words for example in gold.examples]
    for found in candidate_spans(tiny_network(backbone), texts, LABELS, floor=-1.0):
        for start, end, label, score in zip(found.start, found.end, found.label, found.score, strict=True):
            if not any((span.start, span.end) == (start, end) for span in spans if span.type not in LABELS):
                truth.append(Span(int(start), int(end), LABELS[label]) in spans)
                scores.append(score)
    assert len(answered.pairs.logits) == len(truth)
    assert answered.estimates["auroc"].value == pytest.approx(roc_auc_score(truth, scores), abs=1e-6)


def test_the_page_counts_gold_that_is_not_asked_apart(space: Workspace, rows: pd.DataFrame) -> None:
    changed = rows.copy()
    changed.loc[changed["gold_out_of_reach"].notna(), ["gold_out_of_reach", "gold_not_asked"]] = [11, 22]
    table = _page(space, changed).tables[2]
    assert table.columns[-2:] == ("Gold out of reach", "Gold not asked for")
    assert [cell.text for cell in table.rows[0][-2:]] == ["11", "22"]
    assert "no label of the prompt" in table.notes[0]


def test_a_kind_without_pairs_is_not_the_hardest(space: Workspace, rows: pd.DataFrame) -> None:
    """With one type asked there is no wrong one."""
    changed = rows.copy()
    numbers = ["value", "low", "high", "difference", "difference_low", "difference_high", "p_value", "p_holm"]
    changed.loc[changed["metric"] == "auroc_wrong_type", numbers] = np.nan
    (said,) = [text for text in _page(space, changed).findings if "hardest" in text]
    assert "nan" not in said and "wrong type" not in said
    changed.loc[changed["metric"].isin(["auroc_overlapping", "auroc_disjoint"]), numbers] = np.nan
    assert not any("hardest" in text for text in _page(space, changed).findings)


def test_without_a_variant_named_baseline_the_first_is_compared(space: Workspace, rows: pd.DataFrame) -> None:
    unnamed = unnamed_baseline(space)
    pd.testing.assert_frame_equal(read_back(score_distributions_rows.gather(unnamed, STUDY)), rows)
    wanted, found = _page(space, rows), _page(unnamed, rows)
    assert (found.tables, found.findings) == (wanted.tables, wanted.findings)
    similarity = read_back(map_rows.gather(space, STUDY))
    page = similarity_map_page.present(similarity, unnamed.registry.studies[STUDY], unnamed)
    figure = Figure(layout="constrained")
    page.draw(figure)
    assert figure.axes[0].get_title(loc="left").startswith("baseline")


def test_without_a_variant_named_baseline_the_first_is_asked_again(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(path: Path, **_: object) -> NoReturn:
        raise LookupError(str(path))

    monkeypatch.setattr(GLiNER, "from_pretrained", stop)
    owner = next(row.owner for row in space.grid.study_rows(STUDY) if (row.variant, row.seed) == (BASELINE, 1))
    with pytest.raises(LookupError, match=str(space.run(owner))):
        invariance_rows.gather(unnamed_baseline(space), STUDY)


def test_the_map_marks_gold_of_every_variant(space: Workspace) -> None:
    similarity = read_back(map_rows.gather(space, STUDY))
    (shown,) = similarity[similarity["kind"] == "sentence"].itertuples()
    gold = set(sentence(shown.dataset, int(shown.id.split("-")[1])).spans)
    scores = similarity[similarity["kind"] == "score"]
    for _, mine in scores.groupby("variant"):
        marked = {Span(int(row.start), int(row.end), row.type) for row in mine.itertuples() if row.is_gold == 1}
        assert marked == gold and set(mine["is_gold"]) == {0, 1}
    page = similarity_map_page.present(similarity, space.registry.studies[STUDY], space)
    words = sentence("alpha", 1).words
    said = page.findings[0].split("Gold: ")[1]
    wanted = {f"{' '.join(words[span.start : span.end + 1])} ({span.type})" for span in gold}
    assert set(said.removesuffix(".").split(", ")) == wanted
    figure = Figure(layout="constrained")
    page.draw(figure)
    assert {len(axes.patches) for axes in figure.axes if axes.images} == {len(gold)}
