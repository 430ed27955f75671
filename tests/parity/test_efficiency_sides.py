"""The efficiency suite on a tiny network against the real published package, and what it does when they differ.

Needs the extra `peers` (gliner 0.2.29).
"""

import argparse
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from benchmarks.__main__ import build_parser
from benchmarks.catalog.cards import BackboneCard
from benchmarks.catalog.measurement import MeasurementCard
from benchmarks.catalog.registry import parse
from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.commands.efficiency import measure_efficiency
from benchmarks.efficiency import package
from gliner_core.errors import InputError

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)
ROOT = Path(__file__).resolve().parents[2]
WORKS = ("training", "inference", "collate", "decode", "parts", "widths")
SMALL = {
    "backbone": "tiny",
    "hidden_size": 32,
    "base": {"batch": 3, "types": 4, "text": "short", "max_width": 6},
    "texts": {"short": (3, 9), "mixed": (2, 15), "long": (90, 90)},
    "min_texts": 4,
    "entities_per_text": 1,
}


def space_of(backbone: Path, results: Path, cases: dict[str, Any]) -> Workspace:
    space = open_workspace(ROOT, {"results": str(results)})
    size = {"rounds": 1, "warmup": 1, "processes": 1, "cases": cases}
    given = space.registry.measurements["efficiency"].model_dump(exclude_none=True)
    card = parse(MeasurementCard, given | SMALL | {"sizes": {"quick": size}, "scales": {"demo": "quick"}}, "card")
    tiny = BackboneCard(name="tiny", title="tiny", kind="folder", folder=str(backbone), parameters=1)
    cards = {"backbones": {"tiny": tiny}, "measurements": {"efficiency": card}}
    return replace(space, registry=replace(space.registry, **cards))


def options(*given: str) -> argparse.Namespace:
    return build_parser().parse_args(["efficiency", "--name", "out", *given])


def rows_of(space: Workspace) -> pd.DataFrame:
    return pd.read_csv(space.results / "efficiency" / "out" / "cases.csv", keep_default_na=False)


def test_every_kind_of_work_is_measured_and_written(
    backbone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = {name: [{}] for name in (*WORKS, "memory_training", "memory_inference")}
    cases["decode"].append({"candidates": "many"})
    space = space_of(backbone, tmp_path, cases)
    assert measure_efficiency(space, options()) == 0
    rows = rows_of(space)
    assert set(rows["status"]) == {"ok"} and set(rows["work"]) == set(cases)
    ratios = rows[(rows["work"] == "training") & (rows["measure"] == "ratio_wall")]
    assert set(ratios["pair"]) == {
        "package/ours",
        "package/encoder",
        "ours/encoder",
        "package_fused/ours",
        "plain_encoder/encoder",
        "ours/plain_encoder",
    }
    assert set(ratios["count"]) == {2}
    shares = rows[(rows["work"] == "parts") & (rows["pair"] == "ours") & rows["measure"].str.startswith("pct_")]
    assert shares["median"].astype(float).min() >= 0 and 90 < shares["median"].astype(float).sum() < 110
    files = {path.name for path in (tmp_path / "efficiency" / "out").iterdir()}
    assert files == {"cases.csv", "targets.csv", "table.md", "figure.svg", "figure.png", "receipt.json"}
    assert "Training step" in capsys.readouterr().out


def test_a_wrong_weight_on_one_side_voids_every_figure(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Wrong(package.Package):
        def __init__(self, *given: Any, **keys: Any) -> None:
            super().__init__(*given, **keys)
            with torch.no_grad():
                list(self.core.prompt_rep_layer.parameters())[-1][0] += 0.1  # one bias of the type map

    monkeypatch.setattr("benchmarks.efficiency.bench.Package", Wrong)
    works = [name for name in WORKS if name != "decode"]  # both decoders get the same scores
    space = space_of(backbone, tmp_path, {name: [{}] for name in works})
    assert measure_efficiency(space, options()) == 1
    rows = rows_of(space)
    assert set(rows["status"]) == {"void"} and set(rows["work"]) == set(works)
    assert rows["reason"].str.contains("logits differ").all() and set(rows["median"]) == {""}
    assert "5 cases are void" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("loss", "the loss is"),
        ("collate", "the token ids differ"),
        ("threshold", "the entities of"),
    ],
)
def test_a_difference_beyond_the_scores_is_seen(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, reason: str
) -> None:
    if fault == "loss":
        monkeypatch.setitem(package.LOSS, "alpha", 0.75)
    elif fault == "collate":
        monkeypatch.setattr("benchmarks.efficiency.ours.Ours.asked", lambda side, load: [load.types[::-1]] * 3)
    else:
        true = package.Package.inference
        monkeypatch.setattr(package.Package, "inference", lambda side, load, batch, _: true(side, load, batch, 0.9999))
    space = space_of(backbone, tmp_path, {"inference" if fault == "threshold" else "training": [{}]})
    assert measure_efficiency(space, options()) == 1
    assert rows_of(space)["reason"].str.contains(reason).all()


def test_texts_that_do_not_fit_the_encoder_are_void(backbone: Path, tmp_path: Path) -> None:
    space = space_of(backbone, tmp_path, {"training": [{"text": "long"}]})
    assert measure_efficiency(space, options()) == 1
    assert rows_of(space)["reason"].str.contains("beyond the encoder's window").all()


def test_a_missing_package_and_wrong_options_are_one_sentence(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = space_of(backbone, tmp_path, {"training": [{}]})
    for given, message in {
        ("--size", "huge"): "--size 'huge' is unknown",
        ("--backbone", "b"): "--backbone 'b' is unknown",
        ("--threads", "0"): "--threads is 0",
        ("--card", "c"): "--card 'c' is unknown",
        ("--dtype", "bf16"): "--dtype bf16 needs a GPU",
    }.items():
        with pytest.raises(InputError, match=message):
            measure_efficiency(space, options(*given))

    def absent(_: str) -> str:
        raise package.metadata.PackageNotFoundError("gliner")

    monkeypatch.setattr(package.metadata, "version", absent)
    with pytest.raises(InputError, match=r"pip install 'gliner-bench\[peers\]'"):
        measure_efficiency(space, options())
