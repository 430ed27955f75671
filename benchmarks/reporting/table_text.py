"""Turns a table frame into text cells with links, and those into Markdown and LaTeX.

The scorecard renders the same text cells as HTML, so the three formats always show the same figures.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

COMPANIONS = (" (low)", " (high)", " (seed min)", " (seed max)")
DELTA, AVERAGE_DELTA = "F1 - baseline", "Average - baseline"
OVER_SEEDS, P_VALUE, SHOWN = "Over seeds", "p (Holm)", "Shown"
# metric -> title, divisor, decimals; the unit is in the title.
COSTS = {
    "negative_share_pct": ("Negative types, %", 1.0, 1),
    "words_per_second_train": ("Words/s, training", 1.0, 0),
    "words_per_second_predict": ("Words/s, prediction", 1.0, 0),
    "bytes_peak_train": ("Peak memory, MiB", 2.0**20, 0),
    "seconds_train": ("Training, s", 1.0, 1),
}
WHOLE_COLUMNS = tuple(title for title, _, decimals in COSTS.values() if decimals == 0)
SENTENCE_NOTE = (
    "[low, high]: 95 % interval from resampling the test sentences (with several seeds, the mean of their bounds); "
    "it holds no seed variance."
)
SEEDS_NOTE = "Seed spread: lowest to highest seed; values are means over seeds. It holds no sampling of sentences."
ONE_SEED_NOTE = "One seed per variant: no seed spread can be given."
PAIRED_NOTE = (
    "{}: paired difference of the averages on the same sentences (mean over seeds), [low, high] from resampling them. "
    "Shown: higher or lower where randomisation (Holm-adjusted p below 0.05), this interval and, with several seeds, "
    "Student's interval over them agree; otherwise no, with the true difference that would have been found 4 times "
    "in 5. All comparisons, single datasets too, stand in differences.csv."
)
LIMIT_NOTES = {
    "(one seed)": "(one seed): for these trained models only.",
    "(sentences only)": "(sentences only): a system has no seeds, so another training of the baseline may turn it.",
}
MISSING = "-"
LATEX_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}",
}  # fmt: skip
MARKDOWN_ESCAPES = {sign: "\\" + sign for sign in "\\`*[]|~$"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCell:
    """One shown cell: its text, an interval in smaller type, and the files its number comes from."""

    text: str
    detail: str = ""
    paths: tuple[str, ...] = ()
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """One shown table; `groups` are titles that stand above the row of the given number."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[TextCell, ...], ...]
    groups: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()


def text_tables(frame: pd.DataFrame) -> tuple[TextTable, ...]:
    """One text table per block of the frame, without the columns that are empty in the block."""
    return tuple(_text_table(str(name), block) for name, block in frame.groupby("Block", sort=False))


