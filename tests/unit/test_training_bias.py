"""What the training data prefer: every measure against a plain count or a formula of its own."""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from analysis_samples import made_space, sentence
from scipy.stats import entropy

from benchmarks.analyses.gathering import gather_rows
from benchmarks.analyses.pages import page_of, write_page
from benchmarks.analyses.resampling import estimate, normal_p_value, share_interval
from benchmarks.analyses.training_bias_rows import IN_PART, WHOLE, gini, label_entropy, mixture_rows, readings_of
from benchmarks.analyses.training_shares import FORMS, TIMES, casing_of, casing_shares, length_shares, unlabelled_shares
from benchmarks.scoring.drawing import shared_sums
from gliner_core.examples import Example, Span

STUDY, ANALYSIS = "data_bias", "training_bias"


def _examples(num: int = 40) -> list[Example]:
    draw = np.random.default_rng(2)
    return [sentence(draw, f"a/train/{number}", ("person", "Place", "date"), True) for number in range(num)]


@pytest.mark.parametrize(
    ("text", "casing"),
    [
        ("river", "lower case"), ("River bank", "capitalised"), ("NASA", "all caps"), ("iPod", "mixed case"),
        ("12", "no letters"), ("U.S.", "all caps"), ("A", "capitalised"), ("3D", "capitalised"),
        ("the Mill", "mixed case"), ("\u2161", "capitalised"), ("\u24b6\u24b7", "all caps"),
        ("\u0928\u0926\u0940", "no letters"), ("\u041c\u0438\u0440", "capitalised"),
    ],
)  # fmt: skip
def test_casing(text: str, casing: str) -> None:
    assert casing_of(text) == casing


def test_gini_is_half_the_relative_mean_difference() -> None:
    counts = [1, 1, 2, 5, 30, 4]
    gaps = np.abs(np.subtract.outer(counts, counts)).mean()
    assert gini(counts) == pytest.approx(gaps / (2 * np.mean(counts)))
    assert gini([7, 7, 7]) == pytest.approx(0)


def test_label_entropy_is_the_conditional_entropy_of_another_package() -> None:
    examples = _examples()
    pairs = Counter((item.text(span).lower(), span.type.lower()) for item in examples for span in item.spans)
    surfaces = Counter(surface for surface, num in pairs.items() for surface in [surface[0]] * num)
    joint, marginal = entropy(list(pairs.values()), base=2), entropy(list(surfaces.values()), base=2)
    assert label_entropy(readings_of(examples)) == pytest.approx(joint - marginal)
    assert label_entropy(readings_of(examples), at_least=2) > label_entropy(readings_of(examples)) > 0


def _plain_unlabelled(examples: list[Example]) -> tuple[Counter[str], Counter[str]]:
    """Free and labelled occurrences by times labelled and by form, by comparing every run of words."""
    places = [{(span.start, span.end) for span in example.spans} for example in examples]
    known = Counter(" ".join(e.words[a : b + 1]) for e, found in zip(examples, places, strict=True) for a, b in found)
    free, labelled = Counter(), Counter()
    for example, found in zip(examples, places, strict=True):
        inside = {word for start, end in found for word in range(start, end + 1)}
        for start in range(len(example.words)):
            for end in range(start, len(example.words)):
                text = " ".join(example.words[start : end + 1])
                if not known[text]:
                    continue
                times = next(name for name, most in zip(TIMES, (1, 4, 19, 99, 1e9), strict=True) if known[text] <= most)
                form = FORMS[2] if end > start else FORMS[text != text.lower()]
                if (start, end) in found:
                    labelled.update([times, form])
                elif not inside & set(range(start, end + 1)):
                    free.update([times, form])
    return free, labelled


def test_unlabelled_occurrences_are_those_of_a_plain_search() -> None:
    examples = _examples()
    free, labelled = _plain_unlabelled(examples)
    shares = {share.group: share for share in unlabelled_shares(examples, "x")}
    assert shares["all"].part.sum() == sum(free[name] for name in TIMES) > 20
    for name in (*TIMES, *FORMS):
        assert shares[name].part.sum() == free[name]
        assert shares[name].whole.sum() == free[name] + labelled[name]


def test_shares_of_one_sentence_by_hand() -> None:
    example = Example(id="x", words=("Ada", "met", "the", "NASA", "crew"), spans=(Span(0, 0, "p"), Span(2, 4, "g")))
    casing = {(share.topic, share.group): share.part.sum() for share in casing_shares([example])}
    assert casing["casing of mentions", "capitalised"] == 1 and casing["casing of mentions", "mixed case"] == 1
    assert casing["casing of words outside mentions", "lower case"] == 1
    assert casing["sentences without an upper-case letter", "yes"] == 0
    widths = {(share.topic, share.group): share.part.sum() for share in length_shares([example], [2, 3])}
    assert (widths["width of mentions", "1"], widths["width of mentions", "3"]) == (1, 1)
    assert (widths["mentions wider than K", "2"], widths["mentions wider than K", "3"]) == (1, 0)


