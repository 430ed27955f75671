"""Weights, code and cards from others: nothing that they carry is executed."""

import ast
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.catalog.cards import ProtocolCard
from benchmarks.catalog.registry import parse, read_yaml
from gliner_core.checkpoint import load_state
from gliner_core.encoder import load_backbone
from gliner_core.errors import InputError
from gliner_core.opening import open_network
from gliner_core.pretrained import GLiNER
from gliner_core.spec import BackboneSpec
from tests.tiny_model import tiny_network

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for folder in ("gliner_core", "benchmarks", "workflow") for path in (ROOT / folder).rglob("*.py"))
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow").rglob("*.smk"))]
SHELLS = {"os.system", "os.popen", "os.execl", "subprocess.getoutput", "subprocess.getstatusoutput"}
UNPICKLERS = {"pickle.load", "pickle.loads", "joblib.load", "dill.load", "numpy.load", "np.load", "pd.read_pickle"}


class _Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.mark), "w")


def _calls(path: Path) -> list[tuple[str, ast.Call]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _keyword(call: ast.Call, name: str) -> object:
    values = [item.value for item in call.keywords if item.arg == name]
    return ast.literal_eval(values[0]) if values and isinstance(values[0], ast.Constant) else (values or None)


ALL_CALLS = [(path, name, call) for path in SOURCES for name, call in _calls(path)]


def test_the_payload_works_where_pickles_are_trusted(tmp_path: Path) -> None:
    torch.save(_Payload(tmp_path / "mark"), tmp_path / "evil.pt")
    torch.load(tmp_path / "evil.pt", weights_only=False)
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_malicious_checkpoint_is_refused_and_not_executed(tmp_path: Path, zipped: bool) -> None:
    state = {"step": 1, "identity": "x", "model": _Payload(tmp_path / "mark")}
    torch.save(state, tmp_path / "state.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"state\.pt: unreadable checkpoint"):
        load_state(tmp_path / "state.pt", "x")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("raw", [True, False], ids=["bare pickle", "torch file"])
def test_malicious_weights_of_a_model_are_refused_and_not_executed(tmp_path: Path, backbone: Path, raw: bool) -> None:
    GLiNER(tiny_network(backbone)).save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    weights = tmp_path / "model" / "pytorch_model.bin"
    if raw:
        weights.write_bytes(pickle.dumps(_Payload(tmp_path / "mark")))
    else:
        torch.save({"encoder.x": _Payload(tmp_path / "mark")}, weights)
    with pytest.raises(InputError, match="the weights cannot be read"):
        open_network(tmp_path / "model")
    assert not (tmp_path / "mark").exists()


def _with_own_code(folder: Path, mark: Path) -> None:
    """Says in every configuration that a class of the folder must be used, whose module creates a file."""
    module = f"open({str(mark)!r}, 'w')\nfrom transformers import BertConfig as Own, BertModel, BertTokenizerFast\n"
    (folder / "own.py").write_text(module, encoding="utf-8")
    for name in ("config.json", "tokenizer_config.json"):
        path = folder / name
        if path.is_file():
            auto = {
                "AutoConfig": "own.Own",
                "AutoModel": "own.BertModel",
                "AutoTokenizer": [None, "own.BertTokenizerFast"],
            }
            kind = {"model_type": "own"} if name == "config.json" else {"tokenizer_class": "OwnTokenizer"}
            path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": auto} | kind), encoding="utf-8")


def test_a_backbone_that_brings_code_is_refused_even_if_somebody_says_yes(tmp_path: Path, backbone: Path) -> None:
    shutil.copytree(backbone, tmp_path / "backbone")
    _with_own_code(tmp_path / "backbone", tmp_path / "mark")
    script = (
        "from gliner_core.encoder import load_backbone\nfrom gliner_core.spec import BackboneSpec\n"
        f"load_backbone(BackboneSpec(name='x', kind='folder', base='folder', location={str(tmp_path / 'backbone')!r}))"
    )
    # transformers asks at the terminal where the caller left `trust_remote_code` open.
    done = subprocess.run([sys.executable, "-c", script], input="y\ny\ny\n", capture_output=True, text=True, cwd=ROOT)
    assert not (tmp_path / "mark").exists()
    assert "InputError: backbone x" in done.stderr
    assert "Do you wish to run the custom code" not in done.stdout


def test_a_checkpoint_that_brings_code_does_not_run_it(tmp_path: Path, backbone: Path) -> None:
    GLiNER(tiny_network(backbone)).save_pretrained(tmp_path / "model")
    _with_own_code(tmp_path / "model", tmp_path / "mark")
    config = json.loads((tmp_path / "model" / "gliner_config.json").read_text())
    config |= {"auto_map": {"AutoModel": "own.BertModel"}}
    (tmp_path / "model" / "gliner_config.json").write_text(json.dumps(config), encoding="utf-8")
    try:
        open_network(tmp_path / "model")
    except InputError as error:
        assert str(tmp_path / "model") in str(error)
    assert not (tmp_path / "mark").exists()


def test_a_package_name_of_a_spec_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "__init__.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("evil.inner", "", "../evil"):
        with pytest.raises(InputError, match="is not installed"):
            load_backbone(BackboneSpec(name="x", kind="package", base="package", location=name))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['touch {mark}']",
        "!!python/object/new:subprocess.Popen [['touch', '{mark}']]",
        "!!python/name:os.system",
        "!!python/module:antigravity",
    ],
)
def test_a_card_cannot_name_python_objects(tmp_path: Path, value: str) -> None:
    card = tmp_path / "evil.yaml"
    card.write_text(f"name: evil\ntitle: {value.format(mark=tmp_path / 'mark')}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"evil\.yaml:2: could not determine a constructor"):
        parse(ProtocolCard, read_yaml(card), card)
    assert not (tmp_path / "mark").exists()


def test_pickles_are_read_by_torch_alone_and_with_weights_only() -> None:
    loads = [(path, call) for path, name, call in ALL_CALLS if name == "torch.load"]
    assert len(loads) >= 2
    assert [path for path, call in loads if _keyword(call, "weights_only") is not True] == []
    assert [(path, name) for path, name, _ in ALL_CALLS if name in UNPICKLERS] == []


def test_remote_code_is_never_trusted_and_never_left_open() -> None:
    for path, name, call in ALL_CALLS:
        assert _keyword(call, "trust_remote_code") in (None, False), f"{path}:{call.lineno}"
        if name in ("AutoConfig.from_pretrained", "AutoTokenizer.from_pretrained", "AutoModel.from_pretrained"):
            assert _keyword(call, "trust_remote_code") is False, f"{path}:{call.lineno} would ask at the terminal"
    mentions = [path for path in SOURCES if '"trust_remote_code"' in path.read_text(encoding="utf-8")]
    assert mentions == []


def test_no_call_goes_through_a_shell() -> None:
    assert [(path, name) for path, name, _ in ALL_CALLS if name in SHELLS] == []
    assert [(path, call.lineno) for path, _, call in ALL_CALLS if _keyword(call, "shell")] == []
    commands = [call for _, name, call in ALL_CALLS if name in ("subprocess.run", "subprocess.Popen")]
    assert len(commands) >= 3
    assert [ast.unparse(call) for call in commands if isinstance(call.args[0], ast.JoinedStr | ast.Constant)] == []


def test_no_rule_builds_a_shell_string() -> None:
    for path in RULES:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        assert [line for line in lines if line.startswith(("shell:", "shell(", "run:"))] == [], path


def test_yaml_is_read_with_a_safe_loader_alone() -> None:
    loads = [(path, name, call) for path, name, call in ALL_CALLS if name.startswith("yaml.") and "load" in name]
    unsafe = [
        (path, call.lineno)
        for path, name, call in loads
        if name != "yaml.safe_load" and not (name == "yaml.load" and "_StrictLoader" in ast.unparse(call))
    ]
    assert loads and unsafe == []
    assert "class _StrictLoader(yaml.SafeLoader)" in (ROOT / "benchmarks/catalog/registry.py").read_text()
