"""Copies of the repository: untouched, editable, and one in which a tiny workflow has run to its end."""

import os
import shutil
from pathlib import Path

import pytest
from checkout import Checkout, commit, copy_repository
from tiny_demo import shrink


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
    return pristine.copy(tmp_path / "copy")


@pytest.fixture(scope="session")
def stage(pristine: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The place where the tiny workflow runs, always the same: the tracking store holds absolute paths."""
    return pristine.copy(tmp_path_factory.mktemp("stage") / "copy")


@pytest.fixture(scope="session")
def archive(stage: Checkout) -> Path:
    """Runs the tiny workflow once and keeps everything it left, for `finished`."""
    shrink(stage)
    commit(stage)
    stage.make()
    return Path(shutil.copytree(stage.folder, stage.folder.parent / "archive", copy_function=link_weights))


@pytest.fixture(scope="session")
def baseline(archive: Path) -> str:
    """Id of the run that both studies share."""
    return next(path.name for path in (archive / "results" / "demo" / "runs").iterdir() if path.name[:8] == "baseline")


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
