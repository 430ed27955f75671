"""Runs the second half of an analysis: its tidy rows -> sentences, tables and figure."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.analyses.page import Page
from benchmarks.catalog.analyses import ANALYSES
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.style import COLUMN_INCHES, SETTINGS, add_footer, save_figure
from benchmarks.reporting.table_text import escape_markdown, to_markdown
from gliner_core.files import atomic_write


def page_of(space: Workspace, study: str, analysis: str) -> Page:
    """The page of an analysis from the rows that were gathered; empty fields are NaN, `n/a` stays a word."""
    path = space.study(study) / analysis / "rows.csv"
    rows = pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)  # one type for a whole column
    return import_module(ANALYSES[analysis].page).present(rows, space.registry.studies[study], space)


def write_page(space: Workspace, study: str, analysis: str, outputs: Sequence[Path]) -> None:
    """Writes table.md, findings.txt, figure.svg and figure.png (`outputs`, in this order)."""
    page = page_of(space, study, analysis)
    markdown, findings, svg, png = outputs
    with atomic_write(markdown) as stream:
        stream.write(_markdown(space, study, analysis, page))
    with atomic_write(findings) as stream:
        stream.writelines(f"{text}\n" for text in page.findings)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(COLUMN_INCHES, 2.4), layout="constrained")
        page.draw(figure)
        synthetic = f"synthetic corpora (scale {space.scale.name})" if space.scale.synthetic else ""
        add_footer(figure, page.notes, synthetic)
        save_figure(figure, svg, png)


def _markdown(space: Workspace, study: str, analysis: str, page: Page) -> str:
    corpora = ", synthetic corpora" if space.scale.synthetic else ""
    title = f"{space.registry.studies[study].title}: {ANALYSES[analysis].title} (scale {space.scale.name}{corpora})"
    parts = [f"**{escape_markdown(title)}**", *(escape_markdown(text) for text in page.findings)]
    return "\n\n".join([*parts, *(to_markdown(table) for table in page.tables)])
