"""Made-up rows of cost analyses, and a small study with real tiny models whose cost can be measured."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from tiny_model import LABELS, tiny_network, tiny_spec, toy_examples

from benchmarks.analyses.cost_names import CONDITIONS, DIFFERENCE, FRONT, INFERENCE, QUALITY, TRAINING
from benchmarks.analyses.cost_rows import COLUMNS
from benchmarks.catalog.cards import DatasetCard, ProtocolCard
from benchmarks.catalog.decoding import Decoding
from benchmarks.catalog.grid import Row
from benchmarks.catalog.runs import Run
from benchmarks.reporting.cells import COLUMNS as CELL_COLUMNS
from benchmarks.reporting.paired import COLUMNS as DIFFERENCE_COLUMNS
from benchmarks.scoring.judging import LOWER, NOT_SHOWN, ONE_SEED
from gliner_core.examples import write_jsonl
from gliner_core.saving import save_network

LATENCIES = ("latency_p50_ms", "latency_p95_ms")


def cost_rows(
    points: Mapping[str, tuple[int, float, float, str]],
    *,
    backbones: Mapping[str, str] | None = None,
    training: bool = True,
    seeds: int = 1,
    front: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Rows of points name -> (K, F1, speed ratio, verdict); `front` names who outdoes a point, as `pareto` does."""
    rows: list[dict[str, Any]] = []
    for name, (width, f1, ratio, verdict) in points.items():
        place = {
            "variant": name, "label": name, "backbone": (backbones or {}).get(name, "tiny"), "max_width": width,
            "is_baseline": name == "baseline",
        }  # fmt: skip
        spread = {"low": f1 - 2, "high": f1 + 2, "num_seeds": seeds}
        spread |= {"seed_low": f1 - 3, "seed_high": f1 + 3} if seeds > 1 else {}
        quality = place | {"work": QUALITY}
        rows.append(quality | spread | {"measure": "f1_pct", "value": f1})
        rows.append(quality | {"measure": "reachable_recall_pct", "value": 90.0 + width / 2, "num_seeds": seeds})
        if name != "baseline":
            told = {"measure": DIFFERENCE, "value": f1 - 40, "low": f1 - 41, "high": f1 - 39, "visible_points": 1.5}
            rows.append(quality | told | {"num_seeds": seeds, "verdict": verdict, "detail": f"{name} is {verdict}"})
        if front is not None:
            rows.append(quality | {"measure": FRONT, "value": float(name not in front), "detail": front.get(name, "")})
        for work in (INFERENCE, TRAINING) if training else (INFERENCE,):
            taken = {"ratio": ratio, "ratio_low": 0.97 * ratio, "ratio_high": 1.04 * ratio, "count": 6}
            timed = place | {"work": work} | taken
            rows.append(timed | {"measure": "words_per_second", "value": 1000 * ratio})
            for measure in LATENCIES if work == INFERENCE else ():
                rows.append(timed | {"measure": measure, "value": 20 / ratio, "ratio": 1 / ratio})
            held = {"ratio": width / 12, "ratio_low": width / 12 - 0.01, "ratio_high": width / 12 + 0.01, "count": 5}
            size = 2.5e6 * width
            held |= {"work": work, "measure": "bytes_peak", "value": size, "low": size - 2e6, "high": size + 2e6}
            rows.append(place | held)
    rows.append({"work": CONDITIONS, "measure": "device", "detail": "cpu"})
    return pd.DataFrame(rows, columns=list(COLUMNS))


