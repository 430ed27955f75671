"""What every test may ask for; the environment is set before torch or the hub client is imported."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny random BERT."""
    import torch
    from tiny_model import make_backbone

    torch.set_num_threads(1)  # tiny tensors: a second thread only waits
    return make_backbone(tmp_path_factory.mktemp("backbone"))


@pytest.fixture(scope="session")
def deberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny random encoder of the paper's kind."""
    from tiny_model import deberta_config, make_backbone

    return make_backbone(tmp_path_factory.mktemp("deberta"), deberta_config)
