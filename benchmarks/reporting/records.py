"""What is logged of one run or system, complete in itself: it can wait in a file and be logged later."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """One run or system as MLflow is told of it; `artifacts` are small text files by name."""

    key: str
    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    history: Sequence[Mapping[str, float]]
    tags: Mapping[str, str]
    artifacts: Mapping[str, str]
    started: str
    ended: str
    description: str

    def to_json(self) -> dict[str, Any]:
        """Plain data, from which `TrackedRun(**data)` makes the same record again."""
        return asdict(self)

    def digest(self) -> str:
        """16 hex digits over everything; two records of equal digest are logged as one run."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
