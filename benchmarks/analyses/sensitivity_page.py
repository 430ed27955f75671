"""Table, sentences and a forest plot of what moves when the same model is asked in another way."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.analyses.claim_showing import with_texts
from benchmarks.analyses.page import Page
from benchmarks.analyses.sensitivity_rows import FACTORS, SAME, SEVERAL
from benchmarks.analyses.showing import (
    SENTENCE_INTERVAL,
    number,
    seed_cell,
    table,
    value_cell,
    word_cell,
)
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.difference_text import measured_text, shown_text
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.style import COLUMN_INCHES, GRID, MUTED, color, shorten
from benchmarks.reporting.summary import AVERAGE
from benchmarks.reporting.table_text import TextCell, TextTable

ORDER = (*FACTORS.values(), SEVERAL, SAME)
READ_OTHERWISE = (FACTORS["max_words"], FACTORS["max_width"], SEVERAL)  # the text or K may differ below equal labels
COLUMNS = (
    "Factor", "Variant", "F1 change, points", "Over seeds", "Difference shown", "Entities changed, %",
    "Datasets asked otherwise", "Labels asked otherwise", "Words not read, %", "Worst dataset", "Its F1 change",
)  # fmt: skip
RULE_NOTE = "Difference shown: by the rule of all studies, corrected for all variants of this one (differences.csv)."
WORST_NOTE = "The worst dataset is picked by its change, so its interval leaves out the luck in that pick."
CHANGED_NOTE = "Entities changed: found under one way of asking only, of those found under either."


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """One line per variant; the sentences hold one factor each."""
    rows = with_texts(rows)
    rows = rows.assign(place=rows["factor"].map(ORDER.index)).sort_values("place", kind="stable")
    titles = space.dataset_titles()
    average = rows[rows["dataset"] == AVERAGE]
    num = rows.loc[rows["dataset"] != AVERAGE, "dataset"].nunique()
    base = str(rows["baseline_variant"].iloc[0])
    return Page(
        tables=(_table(rows, average, num, titles),),
        findings=tuple(_findings(rows, average, num, base)),
        draw=lambda figure: _draw(figure, average, rows, num),
        notes=_notes(average, base),
    )


def _notes(average: pd.DataFrame, base: str) -> tuple[str, ...]:
    over_seeds = "one seed." if average["seed_low"].isna().all() else "thin line below: 95 % over seeds."
    return (
        f"Dot: change of the average F1 against {base}; bar: 95 % over sentences;",
        f"{over_seeds} Light dots: the single datasets.",
    )


def _worst(rows: pd.DataFrame, variant: str) -> pd.Series:
    mine = rows[(rows["variant"] == variant) & (rows["dataset"] != AVERAGE)]
    return mine.loc[mine["difference_points"].idxmin()]


def _table(rows: pd.DataFrame, average: pd.DataFrame, num: int, titles: dict[str, str]) -> TextTable:
    lines = [_line(row, _worst(rows, row["variant"]), num, titles) for _, row in average.iterrows()]
    notes = (SENTENCE_INTERVAL, RULE_NOTE, CHANGED_NOTE, WORST_NOTE)
    return table("Average of the suite against the baseline variant", COLUMNS, lines, notes)


def _line(row: pd.Series, worst: pd.Series, num: int, titles: dict[str, str]) -> list[TextCell]:
    return [
        word_cell(row["factor"]),
        word_cell(row["label"]),
        value_cell(row["difference_points"], row["low"], row["high"], "+"),
        seed_cell(row, "+"),
        word_cell(shown_text(row)),
        value_cell(row["changed_pct"], row["changed_low"], row["changed_high"]),
        word_cell(f"{row['prompts_changed']:.0f} of {num}"),
        word_cell(f"{row['labels_changed']:.0f} of {row['labels']:.0f}"),
        value_cell(100 * row["lost_words"] / row["words"]),
        word_cell(titles.get(worst["dataset"], worst["dataset"])),
        value_cell(worst["difference_points"], worst["low"], worst["high"], "+"),
    ]


def _findings(rows: pd.DataFrame, average: pd.DataFrame, num: int, base: str) -> list[str]:
    found = []
    for factor in dict.fromkeys(average["factor"]):
        mine = average[average["factor"] == factor]
        if not mine["entities"].any():
            found.append(f"{_named(factor)}: no variant and no seed found an entity, so nothing can be said.")
            continue
        if not mine["changed_pct"].any():
            found.append(f"{_named(factor)}: not one entity changes in {_ways(mine)}.")
            continue
        steepest = mine.loc[mine["difference_points"].abs().idxmax()]
        found.append(
            f"{_named(factor)}: the largest change of the average F1 in {_ways(mine)} is {measured_text(steepest)}; "
            f"{_range(mine['changed_pct'])} % of the entities change."
        )
        if factor == "order":
            values = [*mine["f1_pct"], mine["base_f1_pct"].iloc[0]]
            found.append(
                f"Over the {len(values)} orders of the labels the average F1 spans {min(values):.1f} to "
                f"{max(values):.1f}, {max(values) - min(values):.1f} points."
            )
    return [*found, *_alike(rows, num, base)]


def _ways(mine: pd.DataFrame) -> str:
    return "one other way of asking" if len(mine) == 1 else f"{len(mine)} other ways of asking"


def _range(values: pd.Series) -> str:
    low, high = number(values.min()), number(values.max())
    return low if low == high else f"{low} to {high}"


def _named(factor: str) -> str:
    return f"{factor[:1].upper()}{factor[1:]}"


def _alike(rows: pd.DataFrame, num: int, base: str) -> list[str]:
    """Which variants put some datasets the very question that the baseline puts."""
    asked = rows[(rows["dataset"] != AVERAGE) & ~rows["factor"].isin(READ_OTHERWISE)]
    same = asked[asked["prompts_changed"] == 0].groupby("label", sort=False).size()
    told = ", ".join(f"{label} on {count} of {num} datasets" for label, count in same.items())
    return [f"The labels are the very ones of {base} under {told}: the answers are equal there."] if told else []


def _draw(figure: Figure, average: pd.DataFrame, rows: pd.DataFrame, num: int) -> None:
    figure.set_size_inches(COLUMN_INCHES, 0.9 + 0.17 * len(average) + 0.1 * average["factor"].nunique())
    axes = figure.subplots()
    places = _places(average["factor"])
    factors = list(dict.fromkeys(average["factor"]))
    for place, (_, row) in zip(places, average.iterrows(), strict=True):
        single = rows[(rows["variant"] == row["variant"]) & (rows["dataset"] != AVERAGE)]["difference_points"]
        axes.plot(single, [place] * len(single), "o", color="#bdbdbd", markersize=2.2, zorder=2)
        ink = color(factors.index(row["factor"]))
        axes.plot([row["low"], row["high"]], [place, place], color=ink, linewidth=1.6, zorder=3)
        if not is_missing(row["seed_low"]):
            axes.plot([row["seed_low"], row["seed_high"]], [place + 0.28] * 2, color=ink, linewidth=0.7, zorder=3)
        axes.plot([row["difference_points"]], [place], "o", color=ink, markersize=4, zorder=4)
    _dress(axes, places, [shorten(label) for label in average["label"]], num)


def _places(factors: Sequence[str]) -> list[float]:
    """One line per variant from the top, with a gap where the factor changes."""
    places, at, before = [], -1.0, None
    for factor in factors:
        at += 1.0 if before in (None, factor) else 1.5
        places.append(at)
        before = factor
    return places


def _dress(axes: Axes, places: Sequence[float], labels: Sequence[str], num: int) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.7, zorder=1)
    axes.set_yticks(places, labels)
    axes.set_ylim(places[-1] + 0.7, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_xlabel(f"change of F1, points (average of {num} datasets)")
