"""A checkpoint that names Python files of its own: neither we nor the published package, opened by us, runs them."""

import json
from pathlib import Path

import pytest
from tiny_model import make_backbone, tiny_network

from benchmarks.peers.package_answering import open_peer
from gliner_core.errors import InputError
from gliner_core.pretrained import GLiNER


def test_code_that_a_checkpoint_brings_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    folder, code, mark = tmp_path / "model", tmp_path / "code", tmp_path / "it_ran"
    GLiNER(tiny_network(make_backbone(tmp_path / "backbone"))).save_pretrained(folder)
    code.mkdir()
    (code / "own.py").write_text(f"open({str(mark)!r}, 'w')\nfrom transformers import BertModel\n", encoding="utf-8")
    path = folder / "gliner_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["encoder_config"]["auto_map"] = {"AutoModel": f"{code}--own.BertModel"}
    path.write_text(json.dumps(config), encoding="utf-8")
    GLiNER.from_pretrained(folder)
    with pytest.raises(InputError, match="asks to run Python files of its own"):
        open_peer(folder, None, "cpu")
    assert not mark.exists()
