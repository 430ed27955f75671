"""Which trainer a run gets, and what a run says that asks for a trainer it cannot have."""

import hashlib
import json
import subprocess
import sys
import typing
from importlib import import_module, metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_model import tiny_spec, toy_examples

from benchmarks.catalog.code import import_closure
from benchmarks.catalog.trainers import TRAINERS
from benchmarks.peers import package_training
from benchmarks.pipeline.training import train_run
from gliner_core.errors import InputError
from gliner_core.examples import write_jsonl
from gliner_core.files import file_digest
from gliner_core.spec import OptimSpec, TrainSpec

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "gliner-0.2.29"


def _spec(backbone: Path, **overrides: Any) -> TrainSpec:
    return tiny_spec(backbone, **{"optim_trainer": PACKAGE, "objective_positive_weight": 1.0} | overrides)


def test_every_trainer_of_the_spec_has_a_module() -> None:
    assert set(TRAINERS) == set(typing.get_args(typing.get_type_hints(OptimSpec)["trainer"]))
    assert all(callable(import_module(module).train) for module in TRAINERS.values())


def test_the_peer_refuses_to_start_from_another_run(backbone: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", toy_examples())
    with pytest.raises(
        InputError, match=r"`start` is 'parent', but the trainer gliner-0\.2\.29 begins with the backbone"
    ):
        package_training.train(_spec(backbone, start="parent"), tmp_path / "train.jsonl", tmp_path, start=tmp_path)


def test_a_run_gets_the_model_of_the_run_that_it_starts_from(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, str]] = []
    ours = import_module(TRAINERS["gliner_core"])
    monkeypatch.setattr(
        ours,
        "train",
        lambda *given, **place: asked.append((place["start"], place["scratch"].name)) or _trained(given[2]),
    )
    _mixture(tmp_path)
    model = tmp_path / "parent" / "model"
    model.mkdir(parents=True)
    run = SimpleNamespace(spec=tiny_spec(backbone, start="parent"))
    space: Any = SimpleNamespace(
        run=lambda name: tmp_path / name,
        grid=SimpleNamespace(runs={"child-000000": run}),
        device="cpu",
        leased=(),
        settings=SimpleNamespace(scale="demo"),
        root=ROOT,
    )
    for weights in (b"one", b"two"):
        (model / "model.safetensors").write_bytes(weights)
        (tmp_path / "parent" / "receipt.json").write_text(json.dumps({"weights": hashlib.sha256(weights).hexdigest()}))
        train_run(space, "child-000000", tmp_path, tmp_path / "scratch", "code")
    assert [start for start, _ in asked] == [model, model]
    assert len({place for _, place in asked}) == 2  # a state of other weights is never found
    receipt = json.loads((tmp_path / "child-000000" / "receipt.json").read_text())
    assert receipt["start_weights"] == hashlib.sha256(b"two").hexdigest()


def test_the_peer_module_loads_without_the_package() -> None:
    code = "import sys; sys.modules['gliner'] = None; import benchmarks.peers.package_training"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_an_edit_of_the_peer_trains_only_its_own_runs_again() -> None:
    peers = {path for path in import_closure(ROOT, TRAINERS[PACKAGE]) if path.parent.name == "peers"}
    assert {path.name for path in peers} == {"package_training.py", "plan.py", "recording.py"}
    ours, theirs = import_closure(ROOT, TRAINERS["gliner_core"]), import_closure(ROOT, TRAINERS[PACKAGE])
    assert not ours & peers and {path.name for path in ours - theirs} == {
        "train.py",
        "prefetch.py",
        "stopping.py",
        "orphans.py",
    }


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_run_is_trained_by_the_trainer_of_its_spec(
    trainer: str, backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def trained(name: str) -> Any:
        return lambda *given, **_: asked.append(name) or _trained(given[2], f"by {name}")

    for name, module in TRAINERS.items():
        monkeypatch.setattr(import_module(module), "train", trained(name))
    _mixture(tmp_path)
    run = SimpleNamespace(spec=_spec(backbone, optim_trainer=trainer))
    space: Any = SimpleNamespace(
        run=lambda name: tmp_path / name,
        grid=SimpleNamespace(runs={"r-0": run}),
        settings=SimpleNamespace(scale="demo"),
        device="cpu",
        leased=(),
        root=tmp_path,
    )
    train_run(space, "r-0", tmp_path, tmp_path / "scratch", "code")
    assert asked == [trainer]
    assert json.loads((tmp_path / "r-0" / "receipt.json").read_text())["hardware"] == f"by {trainer}"


def _mixture(folder: Path) -> None:
    """A mixture with the digest of its data."""
    write_jsonl(folder / "train.jsonl", toy_examples())
    (folder / "card.json").write_text(json.dumps({"train": {"sha256": file_digest(folder / "train.jsonl")}}))


def _trained(folder: Path, hardware: str = "x") -> dict[str, Any]:
    """What a trainer leaves and returns."""
    (folder / "model").mkdir(parents=True, exist_ok=True)
    (folder / "model" / "model.safetensors").write_bytes(b"weights")
    return {"hardware": hardware, "processes": 1}


def _refusal(spec: TrainSpec, folder: Path) -> str:
    write_jsonl(folder / "data.jsonl", toy_examples())
    with pytest.raises(InputError) as caught:
        package_training.train(spec, folder / "data.jsonl", folder / "out", device="cpu")
    assert not (folder / "out").exists()
    return str(caught.value)


def test_a_missing_package_is_one_sentence(backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(package_training.metadata, "version", missing)
    said = _refusal(_spec(backbone), tmp_path)
    assert said == (
        "`optim.trainer` is 'gliner-0.2.29' but the package gliner is not installed; install the extra `peers` "
        "(pip install 'gliner-bench[peers]')"
    )


@pytest.mark.parametrize(
    ("version", "overrides", "words"),
    [
        ("0.2.27", {}, "gliner 0.2.27 is installed; install the extra `peers`"),
        (package_training.VERSION, {"objective_positive_weight": 8.0}, "`objective.positive_weight` 8"),
        (
            package_training.VERSION,
            {"objective_name": "focal", "objective_probability_floor": 1e-3},
            "`objective.probability_floor` 0.001; use",
        ),
        (package_training.VERSION, {"model_score_bias": 0.0}, "`model.score_bias`"),
        (package_training.VERSION, {"model_span_mode": "paper_ffn"}, "`model.span_mode` 'paper_ffn'"),
        (package_training.VERSION, {"model_span_mode": "mean_pool"}, "take a span mode of marker_v0, marker, conv_"),
    ],
)
def test_what_the_package_cannot_do_is_refused(
    version: str, overrides: dict[str, Any], words: str, backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_training.metadata, "version", lambda name: version)
    assert words in _refusal(_spec(backbone, **overrides), tmp_path)
