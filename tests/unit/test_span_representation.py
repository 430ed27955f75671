"""Score distributions and the similarity map, from untrained models to their pages."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score
from span_samples import BASELINE, LABELS, STUDY, fill, read_back, sentence, span_space
from tiny_model import tiny_network

from benchmarks.analyses import score_distributions_page, score_distributions_rows, similarity_map_page
from benchmarks.analyses import similarity_map_rows as map_rows
from benchmarks.analyses.answered import Gold, read_gold
from benchmarks.analyses.pair_scores import span_logits
from benchmarks.analyses.separation import Estimate
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.asking import answers
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span
from gliner_core.model import SpanScoringModel
from gliner_core.predict import candidate_spans
from gliner_core.pretrained import GLiNER


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return span_space(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def filled(space: Workspace, backbone: Path) -> Workspace:
    fill(space, backbone)
    return space


@pytest.fixture(scope="module")
def distributions(filled: Workspace) -> pd.DataFrame:
    return read_back(score_distributions_rows.gather(filled, STUDY))


@pytest.fixture(scope="module")
def similarity(filled: Workspace) -> pd.DataFrame:
    return read_back(map_rows.gather(filled, STUDY))


def _network(space: Workspace, variant: str) -> SpanScoringModel:
    row = next(row for row in space.grid.study_rows(STUDY) if row.variant == variant and row.seed == 1)
    return GLiNER.from_pretrained(space.run(row.owner) / "model", device="cpu").network


def test_logits_are_those_behind_the_candidates(backbone: Path) -> None:
    network = tiny_network(backbone)
    words = [*sentence("x", 1).words] * 3
    found = span_logits(network, words, LABELS)
    (expected,) = candidate_spans(network, [words], LABELS, floor=-1.0)
    assert found.start.repeat(3).tolist() == expected.start.tolist()
    assert found.end.repeat(3).tolist() == expected.end.tolist()
    np.testing.assert_allclose(torch.from_numpy(found.logits).sigmoid().ravel(), expected.score, atol=1e-6)


def test_auroc_of_a_dataset_is_that_of_all_its_pairs(filled: Workspace, distributions: pd.DataFrame) -> None:
    """Scored pair by pair here, through the candidates of the sampled sentences."""
    protocol = filled.registry.protocols[filled.grid.study_rows(STUDY)[0].protocol]
    data = score_distributions_rows._sample(read_gold(filled, protocol, "tested")[1])
    assert len(data.examples) == score_distributions_rows.SENTENCES
    asked = answers(protocol, data.card)
    texts = [example.words for example in data.examples]
    truth, scores = [], []
    for found, gold in zip(
        candidate_spans(_network(filled, BASELINE), texts, list(asked), floor=-1.0), data.spans, strict=True
    ):
        for start, end, label in zip(found.start, found.end, found.label, strict=True):
            truth.append(Span(int(start), int(end), list(asked.values())[label]) in gold)
        scores += found.score.tolist()
    row = distributions[
        (distributions["variant"] == BASELINE)
        & (distributions["dataset"] == "alpha")
        & (distributions["metric"] == "auroc")
    ].iloc[0]
    assert row["value"] == pytest.approx(roc_auc_score(truth, scores), abs=1e-6)
    assert row["low"] < row["value"] < row["high"]
    counts = distributions[(distributions["kind"] == "pairs") & (distributions["dataset"] == "alpha")]
    assert counts[counts["variant"] == BASELINE]["count"].sum() == len(truth)
    assert counts[(counts["variant"] == BASELINE) & (counts["class"] == "matching")]["count"].item() == sum(truth)


def test_the_average_is_the_mean_of_the_datasets(distributions: pd.DataFrame) -> None:
    metrics = distributions[distributions["kind"] == "metric"]
    held = metrics.set_index(["variant", "dataset", "metric"])["value"]
    for variant in metrics["variant"].unique():
        for metric in metrics["metric"].unique():
            mean = (held[variant, "alpha", metric] + held[variant, "beta", metric]) / 2
            assert held[variant, "average", metric] == pytest.approx(mean)
    average = metrics[metrics["dataset"] == "average"]
    others = average[average["variant"] != BASELINE]
    for _, row in others.iterrows():
        expected = row["value"] - held[BASELINE, "average", row["metric"]]
        assert row["difference"] == pytest.approx(expected) and row["p_holm"] >= row["p_value"]
    assert average[average["variant"] == BASELINE]["difference"].isna().all()


def test_differences_are_paired_by_resample() -> None:
    """A variant that is better by the same amount in every resample leaves no doubt, however wide its own interval."""
    resampled = np.random.default_rng(0).normal(0.5, 0.2, 300)
    baseline = {"alpha": {"auroc": Estimate(value=0.5, resampled=resampled)}}
    mine = {"alpha": {"auroc": Estimate(value=0.6, resampled=resampled + 0.1)}}
    (row,) = score_distributions_rows._metric_rows(mine, baseline, {})
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((0.1, 0.1))
    assert row["high"] - row["low"] > 0.5


def test_histogram_and_pairs_count_the_same(distributions: pd.DataFrame) -> None:
    keys = ["variant", "dataset", "class"]
    pairs = distributions[distributions["kind"] == "pairs"].groupby(keys)["count"].sum()
    bins = distributions[distributions["kind"] == "histogram"].groupby(keys)["count"].sum()
    assert bins.to_dict() == {key: count for key, count in pairs.to_dict().items() if count}
    histogram = distributions[distributions["kind"] == "histogram"]
    assert ((histogram["bin_high"] - histogram["bin_low"]) == 1).all()


def test_the_first_seed_is_asked(filled: Workspace, distributions: pd.DataFrame) -> None:
    assert set(distributions["seed"]) == {1}


def test_rows_are_the_same_twice(filled: Workspace, distributions: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(read_back(score_distributions_rows.gather(filled, STUDY)), distributions)


@pytest.mark.parametrize("variants", [None, [BASELINE], ["span_mode=query"]])
def test_the_page_of_distributions_is_drawn(
    filled: Workspace, distributions: pd.DataFrame, variants: list[str] | None
) -> None:
    rows = distributions if variants is None else distributions[distributions["variant"].isin(variants)]
    page = score_distributions_page.present(rows, filled.registry.studies[STUDY], filled)
    figure = Figure(layout="constrained")
    page.draw(figure)
    figure.canvas.draw()
    assert [len(table.rows) for table in page.tables] == (
        [4, 3, 2] if variants is None else [1, int(variants != [BASELINE]), 2]
    )
    assert all(text.endswith(".") for text in page.findings)
    if variants is None:
        assert "3 variants differ from the baseline on these sentences" in page.findings[3]
        assert sum("one seed" in text for text in page.findings) == 5


def test_a_difference_needs_the_p_value_and_the_interval(filled: Workspace, distributions: pd.DataFrame) -> None:
    rows = distributions.copy()
    tested = rows.index[(rows["metric"] == "auroc") & (rows["dataset"] == "average") & rows["p_holm"].notna()]
    for place, (p_holm, low) in zip(tested, [(0.001, 0.01), (0.2, 0.01), (0.001, -0.01)], strict=True):
        rows.loc[place, ["p_holm", "difference", "difference_low", "difference_high"]] = [p_holm, 0.02, low, 0.03]
    page = score_distributions_page.present(rows, filled.registry.studies[STUDY], filled)
    label = rows.loc[tested[0], "label"]
    assert (
        f"1 of 3 variants differ from the baseline on these sentences (Holm's p < 0.05): {label} +2.0 points (+1.0 "
        in (page.findings[3])
    )


def test_without_gold_nothing_is_said(filled: Workspace, distributions: pd.DataFrame) -> None:
    rows = distributions.copy()
    rows.loc[rows["kind"] == "metric", ["value", "low", "high", "difference", "p_value", "p_holm"]] = np.nan
    page = score_distributions_page.present(rows, filled.registry.studies[STUDY], filled)
    assert page.findings == ("The sampled sentences hold no gold span within reach, so nothing can be said.",)
    page.draw(Figure(layout="constrained"))


def test_the_map_holds_every_span_and_type_of_itssentence(filled: Workspace, similarity: pd.DataFrame) -> None:
    (shown,) = similarity[similarity["kind"] == "sentence"].itertuples()
    assert (shown.dataset, shown.id) == ("alpha", "alpha-1")  # the first with three entities
    words = sentence("alpha", 1).words
    scores = similarity[(similarity["kind"] == "score") & (similarity["variant"] == BASELINE)]
    (expected,) = candidate_spans(_network(filled, BASELINE), [words], LABELS, floor=-1.0)
    np.testing.assert_allclose(1 / (1 + np.exp(-scores["logit"])), expected.score, atol=1e-3)
    gold = scores[scores["is_gold"] == 1]
    found = {Span(int(row.start), int(row.end), row.type) for row in gold.itertuples()}
    assert found == set(sentence("alpha", 1).spans)
    f1 = similarity[similarity["kind"] == "variant"].set_index("variant")["f1_pct"]
    rows = {row.owner: place for place, row in enumerate(filled.grid.study_rows(STUDY))}
    first = next(row for row in filled.grid.study_rows(STUDY) if (row.variant, row.seed) == (BASELINE, 1))
    assert f1[BASELINE] == 10.0 * rows[first.owner] + 0.5


def test_the_page_of_the_map_names_thesentence(filled: Workspace, similarity: pd.DataFrame) -> None:
    page = similarity_map_page.present(similarity, filled.registry.studies[STUDY], filled)
    assert "Gold: " in page.findings[0] and "the river (river)" in page.findings[0]
    figure = Figure(layout="constrained")
    page.draw(figure)
    maps = [axes for axes in figure.axes if axes.images]
    titles = [axes.get_title(loc="left").split(":")[0] for axes in maps]
    assert titles == ["baseline, worst F1", "best F1", "end points"]
    (table,) = page.tables
    ranks = [cell.text for cell in table.rows[0]]
    scores = similarity[(similarity["kind"] == "score") & (similarity["variant"] == BASELINE)]
    gold = scores.loc[scores["is_gold"] == 1, "logit"]
    assert ranks[2] == ", ".join(str(rank) for rank in sorted(1 + (scores["logit"] > own).sum() for own in gold))
    assert ranks[3] == f"{(gold > 0).sum()} of 3"


def _gold(filled: Workspace, examples: list[Example]) -> list[Gold]:
    items = tuple(frozenset(example.spans) for example in examples)
    return [Gold(card=filled.registry.datasets["alpha"], examples=tuple(examples), items=items)]


def test_a_sentence_is_always_found_if_there_is_an_entity(space: Workspace) -> None:
    none, one = sentence("x", 4), Example(id="one", words=("a", "b"), spans=(Span(0, 0, "city"),))
    long = Example(id="long", words=("a",) * 40, spans=(Span(0, 0, "city"), Span(2, 2, "river"), Span(4, 4, "city")))
    short = sentence("x", 1)
    assert map_rows.chosen_sentence(_gold(space, [none, long, short]))[1] == 2
    kinds = [Example(id=kind, words=("a",) * 5, spans=tuple(Span(at, at, kind) for at in range(3))) for kind in LABELS]
    two = Example(id="two", words=("a",) * 5, spans=(*kinds[0].spans[:2], kinds[1].spans[2]))
    assert map_rows.chosen_sentence(_gold(space, [kinds[0], two, short]))[1] == 1
    assert map_rows.chosen_sentence(_gold(space, [none, one, long]))[1] == 2
    assert map_rows.chosen_sentence(_gold(space, [none, one]))[1] == 1
    with pytest.raises(InputError, match="no sentence of the suite has an entity to show"):
        map_rows.chosen_sentence(_gold(space, [none]))