def plain_table(heading: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> TextTable:
    """A text table of facts that need no rounding or links."""
    cells = [
        tuple(TextCell(text=_plain(value), is_number=isinstance(value, (int, float))) for value in row) for row in rows
    ]
    return TextTable(heading=heading, columns=columns, rows=tuple(cells))


def _plain(value: object) -> str:
    if value is None or value == "" or (isinstance(value, float) and value != value):
        return MISSING
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return format_number(value) if isinstance(value, float) else str(value)


def _text_table(heading: str, block: pd.DataFrame) -> TextTable:
    values = [name for name in block.columns if f"{name} (path)" in block.columns]
    shown = [name for name in block.columns if _is_shown(name, block)]
    headline = next((name for name in ("Average", "F1") if name in values), "")
    has_spread = bool(headline) and block[f"{headline} (seed min)"].notna().any()
    columns, rows = list(shown), []
    if has_spread:
        columns.insert(columns.index(headline) + 1, f"{headline}, seed spread")
    for _, record in block.iterrows():
        cells = {name: _value_cell(record, name) if name in values else _text_cell(record[name]) for name in shown}
        if has_spread:
            cells[f"{headline}, seed spread"] = _spread_cell(record, headline)
        rows.append(tuple(cells[name] for name in columns))
    sources = ["", *block["Source"]]
    groups = [(place - 1, sources[place]) for place in range(1, len(sources)) if sources[place] != sources[place - 1]]
    return TextTable(
        heading=heading,
        columns=tuple(columns),
        rows=tuple(rows),
        groups=tuple(groups) if len(groups) > 1 else (),
        notes=_notes(block, values, bool(has_spread)),
    )


def _is_shown(name: str, block: pd.DataFrame) -> bool:
    hidden = name in ("Block", "Source") or name.endswith((*COMPANIONS, " (path)"))
    return not hidden and bool((block[name].notna() & (block[name].astype(str) != "")).any())


def _notes(block: pd.DataFrame, values: list[str], has_spread: bool) -> tuple[str, ...]:
    notes = []
    if any(block[f"{name} (low)"].notna().any() for name in values):
        notes.append(SENTENCE_NOTE)
    if has_spread:
        notes.append(SEEDS_NOTE)
    elif "Seeds" in block.columns and (block["Seeds"] == "1").any():
        notes.append(ONE_SEED_NOTE)
    paired = [name for name in (DELTA, AVERAGE_DELTA) if name in values and block[name].notna().any()]
    notes += [PAIRED_NOTE.format(name) for name in paired]
    if paired:
        shown = " ".join(str(text) for text in block[SHOWN])
        notes += [note for limit, note in LIMIT_NOTES.items() if limit in shown]
    return tuple(notes)


def _text_cell(value: object) -> TextCell:
    return TextCell(text=MISSING if pd.isna(value) or value == "" else str(value))


def _value_cell(record: pd.Series, name: str) -> TextCell:
    value, low, high = record[name], record[f"{name} (low)"], record[f"{name} (high)"]
    if pd.isna(value):
        return TextCell(text=MISSING, is_number=True)
    detail = "" if pd.isna(low) or pd.isna(high) else f"[{low:.1f}, {high:.1f}]"
    paths = record[f"{name} (path)"]
    is_difference = name in (DELTA, AVERAGE_DELTA)
    return TextCell(
        text=f"{value:,.0f}" if name in WHOLE_COLUMNS else format_number(float(value), signed=is_difference),
        detail=detail,
        paths=() if pd.isna(paths) else tuple(str(paths).split("\n")),
        is_number=True,
    )


def _spread_cell(record: pd.Series, name: str) -> TextCell:
    low, high = record[f"{name} (seed min)"], record[f"{name} (seed max)"]
    return TextCell(text=MISSING if pd.isna(low) else f"{low:.1f} to {high:.1f}", is_number=True)


def format_number(value: float, signed: bool = False) -> str:
    """One decimal, more only where the value (a printed one) has more; thousands are grouped."""
    if signed:
        return f"{value:+.1f}" if value else "0.0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(round(value, 1) - value) < 1e-9 else f"{value:.2f}"


def escape_latex(text: str) -> str:
    """Makes any text safe in a LaTeX table cell or caption."""
    return "".join(LATEX_ESCAPES.get(sign, sign) for sign in " ".join(text.split()))


def escape_markdown(text: str) -> str:
    """Makes any text safe in a Markdown line or table cell; no sign of it can become markup or HTML."""
    escaped = "".join(MARKDOWN_ESCAPES.get(sign, sign) for sign in " ".join(text.split()))
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", escaped)


def to_markdown(table: TextTable, link: Callable[[str], str] | None = None) -> str:
    """A Markdown table with its heading and notes; `link` turns a score file into an address behind its number."""
    numeric = numeric_columns(table)
    lines = [f"{escape_markdown(table.heading)}\n"] if table.heading else []
    lines.append("| " + " | ".join(escape_markdown(name) for name in table.columns) + " |")
    lines.append("|" + "|".join("---:" if flag else "---" for flag in numeric) + "|")
    groups = dict(table.groups)
    for place, row in enumerate(table.rows):
        if place in groups:
            lines.append(f"| *{escape_markdown(groups[place])}* |" + " |" * (len(table.columns) - 1))
        lines.append("| " + " | ".join(_markdown_cell(cell, link) for cell in row) + " |")
    lines.extend(f"\n{note}" for note in table.notes)
    return "\n".join(lines) + "\n"


def _markdown_cell(cell: TextCell, link: Callable[[str], str] | None) -> str:
    text = escape_markdown(cell.text)
    if link is None or not cell.paths:
        return f"{text} {cell.detail}".strip()
    if len(cell.paths) == 1:
        return f"[{text}]({link(cell.paths[0])}) {cell.detail}".strip()
    seeds = " ".join(f"[s{place}]({link(path)})" for place, path in enumerate(cell.paths, start=1))
    return f"{text} {cell.detail} ({seeds})".replace("  ", " ")


def numeric_columns(table: TextTable) -> tuple[bool, ...]:
    """Which columns hold numbers and are therefore set to the right."""
    return tuple(any(row[place].is_number for row in table.rows) for place in range(len(table.columns)))


def to_latex(table: TextTable, caption: str) -> str:
    """A `booktabs` table; intervals are set smaller behind their value."""
    numeric = numeric_columns(table)
    title = escape_latex(f"{caption}. {table.heading}" if table.heading else caption)
    lines = [r"\begin{table*}[t]", r"\centering\small", rf"\caption{{{title}}}"]
    lines.append(rf"\begin{{tabular}}{{{''.join('r' if flag else 'l' for flag in numeric)}}}")
    groups = dict(table.groups)
    lines += [r"\toprule", " & ".join(escape_latex(name) for name in table.columns) + r" \\", r"\midrule"]
    for place, row in enumerate(table.rows):
        if place in groups:
            lines += [r"\midrule"] * bool(place)
            lines.append(rf"\multicolumn{{{len(numeric)}}}{{l}}{{\textit{{{escape_latex(groups[place])}}}}} \\")
        shown = [
            escape_latex(cell.text) + (rf" {{\scriptsize {escape_latex(cell.detail)}}}" if cell.detail else "")
            for cell in row
        ]
        lines.append(" & ".join(shown) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [rf"\par\footnotesize {escape_latex(note)}" for note in table.notes]
    return "\n".join([*lines, r"\end{table*}"]) + "\n"
