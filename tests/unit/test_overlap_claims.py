"""Flat against nested decoding: what is tested, what the page says of it, and plain loops over made-up answers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from analysis_samples import made_space

from benchmarks.analyses.answered import Gold, read_answers, read_gold, trained_rows
from benchmarks.analyses.overlap_page import present
from benchmarks.analyses.overlap_rows import CHANGE, EXCHANGE, _rates, gather
from benchmarks.analyses.page import Page
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.counts import sentence_counts
from benchmarks.scoring.judging import HIGHER, NOT_SHOWN
from benchmarks.scoring.statistics import approximate_randomisation, holm
from gliner_core.examples import Span
from gliner_core.seeding import derive_seed

STUDY = "nested"
RESAMPLES = 80
SENTENCES = 25
INNER, OUTER, APART = Span(0, 0, "a"), Span(0, 2, "a"), Span(5, 5, "b")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return made_space(tmp_path_factory.mktemp("nested"), STUDY)


@pytest.fixture(scope="module")
def rows(space: Workspace) -> pd.DataFrame:
    return gather(space, STUDY)


def _changes(rows: pd.DataFrame) -> pd.DataFrame:
    found = rows[(rows["kind"] == "rate") & (rows["decoding"] == CHANGE)]
    return found.set_index(["group", "slice", "metric"])


def test_five_claims_are_tested_as_one_family(rows: pd.DataFrame) -> None:
    changes = _changes(rows)
    tested = changes[changes["p_holm"].notna()]
    assert sorted(tested.index) == [
        ("all", "all gold", "f1"), ("all", "all gold", "precision"), ("all", "all gold", "recall"),
        ("gold", "nested gold", "recall"), ("gold", "other gold", "recall"),
    ]  # fmt: skip
    assert tested["p_holm"].tolist() == holm(tested["p_value"].tolist())
    assert set(tested["num_compared"]) == {5} and tested["verdict"].notna().all()
    assert rows[rows["decoding"].isin(["flat", "nested"])]["p_value"].isna().all()


def test_p_values_are_those_of_exchanged_answers(space: Workspace, rows: pd.DataFrame) -> None:
    """The whole answer of a sentence changes sides, counted here from the answers alone."""
    by_protocol = [trained_rows(space, STUDY, name)["baseline"] for name in ("gliner-nested", "gliner-official")]
    suite = by_protocol[0][0].suite
    gold = read_gold(space, space.registry.protocols["gliner-nested"], suite)
    told = [[read_answers(space, row, gold) for row in side] for side in by_protocol]
    counts = [
        [np.stack([sentence_counts(data.items, seed[at]) for seed in side]) for at, data in enumerate(gold)]
        for side in told
    ]
    seed = derive_seed(0, "exchanged", "overlap", suite)
    for metric in ("precision", "recall", "f1"):
        wanted = approximate_randomisation(counts[0], counts[1], seed, metric=metric)
        assert _changes(rows).loc[("all", "all gold", metric), "p_value"] == wanted


def test_words_follow_the_verdict_and_not_the_interval(space: Workspace, rows: pd.DataFrame) -> None:
    """An interval without zero is not enough: Holm's p decides as well."""
    doubtful = rows.copy()
    claim = doubtful["p_holm"].notna()
    doubtful.loc[claim, ["low", "high", "seed_low", "seed_high"]] = [1.0, 2.0, 1.0, 2.0]
    doubtful.loc[claim, ["p_holm", "verdict"]] = [0.2, NOT_SHOWN]
    said = [text for text in _page(space, doubtful).findings if "nested minus flat" in text]
    assert len(said) == 5 and all(text.endswith(f"adjusted p 0.200: {NOT_SHOWN}.") for text in said)
    doubtful.loc[claim, ["p_holm", "verdict"]] = [0.0001, HIGHER]
    said = [text for text in _page(space, doubtful).findings if "nested minus flat" in text]
    assert all(text.endswith("adjusted p < 0.001: higher.") for text in said)


def test_the_table_has_p_and_verdict_where_there_is_a_test(space: Workspace, rows: pd.DataFrame) -> None:
    table = next(table for table in _page(space, rows).tables if "Flat" in table.columns)
    assert table.columns[-2:] == ("p (Holm)", "Shown")
    tested = [line[-2].text != "-" for line in table.rows]
    assert sum(tested) == 5 and [line[-1].text != "-" for line in table.rows] == tested
    assert any("over all 5 differences" in note for note in table.notes)


