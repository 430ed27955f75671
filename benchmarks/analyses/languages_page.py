"""Shows F1 per language and backbone, grouped by script, and what it says about languages outside pretraining.

A contrast between groups of languages is called shown only where the interval over sentences, the interval over seeds
(if there are several) and the permutation of languages agree: the first two know nothing of the choice of languages.
"""

from collections.abc import Iterator

import pandas as pd

from benchmarks.analyses.languages_figure import draw_languages
from benchmarks.analyses.languages_statistics import ONLY_OWN, ONLY_REFERENCE
from benchmarks.analyses.page import Page
from benchmarks.analyses.showing import count_cell, interval_words, seed_cell, table, value_cell, word_cell
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.style import is_missing
from benchmarks.reporting.table_text import TextTable

ALPHA = 0.05
LANGUAGE_COLUMNS = (
    "Language", "Backbone", "In pretraining", "In fine-tuning", "Sub-words per word", "Unknown sub-words, %",
    "Words with one, %", "Words lost, %", "F1", "F1, seeds",
)  # fmt: skip
SENTENCES = (
    "[low, high]: 95 % interval over test sentences; of a language as in the study's table, of a group with all seeds "
    "and backbones answering the same resampled sentences."
)
TOKENS = (
    "Sub-words: of all words of the test texts, uncut, by the tokenizer saved with the model; unknown ones are the "
    "vocabulary's <unk>. Words lost: beyond the model's window, of all words."
)
CONFOUNDED = (
    "Languages differ in more than pretraining: script, difficulty and annotation of the texts, label set. Labels are "
    "asked in English. A mean or contrast over languages holds all of this; a gain over another backbone on the same "
    "sentences does not, but the backbones differ in size, vocabulary and training too."
)
DEALT = (
    "Deals: in how many of all ways to choose as many languages the contrast would be at least as large in absolute "
    "value; the smallest possible share is one deal."
)


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """The page of an analysis `languages`."""
    by_kind = {str(kind): frame for kind, frame in rows.groupby("kind", sort=False)}
    languages = by_kind["language"]
    tables = [_language_table(languages), _mean_table(by_kind["mean"])]
    tables += [_gain_table(by_kind["gain"])] if "gain" in by_kind else []
    contrasts = pd.concat([by_kind[kind] for kind in ("contrast", "gain contrast") if kind in by_kind] or [rows[:0]])
    tables += [_contrast_table(contrasts)] if len(contrasts) else []
    findings = (*_mean_findings(by_kind["mean"]), *_contrast_findings(languages, contrasts), *_correlations(by_kind))
    seeds = "; band: 95 % over seeds" if languages["seed_low"].notna().any() else "; one seed"
    return Page(
        tables=tuple(tables),
        findings=findings,
        draw=lambda figure: draw_languages(figure, languages),
        notes=(
            f"Filled: the language is in the backbone's pretraining; hollow: it is not (study {card.name}).",
            f"Lines: 95 % interval over test sentences{seeds}. Right: sub-words per word of the tokenizer.",
        ),
    )


def _language_table(languages: pd.DataFrame) -> TextTable:
    cells, groups = [], []
    for script, frame in languages.groupby("script", sort=False):
        groups.append((len(cells), f"{script} script"))
        for _, own in frame.groupby("dataset", sort=False):
            cells += [_language_cells(row, place == 0) for place, (_, row) in enumerate(own.iterrows())]
    shown = table("By language", LANGUAGE_COLUMNS, cells, (SENTENCES, TOKENS))
    return TextTable(
        heading=shown.heading, columns=shown.columns, rows=shown.rows, groups=tuple(groups), notes=shown.notes
    )


def _language_cells(row: pd.Series, is_first: bool) -> list:
    return [
        word_cell(row["title"] if is_first else '"'),
        word_cell(row["backbone"]),
        word_cell(row["in_pretraining"]),
        word_cell(row["in_training"]),
        value_cell(row["sub_words_per_word"]),
        value_cell(row["unknown_pct"]),
        value_cell(row["words_with_unknown_pct"]),
        value_cell(row["words_lost_pct"]),
        value_cell(row["value"], row["low"], row["high"]),
        seed_cell(row),
    ]


def _mean_table(means: pd.DataFrame) -> TextTable:
    cells = [
        [
            word_cell(row["group"]),
            word_cell(row["backbone"]),
            count_cell(row["num_languages"]),
            value_cell(row["value"], row["low"], row["high"]),
            seed_cell(row),
        ]
        for _, row in _by_group(means)
    ]
    columns = ("Group", "Backbone", "Languages", "Mean F1", "Mean F1, seeds")
    return table("Means over languages", columns, cells, ("Unweighted means; labels differ between corpora.",))


def _by_group(rows: pd.DataFrame) -> Iterator[tuple[int, pd.Series]]:
    """Rows of one group of languages together, in the order of their first appearance."""
    for _, frame in rows.groupby(["dimension", "group"], sort=False):
        yield from frame.iterrows()