class TinyStudy:
    """A study over one backbone as a workspace shows it: K = 2 and 4 in training or at inference, saved models."""

    def __init__(self, folder: Path, backbone: Path, axis: str) -> None:
        self.home, self.device, self.scale = folder, "cpu", SimpleNamespace(synthetic=True)
        self.asked = {"narrow": Decoding(max_width=2 if axis == "inference" else None), "baseline": Decoding()}
        widths = {"narrow": 2 if axis == "training" else 4, "baseline": 4}
        owners = {name: f"run-k{width}" for name, width in widths.items()}
        specs = {owners[name]: tiny_spec(backbone, model_max_width=width) for name, width in widths.items()}
        for owner, spec in specs.items():
            network = tiny_network(backbone, model_max_width=spec.model.max_width)
            save_network(network, self.run(owner) / "model")
        self.rows = [
            Row(study="toy", variant=name, label=name, owner=owners[name], seed=1, suite="s", protocol="p",
                decoding=self.asked[name].slug)
            for name in widths
        ]  # fmt: skip
        card = SimpleNamespace(baseline_variant=None, name="toy", protocols=(), systems=(), axes={}, decoding_axes={})
        source = {"test": [{"path": "x", "hub": "x", "revision": "x"}]}
        common = {"domain": "d", "licence": "l", "reader": "jsonl", "sources": source, "labels": LABELS}
        datasets = {name: DatasetCard(name=name, title=name, **common) for name in ("one", "two")}
        self.registry = SimpleNamespace(
            studies={"toy": card},
            datasets=datasets,
            protocols={"p": ProtocolCard(name="p", title="p", ask_else=True, score_else=True)},
            suite_datasets=lambda suite: ["one", "two"],
            backbones={"tiny": SimpleNamespace(title="Tiny")},
        )
        self.grid = SimpleNamespace(
            study_rows=lambda study: self.rows,
            runs={owner: Run(id=owner, spec=spec) for owner, spec in specs.items()},
            decodings={decoding.slug: decoding for decoding in self.asked.values()},
        )
        for name in ("one", "two"):
            write_jsonl(self.test_file(name, "s"), toy_examples(30))
        write_jsonl(self.mixture("toy") / "train.jsonl", toy_examples(24))
        self._write_results()

    def run(self, owner: str) -> Path:
        return self.home / "runs" / owner

    def study(self, name: str) -> Path:
        return self.home / "studies" / name

    def mixture(self, name: str) -> Path:
        return self.home / "mixtures" / name

    def test_file(self, dataset: str, suite: str) -> Path:
        return self.home / "data" / dataset / "test.jsonl"

    def _write_results(self) -> None:
        cells = [
            dict.fromkeys(CELL_COLUMNS, "")
            | {"scale": "demo", "study": "toy", "variant": row.variant, "label": row.label, "run": row.owner, "seed": 1}
            | {"suite": "s", "dataset": "average", "protocol": "p", "decoding": row.decoding, "metric": metric}
            | {"value": value, "low": value - 1, "high": value + 1, "num_sentences": 60}
            for row in self.rows
            for metric, value in (("f1_pct", 40.0), ("reachable_recall_pct", 95.0))
        ]
        line = dict.fromkeys(DIFFERENCE_COLUMNS, "") | {
            "study": "toy", "variant": "narrow", "label": "narrow", "baseline_variant": "baseline", "suite": "s",
            "protocol": "p", "decoding": self.rows[0].decoding, "dataset": "average", "num_seeds": 1,
            "difference_points": 0.0, "low": -1.0, "high": 1.0, "visible_points": 1.4, "num_compared": 1,
            "p_value": 0.9, "p_adjusted": 0.9, "verdict": NOT_SHOWN, "reach": ONE_SEED,
        }  # fmt: skip
        folder = self.study("toy")
        folder.mkdir(parents=True)
        pd.DataFrame(cells, columns=list(CELL_COLUMNS)).to_csv(folder / "cells.csv", index=False)
        pd.DataFrame([line], columns=list(DIFFERENCE_COLUMNS)).to_csv(folder / "differences.csv", index=False)


K_POINTS = {
    "narrow": (4, 36.0, 1.4, LOWER),
    "half": (6, 39.5, 1.2, NOT_SHOWN),
    "near": (8, 39.9, 1.01, NOT_SHOWN),
    "baseline": (12, 40.0, 1.0, ""),
    "wide": (16, 40.1, 0.9, NOT_SHOWN),
}
