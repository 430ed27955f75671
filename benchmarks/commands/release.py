"""`python -m benchmarks release NAME`: copies the small results of a finished scale to results/released/NAME.

Tables, figures, tidy cells, score files, specs, histories and receipts are kept; checkpoints and predictions are not.
The README's blocks of results each name the release they show and are rewritten from it.
"""

import csv
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.catalog.registry import Registry
from benchmarks.catalog.workspace import Workspace
from benchmarks.commands.headline import HEADLINE
from benchmarks.reporting.table_text import escape_markdown
from gliner_core.errors import InputError
from gliner_core.files import atomic_write, read_text

KEPT = (
    "scorecard.md",
    "scorecard.html",
    "studies/*/*",
    "studies/*/*/*",
    "leakage/*.json",
    "runs/*/*.json*",
    "cells/*/*/*/scores.*.json",
    "cells/*/*/*/receipt.json",
)
# study and analysis that answer the questions the paper leaves open: data size, unseen languages, span width
OPEN_QUESTIONS = (
    ("supervised_scaling", "scaling"),
    ("unseen_languages", "languages"),
    ("span_width", "width"),
    ("span_width_decoding", "width"),
)
EFFICIENCY = "efficiency"  # the results of `python -m benchmarks efficiency`, of no scale
BEGIN, END = "<!-- {}:begin -->", "<!-- {}:end -->"  # around a block of the README


def release_results(space: Workspace, name: str, readme: bool, only_efficiency: bool = False) -> None:
    """Copies the kept files; refuses an unfinished scale and a name that is taken.

    What `python -m benchmarks efficiency` left goes along into efficiency/, or alone with `only_efficiency`.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name):
        raise InputError(f"release name {name!r}: use lower-case letters, digits, dots and dashes")
    target = space.root / "results" / "released" / name
    if target.exists():
        raise InputError(f"{target}: exists already; a release is never changed, give another name")
    timed = sorted(path for path in (space.results / EFFICIENCY).glob("*/*") if path.is_file())
    if only_efficiency:
        if not timed:
            raise InputError(f"{space.results / EFFICIENCY}: not there; run `python -m benchmarks efficiency` first")
    elif not (space.home / "scorecard.html").is_file():
        raise InputError(f"{space.home / 'scorecard.html'}: not there; finish the workflow of this scale first")
    page = space.root / "README.md"
    blocks = _blocks(bool(timed), only_efficiency) if readme else ()
    for block in blocks:
        _parts(page, block)  # before anything is copied
    if not only_efficiency:
        _copy({path for pattern in KEPT for path in space.home.glob(pattern) if path.is_file()}, space.home, target)
    _copy(timed, space.results, target)
    for block in blocks:
        write_block(page, block, BLOCKS[block](space.registry, target))
    print(f"released to {target}")


def _copy(paths: Iterable[Path], home: Path, target: Path) -> None:
    for path in sorted(paths):
        copy = target / path.relative_to(home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _blocks(is_timed: bool, only_efficiency: bool) -> tuple[str, ...]:
    """The README's blocks that such a release rewrites."""
    return (() if only_efficiency else ("headline", "answers")) + (("speed",) if is_timed else ())


def write_block(readme: Path, name: str, content: str) -> None:
    """Replaces the text between the README's markers of that name."""
    before, after = _parts(readme, name)
    with atomic_write(readme) as stream:
        stream.write(f"{before}{BEGIN.format(name)}\n{content}\n{END.format(name)}{after}")


def _parts(readme: Path, name: str) -> tuple[str, str]:
    """The README before and after a block."""
    first, last = BEGIN.format(name), END.format(name)
    before, begin, rest = read_text(readme).partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise InputError(f"{readme}: holds no {first} ... {last} block; put the two markers back")
    return before, after


def headline_block(release: Path) -> str:
    """The headline table of a release with our rows under its first protocol, the release's name and a link."""
    whole = read_text(release / "studies" / HEADLINE / "table.md").strip()
    table = "\n".join(_short(whole.split("\n"))).strip()
    # Links of the table lead to score files relative to the scale's folder.
    place = f"results/released/{release.name}"
    table = re.sub(r"\]\((?!https?:)([^)]+)\)", rf"]({place}/\1)", table)
    return f"Release [`{release.name}`]({place}/scorecard.md).\n\n{table}"


def _short(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a Markdown table without what was published elsewhere and, among our rows, other protocols than the
    first. Printed rows stay: each names the protocol that it was printed under."""
    column, first, is_ours, is_elsewhere = 0, "", False, False
    for line in lines:
        cells = [cell.strip() for cell in line.split("|")]
        if line.startswith(("Published", "Measured here")):  # the heading of a block
            column, is_elsewhere = 0, line.startswith("Published elsewhere")
            is_ours = line.startswith("Measured here")
        elif cells[1:2] in (["*published*"], ["*measured here*"]):  # a group inside a block
            is_ours = cells[1] == "*measured here*"
        elif "Protocol" in cells:
            column, first = cells.index("Protocol"), ""
        elif len(cells) > column > 0 and is_ours and not cells[column].startswith("---"):
            first = first or cells[column]
            if cells[column] != first:
                continue
        if not is_elsewhere:
            yield line


def answers_block(registry: Registry, release: Path) -> str:
    """What the release says of the paper's open questions: the findings of the analyses that answer them."""
    place = f"results/released/{release.name}"
    lines = [f"Release [`{release.name}`]({place}/scorecard.md)."]
    for study, analysis in OPEN_QUESTIONS:
        folder = release / "studies" / study / analysis
        if (folder / "findings.txt").is_file():
            link = f"{place}/{folder.relative_to(release)}/table.md"
            lines += ["", f"**[{registry.studies[study].question}]({link})**", ""]
            lines += [f"- {escape_markdown(text)}" for text in read_text(folder / "findings.txt").splitlines()]
    return "\n".join(lines)


def speed_block(release: Path) -> str:
    """The targets that the release's first measurement was held against, and what was measured."""
    folder = min(path.parent for path in release.glob(f"{EFFICIENCY}/*/targets.csv"))
    place = f"results/released/{release.name}/{folder.relative_to(release)}"
    lines = [
        f"Release [`{release.name}`]({place}/table.md), median [10th, 90th percentile].",
        "",
        "| Work, published package over ours unless it says otherwise | Demand | Measured | Verdict |",
        "|---|---|---|---|",
    ]
    for row in csv.DictReader(read_text(folder / "targets.csv").splitlines()):
        figures = [f"{float(row[name]):.3g}" if row[name] else "-" for name in ("median", "p10", "p90")]
        measured = "{} [{}, {}]".format(*figures)
        lines.append(f"| {row['target']} | {row['demand']} | {measured} | {row['verdict']} |")
    return "\n".join(lines)


BLOCKS = {  # name of a block of the README -> its content from the cards and the folder of a release
    "headline": lambda _registry, release: headline_block(release),
    "answers": answers_block,
    "speed": lambda _registry, release: speed_block(release),
}
