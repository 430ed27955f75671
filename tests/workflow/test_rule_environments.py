"""Each rule's conda environment holds every package that its script imports at start, directly or through the project.

Imports inside functions are left out: they are there so that a rule which never calls them needs no such package.
"""

import ast
import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ("benchmarks", "gliner_core")
RULE = re.compile(r"^(?:rule|checkpoint) (\w+):\n((?:[ \t]+.*\n|\n)+)", re.MULTILINE)
DIRECTIVE = r"^\s+{}:\s*\"([^\"]+)\""


def directive(name: str, body: str) -> str | None:
    match = re.search(DIRECTIVE.format(name), body, re.MULTILINE)
    return match.group(1) if match else None


def scripted_rules() -> list[tuple[str, Path, Path]]:
    """Name, script and conda file of each rule that has a Python script and an environment."""
    found = []
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for name, body in RULE.findall(path.read_text(encoding="utf-8")):
            script, environment = directive("script", body), directive("conda", body)
            if script and environment:
                found.append((name, (path.parent / script).resolve(), (path.parent / environment).resolve()))
    return found


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names that a file imports at start, with the names of `from` imports as possible modules."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return frozenset(found)


def module_files(name: str) -> list[Path]:
    """The files that importing a project module runs: the module and the packages above it."""
    parts = name.split(".")
    stems = [ROOT.joinpath(*parts[:count]) for count in range(1, len(parts) + 1)]
    candidates = [file for stem in stems for file in (stem / "__init__.py", stem.with_suffix(".py"))]
    return [file for file in candidates if file.is_file()]


def third_party(script: Path) -> dict[str, Path]:
    """Top-level modules outside the project that a script reaches, each with the file that imports it."""
    found: dict[str, Path] = {}
    pending, seen = [script], set()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imports(path):
            top = name.split(".")[0]
            if top in PROJECT:
                pending.extend(module_files(name))
            elif top not in sys.stdlib_module_names:
                found.setdefault(top, path)
    return found


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def packages(environment: Path) -> set[str]:
    document = yaml.safe_load(environment.read_text(encoding="utf-8"))
    return {normalise(line.split("==")[0]) for line in document["dependencies"][-1]["pip"]}


def test_rules_with_scripts_are_found() -> None:
    assert len(scripted_rules()) >= 5


@pytest.mark.parametrize(("rule", "script", "environment"), scripted_rules())
def test_the_environment_of_a_rule_holds_its_imports(rule: str, script: Path, environment: Path) -> None:
    owners = metadata.packages_distributions()
    held = packages(environment)
    missing = {
        module: str(path.relative_to(ROOT))
        for module, path in third_party(script).items()
        # Snakemake hands its own modules to the scripts of its jobs.
        if module != "snakemake" and not held & {normalise(name) for name in owners.get(module, [module])}
    }
    assert missing == {}, f"rule {rule}: add these packages to {environment.name} in workflow/envs/pin.py"
