"""Draws the figure of a study from its cells: bars by dataset, language or variant, or lines along a numeric axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.catalog.cards import StudyCard
from benchmarks.reporting.bars import Bar, Group, draw_bars
from benchmarks.reporting.inputs import references_of
from benchmarks.reporting.lines import draw_lines
from benchmarks.reporting.published_rows import like_ours
from benchmarks.reporting.style import COLUMN_INCHES, SETTINGS, add_footer, save_figure
from benchmarks.reporting.summary import AVERAGE, CellIndex, Estimate, RowKey
from benchmarks.reporting.tables import is_comparable

MAX_SERIES = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One colour of a bar chart: its legend text and the table row it reads."""

    name: str
    row: RowKey


def draw_figure(
    cells: pd.DataFrame,
    card: StudyCard,
    published: pd.DataFrame,
    svg: Path,
    png: Path,
    synthetic: bool,
    dataset_titles: Mapping[str, str] | None = None,
) -> None:
    """Draws the study's figure twice; the same cells give the same bytes."""
    index = CellIndex(cells, card)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(COLUMN_INCHES, 2.4), layout="constrained")
        groups: tuple[Group, ...] = ()
        if card.figure == "lines" and len(index.points) > 1:
            draw_lines(figure, index)
        else:
            groups, names = bar_groups(index, published, dataset_titles or {})
            draw_bars(figure, groups, names)
        aid = _reading_aid(index, any(group.marker is not None for group in groups))
        add_footer(figure, aid, f"synthetic corpora (scale {index.scale})" if synthetic else "")
        save_figure(figure, svg, png)


def bar_groups(
    index: CellIndex, published: pd.DataFrame, titles: Mapping[str, str]
) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """The groups of bars of a study, and the names of the series in them."""
    if index.card.layout == "axes":
        return _variant_groups(index)
    series = _dataset_series(index)
    names = tuple(item.name for item in series)
    languages = dict(index.frame.loc[index.frame["dataset"].isin(index.datasets), ["dataset", "language"]].values)
    if len(set(languages.values())) > 1:
        return _script_groups(index, series, titles), names
    markers = _printed_values(index, published)
    groups = [
        Group(
            label="Average" if dataset == AVERAGE else titles.get(dataset, dataset),
            bars=tuple(_bar(index.score(item.row, dataset)) for item in series),
            marker=markers.get(dataset),
            strong=dataset == AVERAGE,
        )
        for dataset in (*index.datasets, AVERAGE)
    ]
    return tuple(groups), names


def _bar(estimate: Estimate | None) -> Bar | None:
    if estimate is None:
        return None
    seeds = estimate.seeds if len(estimate.seeds) > 1 else ()
    return Bar(value=estimate.value, low=estimate.low, high=estimate.high, seeds=seeds)


def _dataset_series(index: CellIndex) -> tuple[Series, ...]:
    """One series per row; the names say only what differs, and of several rows only the
    first protocol is drawn. What does not fit stands in the table.
    """
    rows = index.rows
    if len({(row.variant, row.system) for row in rows}) > 1:
        rows = tuple(row for row in rows if row.protocol == index.protocols[0])
    several_rows = len({(row.variant, row.system) for row in rows}) > 1
    several_protocols = len({row.protocol for row in rows}) > 1
    series = []
    for row in rows[:MAX_SERIES]:
        parts = [row.label] if several_rows or not several_protocols else []
        parts += [row.protocol] if several_protocols else []
        parts += [row.decoding] if index.has_several_decodings() else []
        series.append(Series(name=", ".join(parts), row=row))
    return tuple(series)


def _variant_groups(index: CellIndex) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    series = list(dict.fromkeys((row.protocol, row.decoding) for row in index.rows))
    names = tuple(protocol for protocol, _ in series)
    if not index.has_several_decodings():
        series = [(protocol, "") for protocol in index.protocols]
        names = index.protocols
    labels = {(row.variant, row.system): row.label for row in index.rows}
    groups = []
    for (variant, system), label in labels.items():
        bars = []
        for protocol, decoding in series:
            found = [
                row
                for row in index.rows
                if (row.variant, row.system, row.protocol) == (variant, system, protocol)
                and decoding in ("", row.decoding)
            ]
            bars.append(_bar(index.score(found[0])) if found else None)
        groups.append(Group(label=label, bars=tuple(bars), strong=not system and variant == index.baseline_variant))
    return tuple(groups), names


def _script_groups(index: CellIndex, series: Sequence[Series], titles: Mapping[str, str]) -> tuple[Group, ...]:
    """Languages under their script with the script's mean; scripts of a single language share one section."""
    info = index.frame[index.frame["dataset"].isin(index.datasets)].drop_duplicates("dataset").set_index("dataset")
    members: dict[str, list[str]] = {}
    for dataset in index.datasets:
        members.setdefault(info.loc[dataset, "script"], []).append(dataset)
    shared = {script: names for script, names in members.items() if len(names) > 1}
    alone = [names[0] for names in members.values() if len(names) == 1]
    sections = list(shared.items()) + ([("Other scripts", alone)] if alone else [])
    groups: list[Group] = []
    for script, datasets in sections:
        for place, dataset in enumerate(datasets):
            own = info.loc[dataset, "script"]
            label = titles.get(dataset, dataset) + (f" ({own})" if script == "Other scripts" else "")
            bars = tuple(_bar(index.score(item.row, dataset)) for item in series)
            groups.append(Group(label=label, bars=bars, section=script if place == 0 else ""))
        if len(datasets) > 1:
            means = tuple(_mean_bar([index.score(item.row, dataset) for dataset in datasets]) for item in series)
            groups.append(Group(label=f"mean of {len(datasets)}", bars=means, strong=True))
    overall = tuple(_bar(index.score(item.row)) for item in series)
    return (*groups, Group(label="Average", bars=overall, section="All languages", strong=True))


def _mean_bar(estimates: Sequence[Estimate | None]) -> Bar | None:
    values = [estimate.value for estimate in estimates if estimate]
    return Bar(value=sum(values) / len(values)) if values else None


def _printed_values(index: CellIndex, published: pd.DataFrame) -> dict[str, float]:
    """Dataset -> F1 of the paper's row the study is held against, where the datasets are the same."""
    rows = {reference.row for reference in index.card.references if reference.row}
    printed, _ = like_ours(references_of(index.card, published), index.card)
    if len(rows) != 1 or not is_comparable(index, printed):
        return {}
    chosen = printed[(printed["row"].isin(rows)) & (printed["metric"] == "f1_pct")]
    return dict(zip(chosen["dataset"].astype(str), chosen["value"].astype(float), strict=True))


def _reading_aid(index: CellIndex, has_markers: bool) -> tuple[str, ...]:
    several = any(len(estimate.seeds) > 1 for row in index.rows if (estimate := index.score(row)))
    dots = "; white dots: seeds" if several else "; one seed"
    protocols = f"protocol {index.protocols[0]}"
    if len(index.protocols) > 1:
        drawn = index.card.layout == "axes" or len({(row.variant, row.system) for row in index.rows}) == 1
        protocols = f"{len(index.protocols)} protocols" if drawn else f"{protocols} (others: see the table)"
    lines = "Vertical" if index.card.figure == "lines" else "Black"
    aid = (f"Suite {index.suite}, {protocols}.", f"{lines} lines: 95 % interval over test sentences{dots}.")
    if len({(row.variant, row.system) for row in index.rows}) > 1:
        aid += ("Whether two differ is tested in the table, on the same sentences.",)
    return (*aid, "Triangles: printed in the paper.") if has_markers else aid
