"""A wording card and its public file, if it has one, to one JSON file: label -> what is asked instead."""

import json
from pathlib import Path
from typing import Any

from benchmarks.catalog.wording import WordingCard
from gliner_core.errors import InputError
from gliner_core.files import read_json, write_json


def prepare_wording(card: WordingCard, raw: Path | None, out: Path) -> None:
    """Writes `out`; `raw` is the fetched file of a card with a `source`."""
    write_json(out, dict(card.texts) if raw is None else _slimer_definitions(card, raw))


def _slimer_definitions(card: WordingCard, raw: Path) -> dict[str, str]:
    """SLIMER's file: type -> record whose `gpt_answer` is again JSON text, with `Definition` and `Guidelines`."""
    records = read_json(raw)
    try:
        return {label: " ".join(_definition(record).split()) for label, record in records.items()}
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(
            f"benchmarks/wordings/{card.name}.yaml: {raw} is no file of definitions ({error!r}); correct `source` or "
            "`reader`"
        ) from None


def _definition(record: dict[str, Any]) -> str:
    return json.loads(record["gpt_answer"])["Definition"]
