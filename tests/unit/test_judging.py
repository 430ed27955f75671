"""The rule by which a difference counts as shown: its corners, and how often it errs and finds in made-up studies."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.scoring.counts import suite_rate
from benchmarks.scoring.judging import (
    HIGHER,
    LOWER,
    NO_SEED,
    NOT_SHOWN,
    ONE_SEED,
    RULE,
    Evidence,
    reach,
    smallest_visible,
    verdict,
)
from benchmarks.scoring.statistics import Comparison, approximate_randomisation, holm, paired_bootstrap

SIZES = (60, 40)


def evidence(low: float, high: float, seeds: tuple[float, ...] = ()) -> Evidence:
    middle = (low + high) / 2
    found = Comparison(difference=middle, low=low, high=high, standard_error=0.01, level=0.95)
    return Evidence(over_sentences=found, seed_differences=seeds)


def test_all_three_must_agree() -> None:
    clear = (0.020, 0.021, 0.022)
    assert verdict(evidence(0.01, 0.03, clear), 0.049) == HIGHER
    assert verdict(evidence(-0.03, -0.01, tuple(-value for value in clear)), 0.049) == LOWER
    assert verdict(evidence(0.01, 0.03, clear), 0.05) == NOT_SHOWN
    assert verdict(evidence(-0.001, 0.03, clear), 0.001) == NOT_SHOWN
    assert verdict(evidence(0.01, 0.03, (0.001, 0.02, 0.04)), 0.001) == NOT_SHOWN
    assert verdict(evidence(0.0, 0.03, clear), 0.001) == NOT_SHOWN  # an interval that touches zero holds it


def test_one_seed_has_no_interval_and_says_so() -> None:
    assert verdict(evidence(0.01, 0.03, (0.02,)), 0.01) == HIGHER
    assert evidence(0.01, 0.03, (0.02,)).over_seeds is None and evidence(0.01, 0.03).over_seeds is None
    assert [reach(num) for num in (0, 1, 2, 3)] == [NO_SEED, ONE_SEED, "", ""]
    assert "trained models only" in ONE_SEED and "one seed" in ONE_SEED


def test_more_comparisons_can_see_less() -> None:
    alone, among = (smallest_visible(evidence(0.01, 0.03), num) for num in (1, 10))
    assert alone == pytest.approx(0.01 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)))
    assert among == pytest.approx(0.01 * (stats.norm.ppf(1 - 0.05 / 20) + stats.norm.ppf(0.8)))


def test_without_luck_on_one_side_the_other_decides() -> None:
    seeds = (0.01, 0.02, 0.03)
    exact = Comparison(difference=0.02, low=0.02, high=0.02, standard_error=0.0, level=0.95)
    only_seeds = smallest_visible(Evidence(over_sentences=exact, seed_differences=seeds), 1)
    assert only_seeds == pytest.approx(5.653 * 0.01 / np.sqrt(3), rel=1e-3)  # non-central t, two degrees of freedom
    assert smallest_visible(evidence(0.01, 0.03, (0.02, 0.02)), 1) == smallest_visible(evidence(0.01, 0.03), 1)
    assert smallest_visible(Evidence(over_sentences=exact, seed_differences=(0.02, 0.02)), 1) == 0


@pytest.mark.parametrize(
    ("num_seeds", "seed_error", "num_compared"), [(2, 0.001, 1), (3, 0.005, 1), (3, 0.02, 4), (5, 0.007, 10)]
)
def test_the_visible_difference_gets_a_verdict_four_times_in_five(
    num_seeds: int, seed_error: float, num_compared: int
) -> None:
    """Studies with a true difference of that size, errors as they were; Holm's strictest level for all of them."""
    sentence_error, num = 0.01, 4000  # that of `evidence`
    spread = np.linspace(-1, 1, num_seeds)
    spread *= seed_error * np.sqrt(num_seeds) / spread.std(ddof=1)
    true = smallest_visible(evidence(0.01, 0.03, tuple(spread)), num_compared)
    draw = np.random.default_rng(num_seeds)
    shown = 0
    for _ in range(num):
        values = true + draw.normal(0, sentence_error) + draw.normal(0, seed_error * np.sqrt(num_seeds), num_seeds)
        found, half = float(values.mean()), stats.norm.ppf(0.975) * sentence_error
        over = Comparison(
            difference=found, low=found - half, high=found + half, standard_error=sentence_error, level=0.95
        )
        p_adjusted = num_compared * 2 * stats.norm.sf(abs(found) / sentence_error)
        shown += verdict(Evidence(over_sentences=over, seed_differences=tuple(values)), p_adjusted) == HIGHER
    assert shown / num == pytest.approx(0.8, abs=0.02)  # three standard errors


