"""Exact-resume state of a training: model, optimiser, step and history, written whole or not at all.

Random numbers need no saving: every step derives its generators from the seed and the step number (`seeding.py`).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gliner_core.errors import InputError
from gliner_core.files import atomic_replace


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainState:
    """Where a training stands after `step` steps."""

    step: int
    identity: str  # spec, data and code; a state of another training is never continued
    model: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    history: list[dict[str, float]]
    counts: dict[str, int]
    splits: int  # parts that were halved for lack of memory
    seconds: float


def save_state(path: Path, state: TrainState) -> None:
    """Writes the state atomically."""
    payload = {name: getattr(state, name) for name in TrainState.__slots__}
    atomic_replace(path, lambda temporary: torch.save(payload, temporary))


def identity_of(spec: str, data: str, start: str, code: str) -> str:
    """What must be equal for a continued training to equal an uninterrupted one: the spec, and the digests of the data,
    of the weights that it started from and of the code."""
    return hashlib.sha256("\0".join((spec, data, start, code)).encode()).hexdigest()


def load_state(path: Path, identity: str) -> TrainState:
    """Reads a state with `weights_only`; refuses one of another training, or an unreadable one, by name."""
    try:
        state = TrainState(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many kinds for a damaged file; each means the same to the user
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{path}: unreadable checkpoint ({reason}); delete it and train again") from None
    if state.identity != identity:
        raise InputError(f"{path}: checkpoint of another spec, data, start or code; delete it or give another --out")
    return state
