"""The page of quality against cost: every point with both its uncertainties, and the front of those not outdone."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.analyses.cost_names import DIFFERENCE, FRONT, INFERENCE, QUALITY
from benchmarks.analyses.cost_showing import (
    absolute_text,
    baseline_name,
    condition_table,
    cost_table,
    pick,
    quality_table,
    ratio_text,
    variants,
)
from benchmarks.analyses.page import Page
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.style import COLUMN_INCHES, GRID, MUTED, color, shorten

MARKS = "osD^vPX"
SIZES = (2.8, 5.6)  # of the marks of the smallest and the largest K, in points
LOG_FROM = 8.0  # a wider range of speeds is drawn on a logarithmic axis


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """Tables of quality and cost, which points are on the front, and the figure of F1 against speed."""
    titles = {name: card.title for name, card in space.registry.backbones.items()}
    names = [(name, _shown(rows, name, titles)) for name in variants(rows)]
    return Page(
        tables=(
            quality_table(rows, "Point", names),
            cost_table(rows, "Answering, against the baseline", "Point", names, INFERENCE),
            condition_table(rows),
        ),
        findings=tuple(findings(rows, dict(names))),
        draw=lambda figure: _draw(figure, rows, titles),
        notes=(
            "Bars: 95 % over sentences (F1), 10th to 90th percentile of passes (speed).",
            "Dashed: the Pareto front, the points that no other point beats in both (filled).",
            f"Small to large marks: K = {', '.join(map(str, _widths(rows)))}.",
        ),
    )


def _widths(rows: pd.DataFrame) -> list[int]:
    return sorted({_place(rows, name)[1] for name in variants(rows)})


def _shown(rows: pd.DataFrame, name: str, titles: dict[str, str]) -> str:
    backbone, width = _place(rows, name)
    return f"{titles.get(backbone, backbone)}, K = {width}"


def _place(rows: pd.DataFrame, name: str) -> tuple[str, int]:
    row = rows[rows["variant"] == name].iloc[0]
    return str(row["backbone"]), int(row["max_width"])


def on_front(rows: pd.DataFrame, name: str) -> bool:
    """Whether no other point is better in both."""
    return not _rival(rows, name)


def findings(rows: pd.DataFrame, shown: dict[str, str]) -> Iterator[str]:
    """The points of the front, what was tested of them, and who outdoes each of the others."""
    base = baseline_name(rows)
    ahead = sorted((name for name in shown if on_front(rows, name)), key=lambda name: -_speed(rows, name)["ratio"])
    told = "; ".join(_told(rows, name, shown) for name in ahead)
    yield f"On the front of F1 against words per second, fastest first: {told}."
    for name in shown:
        tested = pick(rows, name, QUALITY, DIFFERENCE)
        if tested is not None and (name in ahead or _rival(rows, name) == base):
            place = "on the front" if name in ahead else "behind it"
            yield f"Tested against the baseline ({shown[base]}), {place}: {tested['detail']}."
    behind = [f"{_told(rows, name, shown)} behind {shown[_rival(rows, name)]}" for name in shown if name not in ahead]
    if behind:
        yield f"Off the front: {'; '.join(behind)}. Only differences from the baseline are tested."
    yield "The front is of the measured points on this machine; another device moves speeds and may move the front."


def _rival(rows: pd.DataFrame, name: str) -> str:
    """The point that is better in both; empty on the front."""
    found = pick(rows, name, QUALITY, FRONT)
    return "" if found is None or is_missing(found["detail"]) else str(found["detail"])


def _told(rows: pd.DataFrame, name: str, shown: dict[str, str]) -> str:
    return f"{shown[name]} ({_f1(rows, name)}, speed {ratio_text(_speed(rows, name))})"


def _f1(rows: pd.DataFrame, name: str) -> str:
    found = pick(rows, name, QUALITY, "f1_pct")
    assert found is not None
    bounds = "" if is_missing(found["low"]) else f" [{found['low']:.1f}, {found['high']:.1f}]"
    return f"F1 {found['value']:.1f}{bounds}"


def _draw(figure: Figure, rows: pd.DataFrame, titles: dict[str, str]) -> None:
    figure.set_size_inches(COLUMN_INCHES, 3.6)
    axes = figure.subplots()
    names = variants(rows)
    backbones = list(dict.fromkeys(_place(rows, name)[0] for name in names))
    _draw_front(axes, rows, [name for name in names if on_front(rows, name)])
    for number, backbone in enumerate(backbones):
        own = [name for name in names if _place(rows, name)[0] == backbone]
        _draw_points(axes, rows, own, number, shorten(titles.get(backbone, backbone)))
    speeds = [_speed(rows, name)["ratio"] for name in names]
    if max(speeds) / min(speeds) >= LOG_FROM:
        axes.set_xscale("log")
    axes.margins(x=0.12, y=0.12)
    axes.grid(color=GRID, linewidth=0.5)
    axes.set_ylabel("F1, %")
    base = _speed(rows, baseline_name(rows))
    axes.set_xlabel(f"words/s, times the baseline ({absolute_text(base)} words/s)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.05, 1.0), ncols=2, handletextpad=0.3, columnspacing=1.0)


def _speed(rows: pd.DataFrame, name: str) -> pd.Series:
    found = pick(rows, name, INFERENCE, "words_per_second")
    assert found is not None
    return found


def _xy(rows: pd.DataFrame, name: str) -> tuple[pd.Series, pd.Series]:
    score = pick(rows, name, QUALITY, "f1_pct")
    assert score is not None
    return _speed(rows, name), score


def _draw_front(axes: Axes, rows: pd.DataFrame, names: Sequence[str]) -> None:
    points = sorted((speed["ratio"], score["value"]) for speed, score in (_xy(rows, name) for name in names))
    axes.plot(*zip(*points, strict=True), color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)


def _draw_points(axes: Axes, rows: pd.DataFrame, names: Sequence[str], number: int, title: str) -> None:
    ink, widths = color(number), _widths(rows)
    for place, name in enumerate(names):
        speed, score = _xy(rows, name)
        x, y = speed["ratio"], score["value"]
        axes.plot([speed["ratio_low"], speed["ratio_high"]], [y, y], color=ink, linewidth=0.9)
        if not is_missing(score["low"]):
            axes.plot([x, x], [score["low"], score["high"]], color=ink, linewidth=0.9)
        face = ink if on_front(rows, name) else "white"
        axes.plot(
            [x], [y], MARKS[number % len(MARKS)], color=ink, markerfacecolor=face, zorder=4,
            markersize=np.interp(widths.index(_place(rows, name)[1]), (0, max(1, len(widths) - 1)), SIZES),
            label=title if not place else None,
        )  # fmt: skip
