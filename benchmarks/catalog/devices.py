"""Which device the workflow plans for and which ones its jobs share out.

Found without importing torch: that would cost seconds at every start.
"""

import os
from pathlib import Path

STAND_INS = "GLINER_BENCH_DEVICES"


def stand_ins() -> tuple[str, ...]:
    """Names in $GLINER_BENCH_DEVICES: devices in name only that compute on the CPU, to try out how jobs share them."""
    return _listed(os.environ.get(STAND_INS, ""))


def visible_gpus() -> tuple[str, ...]:
    """NVIDIA GPUs this process may use, as CUDA_VISIBLE_DEVICES names them (a number, or GPU-... or MIG-...)."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(name for name in _listed(visible) if name != "-1")
    numbers = [path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")]
    return tuple(sorted((number for number in numbers if number.isdigit()), key=int))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def choose_device(setting: str) -> str:
    """`cpu` or `cuda` from the setting auto, cpu or cuda."""
    if setting == "auto":
        return "cuda" if visible_gpus() and not stand_ins() else "cpu"
    return setting


def shared_devices(device: str) -> tuple[str, ...]:
    """What jobs of a plan for `cpu` or `cuda` share out, one job to a device; nothing on a plain CPU."""
    return visible_gpus() if device == "cuda" else stand_ins()
