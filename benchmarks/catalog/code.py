"""Digest of the source files that a module depends on, so that Snakemake reruns exactly what an edit touches.

Snakemake tracks a rule's script but not the packages the script imports; the digest of the import closure is handed to
each rule as a parameter instead. Any byte counts: a retraining too many is cheaper than a stale result.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGES = ("gliner_core", "benchmarks")


def source_digest(root: Path, *modules: str) -> str:
    """16 hex digits over the files of the modules and of everything they import from this project."""
    return files_digest(root, sorted(set().union(*(import_closure(root, module) for module in modules))))


def files_digest(root: Path, paths: Iterable[Path]) -> str:
    """16 hex digits over names and bytes of files."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def import_closure(root: Path, module: str) -> frozenset[Path]:
    """The project files that `module` imports directly or through others, itself included."""
    seen: set[Path] = set()
    todo = [_locate(root, module)]
    while todo:
        path = todo.pop()
        if path is None or path in seen:
            continue
        seen.add(path)
        todo.extend(_imports(root, path))
    return frozenset(seen)


def _locate(root: Path, module: str) -> Path | None:
    if module.split(".")[0] not in PACKAGES:
        return None
    base = root.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


@cache
def _imports(root: Path, path: Path) -> tuple[Path, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from package import name` may name a submodule or an attribute; a name that is no file is dropped below.
            names.append(node.module)
            names.extend(f"{node.module}.{alias.name}" for alias in node.names)
    found = (_locate(root, name) for name in names)
    # A package's __init__ that re-exports lazily (gliner_core) would drag in everything: only its submodules count.
    return tuple(item for item in found if item and item.name != "__init__.py")
