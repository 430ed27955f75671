"""Answers that a peer's own decoder left are scored flat, and a plan or command that wants more of them is refused."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from catalog_support import change_card, grid_of, write_card, write_repository

from benchmarks.__main__ import main
from benchmarks.catalog.registry import load_registry
from benchmarks.catalog.selection import check_systems
from benchmarks.peers.answering import ALL_CANDIDATES, DECODED_BY_PEER
from benchmarks.scoring import answer
from gliner_core.errors import InputError

OVERLAPS = ["flat", "nested", "multi_label", "flat_multi_label"]
REFUSAL = r"studies/main\.yaml: the system 'peer' may be decoded by its own package"


def plan(root: Path, overlap: str, **system: Any) -> None:
    """A study with one peer under one protocol, planned and checked."""
    write_repository(root)
    write_card(root, "benchmarks/systems/peer.yaml", {"name": "peer", "title": "Peer", **system})
    change_card(root, "benchmarks/protocols/plain.yaml", overlap=overlap)
    change_card(root, "benchmarks/studies/main.yaml", systems=["chance", "peer"])
    registry = load_registry(root)
    check_systems(registry, grid_of(registry))


@pytest.mark.parametrize("overlap", OVERLAPS[1:])
def test_a_plan_refuses_overlap_where_the_package_may_decode(overlap: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=REFUSAL):
        plan(tmp_path, overlap, kind="gliner_package", hub="a/b", revision="r")


@pytest.mark.parametrize("kind", ["gliner_package", "gliner2", "checkpoint"])
def test_a_plan_lets_flat_decoding_and_other_kinds_pass(kind: str, tmp_path: Path) -> None:
    overlap = "flat" if kind == "gliner_package" else "nested"
    plan(tmp_path, overlap, kind=kind, hub="a/b", revision="r")


def test_a_folder_says_whether_its_model_scores_spans(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    system = {"kind": "gliner_package", "folder": str(tmp_path / "model")}
    config = tmp_path / "model" / "gliner_config.json"
    config.write_text(json.dumps({"span_mode": "markerV0"}))
    plan(tmp_path, "nested", **system)
    for unsure in ({"span_mode": "token_level"}, {}):
        config.write_text(json.dumps(unsure))
        with pytest.raises(InputError, match=REFUSAL):
            plan(tmp_path, "nested", **system)


class Asked(Exception):
    """The model was asked."""


def ask(monkeypatch: pytest.MonkeyPatch, folder: Path, selection: str, protocol: str) -> int:
    """`evaluate` with a peer that hands over this selection."""

    def candidates(*_: Any, **__: Any) -> None:
        raise Asked

    module = ModuleType("stub_adapter")
    module.open_peer = lambda *given: SimpleNamespace(selection=selection, max_width=4, candidates=candidates)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "stub_adapter", module)
    monkeypatch.setitem(answer.ADAPTERS, "gliner_package", "stub_adapter")
    options = ["--model", "a/b", "--adapter", "gliner_package", "--suite", "demo_ood", "--protocol", protocol]
    return main(["evaluate", *options, "--out", str(folder)])


def test_evaluate_refuses_before_it_asks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(monkeypatch, tmp_path, DECODED_BY_PEER, "gliner-nested") == 2
    assert "the package of a/b decodes its answers itself, without overlap" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [(DECODED_BY_PEER, "gliner-official"), (ALL_CANDIDATES, "gliner-nested")])
def test_evaluate_asks_where_the_answers_suffice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: tuple[str, str]
) -> None:
    with pytest.raises(Asked):
        ask(monkeypatch, tmp_path, *given)
