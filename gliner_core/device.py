"""The device that a name means, or one sentence when this machine does not have it."""

import torch

from gliner_core.errors import InputError


def choose_device(name: str | None = None) -> torch.device:
    """The named device (`cpu`, `cuda`, `cuda:1`); without a name a GPU if there is one.

    A GPU by number becomes torch's current one, because accelerate takes the current GPU.
    """
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise InputError(f"device {name!r} is unknown; write cpu, cuda or cuda:1") from None
    if device.type == "cuda":
        if (device.index or 0) >= torch.cuda.device_count():
            raise InputError(f"device {name!r} is not there (GPUs found: {torch.cuda.device_count()}); write cpu")
        if device.index is not None:
            torch.cuda.set_device(device)
    return device
