"""Exact-resume state of a training: model, optimiser, step and history, written whole or not at all.

The state carries a digest of all that is in it: torch reads a file with a flipped bit without a word.

Random numbers need no saving: every step derives its generators from the seed and the step number (`seeding.py`).
"""

import hashlib
import sys
from contextlib import suppress
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
    payload["digest"] = content_digest(payload)
    atomic_replace(path, lambda temporary: _save(payload, temporary))


def _save(payload: dict[str, Any], path: Path) -> None:
    with path.open("wb") as stream:  # given a name instead, torch does not say why it could not write
        torch.save(payload, stream)


def content_digest(value: Any) -> str:
    """sha256 over all numbers, texts and tensors of nested dictionaries and lists, in their order."""
    digest = hashlib.sha256()
    _add(digest, value)
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        digest.update(repr((value.dtype, tuple(value.shape))).encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    elif isinstance(value, dict):
        for key, item in value.items():
            digest.update(f"{key!r}:".encode())
            _add(digest, item)
    elif isinstance(value, list | tuple):
        digest.update(f"{len(value)} items".encode())
        for item in value:
            _add(digest, item)
    else:
        digest.update(f"{value!r};".encode())


def identity_of(spec: str, data: str, start: str, code: str) -> str:
    """What must be equal for a continued training to equal an uninterrupted one: the spec, and the digests of the data,
    of the weights that it started from and of the code."""
    return hashlib.sha256("\0".join((spec, data, start, code)).encode()).hexdigest()


class DamagedState(InputError):
    """A state file that is not what was written."""


def load_state(path: Path, identity: str) -> TrainState:
    """Reads a state with `weights_only`; refuses one of another training by name, a damaged one as `DamagedState`."""
    try:
        payload = torch.load(path, map_location="cpu", weights_only=True)
        digest = payload.pop("digest")
        state = TrainState(**payload)
    except OSError as error:  # says nothing about what the file holds: a good state is not put aside
        raise InputError(f"{path}: checkpoint cannot be read now ({error}); start again") from None
    except Exception as error:  # torch raises many kinds for a damaged file; each means the same to the user
        reason = str(error).strip().split("\n")[0].split(". ")[0]  # torch goes on to advise an unsafe load
        raise DamagedState(f"{path}: unreadable checkpoint ({reason}); delete it and train again") from None
    if digest != content_digest(payload):
        raise DamagedState(f"{path}: checkpoint whose content was changed; delete it and train again")
    if state.identity != identity:
        raise InputError(f"{path}: checkpoint of another spec, data, start or code; delete it or give another --out")
    return state


def find_state(path: Path, identity: str) -> TrainState | None:
    """The state to go on from, if there is one; a damaged file is put aside with a warning and never continued."""
    if not path.is_file():
        return None
    try:
        return load_state(path, identity)
    except DamagedState as error:
        aside = path.with_name(f"{path.name}.damaged")
        with suppress(FileNotFoundError):  # another process of the same training was faster
            path.replace(aside)
        print(f"warning: {error}; it was put aside as {aside}, and the training starts over", file=sys.stderr)
        return None
