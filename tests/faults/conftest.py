"""Shared by the tests of faults: the whole training that hurt ones are held against."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, backbone: Path) -> Path:
    """A folder with spec, data and the uninterrupted training `whole`."""
    import trainings

    folder = tmp_path_factory.mktemp("trained")
    trainings.prepare(folder, backbone)
    done = trainings.run(folder, "whole")
    assert done.returncode == 0, done.stderr
    return folder
