"""The environment files agree with each other, with the imports of the code and with what is installed."""

import ast
import importlib.util
import re
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
CONDA_FILES = sorted((ROOT / "workflow" / "envs").glob("*.yaml"))


@cache
def pin_script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("pin", ROOT / "workflow" / "envs" / "pin.py")
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_lines() -> list[str]:
    return (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


def lock() -> dict[str, str]:
    return {normalise(line.split("==")[0]): line.split("==")[1] for line in lock_lines()}


def conda_file(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pip_lines(path: Path) -> list[str]:
    return conda_file(path)["dependencies"][-1]["pip"]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(*extras: str) -> list[Requirement]:
    lines = list(project()["dependencies"])
    for extra in extras:
        lines += project()["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def test_every_line_of_the_lock_is_one_public_version() -> None:
    wrong = [line for line in lock_lines() if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line)]
    assert wrong == []
    assert len(lock()) == len(lock_lines())


@pytest.mark.parametrize(
    "requirement",
    requirements("dev", "peers", "conda", "multilingual", "postgres", "slurm", "kubernetes"),
    ids=lambda item: item.name,
)
def test_the_lock_pins_what_pyproject_asks_for(requirement: Requirement) -> None:
    assert requirement.specifier.contains(lock()[normalise(requirement.name)])


def test_torch_is_exact_in_pyproject_and_lock() -> None:
    assert [str(item.specifier) for item in requirements() if item.name == "torch"] == ["==2.13.0"]
    assert lock()["torch"] == "2.13.0"


def test_environment_yml_and_the_lock_agree() -> None:
    environment = conda_file(ROOT / "environment.yml")
    assert environment["channels"] == ["conda-forge"]
    assert environment["dependencies"][:-1] == ["python=3.11", "pip"]
    assert pip_lines(ROOT / "environment.yml") == lock_lines()


@pytest.mark.parametrize("path", CONDA_FILES, ids=lambda path: path.stem)
def test_a_rule_environment_is_a_part_of_environment_yml(path: Path) -> None:
    environment = conda_file(ROOT / "environment.yml")
    assert conda_file(path)["channels"] == environment["channels"]
    assert conda_file(path)["dependencies"][:-1] == environment["dependencies"][:-1]
    assert set(pip_lines(path)) < set(lock_lines())


def test_there_are_five_rule_environments() -> None:
    assert [path.stem for path in CONDA_FILES] == ["analyse", "fetch", "model", "peers", "report"]


def test_rule_environments_together_hold_every_runtime_package() -> None:
    held = {normalise(line.split("==")[0]) for path in CONDA_FILES for line in pip_lines(path)}
    # Snakemake itself runs outside the environments of its rules.
    assert {normalise(item.name) for item in requirements()} - held == {"snakemake"}


def test_conda_files_are_what_the_pin_script_writes() -> None:
    pin = pin_script()
    try:
        texts = pin.environments(pin.read_lock(ROOT / "constraints.txt"))
    except metadata.PackageNotFoundError as error:
        pytest.skip(f"{error.name} of constraints.txt is not installed here, so its requirements are unknown")
    stale = [path.name for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `python workflow/envs/pin.py` in the locked environment"


def test_the_pin_script_follows_requirements_of_requirements() -> None:
    names = pin_script().closure(["seqeval"])
    assert {"seqeval", "scikit-learn", "threadpoolctl"} <= names
    assert "pytest" not in names


def test_installed_packages_have_the_versions_of_the_lock() -> None:
    installed = {normalise(item.name): item.version.split("+")[0] for item in metadata.distributions()}
    other = {name: installed[name] for name, version in lock().items() if installed.get(name, version) != version}
    assert other == {}
    assert {normalise(item.name) for item in requirements()} <= set(installed)


def third_party_imports() -> set[str]:
    """Top-level modules imported anywhere in the project's code, without the standard library and the project."""
    found: set[str] = set()
    for folder in ("gliner_core", "benchmarks", "workflow"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found.update(alias.name.split(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"gliner_core", "benchmarks"}


def test_every_imported_package_is_declared() -> None:
    declared = {normalise(item.name) for item in requirements("gliner2", "gpu", "peers", "postgres", "slurm")}
    owners = metadata.packages_distributions()
    undeclared = {
        module
        for module in third_party_imports()
        if not {normalise(name) for name in owners.get(module, [module])} & declared
    }
    assert undeclared == set()


@pytest.mark.parametrize("name", ["constraints.txt", "environment.yml", "pyproject.toml", "Makefile", ".ci/run"])
def test_no_file_names_a_package_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"https?://|file://|--(?:extra-)?index-url|--find-links", text) == []


def test_versions_agree() -> None:
    citation = conda_file(ROOT / "CITATION.cff")
    assert citation["version"] == project()["version"]
    assert f"## {project()['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
