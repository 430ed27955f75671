"""Files that cannot be used for other reasons than their format: each is named, a good one is never put aside."""

import errno
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import make_backbone, tiny_network

from benchmarks.catalog.store_state import store_generation
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.spool import Spool
from benchmarks.reporting.track import _history
from gliner_core.checkpoint import DamagedState, find_state
from gliner_core.errors import InputError
from gliner_core.files import read_json, write_json
from gliner_core.pretrained import GLiNER


def test_a_state_that_a_disk_does_not_give_now_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    path = tmp_path / "state.pt"
    path.write_bytes(b"good")
    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(InputError, match=r"state\.pt: checkpoint cannot be read now") as refused:
        find_state(path, "x")
    assert not isinstance(refused.value, DamagedState) and list(tmp_path.iterdir()) == [path]


def test_a_damaged_state_that_another_process_put_aside_first_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(b"damaged")

    def fail(*_: Any, **__: Any) -> None:
        path.rename(tmp_path / "state.pt.damaged")
        raise EOFError("Ran out of input")

    monkeypatch.setattr(torch, "load", fail)
    assert find_state(path, "x") is None
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("state.pt.damaged", b"damaged")]


@pytest.mark.parametrize("layers", [10**9, 0])
def test_a_depth_that_no_weights_fill_is_refused_before_layers_are_made(tmp_path: Path, layers: int) -> None:
    GLiNER(tiny_network(make_backbone(tmp_path / "backbone"))).save_pretrained(tmp_path / "model")
    path = tmp_path / "model" / "gliner_config.json"
    config = read_json(path)
    config["encoder_config"]["num_hidden_layers"] = layers
    write_json(path, config)
    begin = time.monotonic()
    with pytest.raises(InputError, match=rf"gliner_config\.json: .*{layers}") as refused:
        GLiNER.from_pretrained(tmp_path / "model")
    assert "\n" not in str(refused.value) and time.monotonic() - begin < 60


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """All comparisons with such scores are false: the model would answer nothing and score 0."""
    GLiNER(tiny_network(make_backbone(tmp_path / "backbone"))).save_pretrained(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    weights = load_file(path)
    name = next(name for name, value in weights.items() if value.is_floating_point())
    weights[name].view(-1)[0] = float("nan")
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(InputError, match=rf"model: weights that are not finite \(first: .*{name.rsplit('.')[-1]}\)"):
        GLiNER.from_pretrained(tmp_path / "model")


@pytest.mark.parametrize("content", ["[]", "{}", "null"])
def test_a_waiting_record_or_marker_of_another_kind_is_named(content: str, tmp_path: Path) -> None:
    record, marker = tmp_path / "1.run.json", tmp_path / "demo" / "store.json"
    record.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"1\.run\.json: no record of a run; delete it"):
        Spool(folder=tmp_path).read(record)
    marker.parent.mkdir()
    marker.write_text(content, encoding="utf-8")
    space = cast(Workspace, SimpleNamespace(tracking_folder=tmp_path, settings=SimpleNamespace(scale="demo")))
    if content == "{}":
        assert store_generation(space) == 0
    else:
        with pytest.raises(InputError, match=r"store\.json: not a store marker; delete it"):
            store_generation(space)


def test_a_cut_history_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text('{"step": 1}\n{"step":', encoding="utf-8")
    with pytest.raises(InputError, match=r"history\.jsonl:2: not valid JSON .*; delete the folder"):
        _history(tmp_path)
