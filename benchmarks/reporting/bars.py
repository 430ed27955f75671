"""Horizontal bars in groups, with sentence intervals, seeds as dots and the value written at each bar."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.style import COLUMN_INCHES, GRID, INK, MUTED, color, lighten, shorten, wrap

BAR_INCHES = (0.115, 0.14, 0.205)  # thickness by the lines of the longest label; seeds need that of two


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: value, sentence interval, and the value of each seed when there are several."""

    value: float
    low: float | None = None
    high: float | None = None
    seeds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The bars of one line of the figure, one per series; `section` starts a titled section above it."""

    label: str
    bars: tuple[Bar | None, ...]
    marker: float | None = None
    section: str = ""
    strong: bool = False


def draw_bars(figure: Figure, groups: Sequence[Group], names: Sequence[str]) -> None:
    """Fills the figure; its height follows the number of bars."""
    step = len(names) + 0.9
    labels = [wrap(group.label) for group in groups]
    places, height = _places(groups, step)
    has_seeds = any(bar.seeds for group in groups for bar in group.bars if bar)
    thickness = BAR_INCHES[max([int(has_seeds), *(label.count("\n") for label in labels)])]
    figure.set_size_inches(COLUMN_INCHES, height * thickness + 0.85 + 0.13 * _legend_rows(names))
    axes = figure.subplots()
    for group, place in zip(groups, places, strict=True):
        _draw_group(axes, group, place)
    axes.set_ylim(height - 0.2, -1.2)
    axes.set_yticks(places, labels)
    for group, label in zip(groups, axes.get_yticklabels(), strict=True):
        label.set_fontweight("bold" if group.strong else "normal")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=MUTED, linewidth=0.6)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_xlim(0, _upper(groups))
    axes.set_xlabel("F1, %")
    if len(names) > 1:
        handles = [Patch(facecolor=color(place), label=shorten(name, 40)) for place, name in enumerate(names)]
        axes.legend(
            handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=1 if _is_long(names) else 2,
            handlelength=1.0, handleheight=0.8, borderaxespad=0.1, columnspacing=1.2, labelspacing=0.3,
        )  # fmt: skip


def _is_long(names: Sequence[str]) -> bool:
    return max(len(name) for name in names) > 22


def _legend_rows(names: Sequence[str]) -> int:
    if len(names) < 2:
        return 0
    return len(names) if _is_long(names) else (len(names) + 1) // 2


def _places(groups: Sequence[Group], step: float) -> tuple[list[float], float]:
    """Where the middle of each group lies, in bar widths from the top, and the height of all."""
    places, top = [], 0.0
    for group in groups:
        top += 1.6 if group.section else 0.0
        places.append(top + (step - 1.9) / 2)
        top += step
    return places, top


def _draw_group(axes: Axes, group: Group, place: float) -> None:
    first = place - (len(group.bars) - 1) / 2
    if group.section:
        axes.annotate(
            group.section, (0, first - 1.15), xycoords=("axes fraction", "data"), xytext=(-4, 0), ha="right",
            textcoords="offset points", va="center", fontsize=7, color=MUTED, style="italic",
        )  # fmt: skip
    for number, bar in enumerate(group.bars):
        if bar is not None:
            _draw_bar(axes, bar, first + number, color(number), group.strong)
    if group.marker is not None:
        axes.plot([group.marker], [first - 0.72], "v", color=INK, markersize=3.4, zorder=5)


def _draw_bar(axes: Axes, bar: Bar, place: float, fill: str, strong: bool) -> None:
    axes.barh(place, bar.value, height=0.84, color=fill if strong else lighten(fill), linewidth=0)
    shift = 0.2 if bar.seeds else 0.0  # the two uncertainties lie on two lines, so neither hides the other
    right = bar.value
    if not is_missing(bar.low) and not is_missing(bar.high):
        axes.plot([bar.low, bar.high], [place - shift] * 2, color=INK, linewidth=0.8, solid_capstyle="butt", zorder=3)
        right = max(right, bar.high)
    if bar.seeds:
        axes.plot(
            bar.seeds, [place + shift] * len(bar.seeds), "o", color="white", markeredgecolor=INK, markeredgewidth=0.5,
            markersize=2.2, zorder=4,
        )  # fmt: skip
        right = max(right, *bar.seeds)
    axes.annotate(
        f"{bar.value:.1f}", (right, place), xytext=(2.5, 0), textcoords="offset points", va="center", fontsize=5.8,
        fontweight="bold" if strong else "normal",
    )  # fmt: skip


def _upper(groups: Sequence[Group]) -> float:
    """The right end of the axis: room for the longest interval and the number behind it."""
    tops = [0.0]
    for group in groups:
        for bar in group.bars:
            if bar is not None:
                tops += [bar.value, bar.high if bar.high is not None else 0.0, *bar.seeds]
        tops.append(group.marker or 0.0)
    return max(1.0, max(tops)) * 1.13
