"""The protocols as they were decided, written down a second time: one key that moves would move every table unseen.

A protocol is superseded and never edited, so a difference here is an accident. Protocols that are not listed are free.
"""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / "protocols"
TEXTS = {"name", "title", "notes"}
# The author's evaluator of November 2023 and section 2.3 of the paper: strictly above 0.5, greedy, exact word spans.
OFFICIAL = {
    "ask_else": True,
    "label_case": "as_is",
    "label_order": "card",
    "score_else": True,
    "repair_gold": False,
    "threshold": 0.5,
    "overlap": "flat",
    "unit": "span",
}
PROTOCOLS = {
    "gliner-official": OFFICIAL,
    "gliner-fixed": OFFICIAL | {"repair_gold": True},
    "gliner-lower": OFFICIAL | {"label_case": "lower"},
    "gliner-title": OFFICIAL | {"label_case": "title"},
    "gliner-nested": OFFICIAL | {"overlap": "nested"},
    "no-else": OFFICIAL | {"ask_else": False, "score_else": False, "repair_gold": True},
    "uniner-string": OFFICIAL | {"ask_else": False, "score_else": False, "repair_gold": True, "unit": "string"},
}


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_a_protocol_is_what_is_written_down(name: str) -> None:
    card = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    found = {key: value for key, value in card.items() if key not in TEXTS}
    assert found == PROTOCOLS[name], (
        f"benchmarks/protocols/{name}.yaml moved; write a new card with `supersedes` instead"
    )
