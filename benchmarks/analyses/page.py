"""What an analysis shows: tables, sentences and a figure, all made from its tidy rows."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from benchmarks.reporting.table_text import TextTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`findings` are whole sentences with their intervals; `draw` fills an empty figure, None = nothing to draw."""

    tables: tuple[TextTable, ...]
    findings: tuple[str, ...]
    draw: Callable[[Figure], None]
    notes: tuple[str, ...] = ()
