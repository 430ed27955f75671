"""A training that starts from the weights of another: the same network, a fresh optimiser, and what is refused."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import bert_config, make_backbone, tiny_spec, toy_examples

from gliner_core import train as train_module
from gliner_core.errors import InputError
from gliner_core.examples import write_jsonl
from gliner_core.files import file_digest, write_json
from gliner_core.starting import start_network
from gliner_core.train import main, train

FILE = "model.safetensors"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "train.jsonl"
    write_jsonl(path, toy_examples())
    return path


@pytest.fixture(scope="module")
def parent(backbone: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of a short training."""
    folder = tmp_path_factory.mktemp("parent")
    train(tiny_spec(backbone, optim_steps=6), data, folder)
    return folder / "model"


def test_without_steps_the_child_is_its_parent_bit_for_bit(
    backbone: Path, data: Path, parent: Path, tmp_path: Path
) -> None:
    train(tiny_spec(backbone, start="parent", optim_steps=0, seed=9), data, tmp_path, start=parent)
    ours, theirs = load_file(tmp_path / "model" / FILE), load_file(parent / FILE)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_the_knobs_that_make_no_weights_are_the_childs(backbone: Path, parent: Path) -> None:
    spec = tiny_spec(backbone, start="parent", model_max_width=2, model_dropout=0.3).model
    network = start_network(spec, parent)
    assert network.spec == spec
    assert {module.p for module in network.type_head.modules() if hasattr(module, "p")} == {0.3}


def test_optimiser_schedule_and_order_begin_anew(backbone: Path, data: Path, parent: Path, tmp_path: Path) -> None:
    child = tiny_spec(backbone, start="parent", optim_steps=5, optim_warmup_ratio=0.4)
    train(child, data, tmp_path / "child", start=parent)
    train(tiny_spec(backbone, optim_steps=5, optim_warmup_ratio=0.4), data, tmp_path / "fresh")
    rows = [
        [json.loads(line) for line in (tmp_path / name / "history.jsonl").read_text().splitlines()]
        for name in ("child", "fresh")
    ]
    for mine, fresh in zip(*rows, strict=True):
        same = ("step", "lr_encoder", "lr_others", "positives", "types")
        assert {key: mine[key] for key in same} == {key: fresh[key] for key in same}
    assert rows[0][0]["loss"] < 0.8 * rows[1][0]["loss"]  # it begins where the parent ended


def test_a_resumed_child_is_the_uninterrupted_one(
    backbone: Path, data: Path, parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(backbone, start="parent", optim_steps=5)
    train(spec, data, tmp_path / "whole", start=parent)
    _interrupt(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        train(spec, data, tmp_path / "cut", start=parent)
    monkeypatch.undo()
    other = tmp_path / "other"
    shutil.copytree(parent, other)
    save_file({key: value + 1 for key, value in load_file(parent / FILE).items()}, other / FILE)
    with pytest.raises(InputError, match="checkpoint of another spec, data, start or code"):
        train(spec, data, tmp_path / "cut", start=other, resume=True)
    train(spec, data, tmp_path / "cut", start=parent, resume=True)
    assert file_digest(tmp_path / "cut" / "model" / FILE) == file_digest(tmp_path / "whole" / "model" / FILE)


def _interrupt(monkeypatch: pytest.MonkeyPatch, stop: int) -> None:
    step = train_module.Trainer.train_step

    def until(trainer: Any, *batch: Any) -> dict[str, float]:
        if trainer.step == stop:
            raise KeyboardInterrupt
        return step(trainer, *batch)

    monkeypatch.setattr(train_module, "SAVE_EVERY_SECONDS", -math.inf)
    monkeypatch.setattr(train_module.Trainer, "train_step", until)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_hidden_size": 16}, "`model.hidden_size` is 32 there and 16 in the spec"),
        ({"model_span_mode": "marker"}, "`model.span_mode` is 'marker_v0' there and 'marker' in the spec"),
        ({"model_rnn": False}, "`model.rnn` is True there and False"),
        ({"model_embed_ent_token": False}, "`model.embed_ent_token` is True there and False"),
        ({"model_score_bias": -1.0}, "`model.score_bias` is None there and -1.0"),
    ],
)
def test_another_architecture_is_refused_by_its_key(
    backbone: Path, parent: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        start_network(tiny_spec(backbone, start="parent", **changes).model, parent)
    message = str(caught.value)
    assert words in message and message.startswith(f"{parent}: ") and "\n" not in message


def test_another_backbone_is_refused(parent: Path, tmp_path: Path) -> None:
    def deeper(vocab_size: int) -> Any:
        return type(bert_config(0))(**bert_config(vocab_size).to_dict() | {"num_hidden_layers": 3})

    folder = make_backbone(tmp_path / "deeper", deeper)
    with pytest.raises(InputError, match=r"not those of backbone 'tiny' \(first: `encoder\.encoder\.layer\.2"):
        start_network(tiny_spec(folder, start="parent").model, parent)
    words = folder / "vocab.txt"
    for name in (words, folder / "tokenizer.json"):
        name.write_text(name.read_text(encoding="utf-8").replace("paris", "lyon"), encoding="utf-8")
    with pytest.raises(InputError, match="its vocabulary is not that of backbone 'tiny'"):
        start_network(tiny_spec(folder, start="parent").model, parent)


def test_spec_and_folder_must_agree(
    backbone: Path, data: Path, parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(tmp_path / "plain.json", tiny_spec(backbone, optim_steps=1).to_json())
    write_json(tmp_path / "child.json", tiny_spec(backbone, optim_steps=1, start="parent").to_json())
    given = {
        ("plain", str(parent)): "`start` of the spec is null",
        ("child", ""): "the spec starts from run 'parent'; give the folder of its model (--start)",
        ("child", str(tmp_path)): "holds no model.safetensors to start from",
        ("child", str(parent)): "",
    }
    for (name, start), words in given.items():
        arguments = [str(tmp_path / f"{name}.json"), "--data", str(data), "--out", str(tmp_path / "out")]
        code = main([*arguments, "--device", "cpu", *(["--start", start] if start else [])])
        error = capsys.readouterr().err
        assert (code, error.count("error:")) == ((2, 1) if words else (0, 0)) and words in error
