"""Shows F1 per language and backbone, grouped by script, and what it says about languages outside pretraining."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from benchmarks.analyses.languages_figure import draw_languages
from benchmarks.analyses.languages_findings import deals_of, findings_of, named, what_of
from benchmarks.analyses.page import Page
from benchmarks.analyses.showing import count_cell, seed_cell, table, value_cell, word_cell
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.difference_text import p_text
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.table_text import TextCell, TextTable

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
    "vocabulary's one token for what it cannot spell. Words lost: beyond the model's window, of all words."
)
CONFOUNDED = (
    "Languages differ in more than pretraining: script, difficulty and annotation of the texts, label set. Labels are "
    "asked in English. A mean or contrast over languages holds all of this. A gain over another backbone is taken on "
    "the same sentences and labels, but the backbones differ in size, vocabulary and training too."
)
DEALT = (
    "Deals: in how many of all ways to choose as many languages the contrast would be at least as large in absolute "
    "value; of more than 20,000 ways as many are drawn. p, adjusted: that share under Holm's correction over the "
    "contrasts that can be shown beside each other; with too few languages no result could be."
)


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """The page of an analysis `languages`."""
    by_kind = {str(kind): frame for kind, frame in rows.groupby("kind", sort=False)}
    languages = by_kind["language"]
    tables = [_language_table(languages), _mean_table(by_kind["mean"])]
    tables += [_gain_table(by_kind["gain"])] if "gain" in by_kind else []
    contrasts = pd.concat([by_kind[kind] for kind in ("contrast", "gain contrast") if kind in by_kind] or [rows[:0]])
    tables += [_contrast_table(contrasts)] if len(contrasts) else []
    suite = next(row.suite for row in space.grid.study_rows(card.name))
    seeds = "; band: 95 % over seeds" if languages["seed_low"].notna().any() else "; one seed"
    return Page(
        tables=tuple(tables),
        findings=tuple(findings_of(by_kind, contrasts)),
        draw=lambda figure: draw_languages(figure, languages),
        notes=(
            f"Suite {suite}. Filled: in the backbone's pretraining; hollow: not.",
            f"Lines: 95 % interval over test sentences{seeds}.",
        ),
    )


def _language_table(languages: pd.DataFrame) -> TextTable:
    cells, groups = [], []
    for script, frame in languages.groupby("script", sort=False):
        groups.append((len(cells), f"{script} script"))
        for _, own in frame.groupby("dataset", sort=False):
            cells += [_language_cells(row, place == 0) for place, (_, row) in enumerate(own.iterrows())]
    return replace(table("By language", LANGUAGE_COLUMNS, cells, (SENTENCES, TOKENS)), groups=tuple(groups))


def _language_cells(row: pd.Series, is_first: bool) -> list[TextCell]:
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
            word_cell(named(row["group"], row)),
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
            word_cell(what_of(row)),
            word_cell("all" if row["dimension"] == "all" else row["dimension"]),
            word_cell(f"{named(row['group'], row)} ({row['num_languages']:.0f})"),
            word_cell(f"{named(row['other'], row)} ({row['num_others']:.0f})"),
            value_cell(row["value"], row["low"], row["high"], "+"),
            seed_cell(row, "+"),
            word_cell(deals_of(row)),
            word_cell("" if is_missing(row["p_adjusted"]) else p_text(row)),
            word_cell(row["verdict"]),
        ]
        for _, row in contrasts.iterrows()
    ]
    columns = ("Of", "Scripts", "Group", "Minus", "Contrast", "Contrast, seeds", "Deals", "p, adjusted", "Verdict")
    return table("In pretraining or not", columns, cells, (DEALT, CONFOUNDED))
