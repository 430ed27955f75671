"""Table, sentences and figure on what answers depend on beside the sentence and the labels."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.analyses.page import Page
from benchmarks.analyses.showing import SENTENCE_INTERVAL, count_cell, table, value_cell, word_cell
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.style import COLUMN_INCHES, GRID, MUTED, color
from benchmarks.reporting.summary import AVERAGE
from benchmarks.reporting.table_text import TextTable

BOUND = 1e-5
SMALLEST = 1e-9  # of the figure's axis: no difference at all is drawn there
EXACT_NOTE = (
    "Batch, padding and order of the sentences may move roundings only: differences of probabilities in 32 bits, bound "
    "1e-5. Labels beside a label and the last word are part of what the model reads: a difference there is behaviour."
)
CHANGED_NOTE = "Entities changed: found under one way of asking only, of those found under either."


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """One line per condition over all datasets, and what the window leaves unread."""
    conditions = rows[rows["kind"] == "condition"]
    return Page(
        tables=(_conditions(conditions), _truncation(rows[rows["kind"] == "truncation"], space.dataset_titles())),
        findings=tuple(_findings(rows, conditions[conditions["dataset"] == AVERAGE])),
        draw=lambda figure: _draw(figure, conditions),
        notes=(
            "Largest difference of any score against batches of 8; light dots: each dataset.",
            f"Dashed: bound of rounding, {BOUND:g}; at the left edge: no difference at all.",
        ),
    )


def _conditions(conditions: pd.DataFrame) -> TextTable:
    lines = []
    for _, row in conditions[conditions["dataset"] == AVERAGE].iterrows():
        lines.append(
            [
                word_cell(row["title"]),
                word_cell("rounding" if row["is_exact"] else "behaviour"),
                word_cell(f"{row['max_difference']:.1e}"),
                word_cell(f"{row['mean_difference']:.1e}"),
                count_cell(row["beyond_bound"]),
                word_cell(f"{row['changed']:,.0f} of {row['entities']:,.0f}"),
                value_cell(row["difference_points"], row["low"], row["high"], "+"),
            ]
        )
    columns = (
        "Asked in another way", "May move", "Largest difference", "Mean difference", "Scores beyond 1e-5",
        "Entities changed", "F1 change, points",
    )  # fmt: skip
    return table("Against batches of 8", columns, lines, (SENTENCE_INTERVAL, EXACT_NOTE, CHANGED_NOTE))


def _truncation(rows: pd.DataFrame, titles: dict[str, str]) -> TextTable:
    lines = [
        [
            word_cell(titles.get(row["dataset"], row["dataset"])),
            *(count_cell(row[name]) for name in ("num_sentences", "sentences_cut", "words", "lost_words")),
        ]
        for _, row in rows.iterrows()
    ]
    columns = ("Dataset", "Sentences", "Cut by the window", "Words", "Words not read")
    return table("What the model's window leaves unread of the whole test sets", columns, lines)


def _findings(rows: pd.DataFrame, every: pd.DataFrame) -> list[str]:
    exact, free = every[every["is_exact"] == 1], every[every["is_exact"] == 0]
    worst = exact.loc[exact["max_difference"].idxmax()]
    within = "within" if worst["max_difference"] <= BOUND else "BEYOND"
    found = [
        f"Batch size, padding and the order of the sentences: the largest difference of {worst['num_scores']:,.0f} "
        f"scores is {worst['max_difference']:.1e} ({worst['title']}), {within} the bound of rounding {BOUND:g}; "
        f"{exact['changed'].sum():,.0f} decoded entities change."
    ]
    for _, row in free.iterrows():
        if not row["entities"]:
            found.append(f"{_start(row['title'])}: neither way of asking finds an entity, so nothing can be said.")
            continue
        share = 100 * row["changed"] / row["entities"]
        found.append(
            f"{_start(row['title'])}: scores move by up to {row['max_difference']:.2f}, "
            f"{row['changed']:,.0f} of {row['entities']:,.0f} entities change ({share:.1f} %), the average F1 by "
            f"{row['difference_points']:+.1f} points (95 % over {row['num_sentences']:,.0f} sentences "
            f"{row['low']:+.1f} to {row['high']:+.1f}, one seed)."
        )
    cut = rows[rows["kind"] == "truncation"]
    found.append(
        f"The window of the model cuts {cut['sentences_cut'].sum():,.0f} of {cut['num_sentences'].sum():,.0f} test "
        f"sentences; {cut['lost_words'].sum():,.0f} of {cut['words'].sum():,.0f} words are not read."
    )
    return found


def _start(title: str) -> str:
    return title[:1].upper() + title[1:]


def _draw(figure: Figure, conditions: pd.DataFrame) -> None:
    every = conditions[conditions["dataset"] == AVERAGE]
    figure.set_size_inches(COLUMN_INCHES, 0.9 + 0.2 * len(every))
    axes = figure.subplots()
    for place, (_, row) in enumerate(every.iterrows()):
        ink = color(0) if row["is_exact"] else color(4)
        single = conditions[(conditions["condition"] == row["condition"]) & (conditions["dataset"] != AVERAGE)]
        values = single["max_difference"].clip(lower=SMALLEST)
        axes.plot(values, [place] * len(values), "o", color="#bdbdbd", markersize=2.4, zorder=2)
        axes.plot([max(row["max_difference"], SMALLEST)], [place], "o", color=ink, markersize=4.5, zorder=3)
    axes.axvline(BOUND, color=MUTED, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    axes.set_xscale("log")
    axes.set_xlim(SMALLEST / 2, 2)
    axes.set_xticks([1e-9, 1e-6, 1e-3, 1], ["1e-9", "1e-6", "0.001", "1"])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks(range(len(every)), every["title"])
    axes.set_ylim(len(every) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_xlabel("largest difference of a probability")
