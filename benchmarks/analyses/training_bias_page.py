"""Page of the analysis `training_bias`: what the training data prefer and what they leave unlabelled."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from benchmarks.analyses.page import Page
from benchmarks.analyses.showing import SENTENCE_INTERVAL, count_cell, share_words, table, value_cell, word_cell
from benchmarks.analyses.training_bias_rows import IN_MIXTURE, IN_PART, WHOLE
from benchmarks.analyses.training_shares import CASINGS, FORMS, QUARTERS, TIMES, WIDTH_CLASSES
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.style import COLUMN_INCHES, GRID, color, shorten
from benchmarks.reporting.table_text import TextCell, TextTable

MARKERS = ("o", "s", "D")
DEFINITION = (
    "Unlabelled: the exact words of a surface that is labelled elsewhere stand in a sentence without touching any "
    "labelled mention. Not each of them is an error: corpora with their own types do not label what others do, and a "
    "lower-case word may be an entity in one place and none in another. Mentions whose surface is never labelled are "
    "not counted."
)


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """Sentences, tables and figure for every mixture that the study's runs are trained on."""
    rows = rows.assign(group=rows["group"].astype(str))
    mixtures = list(dict.fromkeys(rows["mixture"]))
    titles = {name: space.registry.mixtures[name].title for name in mixtures if name in space.registry.mixtures}
    tables: list[TextTable] = []
    findings: list[str] = []
    for name in mixtures:
        mine = rows[rows["mixture"] == name]
        title = titles.get(name, name)
        findings += _findings(mine, title)
        tables += _tables(mine, title)
    first = rows[rows["mixture"] == mixtures[0]]
    notes = (
        f"Training data {mixtures[0]}; every example as often as it is drawn.",
        "Below: words of surfaces that the same part labels, outside labelled mentions.",
        "Lines: 95 % interval over sentences.",
    )
    return Page(tables=tuple(tables), findings=tuple(findings), draw=partial(_draw, first), notes=notes)


def one(rows: pd.DataFrame, topic: str, group: str = "all", part: str = WHOLE) -> pd.Series | None:
    """The row of a part, topic and group; None where the data gave none."""
    found = rows[(rows["part"] == part) & (rows["topic"] == topic) & (rows["group"] == group)]
    return None if found.empty else found.iloc[0]


def _cell(rows: pd.DataFrame, topic: str, group: str = "all", part: str = WHOLE) -> TextCell:
    row = one(rows, topic, group, part)
    return word_cell("") if row is None else value_cell(row["value"], row["low"], row["high"])


def _number(rows: pd.DataFrame, topic: str, part: str = WHOLE) -> TextCell:
    row = one(rows, topic, "all", part)
    return word_cell("") if row is None else count_cell(row["value"])


def _said(rows: pd.DataFrame, topic: str, group: str = "all") -> str:
    """`40.5 % (39.8 to 41.2)`, or that there is none."""
    row = one(rows, topic, group)
    return "none" if row is None else share_words(row)


def _findings(rows: pd.DataFrame, title: str) -> list[str]:
    def value(topic: str) -> float:
        row = one(rows, topic)
        return 0.0 if row is None else float(row["value"])

    head = "mentions of the most frequent types"
    return [
        f"{title}: {value('mentions'):,.0f} mentions of {value('types'):,.0f} types in {value('sentences'):,.0f} "
        f"sentences; the 10 most frequent types hold {_said(rows, head, '10')} of the mentions, the 50 most frequent "
        f"{_said(rows, head, '50')} (95 % intervals over sentences, here and below); "
        f"{value('types seen fewer than 5 times'):,.0f} types are seen fewer than 5 times.",
        f"{title}: {_said(rows, 'mentions of ambiguous surfaces')} of the mentions have a surface that carries several "
        f"types; the type given the surface has {value('label entropy, bits'):.2f} bits on average, and "
        f"{value('label entropy of repeated surfaces, bits'):.2f} bits over surfaces labelled at least twice.",
        f"{title}: {_said(rows, 'casing of mentions', 'lower case')} of the mentions are in lower case, against "
        f"{_said(rows, 'casing of words outside mentions', 'lower case')} of the words outside mentions; "
        f"{_said(rows, 'sentences without an upper-case letter', 'yes')} of the sentences hold no upper-case letter.",
        f"{title}: where a surface that is labelled in the same part occurs without touching a labelled mention, or "
        f"labelled, it is unlabelled in {_said(rows, IN_PART)} of the cases: {_said(rows, IN_PART, FORMS[0])} of "
        f"single lower-case words, {_said(rows, IN_PART, FORMS[1])} of other single words, "
        f"{_said(rows, IN_PART, FORMS[2])} of surfaces of two or more words.",
    ]


def _tables(rows: pd.DataFrame, title: str) -> list[TextTable]:
    return [
        _overview(rows, title),
        _noise_by_part(rows, title),
        _grouped(rows, f"{title}: casing, %", CASINGS, "casing of mentions", "casing of words outside mentions"),
        _grouped(rows, f"{title}: width of mentions in words, %", WIDTH_CLASSES, "width of mentions"),
        _grouped(rows, f"{title}: where in the sentence mentions begin, %", QUARTERS, "where mentions begin"),
        _grouped(rows, f"{title}: unlabelled occurrences by times labelled, %", TIMES, IN_PART, IN_MIXTURE),
        _most_frequent(rows, title),
        _most_ambiguous(rows, title),
    ]


