"""The stored JSON schema of the configuration is what `Settings` says; it accepts the shipped file, refuses faults."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from benchmarks.catalog.registry import read_yaml
from benchmarks.catalog.schema import PATH, config_schema
from benchmarks.catalog.settings import Settings
from gliner_core.files import read_json

CONFIG = Path(__file__).resolve().parents[2] / "workflow" / "config.yaml"


def faults(changes: dict[str, Any]) -> list[str]:
    """Paths of what the stored schema refuses in the shipped configuration with some changes."""
    validator = Draft202012Validator(read_json(PATH))
    return [error.json_path for error in validator.iter_errors(read_yaml(CONFIG) | changes)]


def test_the_stored_schema_is_the_generated_one() -> None:
    assert read_json(PATH) == config_schema(), "run `python -m benchmarks.catalog.schema`"


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(config_schema())


def test_the_shipped_configuration_holds_every_key_and_passes() -> None:
    assert set(read_yaml(CONFIG)) == set(Settings.model_fields)
    assert faults({}) == []


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("scales", "demo", "$"),
        ("device", "gpu", "$.device"),
        ("seeds", [1, "two"], "$.seeds"),
        ("gpus", 0, "$.gpus"),
        ("gpus_per_run", 0, "$.gpus_per_run"),
        ("offline", "perhaps", "$.offline"),
        ("resamples", 10, "$.resamples"),
        ("overrides", ["optim.steps"], "$.overrides"),
    ],
)
def test_a_fault_is_found_at_its_key(key: str, value: Any, place: str) -> None:
    assert [path for path in faults({key: value}) if path.startswith(place)]


def test_every_key_is_described() -> None:
    assert [name for name, facts in config_schema()["properties"].items() if not facts.get("description")] == []
