"""Page of the analysis `overlap`: what flat and nested decoding can reach, and what they do reach."""

from collections.abc import Iterator
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.analyses.overlap_census import LEVELS, SHORTFALL
from benchmarks.analyses.page import Page
from benchmarks.analyses.showing import (
    SENTENCE_INTERVAL,
    count_cell,
    interval_words,
    number,
    seed_cell,
    share_words,
    table,
    value_cell,
    word_cell,
)
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.bars import Bar, Group, draw_bars
from benchmarks.reporting.style import is_missing
from benchmarks.reporting.table_text import TextCell, TextTable

FLAT, NESTED, CHANGE = "flat", "nested", "nested minus flat"
METRICS = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
SECTIONS = {
    "all": "All gold",
    "gold": "Gold that nests or not",
    "level": "Gold by level",
    "sentence": "By gold per sentence",
}
REACH_NOTE = (
    "Reachable: the most gold spans of a sentence that one answer can hold, whatever the scores; exact. Levels: `depth "
    "1` lies in one other gold span, `outermost` holds another and lies in none."
)
GAPS = (
    "Mentions with a gap: a span is a first and a last word, so the architecture cannot answer one and no decoding "
    "changes that. How many there are was not measured: the corpora mark none of their {num:,} gold entities so, "
    "because their formats (first word, last word, type) cannot."
)


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """Sentences, tables and figure; the figure shows the first variant."""
    titles = {**space.dataset_titles(), **{name: mixture.title for name, mixture in space.registry.mixtures.items()}}
    found = rows[rows["kind"] == "census"]
    tables = [_census_table(found, titles)]
    findings = [*_census_findings(found, titles)]
    variants = list(dict.fromkeys(rows["variant"].dropna()))
    for variant in variants:
        mine = rows[rows["variant"] == variant]
        head = f"{mine['label'].iloc[0]}: " if len(variants) > 1 else ""
        findings += [head + text for text in _decoding_findings(mine)]
        tables += [_rate_table(mine, head), _exchange_table(mine, head), _example_table(mine, head, titles)]
    first = rows[rows["variant"] == variants[0]]
    several = first["num_seeds"].max() > 1
    notes = (
        f"Suite {rows['suite'].iloc[0]}; both answers from one prediction file.",
        f"Black lines: 95 % interval over sentences{'; dots: lowest and highest seed' if several else '; one seed'}.",
    )
    return Page(tables=tuple(tables), findings=tuple(findings), draw=partial(_draw, first), notes=notes)


def _census_findings(rows: pd.DataFrame, titles: dict[str, str]) -> Iterator[str]:
    for place in dict.fromkeys(rows["place"]):
        mine = rows[rows["place"] == place].set_index("slice")
        title, num = titles.get(place, place), mine["gold"].iloc[0]
        if mine["group"].iloc[0] == "training":
            yield f"Training data {title}: {_share(mine, 'nested')} of {num:,.0f} mentions nest."
            continue
        reach = {name: _share(mine, f"reachable{name}") for name in (
            ", flat", ", nested", ", multi_label", " within K, flat", " within K, nested", " within K, multi_label"
        )}  # fmt: skip
        yield (
            f"{title}: of {num:,.0f} gold entities {_share(mine, 'nested')} nest, {_share(mine, 'crosses another')} "
            f"cross another and {_share(mine, 'same words, several types')} share their words with one of another "
            f"type. No answer can hold more than {reach[', flat']} of them under flat decoding, {reach[', nested']} "
            f"under nested and {reach[', multi_label']} under nested decoding with several types per span; within K "
            f"{reach[' within K, flat']}, {reach[' within K, nested']} and {reach[' within K, multi_label']}."
        )
        lost = mine.loc[SHORTFALL, "count"]
        yield (
            f"{title}: the greedy count of reachable gold under nested decoding, which the score files print, "
            + (f"is {lost:,.0f} spans below the exact ceiling." if lost else "equals the exact ceiling.")
        )
    test = rows[rows["group"] == "test"].drop_duplicates("place")
    yield GAPS.format(num=int(test["gold"].sum()))


def _share(rows: pd.DataFrame, name: str) -> str:
    return share_words(rows.loc[name], decimals=2)


def rate_row(rows: pd.DataFrame, group: str, name: str, metric: str, decoding: str) -> pd.Series | None:
    """The row of a group's metric under a decoding; None where the group has no gold."""
    found = rows[(rows["kind"] == "rate") & (rows["group"] == group) & (rows["slice"] == name)]
    found = found[(found["metric"] == metric) & (found["decoding"] == decoding)]
    return None if found.empty else found.iloc[0]


def is_shown(row: pd.Series) -> bool:
    """Whether the interval over sentences leaves out zero, and the one over seeds where there are several."""
    ends = [row[name] for name in ("low", "high", "seed_low", "seed_high") if not is_missing(row[name])]
    return min(ends) > 0 or max(ends) < 0