def test_the_rule_in_words_names_what_the_function_asks() -> None:
    words = " ".join(RULE)
    assert "below 0.05 after Holm" in words and "one in twenty" in words
    assert all(text.endswith(".") and text.isascii() for text in RULE)


def answers(draw: np.random.Generator, gold: list[np.ndarray], skills: np.ndarray) -> list[np.ndarray]:
    """Counts [R, S, 3] of each dataset for runs that find a gold item with these chances."""
    found = []
    for items in gold:
        hits = np.stack([draw.binomial(items, skill) for skill in skills])
        extra = draw.integers(0, 2, hits.shape)
        found.append(np.stack([hits, hits + extra, np.broadcast_to(items, hits.shape)], axis=-1))
    return found


def judged(seed: int, gains: tuple[float, ...], num_seeds: int, luck: float) -> list[str]:
    """The verdicts of one study: variants whose true skill is the baseline's plus a gain, and seeds that differ."""
    draw = np.random.default_rng(seed)
    gold = [draw.integers(1, 5, size) for size in SIZES]
    skills = [0.5 + gain + luck * draw.uniform(-1, 1, num_seeds) for gain in (0.0, *gains)]
    base, *sides = (answers(draw, gold, skill) for skill in skills)
    adjusted = holm([approximate_randomisation(side, base, seed, 400) for side in sides])
    found = []
    for side, p_adjusted in zip(sides, adjusted, strict=True):
        by_seed = [
            suite_rate([part[at] for part in side]) - suite_rate([part[at] for part in base]) for at in range(num_seeds)
        ]
        over_sentences = paired_bootstrap(side, base, seed, 200)
        found.append(verdict(Evidence(over_sentences=over_sentences, seed_differences=tuple(by_seed)), p_adjusted))
    return found


@pytest.mark.parametrize(("num_seeds", "luck"), [(1, 0.0), (3, 0.0), (3, 0.1)])
def test_luck_is_shown_in_at_most_one_study_of_twenty(num_seeds: int, luck: float) -> None:
    """No variant is better by design; with `luck`, single trainings are, by up to ten points of skill."""
    shown = np.mean([judged(seed, (0.0,), num_seeds, luck) != [NOT_SHOWN] for seed in range(400)])
    assert shown <= stats.binom.ppf(0.99, 400, 0.05) / 400


def test_holm_keeps_a_family_at_that_level() -> None:
    """Five variants, one seed each: without the correction about one study of five would show something."""
    shown = np.mean([set(judged(seed, (0.0,) * 5, 1, 0.0)) != {NOT_SHOWN} for seed in range(200)])
    assert shown <= stats.binom.ppf(0.99, 200, 0.05) / 200


def test_one_seed_takes_the_luck_of_a_training_for_a_difference() -> None:
    """Why the verdict of one seed names its limit: what is shown is true of these two models, not of their recipes."""
    shown = np.mean([judged(seed, (0.0,), 1, 0.1) != [NOT_SHOWN] for seed in range(100)])
    assert shown > 0.2


@pytest.mark.parametrize(("gain", "wanted"), [(0.25, HIGHER), (-0.25, LOWER)])
def test_a_large_difference_is_found_with_its_sign(gain: float, wanted: str) -> None:
    found = [judged(seed, (gain, 0.0), 3, 0.03) for seed in range(60)]
    assert np.mean([first == wanted for first, _ in found]) > 0.85
    assert np.mean([second != NOT_SHOWN for _, second in found]) < 0.15
