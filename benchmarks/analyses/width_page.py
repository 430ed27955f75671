"""The page of K: what each K reaches, what it costs, and which one loses nothing that these sentences can show."""

import textwrap
from collections.abc import Iterator, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from benchmarks.analyses.cost_names import DIFFERENCE, INFERENCE, QUALITY, TRAINING
from benchmarks.analyses.cost_showing import (
    absolute_text,
    baseline_name,
    condition_table,
    cost_table,
    is_beyond_noise,
    pick,
    quality_table,
    ratio_text,
    variants,
)
from benchmarks.analyses.page import Page
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.style import COLUMN_INCHES, GRID, MUTED, color
from benchmarks.scoring.judging import HIGHER, LOWER

SEEDS = "over seeds"
SERIES = {INFERENCE: "answering", TRAINING: "training step"}
UNITS = {"words_per_second": "words/s", "bytes_peak": "MiB", "latency_p50_ms": "ms", "latency_p95_ms": "ms"}
MEMORY = "extra memory of "
APART = 3.5  # points between the marks of two series at one K
NOTE_WIDTH = 80  # signs of a line under the figure
Line = tuple[str, str, str]  # work, measure, name in the legend


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """Tables of quality and cost, findings, and one panel per measure over K."""
    names = sorted(variants(rows), key=lambda name: _width(rows, name))
    shown = [(name, f"{_width(rows, name)}{' (baseline)' if name == baseline_name(rows) else ''}") for name in names]
    tables = [quality_table(rows, "K", shown)]
    tables.append(cost_table(rows, "Answering, against the baseline's K", "K", shown, INFERENCE))
    if (rows["work"] == TRAINING).any():
        tables.append(cost_table(rows, "A training step, against the baseline's K", "K", shown, TRAINING))
    return Page(
        tables=(*tables, condition_table(rows)),
        findings=tuple(findings(rows, names)),
        draw=lambda figure: _draw(figure, rows, names),
        notes=tuple(_notes(rows)),
    )


def _width(rows: pd.DataFrame, name: str) -> int:
    return int(rows.loc[rows["variant"] == name, "max_width"].iloc[0])


