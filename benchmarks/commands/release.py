"""`python -m benchmarks release NAME`: copies the small results of a finished scale to results/released/NAME.

Tables, figures, tidy cells, score files, specs, histories and receipts are kept; checkpoints and predictions are not.
The README's headline block names the release it shows and is rewritten from it.
"""

import re
import shutil
from collections.abc import Iterable
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
EFFICIENCY = "efficiency"  # the results of `python -m benchmarks efficiency`, of no scale
BEGIN, END = "<!-- headline:begin -->", "<!-- headline:end -->"


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
    else:
        _copy({path for pattern in KEPT for path in space.home.glob(pattern) if path.is_file()}, space.home, target)
    _copy(timed, space.results, target)
    if readme:
        write_headline(space.root / "README.md", target)
    print(f"released to {target}")


def _copy(paths: Iterable[Path], home: Path, target: Path) -> None:
    for path in sorted(paths):
        copy = target / path.relative_to(home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


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
