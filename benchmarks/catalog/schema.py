"""The JSON schema of `workflow/config.yaml`, made from `Settings`; `python -m benchmarks.catalog.schema` writes it.

Editors complete and check the file with it. The workflow itself validates with `Settings`, which also knows the cards.
"""

from pathlib import Path
from typing import Any

from benchmarks.catalog.settings import Settings
from gliner_core.files import write_json

PATH = Path(__file__).resolve().parents[2] / "workflow" / "schemas" / "config.schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> dict[str, Any]:
    """The schema as plain data."""
    return {"$schema": DRAFT} | Settings.model_json_schema() | {"title": "workflow/config.yaml"}


if __name__ == "__main__":
    write_json(PATH, config_schema())
    print(PATH)
