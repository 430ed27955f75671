"""Tests over languages: permutations against brute force and simulation, Holm's family, and the words that follow."""

from itertools import permutations
from math import comb, factorial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.analyses.languages_findings import findings_of
from benchmarks.analyses.languages_permutations import MOST, dealt_out, shuffled
from benchmarks.analyses.languages_statistics import NEITHER, ONLY_OWN
from benchmarks.analyses.languages_verdicts import TOO_FEW, can_be_shown, judge
from benchmarks.scoring.judging import HIGHER, LOWER, NOT_SHOWN
from benchmarks.scoring.statistics import holm


def test_languages_are_dealt_out_in_every_way() -> None:
    values, members = np.array([5.0, 1.0, 4.0, 1.0, 0.5]), np.array([True, False, True, False, False])
    found = dealt_out(values, members)
    splits = {frozenset(order[:2]) for order in permutations(range(5))}
    differences = [
        np.mean([values[i] for i in split]) - np.mean([values[i] for i in range(5) if i not in split])
        for split in splits
    ]
    observed = 4.5 - 2.5 / 3
    assert found["num_splits"] == len(splits) == 10
    assert found["p_languages"] == np.mean([abs(value) >= observed - 1e-9 for value in differences]) == 0.1


def test_three_against_three_can_never_be_shown() -> None:
    """The farthest deal and its mirror: 2 of 20, whatever the values; one against eleven: 1 of 12."""
    draw = np.random.default_rng(1)
    for size, num, least in ((3, 6, 0.1), (1, 12, 1 / 12), (3, 10, 1 / 120)):
        for _ in range(5):
            found = dealt_out(draw.normal(size=num), np.arange(num) < size)
            assert found["least_p"] == pytest.approx(least) and found["p_languages"] >= found["least_p"]


def test_of_many_languages_some_deals_are_drawn() -> None:
    """Fifteen of thirty: 155 million ways; the p-value is that of other draws within its own error."""
    draw = np.random.default_rng(2)
    values, members = draw.normal(size=30), np.arange(30) < 15
    values[members] += 0.6
    found = dealt_out(values, members)
    assert comb(30, 15) > MOST and found["num_splits"] == MOST + 1
    total = MOST * 4
    picked = np.array([values[draw.permutation(30)[:15]].sum() for _ in range(total)])
    share = np.mean(
        np.abs(picked / 15 - (values.sum() - picked) / 15) >= abs(values[members].mean() - values[~members].mean())
    )
    assert found["p_languages"] == pytest.approx(share, abs=4 * np.sqrt(share / MOST))
    assert found == dealt_out(values, members)
    values[members] += 100
    assert dealt_out(values, members)["p_languages"] <= 2 / (MOST + 1)  # never zero: the observed deal counts


def test_orders_are_shuffled_in_every_way() -> None:
    first, second = np.array([1.0, 2.0, 2.0, 4.0, 7.0]), np.array([3.0, 1.0, 4.0, 9.0, 8.0])
    found = shuffled(first, second)
    every = [abs(stats.spearmanr(first, order).statistic) for order in permutations(second)]
    observed = abs(stats.spearmanr(first, second).statistic)
    assert found["num_splits"] == factorial(5)
    assert found["p_languages"] == np.mean([value >= observed - 1e-9 for value in every])
    assert found["least_p"] == np.mean([value >= max(every) - 1e-9 for value in every])


def test_many_orders_are_drawn() -> None:
    draw = np.random.default_rng(3)
    first = draw.normal(size=12)
    second = first + draw.normal(size=12)
    found = shuffled(first, second)
    exact = stats.permutation_test(
        (second,), lambda x: stats.spearmanr(first, x).statistic, permutation_type="pairings", n_resamples=4000, rng=1
    ).pvalue
    assert found["num_splits"] == MOST + 1 and found["p_languages"] == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("num", [2, 5, 7])
def test_unrelated_lengths_are_seldom_called_related(num: int) -> None:
    draw = np.random.default_rng(num)
    rows = []
    for _ in range(400):
        first, second = draw.normal(size=(2, num))
        rows.append({"kind": "correlation", "value": np.corrcoef(first, second)[0, 1], **shuffled(first, second)})
    for row in rows:
        judge([row])
    shown = np.mean([row["verdict"] in (HIGHER, LOWER) for row in rows])
    assert shown <= stats.binom.ppf(0.99, 400, 0.05) / 400
    assert {row["verdict"] for row in rows} == {TOO_FEW} if num == 2 else shown > 0


def test_the_family_holds_what_can_be_shown() -> None:
    assert can_be_shown([1 / 120, 1 / 36, 1 / 120, 1 / 36]) == [0, 1, 2]  # the second of the equals would need 1 / 40
    assert can_be_shown([0.1, 0.02]) == [1] and can_be_shown([0.1, 0.05]) == [] == can_be_shown([])
    draw = np.random.default_rng(0)
    for _ in range(50):
        least = draw.choice([0.001, 0.01, 0.02, 0.03, 0.06], 5).tolist()
        kept = can_be_shown(least)
        assert not kept or max(holm([least[place] for place in kept])) < 0.05
        for place in set(range(5)) - set(kept):
            assert max(holm([*(least[other] for other in kept), least[place]])) >= 0.05