def test_a_share_has_the_interval_of_a_bootstrap_by_index() -> None:
    draw = np.random.default_rng(1)
    whole = draw.integers(0, 6, 80)
    part = draw.binomial(whole, 0.3)
    value, low, high = share_interval(part, whole, 3, 4000)
    chosen = draw.integers(0, 80, (4000, 80))
    plain = 100 * part[chosen].sum(axis=1) / whole[chosen].sum(axis=1)
    assert value == pytest.approx(100 * part.sum() / whole.sum())
    assert (low, high) == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])), abs=0.8)


def test_resampled_columns_see_one_draw_of_as_many_sentences() -> None:
    draw = np.random.default_rng(4)
    columns = np.stack([np.ones(50), draw.normal(size=50), np.zeros(50)], axis=1)
    columns[:, 2] = 2 * columns[:, 1]
    sums = shared_sums(columns[:, None], 9, 3000)
    assert sums.shape == (3000, 1, 3)
    assert (sums[..., 0] == 50).all()
    assert sums[..., 2] == pytest.approx(2 * sums[..., 1])
    assert sums[..., 1].std() == pytest.approx(columns[:, 1].std() * math.sqrt(50), rel=0.05)
    assert (sums == shared_sums(columns[:, None], 9, 3000)).all()
    assert shared_sums(np.eye(5), 2, 4000).mean(axis=0) == pytest.approx(np.ones(5), abs=0.1)


def test_an_estimate_keeps_both_intervals_apart() -> None:
    one, three = estimate(np.array([4.0]), np.arange(101.0)), estimate(np.array([1.0, 2.0, 3.0]), np.arange(101.0))
    assert (one["low"], one["high"]) == pytest.approx((2.5, 97.5)) and one["seed_low"] is None
    half = 4.302653 / math.sqrt(3)  # Student's t with 2 degrees of freedom, standard deviation 1
    assert (three["seed_low"], three["seed_high"]) == pytest.approx((2 - half, 2 + half), abs=1e-5)
    normal = np.random.default_rng(0).normal(size=20000)
    assert normal_p_value(1.959964, normal) == pytest.approx(0.05, rel=0.03)
    assert normal_p_value(0.0, np.zeros(9)) == 1.0


def test_parts_add_up_to_the_whole() -> None:
    examples = [replace(item, id=f"{'ab'[at % 2]}/train/{at}") for at, item in enumerate(_examples())]
    rows = pd.DataFrame(list(mixture_rows(examples, [2], 100)))
    shares = rows[rows["denominator"].notna() & ~rows["topic"].str.startswith(("most ", "mentions of the most"))]
    shares = shares[shares["topic"] != "mentions of ambiguous surfaces"]
    split = shares.assign(is_whole=shares["part"] == WHOLE).groupby(["is_whole", "topic", "group"])
    sums = split[["numerator", "denominator"]].sum()
    assert len(sums.loc[True]) > 25
    assert (sums.loc[True] == sums.loc[False].reindex(sums.loc[True].index)).all(axis=None)
    assert {IN_PART} < set(shares["topic"])
    mentions = rows[rows["topic"] == "mentions"].set_index("part")["value"]
    assert mentions[WHOLE] == mentions["a/train"] + mentions["b/train"] == sum(len(item.spans) for item in examples)


def test_the_head_of_the_types_is_ranked_by_count() -> None:
    rows = pd.DataFrame(list(mixture_rows(_examples(), [2], 100)))
    counts = Counter(span.type.lower() for example in _examples() for span in example.spans)
    shown = rows[rows["topic"] == "most frequent types"]
    assert list(zip(shown["group"], shown["numerator"], strict=True)) == counts.most_common()
    ranks = rows[rows["topic"] == "type frequency by rank"]
    assert list(ranks["value"]) == sorted(counts.values(), reverse=True)


def test_the_page_is_made_from_the_rows(tmp_path: Path) -> None:
    space = made_space(tmp_path, STUDY, seeds=(1,))
    folder = space.study(STUDY) / ANALYSIS
    gather_rows(space, STUDY, ANALYSIS, folder / "rows.csv")
    before = (folder / "rows.csv").read_bytes()
    gather_rows(space, STUDY, ANALYSIS, folder / "rows.csv")
    assert (folder / "rows.csv").read_bytes() == before
    write_page(
        space, STUDY, ANALYSIS, [folder / name for name in ("table.md", "findings.txt", "figure.svg", "figure.png")]
    )
    text = (folder / "table.md").read_text()
    assert "nan" not in text and "part0/train" in text
    assert any("it is unlabelled in" in sentence for sentence in page_of(space, STUDY, ANALYSIS).findings)
