"""What every test may ask for; the environment is set before torch or the hub client is imported."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny random encoder."""
    import torch
    from tiny_model import make_backbone

    torch.set_num_threads(1)  # tiny tensors: a second thread only waits
    return make_backbone(tmp_path_factory.mktemp("backbone"))