def _decoding_findings(rows: pd.DataFrame) -> Iterator[str]:
    asked = [("all", "all gold", metric) for metric in METRICS]
    asked += [("gold", "nested gold", "recall"), ("gold", "other gold", "recall")]
    for group, name, metric in asked:
        row = rate_row(rows, group, name, metric, CHANGE)
        if row is None:
            yield f"Nothing can be said about the {metric} of {name}: the suite has none."
            continue
        verdict = "difference shown" if is_shown(row) else "no difference could be shown"
        yield (
            f"{METRICS[metric]} of {name}, nested minus flat decoding: {number(row['value'], '+')} points "
            f"({interval_words(row, '+')}); {verdict}."
        )
    moved = rows[rows["kind"] == "exchange"].set_index("slice")["value"]
    yield (
        f"Nested decoding adds {moved['gained, right']:,.1f} right and {moved['gained, wrong']:,.1f} wrong spans and "
        f"loses {moved['lost, right']:,.1f} right and {moved['lost, wrong']:,.1f} wrong ones (means over seeds)."
    )


def _census_table(rows: pd.DataFrame, titles: dict[str, str]) -> TextTable:
    places = list(dict.fromkeys(rows["place"]))
    held = rows.set_index(["place", "slice"])
    lines = [
        [word_cell("gold entities"), *(count_cell(rows[rows["place"] == place]["gold"].iloc[0]) for place in places)]
    ]
    for name in dict.fromkeys(rows["slice"]):
        cells = [held.loc[(place, name)] for place in places]
        lines.append([word_cell(name), *(
            count_cell(row["count"]) if is_missing(row["value"]) else _share_cell(row, 2) for row in cells
        )])  # fmt: skip
    groups = rows.drop_duplicates("place").set_index("place")["group"]
    columns = ("Share of gold, %", *(f"{titles.get(place, place)} ({groups[place]})" for place in places))
    return table(
        "What gold is made of, and what each decoding can reach", columns, lines, (SENTENCE_INTERVAL, REACH_NOTE)
    )


def _share_cell(row: pd.Series, decimals: int = 1) -> TextCell:
    return value_cell(row["value"], row["low"], row["high"], decimals=decimals)


def _rate_table(rows: pd.DataFrame, head: str) -> TextTable:
    found = rows[rows["kind"] == "rate"]
    lines = []
    for group, name, metric in dict.fromkeys(zip(found["group"], found["slice"], found["metric"], strict=True)):
        flat, nested, change = (rate_row(rows, group, name, metric, side) for side in (FLAT, NESTED, CHANGE))
        lines.append([
            word_cell(SECTIONS[group]), word_cell(name), word_cell(METRICS[metric]), count_cell(flat["gold"]),
            _share_cell(flat), _share_cell(nested), value_cell(change["value"], change["low"], change["high"], "+"),
            seed_cell(change, "+"),
        ])  # fmt: skip
    columns = ("", "", "Measure, %", "Gold", "Flat", "Nested", "Nested minus flat, points", "Over seeds")
    return table(f"{head}flat and nested decoding", columns, lines, (SENTENCE_INTERVAL,))


def _exchange_table(rows: pd.DataFrame, head: str) -> TextTable:
    found = rows[rows["kind"] == "exchange"]
    lines = [
        [word_cell(row["slice"]), value_cell(row["value"], row["low"], row["high"]), seed_cell(row)]
        for _, row in found.iterrows()
    ]
    columns = ("Spans of the nested answer against the flat one", "Spans", "Over seeds")
    return table(f"{head}what nested decoding gains and loses", columns, lines, (SENTENCE_INTERVAL,))


def _example_table(rows: pd.DataFrame, head: str, titles: dict[str, str]) -> TextTable:
    found = rows[rows["kind"] == "example"]
    lines = [
        [word_cell(titles.get(row.place, row.place)), word_cell(row.words), word_cell(row.gold_words),
         word_cell(row.flat_words), word_cell(row.nested_words)]
        for row in found.itertuples()
    ]  # fmt: skip
    notes = ("First seed; the shortest sentences with nested gold whose two answers differ, then the shortest others.",)
    heading = f"{head}examples"
    return table(heading, ("Corpus", "Sentence", "Gold", "Flat answer", "Nested answer"), lines, notes)


def _draw(rows: pd.DataFrame, figure: Figure) -> None:
    asked = [("all", "all gold", metric, title) for metric, title in METRICS.items()]
    asked += [("level", level, "recall", level[:1].upper() + level[1:]) for level in LEVELS]
    titles = {"all": "All gold", "level": "Recall by level"}
    groups, seen = [], set()
    for group, name, metric, label in asked:
        sides = [rate_row(rows, group, name, metric, side) for side in (FLAT, NESTED)]
        if sides[0] is None:
            continue
        section = "" if group in seen else titles[group]
        seen.add(group)
        bars = tuple(_bar(row) for row in sides)
        groups.append(Group(label=label, bars=bars, section=section, strong=metric == "f1"))
    draw_bars(figure, groups, ("flat decoding", "nested decoding"))
    figure.axes[0].set_xlabel("%")


def _bar(row: pd.Series) -> Bar:
    several = row["num_seeds"] > 1
    seeds = (float(row["seed_min"]), float(row["seed_max"])) if several else ()
    return Bar(value=row["value"], low=row["low"], high=row["high"], seeds=seeds)
