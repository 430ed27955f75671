"""Exact-resume state of a training: model, optimiser, step and history, written whole or not at all.

Random numbers need no saving: every step derives its generators from the seed and the step number (`seeding.py`).
"""

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
    spec: str  # canonical JSON; a checkpoint of another spec is refused
    model: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    history: list[dict[str, float]]
    counts: dict[str, int]
    seconds: float


def save_state(path: Path, state: TrainState) -> None:
    """Writes the state atomically."""
    payload = {name: getattr(state, name) for name in TrainState.__slots__}
    atomic_replace(path, lambda temporary: torch.save(payload, temporary))


def load_state(path: Path, spec: str) -> TrainState:
    """Reads a state with `weights_only`; refuses one of another spec, or an unreadable one, by name."""
    try:
        state = TrainState(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many kinds for a damaged file; each means the same to the user
        raise InputError(f"{path}: unreadable checkpoint ({error}); delete it and train again") from None
    if state.spec != spec:
        raise InputError(f"{path}: checkpoint of another spec; delete it or give another --out")
    return state
