"""The workflow on four devices that exist by name only: a device for each job, two for a training that asks for two."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "workflow"))

from checkout import Checkout, copy_repository
from tiny_demo import shrink

from benchmarks.catalog.devices import STAND_INS
from benchmarks.pipeline.leases import FOLDER
from gliner_core.files import file_digest, read_json

HELD = re.compile(r"device (\w+) is held by pid (\d+) for train (\S+)")
HOME = "results/demo"


class OnFour(Checkout):
    """A copy of the repository whose jobs share out four stand-ins, four at a time, with no other flag."""

    def environment(self) -> dict[str, str]:
        names = {STAND_INS: "fake0,fake1,fake2,fake3", FOLDER: str(self.site / "leases")}
        return super().environment() | names

    def snakemake_arguments(self, *targets: str, **config: object) -> list[str]:
        return ["4" if word == "1" else word for word in super().snakemake_arguments(*targets, **config)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> OnFour:
    folder = tmp_path_factory.mktemp("devices")
    copy = copy_repository(folder / "copy", folder / "site")
    four = OnFour(folder=copy.folder, site=copy.site)
    four.configure(device="auto", offline=True)
    shrink(four)
    four.change("benchmarks/studies/span_width.yaml", axes={"model.max_width": {"demo": [2, 4, 6, 8]}}, analyses=[])
    four.configure(studies=["span_width"])
    return four


def _held(checkout: Checkout, run: str) -> list[str]:
    log = checkout.path(f"{HOME}/logs/train/{run}.log").read_text(encoding="utf-8")
    return sorted(device for device, _, _ in HELD.findall(log))


@pytest.mark.slow
def test_every_training_holds_devices_of_its_own_and_says_which(checkout: OnFour) -> None:
    plan = checkout.plan()
    runs = sorted(plan["train"])
    targets = [f"{HOME}/runs/{run}/receipt.json" for run in runs]
    checkout.make(*targets)
    assert len(runs) == 4
    for run in runs:
        (device,) = _held(checkout, run)
        receipt = read_json(checkout.path(f"{HOME}/runs/{run}/receipt.json"))
        assert receipt["devices"] == [device] and receipt["hardware"].startswith("CPU")
    assert len({device for run in runs for device in _held(checkout, run)}) > 1

    alone = checkout.path(f"{HOME}/runs/{runs[0]}")
    losses = [json.loads(line)["loss"] for line in (alone / "history.jsonl").read_text().splitlines()]
    digest = file_digest(alone / "spec.json")
    os.unlink(alone / "receipt.json")
    checkout.make(targets[0], gpus_per_run=2)  # the same run: its id and its spec do not say by how many
    assert len(_held(checkout, runs[0])) == 2
    receipt = read_json(alone / "receipt.json")
    assert (receipt["devices"], receipt["processes"]) == (_held(checkout, runs[0]), 2)
    assert file_digest(alone / "spec.json") == digest
    together = [json.loads(line)["loss"] for line in (alone / "history.jsonl").read_text().splitlines()]
    assert together[0] == pytest.approx(losses[0], rel=0.05) and together != losses  # other draws of dropout
    assert [path for path in (checkout.site / "leases").glob("fake*") if path.read_text()] == []