def _overview(rows: pd.DataFrame, title: str) -> TextTable:
    limits = sorted(set(rows.loc[rows["topic"] == "mentions wider than K", "group"]), key=int)
    columns = [
        "Part", "Sentences", "Mentions", "Types", "10 commonest types, %", "Gini", "Ambiguous, %", "Entropy, bits",
        "Lower-case mentions, %", "Lower-case sentences, %", *(f"Wider than {limit}, %" for limit in limits),
        "No mention, %",
    ]  # fmt: skip
    lines = []
    for part in dict.fromkeys(rows["part"]):
        lines.append([
            word_cell(part), _number(rows, "sentences", part), _number(rows, "mentions", part),
            _number(rows, "types", part), _cell(rows, "mentions of the most frequent types", "10", part),
            _precise(rows, "Gini coefficient of type counts", part),
            _cell(rows, "mentions of ambiguous surfaces", "all", part), _precise(rows, "label entropy, bits", part),
            _cell(rows, "casing of mentions", "lower case", part),
            _cell(rows, "sentences without an upper-case letter", "yes", part),
            *(_cell(rows, "mentions wider than K", limit, part) for limit in limits),
            _cell(rows, "mentions per sentence", "0", part),
        ])  # fmt: skip
    notes = (SENTENCE_INTERVAL, "Surfaces and types in lower case; Gini and entropy without interval.")
    return table(f"{title}: by part", columns, lines, notes)


def _precise(rows: pd.DataFrame, topic: str, part: str) -> TextCell:
    row = one(rows, topic, "all", part)
    return word_cell("") if row is None else value_cell(row["value"], decimals=2)


def _noise_by_part(rows: pd.DataFrame, title: str) -> TextTable:
    columns = ["Part", "All surfaces", *FORMS, "Surface labelled anywhere in the mixture"]
    lines = [
        [word_cell(part), *(_cell(rows, IN_PART, group, part) for group in ("all", *FORMS)),
         _cell(rows, IN_MIXTURE, "all", part)]
        for part in dict.fromkeys(rows["part"])
    ]  # fmt: skip
    heading = f"{title}: unlabelled occurrences of surfaces that the same part labels, % of labelled and unlabelled"
    return table(heading, columns, lines, (SENTENCE_INTERVAL, DEFINITION))


def _grouped(rows: pd.DataFrame, heading: str, groups: Sequence[str], *topics: str) -> TextTable:
    lines = [[word_cell(group), *(_cell(rows, topic, group) for topic in topics)] for group in groups]
    return table(heading, ["", *(topic[:1].upper() + topic[1:] for topic in topics)], lines, (SENTENCE_INTERVAL,))


def _most_frequent(rows: pd.DataFrame, title: str) -> TextTable:
    found = rows[rows["topic"] == "most frequent types"]
    lines = [[word_cell(row.group), count_cell(row.numerator), value_cell(row.value)] for row in found.itertuples()]
    return table(f"{title}: most frequent types", ("Type", "Mentions", "% of mentions"), lines)


def _most_ambiguous(rows: pd.DataFrame, title: str) -> TextTable:
    found = rows[rows["topic"] == "most ambiguous surfaces"]
    lines = [
        [word_cell(row.group), count_cell(row.denominator), count_cell(row.numerator),
         value_cell(row.value, decimals=2), word_cell(row.detail)]
        for row in found.itertuples()
    ]  # fmt: skip
    heading = f"{title}: surfaces that carry most uncertainty (mentions times bits)"
    return table(heading, ("Surface", "Mentions", "Types", "Bits", "Most frequent types"), lines)


def _draw(rows: pd.DataFrame, figure: Figure) -> None:
    parts = list(dict.fromkeys(rows["part"]))
    figure.set_size_inches(COLUMN_INCHES, 2.8 + 0.19 * len(parts))
    upper, lower = figure.subplots(2, 1, height_ratios=(1.5, 0.5 + 0.19 * len(parts)))
    _draw_ranks(upper, rows)
    _draw_noise(lower, rows, parts)


def _draw_ranks(axes: Axes, rows: pd.DataFrame) -> None:
    found = rows[rows["topic"] == "type frequency by rank"]
    axes.loglog(found["group"].astype(int), found["value"], ".-", color=color(0), markersize=3, linewidth=0.9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set(xlabel="Rank of the type", ylabel="Mentions")
    axes.grid(color=GRID, linewidth=0.5)


def _draw_noise(axes: Axes, rows: pd.DataFrame, parts: Sequence[str]) -> None:
    for form, name in enumerate(FORMS):
        found = [(line, row) for line, part in enumerate(parts) if (row := one(rows, IN_PART, name, part)) is not None]
        places = [line + 0.24 * (form - 1) for line, _ in found]
        ends = [(row["low"], row["high"]) for _, row in found]
        axes.hlines(places, [low for low, _ in ends], [high for _, high in ends], color=color(form), linewidth=0.9)
        axes.plot(
            [row["value"] for _, row in found], places, MARKERS[form], color=color(form), markersize=2.8, label=name
        )
    axes.set_yticks(range(len(parts)), [shorten(part.removesuffix("/train"), 24) for part in parts])
    axes.set(ylim=(len(parts) - 0.4, -0.6), xlim=(0, 100), xlabel="Occurrences without a label, %")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, handletextpad=0.2, columnspacing=1.2, labelspacing=0.3
    )
