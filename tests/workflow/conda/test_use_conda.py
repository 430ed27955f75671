"""`snakemake --use-conda` end to end on a small rule: environment solved, installed, activated, pip pins followed.

The solver and installer are py-rattler's, the `conda` command is a stand-in and the channel is local, so conda-forge
itself is never reached; pip reads the usual package index. Alone: `.venv/bin/python -m pytest tests/workflow/conda`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rattler", reason="py-rattler is not installed (extra `conda`)")

from channel import build_channel

ROOT = Path(__file__).resolve().parents[3]
STANDIN = Path(__file__).resolve().parent / "standin"

SNAKEFILE = f"""
sys.path.insert(0, {str(ROOT)!r})

rule describe:
    output: "out.json"
    conda: "env.yaml"
    script: "describe.py"
"""
SCRIPT = """
import sys
import rich
from gliner_core.files import write_json
write_json(snakemake.output[0], {"prefix": sys.prefix, "rich": rich.__file__})
"""


def pin(name: str) -> str:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{name}=="))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    build_channel(tmp_path / "channels" / "conda-forge")
    (tmp_path / "Snakefile").write_text("import sys\n" + SNAKEFILE, encoding="utf-8")
    (tmp_path / "describe.py").write_text(SCRIPT, encoding="utf-8")
    write_environment(tmp_path, f"python={sys.version_info.major}.{sys.version_info.minor}")
    return tmp_path


def write_environment(folder: Path, python: str) -> None:
    text = f"channels: [conda-forge]\ndependencies: [{python}, pip, pip: [{pin('rich')}]]\n"
    (folder / "env.yaml").write_text(text, encoding="utf-8")


def snakemake(folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {
        "PATH": f"{STANDIN / 'bin'}:{os.environ['PATH']}",
        "RATTLER_CACHE_DIR": str(folder / "cache"),
        "STANDIN_CHANNELS": f"file://{folder / 'channels'}",
        "STANDIN_PYTHON": sys.executable,
    }
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--use-conda"]
    return subprocess.run(command, cwd=folder, env=os.environ | variables, text=True, capture_output=True)


def test_a_rule_runs_inside_its_environment(project: Path) -> None:
    first = snakemake(project)
    assert first.returncode == 0, first.stderr
    out = json.loads((project / "out.json").read_text(encoding="utf-8"))
    prefix = Path(out["prefix"])
    assert prefix.parent == project / ".snakemake" / "conda"
    assert prefix in Path(out["rich"]).parents
    assert list(prefix.glob(f"lib/*/site-packages/{pin('rich').replace('==', '-')}.dist-info"))
    assert "Nothing to be done" in snakemake(project).stderr


def test_an_environment_that_cannot_be_solved_stops_the_workflow(project: Path) -> None:
    write_environment(project, "python=2.7")
    result = snakemake(project)
    assert result.returncode != 0
    assert "No candidates were found for python 2.7" in result.stderr
    assert not (project / "out.json").exists()
