"""Digests of source closures: an edit changes those of its dependants and no others."""

import shutil
from pathlib import Path

import pytest

from benchmarks.catalog.code import files_digest, import_closure, source_digest

ROOT = Path(__file__).resolve().parents[2]
TRAIN, FIGURES = "gliner_core.train", "benchmarks.reporting.figures"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in ("gliner_core", "benchmarks"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _names(module: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in import_closure(ROOT, module)}


def test_training_depends_on_the_model_and_not_on_pictures() -> None:
    closure = _names(TRAIN)
    model = {"spans", "scorer", "heads", "loss", "sampling", "collate", "encoder", "seeding", "spec", "train"}
    assert {f"gliner_core/{name}.py" for name in model} <= closure
    assert not [name for name in closure if name.startswith("benchmarks/")]


def test_figures_depend_on_no_training() -> None:
    closure = _names(FIGURES)
    assert "benchmarks/reporting/figures.py" in closure
    assert not closure & {"gliner_core/train.py", "gliner_core/spans.py", "gliner_core/scorer.py"}


def test_imports_inside_functions_and_of_modules_from_packages_count() -> None:
    assert "gliner_core/pretrained.py" in _names("gliner_core.predict")  # imported inside main()
    assert "gliner_core/progress.py" in _names("benchmarks.pipeline.job")  # `from gliner_core import progress`


def test_a_byte_of_the_span_grid_moves_training_alone(copy: Path) -> None:
    before = [source_digest(copy, module) for module in (TRAIN, FIGURES)]
    path = copy / "gliner_core" / "spans.py"
    path.write_bytes(path.read_bytes() + b"\n")
    after = [source_digest(copy, module) for module in (TRAIN, FIGURES)]
    assert before[0] != after[0] and before[1] == after[1]


def test_a_byte_of_the_figures_moves_figures_alone(copy: Path) -> None:
    before = [source_digest(copy, module) for module in (TRAIN, FIGURES)]
    path = copy / "benchmarks" / "reporting" / "figures.py"
    path.write_bytes(path.read_bytes() + b"\n")
    after = [source_digest(copy, module) for module in (TRAIN, FIGURES)]
    assert before[0] == after[0] and before[1] != after[1]


def test_the_digest_knows_no_place_and_no_order(copy: Path) -> None:
    assert source_digest(copy, TRAIN) == source_digest(ROOT, TRAIN)
    assert source_digest(ROOT, TRAIN, FIGURES) == source_digest(ROOT, FIGURES, TRAIN)
    assert len(source_digest(ROOT, TRAIN)) == 16


def test_names_and_bytes_are_kept_apart(tmp_path: Path) -> None:
    for name, content in {"a": b"xb", "ax": b"b"}.items():
        (tmp_path / name).write_bytes(content)
    assert files_digest(tmp_path, [tmp_path / "a"]) != files_digest(tmp_path, [tmp_path / "ax"])
