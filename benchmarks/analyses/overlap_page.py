"""Page of the analysis `overlap`: what flat and nested decoding can reach, and what they do reach."""

from collections.abc import Iterator
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.analyses.claim_showing import COLUMNS, claim_cells, note_of, outcome_words, with_texts
from benchmarks.analyses.overlap_census import LEVELS, SHORTFALL
from benchmarks.analyses.overlap_rows import CHANGE, EMPTY, FALSE_SPANS
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
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.table_text import TextCell, TextTable

FLAT, NESTED = "flat", "nested"
METRICS = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
SECTIONS = {
    "all": "All gold",
    "gold": "Gold that nests or not",
    "level": "Gold by level",
    "sentence": "By gold per sentence",
}
OVERLAPPING = ("nested", "crosses another", "same words, several types")
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
    rows = with_texts(rows)
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
    by_place = {place: rows[rows["place"] == place].set_index("slice") for place in dict.fromkeys(rows["place"])}
    test = {place: mine for place, mine in by_place.items() if mine["group"].iloc[0] == "test"}
    simple = [place for place, mine in test.items() if not mine.loc[list(OVERLAPPING), "count"].sum()]
    yield from (_reach_finding(test[place], titles.get(place, place)) for place in test if place not in simple)
    if simple:
        names = ", ".join(titles.get(place, place) for place in simple)
        yield f"{names}: no gold entity nests, crosses another or shares its words, so decoding excludes none of them."
    lost = {place: mine.loc[SHORTFALL, "count"] for place, mine in test.items()}
    told = ", ".join(f"{num:,.0f} spans below it on {titles.get(place, place)}" for place, num in lost.items() if num)
    yield (
        "The greedy count of reachable gold under nested decoding, which the score files print, against the exact "
        f"ceiling: {told or 'equal on every test set'}."
    )
    for place, mine in by_place.items():
        if place not in test:
            title, num = titles.get(place, place), mine["gold"].iloc[0]
            yield f"Training data {title}: {_share(mine, 'nested')} of {num:,.0f} mentions nest."
    yield GAPS.format(num=int(sum(mine["gold"].iloc[0] for mine in test.values())))


def _reach_finding(rows: pd.DataFrame, title: str) -> str:
    reach, narrow = (
        [_share(rows, f"{head}, {name}") for name in ("flat", "nested", "multi_label")]
        for head in ("reachable", "reachable within K")
    )
    nests, crosses, several = (_share(rows, name) for name in OVERLAPPING)
    return (
        f"{title}: of {rows['gold'].iloc[0]:,.0f} gold entities {nests} nest, {crosses} cross another and {several} "
        f"share their words with one of another type. No answer can hold more than {reach[0]} of them under flat "
        f"decoding, {reach[1]} under nested and {reach[2]} under nested decoding with several types per span; within K "
        f"{narrow[0]}, {narrow[1]} and {narrow[2]}."
    )


def _share(rows: pd.DataFrame, name: str) -> str:
    return share_words(rows.loc[name], decimals=2)


def rate_row(rows: pd.DataFrame, group: str, name: str, metric: str, decoding: str) -> pd.Series | None:
    """The row of a group's metric under a decoding; None where the suite has nothing of the group."""
    found = rows[(rows["kind"] == "rate") & (rows["group"] == group) & (rows["slice"] == name)]
    found = found[(found["metric"] == metric) & (found["decoding"] == decoding)]
    return None if found.empty else found.iloc[0]


def _decoding_findings(rows: pd.DataFrame) -> Iterator[str]:
    asked = [("all", "all gold", metric) for metric in METRICS]
    asked += [("gold", "nested gold", "recall"), ("gold", "other gold", "recall")]
    for group, name, metric in asked:
        row = rate_row(rows, group, name, metric, CHANGE)
        if row is None:
            yield f"Nothing can be said about the {metric} of {name}: the suite has none."
            continue
        yield (
            f"{METRICS[metric]} of {name}, nested minus flat decoding: {number(row['value'], '+')} points "
            f"({interval_words(row, '+')}), {outcome_words(row)}."
        )
    moved = rows[rows["kind"] == "exchange"].set_index("slice")["value"]
    yield (
        f"Nested decoding adds {moved['gained, right']:,.1f} right and {moved['gained, wrong']:,.1f} wrong spans and "
        f"loses {moved['lost, right']:,.1f} right and {moved['lost, wrong']:,.1f} wrong ones (means over seeds)."
    )
    yield _empty_finding(rows)


def _empty_finding(rows: pd.DataFrame) -> str:
    flat, nested = (rate_row(rows, *EMPTY, FALSE_SPANS, side) for side in (FLAT, NESTED))
    if flat is None or nested is None:
        return "Every sentence of the suite has gold, so nothing can be said about sentences without entities."
    return (
        f"In the {flat['count']:,.0f} sentences without gold, where every span is wrong, flat decoding answers "
        f"{flat['value']:,.1f} spans and nested decoding {nested['value']:,.1f} (means over seeds)."
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
    titles = {name: f"{title}, %" for name, title in METRICS.items()} | {FALSE_SPANS: "False spans"}
    lines = []
    for group, name, metric in dict.fromkeys(zip(found["group"], found["slice"], found["metric"], strict=True)):
        flat, nested, change = (rate_row(rows, group, name, metric, side) for side in (FLAT, NESTED, CHANGE))
        lines.append([
            word_cell(SECTIONS[group]), word_cell(name), word_cell(titles[metric]), count_cell(flat["gold"]),
            _share_cell(flat), _share_cell(nested), value_cell(change["value"], change["low"], change["high"], "+"),
            seed_cell(change, "+"), *claim_cells(change),
        ])  # fmt: skip
    columns = ("", "", "Measure", "Gold", "Flat", "Nested", "Nested minus flat", "Over seeds", *COLUMNS)
    notes = (SENTENCE_INTERVAL, note_of(found))
    return table(f"{head}flat and nested decoding", columns, lines, notes)


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