CONTRAST: dict[str, Any] = {
    "kind": "gain contrast", "variant": "v", "backbone": "New", "reference": "Old", "dimension": "all",
    "group": ONLY_OWN, "other": NEITHER, "num_languages": 3, "num_others": 7, "num_scripts": 2, "num_seeds": 2,
    "value": 5.0, "low": 2.0, "high": 8.0, "seed_low": 1.0, "seed_high": 9.0, "num_splits": 120,
    "p_languages": 2 / 120, "least_p": 1 / 120,
}  # fmt: skip
LATIN = {"dimension": "Latin", "num_scripts": 1, "num_splits": 36, "p_languages": 1 / 36, "least_p": 1 / 36}
NEGATIVE = {"value": -5.0, "low": -8.0, "high": -2.0, "seed_low": -9.0, "seed_high": -1.0}
NO_ROWS = dict.fromkeys(
    ("mean", "language", "correlation"), pd.DataFrame({"variant": [], "dimension": [], "in_pretraining": []})
)


def _told(*rows: dict[str, Any]) -> list[str]:
    judged = [dict(row) for row in rows]
    judge(judged)
    return list(findings_of(NO_ROWS, pd.DataFrame(judged)))


VERDICTS: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({}, "difference shown", "gains more on the languages that it has read, but no script has languages on both sides"),
    ({"num_scripts": 1}, "difference shown", "has read, and all of them are written in one script"),
    ({"low": -1.0}, "no difference could be shown", "These data do not tell"),
    ({"seed_low": -1.0}, "no difference could be shown", "These data do not tell"),
    ({"p_languages": 0.2}, "not more than their choice", "These data do not tell"),
    (
        {"num_splits": 20, "p_languages": 0.1, "least_p": 0.1, "num_languages": 3, "num_others": 3},
        "too few languages for a test of such languages in general: no result could have p below 0.100",
        "These data do not tell",
    ),
    (NEGATIVE, "difference shown", "gains less"),
)


@pytest.mark.parametrize(("change", "verdict", "answer"), VERDICTS)
def test_a_contrast_is_shown_only_where_all_three_agree(change: dict[str, Any], verdict: str, answer: str) -> None:
    first, last = _told(CONTRAST | change)
    assert verdict in first and answer in last


def test_every_contrast_of_the_page_makes_the_others_harder() -> None:
    """Three contrasts with p = 2/120 each would all be shown alone; together the best has 3 * 2/120 = 0.05."""
    same = [CONTRAST | {"variant": name, "backbone": name} for name in "abc"]
    assert "difference shown" in _told(same[0])[0]
    told = _told(*same)
    assert all("not more than their choice" in text and "3 contrasts 0.050" in text for text in told[:3])
    assert all("These data do not tell" in text for text in told[3:])


def test_a_script_alone_is_named_with_its_sign() -> None:
    whole = CONTRAST | {"p_languages": 1 / 120}
    *_, last = _told(whole, CONTRAST | LATIN)
    assert "gains more on the languages that it has read, within Latin script alone too (10 languages, 2" in last
    *_, last = _told(whole, CONTRAST | LATIN | NEGATIVE)
    assert "alone too" not in last and "but within Latin script alone it is the other way round" in last
    *_, last = _told(whole, CONTRAST | LATIN | {"low": -1.0})
    assert "this is not shown within one script, so script may explain it as well" in last
    *_, last = _told(whole | NEGATIVE, CONTRAST | LATIN | NEGATIVE)
    assert "gains less on the languages that it has read, within Latin script alone too" in last


CORRELATION: dict[str, Any] = {
    "kind": "correlation", "variant": "v", "backbone": "New", "num_languages": 6, "value": -0.9, "low": -1.0,
    "high": -0.5, "num_splits": 720, "p_languages": 24 / 720, "least_p": 2 / 720,
}  # fmt: skip


def _correlations(*rows: dict[str, Any]) -> list[str]:
    judged = [dict(row) for row in rows]
    judge(judged)
    return list(
        findings_of(
            NO_ROWS | {"correlation": pd.DataFrame(judged)}, pd.DataFrame({"kind": [], "variant": [], "other": []})
        )
    )


def test_a_correlation_is_told_by_its_test() -> None:
    (alone,) = _correlations(CORRELATION)
    assert "p 0.033), a relation is shown." in alone
    for text in _correlations(CORRELATION, CORRELATION):
        assert "adjusted for 2 correlations 0.067), no relation is shown." in text
    (few,) = _correlations(CORRELATION | {"num_languages": 2, "value": 1.0, "least_p": 1.0, "p_languages": 1.0})
    assert few.endswith("over 2 languages: too few languages for a test of a rank correlation.")
    (weak,) = _correlations(CORRELATION | {"p_languages": 0.06})
    assert NOT_SHOWN not in weak and "no relation is shown" in weak