def _page(space: Workspace, rows: pd.DataFrame) -> Page:
    return present(rows, space.registry.studies[STUDY], space)


def _made(name: str, draw: np.random.Generator) -> tuple[Gold, list[list[list[frozenset[Span]]]]]:
    """Gold of one dataset, every third sentence without any, and answers [N = 2][flat, nested] of two unlike seeds."""
    gold = [frozenset() if at % 3 == 0 else frozenset({INNER, OUTER}) for at in range(SENTENCES)]
    seeds = []
    for chance in (0.9, 0.2):
        flat = [frozenset({OUTER} if draw.random() < chance else {APART}) for _ in gold]
        nested = [answer | ({INNER, APART} if draw.random() < chance else set()) for answer in flat]
        seeds.append([flat, [answer - {OUTER} if draw.random() < 0.3 else answer for answer in nested]])
    return Gold(card=SimpleNamespace(name=name), examples=(), items=tuple(gold)), seeds


@pytest.fixture(scope="module")
def made() -> tuple[list[Gold], list]:
    draw = np.random.default_rng(3)
    datasets = [_made(name, draw) for name in ("one", "two")]
    pairs = [[[seeds[number][side] for _, seeds in datasets] for side in range(2)] for number in range(2)]
    return [gold for gold, _ in datasets], pairs


def _weights(name: str) -> np.ndarray:
    draw = np.random.default_rng(derive_seed(0, "overlap", name))
    picked = [draw.integers(0, SENTENCES, SENTENCES) for _ in range(RESAMPLES)]
    return np.stack([np.bincount(places, minlength=SENTENCES) for places in picked])


def _moved(kind: str, truth: frozenset[Span], flat: frozenset[Span], nested: frozenset[Span]) -> int:
    side, right = kind.split(", ")
    spans = nested - flat if side == "gained" else flat - nested
    return sum((span in truth) == (right == "right") for span in spans)


def test_the_exchange_is_the_mean_of_both_seeds_in_every_resample(made: tuple[list[Gold], list]) -> None:
    gold, pairs = made
    found = pd.DataFrame([row for row in _rates(gold, pairs, RESAMPLES)[0] if row["kind"] == "exchange"])
    for kind in EXCHANGE:
        totals, drawn = np.zeros(2), np.zeros((RESAMPLES, 2))
        for number, (flat, nested) in enumerate(pairs):
            for at, data in enumerate(gold):
                moved = np.array([_moved(kind, *one) for one in zip(data.items, flat[at], nested[at], strict=True)])
                totals[number] += moved.sum()
                drawn[:, number] += _weights(data.card.name) @ moved
        row = found[found["slice"] == kind].iloc[0]
        assert row["value"] == pytest.approx(totals.mean())
        low, high = np.quantile(drawn.mean(axis=1), [0.025, 0.975])
        assert (row["low"], row["high"]) == pytest.approx((low, high))


def test_false_spans_where_there_is_no_gold(made: tuple[list[Gold], list]) -> None:
    gold, pairs = made
    found = pd.DataFrame([row for row in _rates(gold, pairs, RESAMPLES)[0] if row["kind"] == "rate"])
    empty = found[(found["group"] == "sentence") & (found["slice"] == "0")].set_index("decoding")
    assert set(empty["count"]) == {sum(not items for data in gold for items in data.items)} == {18}
    for side, decoding in enumerate(("flat", "nested")):
        wanted = [
            sum(
                len(answer)
                for at, data in enumerate(gold)
                for truth, answer in zip(data.items, seed[side][at], strict=True)
                if not truth
            )
            for seed in pairs
        ]
        assert empty.loc[decoding, "value"] == pytest.approx(np.mean(wanted)) and np.mean(wanted) > 0
        assert empty.loc[decoding, "low"] < empty.loc[decoding, "value"] < empty.loc[decoding, "high"]
    change = empty.loc["nested", "value"] - empty.loc["flat", "value"]
    assert empty.loc[CHANGE, "value"] == pytest.approx(change)


def test_the_page_names_the_false_spans(space: Workspace, rows: pd.DataFrame) -> None:
    said = [text for text in _page(space, rows).findings if "sentences without gold" in text]
    empty = rows[(rows["metric"] == "false_spans") & (rows["decoding"] == "flat")].iloc[0]
    assert len(said) == 1 and f"flat decoding answers {empty['value']:,.1f} spans" in said[0]
    without = rows[rows["metric"] != "false_spans"]
    assert any("nothing can be said about sentences without" in text for text in _page(space, without).findings)
