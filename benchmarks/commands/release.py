"""`python -m benchmarks release NAME`: copies the small results of a finished scale to results/released/NAME.

Tables, figures, tidy cells, score files, specs, histories and receipts are kept; checkpoints and predictions are not.
The README's headline block names the release it shows and is rewritten from it.
"""

import re
import shutil
from pathlib import Path

from benchmarks.catalog.workspace import Workspace
from benchmarks.commands.headline import HEADLINE
from gliner_core.errors import InputError
from gliner_core.files import atomic_write, read_text

KEPT = (
    "scorecard.md",
    "scorecard.html",
    "studies/*/*",
    "leakage/*.json",
    "runs/*/*.json*",
    "cells/*/*/*/scores.*.json",
    "cells/*/*/*/receipt.json",
)
BEGIN, END = "<!-- headline:begin -->", "<!-- headline:end -->"


def release_results(space: Workspace, name: str, readme: bool) -> None:
    """Copies the kept files; refuses an unfinished scale and a name that is taken."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name):
        raise InputError(f"release name {name!r}: use lower-case letters, digits, dots and dashes")
    target = space.root / "results" / "released" / name
    if target.exists():
        raise InputError(f"{target}: exists already; a release is never changed, give another name")
    if not (space.home / "scorecard.html").is_file():
        raise InputError(f"{space.home / 'scorecard.html'}: not there; finish the workflow of this scale first")
    for path in sorted({path for pattern in KEPT for path in space.home.glob(pattern) if path.is_file()}):
        copy = target / path.relative_to(space.home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    if readme:
        write_headline(space.root / "README.md", target)
    print(f"released to {target}")


def write_headline(readme: Path, release: Path) -> None:
    """Replaces the text between the README's markers by the headline of a release."""
    text = read_text(readme)
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{readme}: holds no {BEGIN} ... {END} block; put the two markers back")
    with atomic_write(readme) as stream:
        stream.write(f"{before}{BEGIN}\n{headline_block(release)}\n{END}{after}")


def headline_block(release: Path) -> str:
    """The headline table of a release with its name and a link."""
    table = read_text(release / "studies" / HEADLINE / "table.md").strip()
    # Links of the table lead to score files relative to the scale's folder.
    place = f"results/released/{release.name}"
    table = re.sub(r"\]\((?!https?:)([^)]+)\)", rf"]({place}/\1)", table)
    return f"Release [`{release.name}`]({place}/scorecard.md).\n\n{table}"