def findings(rows: pd.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """The smallest K without a shown loss and what it saves, then a sentence for every K."""
    base = baseline_name(rows)
    yield _smallest(rows, names, base)
    for name in names:
        found = pick(rows, name, QUALITY, DIFFERENCE)
        if found is not None:
            told = str(found["detail"]).removeprefix(str(found["label"])).strip()
            yield f"K = {_width(rows, name)}: {told}; it {_costs(rows, name)}."
    first = pick(rows, base, QUALITY, "f1_pct")
    if first is not None and int(first["num_seeds"]) == 1 and (rows["work"] == TRAINING).any():
        yield "Each K was trained with one seed, so nothing is said about what the luck of a training adds."


def _smallest(rows: pd.DataFrame, names: Sequence[str], base: str) -> str:
    """The smallest K such that neither it nor any K up to the baseline's is shown to lose F1."""
    best = base
    for name in reversed([name for name in names if _width(rows, name) < _width(rows, base)]):
        found = pick(rows, name, QUALITY, DIFFERENCE)
        if found is None or found["verdict"] == LOWER:
            break
        best = name
    if best == base:
        return f"No K below {_width(rows, base)} was measured without a shown loss of F1."
    found = pick(rows, best, QUALITY, DIFFERENCE)
    assert found is not None
    bound = f"a loss of less than {found['visible_points']:.1f} points could have stayed unseen"
    if not found["visible_points"]:
        bound = "its answers score the same on every resample"
    if found["verdict"] == HIGHER:
        bound = f"its F1 is higher by {found['value']:.1f} points"
    return (
        f"The smallest K without a shown loss of F1 is {_width(rows, best)} ({bound}); against K = "
        f"{_width(rows, base)} it {_costs(rows, best)}."
    )


def _costs(rows: pd.DataFrame, name: str) -> str:
    """Speed and memory relative to the baseline, as a part of a sentence."""
    parts = []
    for work, verb in ((INFERENCE, "answers"), (TRAINING, "trains")):
        speed, peak = pick(rows, name, work, "words_per_second"), pick(rows, name, work, "bytes_peak")
        if speed is not None:
            parts.append(f"{verb} {ratio_text(speed)} as many words per second{_noise(rows, speed)}")
        if peak is not None:
            of_step = " of a step" if work == TRAINING else ""
            parts.append(f"needs {ratio_text(peak)} the extra memory{of_step}{_noise(rows, peak)}")
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _noise(rows: pd.DataFrame, row: pd.Series) -> str:
    base = pick(rows, baseline_name(rows), row["work"], row["measure"])
    assert base is not None
    return "" if is_beyond_noise(row, base) else " (within the noise)"


def _notes(rows: pd.DataFrame) -> Iterator[str]:
    base = baseline_name(rows)
    told = []
    for work, measure, name in _lines(rows):
        found = pick(rows, base, work, measure)
        if found is not None:
            told.append(f"{name} {absolute_text(found)} {UNITS[measure]}")
    yield from textwrap.wrap(f"Baseline: K = {_width(rows, base)} (dashed), where {', '.join(told)}.", NOTE_WIDTH)
    yield "Lines over dots: 95 % over sentences (F1), 10th to 90th percentile of passes (costs)."
    if rows["seed_low"].notna().any():
        yield "Thin lines: 95 % over seeds (F1), cut at the frame."


def _lines(rows: pd.DataFrame) -> list[Line]:
    works = [work for work in SERIES if (rows["work"] == work).any()]
    speeds = [(work, "words_per_second", SERIES[work]) for work in works]
    delays = [(INFERENCE, "latency_p50_ms", "p50"), (INFERENCE, "latency_p95_ms", "p95")]
    return [*speeds, *delays, *((work, "bytes_peak", f"{MEMORY}{SERIES[work]}") for work in works)]


def _draw(figure: Figure, rows: pd.DataFrame, names: Sequence[str]) -> None:
    figure.set_size_inches(COLUMN_INCHES, 6.0)
    panels = figure.subplots(5, 1, sharex=True, height_ratios=[1.25, 0.8, 1, 1, 1])
    _quality(panels[0], rows, names, "f1_pct", "F1, %")
    _quality(panels[1], rows, names, "reachable_recall_pct", "Reachable recall, %")
    lines = _lines(rows)
    for panel, measures, title in (
        (panels[2], ("words_per_second",), "Speed, x baseline"),
        (panels[3], ("latency_p50_ms", "latency_p95_ms"), "Time of one text, x baseline"),
        (panels[4], ("bytes_peak",), "Memory, x baseline"),
    ):
        _costs_panel(panel, rows, names, [line for line in lines if line[1] in measures], title)
    places = [_width(rows, name) for name in names]
    for panel in panels:
        panel.axvline(_width(rows, baseline_name(rows)), color=MUTED, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0)
        panel.grid(axis="y", color=GRID, linewidth=0.5)
        panel.yaxis.set_major_locator(MaxNLocator(4))
        panel.margins(x=0.06, y=0.15)
    panels[-1].set_xticks(places, [str(place) for place in places])
    panels[-1].set_xlabel("span width K, words")


def _quality(axes: Axes, rows: pd.DataFrame, names: Sequence[str], measure: str, title: str) -> None:
    found = [(_width(rows, name), pick(rows, name, QUALITY, measure)) for name in names]
    points = [(place, row) for place, row in found if row is not None]
    axes.plot([place for place, _ in points], [row["value"] for _, row in points], "-o", color=color(0), markersize=3.4)
    for place, row in points:
        if not is_missing(row["low"]):
            axes.plot([place, place], [row["low"], row["high"]], color=color(0), linewidth=1.8, solid_capstyle="butt")
        if not is_missing(row["seed_low"]):
            # An artist of its own does not widen the axes: Student's interval over two seeds would flatten the rest.
            seeds = [row["seed_low"], row["seed_high"]]
            axes.add_artist(Line2D([place, place], seeds, color=color(0), linewidth=0.6, gid=SEEDS))
    axes.set_title(title, loc="left")


def _costs_panel(axes: Axes, rows: pd.DataFrame, names: Sequence[str], lines: Sequence[Line], title: str) -> None:
    for number, (work, measure, name) in enumerate(lines):
        found = [(_width(rows, variant), pick(rows, variant, work, measure)) for variant in names]
        points = [(place, row) for place, row in found if row is not None]
        ink, style = color(2 * number), ("-o", "--s")[number % 2]
        place_of = axes.transData + ScaledTranslation(APART * number / 72, 0, axes.figure.dpi_scale_trans)
        for place, row in points:
            if not is_missing(row["ratio_low"]):
                bar = [row["ratio_low"], row["ratio_high"]]
                axes.plot([place, place], bar, color=ink, linewidth=0.9, transform=place_of)
        axes.plot(
            [place for place, _ in points], [row["ratio"] for _, row in points], style, color=ink, markersize=3.2,
            linewidth=1.1, label=name.removeprefix(MEMORY), transform=place_of,
        )  # fmt: skip
        axes.update_datalim(
            [(place, row[key]) for place, row in points for key in ("ratio_low", "ratio_high", "ratio")]
        )
    axes.autoscale_view()
    axes.set_title(title, loc="left")
    if len(lines) > 1:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=2, borderpad=0, handlelength=1.4, columnspacing=1
        )
