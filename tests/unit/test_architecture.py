"""The rooms of the house: who may import whom, and how long a file or function may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("gliner_core", "benchmarks", "workflow", "tests")
MAX_FILE, MAX_FUNCTION, MAX_ADAPTER = 300, 60, 20
# Lower rooms know nothing of higher ones; rooms of one line do not know each other.
FLOORS = (
    ("gliner_core",),
    ("benchmarks.catalog", "benchmarks.peers"),
    ("benchmarks.corpora",),
    ("benchmarks.scoring",),
    ("benchmarks.reporting",),
    ("benchmarks.efficiency",),
    ("benchmarks.analyses",),
    ("benchmarks.pipeline", "benchmarks.commands"),
    ("benchmarks.__main__", "workflow"),
)
LEVEL = {room: number for number, floor in enumerate(FLOORS) for room in floor}


def _files(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _imported(path: Path) -> Iterator[str]:
    """Dotted names of all imports, also those inside functions; `from a import b` gives a and a.b."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{_name(path)}: relative import; write the whole name (catalog/code.py reads it)"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _room(dotted: str) -> str | None:
    """The room that a module stands in; None for other projects' modules and for the bare name `benchmarks`."""
    parts = dotted.split(".")
    return next((room for room in (".".join(parts[:2]), parts[0]) if room in LEVEL), None)


def _top(path: Path) -> set[str]:
    return {name.split(".")[0] for name in _imported(path)}


MODULES = [path for path in _files("gliner_core", "benchmarks", "workflow") if path.name != "__init__.py"]


def test_every_room_has_a_floor() -> None:
    modules = [path for path in _files("benchmarks") if path.name != "__init__.py"]
    rooms = {".".join(path.relative_to(ROOT).with_suffix("").parts[:2]) for path in modules}
    assert rooms <= set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_arrows_go_down(path: Path) -> None:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    mine = _room(dotted)
    assert mine is not None
    for name in _imported(path):
        room = _room(name)
        assert room is None or room == mine or LEVEL[room] < LEVEL[mine], f"{_name(path)} imports {name}"


def test_the_model_knows_nothing_of_the_benchmark_and_its_tools() -> None:
    foreign = {"benchmarks", "mlflow", "snakemake", "pandas", "matplotlib", "yaml", "pydantic", "seqeval"}
    assert {_name(path): _top(path) & foreign for path in _files("gliner_core") if _top(path) & foreign} == {}


def test_one_file_imports_mlflow() -> None:
    users = [_name(path) for path in _files("gliner_core", "benchmarks", "workflow") if "mlflow" in _top(path)]
    assert users == ["benchmarks/reporting/tracking.py"]


def test_the_published_package_is_a_peer_and_no_part() -> None:
    users = {_name(path.parent) for path in _files("gliner_core", "benchmarks", "workflow") if "gliner" in _top(path)}
    assert users <= {"benchmarks/peers", "benchmarks/efficiency"}


def test_no_package_imports_snakemake() -> None:
    assert [_name(path) for path in _files("gliner_core", "benchmarks") if "snakemake" in _top(path)] == []


def test_planning_loads_no_torch() -> None:
    """Every start of the workflow reads the catalog; torch alone would cost it seconds."""
    heavy = {"torch", "transformers", "mlflow", "pandas", "matplotlib"}
    for path in _files("benchmarks/catalog"):
        assert not _top(path) & heavy, _name(path)
        core = {name for name in _imported(path) if name.startswith("gliner_core.")}
        assert {name.split(".")[1] for name in core} <= {"errors", "files", "spec"}, _name(path)


@pytest.mark.parametrize("path", [path for path in _files(*OURS) if path.read_text().strip()], ids=_name)
def test_files_and_functions_are_short_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    limit = MAX_ADAPTER if path.parent.name == "scripts" else MAX_FILE
    assert text.count("\n") <= limit
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno + 1 <= MAX_FUNCTION, node.name
            assert node.returns is not None, f"{node.name} has no return type"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: bare except"


def test_code_is_ascii() -> None:
    code = _files("gliner_core", "benchmarks", "workflow")
    assert [_name(path) for path in code if not path.read_text(encoding="utf-8").isascii()] == []
