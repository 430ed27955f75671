"""Seeds derived from (root seed, purpose, ...), so that each use of chance is independent and replayable.

Every step of a training derives its own seeds from the step number, so an interrupted run that restarts at step n
draws exactly what the uninterrupted one would have drawn.
"""

import hashlib
import os
import random


def derive_seed(root: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose; stable over machines and Python versions."""
    text = "/".join(str(part) for part in (root, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(root: int, *purpose: str | int) -> random.Random:
    """A Python generator for one purpose."""
    return random.Random(derive_seed(root, *purpose))


def seed_torch(root: int, *purpose: str | int) -> None:
    """Seeds torch's global generators (initialisation and dropout draw from them)."""
    import torch

    torch.manual_seed(derive_seed(root, *purpose))


def make_deterministic() -> None:
    """Asks torch for deterministic kernels where it has them."""
    import torch

    # cuBLAS adds up in a fixed order only with a workspace of fixed size; read when the first product is computed.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # The mode above also fills every new tensor with NaN, 5-8 % of a training step; nothing here reads unset memory.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
