"""The look of all figures, and how they are saved so that equal data give equal bytes."""

import textwrap
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from gliner_core.files import atomic_replace

# Okabe and Ito's colour-blind-safe palette, darkest first; the yellow is left out (too light on white).
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#444444")
INK, MUTED, GRID = "#1a1a1a", "#595959", "#d9d9d9"
ALERT = "#A33B00"
COLUMN_INCHES = 3.5
SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "text.color": INK,
    "text.parse_math": False,  # labels are data: a dollar sign must not start a formula
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "svg.fonttype": "path",  # no font is needed to view it
    "svg.hashsalt": "gliner-bench",
}


def color(place: int) -> str:
    """The colour of the n-th series; beyond the palette it starts again."""
    return PALETTE[place % len(PALETTE)]


def lighten(ink: str) -> tuple[float, ...]:
    """The same hue on its way to white, opaque so that no grid line shows through."""
    return tuple(0.68 * part + 0.32 for part in to_rgb(ink))


def save_figure(figure: Figure, svg: Path, png: Path) -> None:
    """Writes SVG and PNG without date or software marks, cropped to what is drawn."""
    with matplotlib.rc_context(SETTINGS):
        FigureCanvasSVG(figure)
        _save(figure, svg, "svg", {"Date": None, "Creator": None})
        FigureCanvasAgg(figure)
        _save(figure, png, "png", {"Software": None})


def _save(figure: Figure, path: Path, kind: str, metadata: dict[str, None]) -> None:
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, dpi=220, metadata=metadata, bbox_inches="tight", pad_inches=0.06)
    atomic_replace(path, lambda temporary: _write(temporary, buffer.getvalue()))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def add_footer(figure: Figure, lines: Sequence[str], synthetic: str) -> None:
    """Puts the reading aid under the figure and, for made-up corpora, a warning that cannot be overlooked above it."""
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=6, color=MUTED, linespacing=1.35)
    if synthetic:
        figure.suptitle(
            synthetic, x=0.01, ha="left", fontsize=8, color=ALERT, fontweight="bold",
            bbox={"boxstyle": "square,pad=0.25", "facecolor": "#FFF1E8", "edgecolor": ALERT, "linewidth": 0.6},
        )  # fmt: skip


def shorten(text: str, width: int = 26) -> str:
    """Cuts a long label so that it cannot push the axes off the page."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3].rstrip() + "..."


def wrap(text: str, width: int = 27) -> str:
    """At most three lines, so that similar long labels stay apart; a longer rest becomes dots."""
    return "\n".join(textwrap.wrap(text, width, max_lines=3, placeholder="..."))
