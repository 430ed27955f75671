"""What every test may ask for; the environment is set before torch or the hub client is imported."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if shutil.which("nvidia-smi") is None:
    os.environ.setdefault("TRITON_INTERPRET", "1")  # no GPU: kernels run as numpy code; read when triton is imported


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


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives all of tests/workflow to one worker: its tests share one finished run of the workflow.

    The mark `xdist_group` of pytest-xdist 3.8.0 has no effect under pytest 9.2, which ignores the node ids it writes.
    """
    from xdist.scheduler import LoadScopeScheduling

    class OneWorkerForTheWorkflow(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "workflow" if nodeid.startswith("tests/workflow/test_") else nodeid

    return OneWorkerForTheWorkflow(config, log)
