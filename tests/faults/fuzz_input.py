"""One input of the fuzzer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """The bytes of one file, and for readers the options of the card that names it."""

    data: bytes
    options: Mapping[str, Any] = field(default_factory=dict)