def _gain_table(gains: pd.DataFrame) -> TextTable:
    cells = [
        [
            word_cell(_named(row["group"], row)),
            word_cell(f"{row['backbone']} minus {row['reference']}"),
            count_cell(row["num_languages"]),
            value_cell(row["value"], row["low"], row["high"], "+"),
            seed_cell(row, "+"),
        ]
        for _, row in _by_group(gains)
    ]
    columns = ("Group", "Backbones", "Languages", "Mean difference", "Difference, seeds")
    return table("Differences between backbones on the same sentences", columns, cells)


def _contrast_table(contrasts: pd.DataFrame) -> TextTable:
    cells = [
        [
            word_cell(_what(row)),
            word_cell(f"{_named(row['group'], row)} ({row['num_languages']:.0f})"),
            word_cell(f"{_named(row['other'], row)} ({row['num_others']:.0f})"),
            value_cell(row["value"], row["low"], row["high"], "+"),
            seed_cell(row, "+"),
            word_cell(_deals(row)),
        ]
        for _, row in contrasts.iterrows()
    ]
    columns = ("Of", "Group", "Minus", "Contrast", "Contrast, seeds", "Deals")
    return table("In pretraining or not", columns, cells, (DEALT, CONFOUNDED))


def _what(row: pd.Series) -> str:
    return f"F1 of {row['backbone']}" if row["kind"] == "contrast" else f"{row['backbone']} minus {row['reference']}"


def _named(group: str, row: pd.Series) -> str:
    names = {ONLY_OWN: row["backbone"], ONLY_REFERENCE: row["reference"]}
    return f"read by {names[group]} only" if group in names else group


def _deals(row: pd.Series) -> str:
    return f"{row['p_languages'] * row['num_splits']:.0f} of {row['num_splits']:.0f}"


def _mean_findings(means: pd.DataFrame) -> Iterator[str]:
    for _, row in means[means["dimension"] == "all"].iterrows():
        yield (
            f"{row['backbone']}: mean F1 {row['value']:.1f} over {row['num_languages']:.0f} languages "
            f"({interval_words(row)})."
        )


def _contrast_findings(languages: pd.DataFrame, contrasts: pd.DataFrame) -> Iterator[str]:
    with_contrast = set(contrasts.loc[contrasts["kind"] == "contrast", "variant"])
    for variant, frame in languages.groupby("variant", sort=False):
        if variant not in with_contrast:
            share = "all" if (frame["in_pretraining"] == "yes").all() else "none"
            yield (
                f"{frame['backbone'].iloc[0]}: {share} of the {len(frame)} languages are in its pretraining, so its own "
                "scores say nothing about languages that are not."
            )
    for _, row in contrasts.iterrows():
        yield f"{_contrast_words(row)}: {_verdict(row)}."
        if row["kind"] == "contrast":
            yield _script_words(languages[languages["variant"] == row["variant"]])


def _contrast_words(row: pd.Series) -> str:
    sides = f"languages {_named(row['group'], row)} ({row['num_languages']:.0f}) against {_named(row['other'], row)}"
    what = _what(row) if row["kind"] == "contrast" else f"Gain of {row['backbone']} over {row['reference']}"
    return f"{what}, {sides} ({row['num_others']:.0f}): {row['value']:+.1f} points ({interval_words(row, '+')})"


def _verdict(row: pd.Series) -> str:
    """The sentence that all three uncertainties allow."""
    if 1 / row["num_splits"] > ALPHA:
        return (
            f"nothing can be said about such languages in general, {row['num_splits']:.0f} ways to deal them out are "
            "too few"
        )
    pairs = [("low", "high")] + ([] if is_missing(row["seed_low"]) else [("seed_low", "seed_high")])
    clear = all(row[low] > 0 or row[high] < 0 for low, high in pairs)
    deals = f"{_deals(row)} deals of the languages differ at least as much, p = {row['p_languages']:.2f}"
    if not clear:
        return f"no difference could be shown on these sentences{' and seeds' if len(pairs) > 1 else ''} ({deals})"
    if row["p_languages"] > ALPHA:
        return f"a difference of these languages, but not more than their choice can make ({deals})"
    return f"difference shown ({deals})"


def _script_words(languages: pd.DataFrame) -> str:
    """How script and pretraining hang together among the languages of one backbone."""
    sides = {
        flag: ", ".join(f"{script} {len(frame)}" for script, frame in part.groupby("script", sort=False))
        for flag, part in languages.groupby("in_pretraining")
    }
    same = len({frozenset(part["script"]) for _, part in languages.groupby("in_pretraining")}) == 1
    told = "both groups use the same scripts" if same else "script and pretraining are not apart in this contrast"
    return f"Scripts of the languages in pretraining: {sides['yes']}; of the others: {sides['no']}; {told}."


def _correlations(by_kind: dict[str, pd.DataFrame]) -> Iterator[str]:
    for _, row in by_kind["correlation"].iterrows():
        what = f"{row['backbone']}: F1 and sub-words per word over {row['num_languages']:.0f} languages"
        if is_missing(row["value"]):
            yield f"{what}: no rank correlation, one of the two is the same in all of them."
            continue
        clear = row["low"] > 0 or row["high"] < 0
        told = "shown for these languages" if clear else "no relation could be shown"
        yield (
            f"{what}: rank correlation {row['value']:+.2f} (95 % over languages {row['low']:+.2f} to "
            f"{row['high']:+.2f}), {told}."
        )
