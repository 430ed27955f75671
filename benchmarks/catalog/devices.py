"""Which device the workflow plans for, found without importing torch (that would cost seconds at every start)."""

import os
from pathlib import Path


def count_gpus() -> int:
    """NVIDIA GPUs this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([part for part in visible.split(",") if part.strip() not in ("", "-1")])
    return len([path for path in Path("/dev").glob("nvidia[0-9]*") if path.name[6:].isdigit()])


def choose_device(setting: str) -> str:
    """`cpu` or `cuda` from the setting auto, cpu or cuda."""
    if setting == "auto":
        return "cuda" if count_gpus() else "cpu"
    return setting
