"""One input of the fuzzer, and its file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """The bytes of one file, and for readers the options of the card that names it."""

    data: bytes
    options: Mapping[str, Any] = field(default_factory=dict)


def write(item: Input, folder: Path, name: str) -> Path:
    """Puts the bytes into a file of the folder."""
    path = folder / name
    path.write_bytes(item.data)
    return path
