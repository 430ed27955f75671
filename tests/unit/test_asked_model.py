"""Which model `evaluate --model` means: a folder, a card, or a hub id with the revision that a card pins."""

from pathlib import Path

import pytest

from benchmarks.catalog.cards import SystemCard
from benchmarks.catalog.registry import load_registry
from benchmarks.catalog.workspace import open_workspace
from benchmarks.commands.models import asked_model
from gliner_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = load_registry(ROOT).systems


def card(name: str, **keys: str) -> SystemCard:
    return SystemCard.model_validate({"name": name, "title": name, "kind": "checkpoint"} | keys)


def test_a_card_is_asked_by_its_name() -> None:
    for name, system in SYSTEMS.items():
        assert asked_model(SYSTEMS, name) == system


@pytest.mark.parametrize("adapter", [None, "gliner_package"])
def test_a_hub_id_has_the_revision_of_its_card(adapter: str | None) -> None:
    for system in SYSTEMS.values():
        if system.hub:
            found = asked_model(SYSTEMS, system.hub, adapter=adapter)
            assert isinstance(found, SystemCard) and (found.hub, found.revision) == (system.hub, system.revision)


def test_a_hub_id_is_asked_through_our_code_where_a_card_does_so_and_else_through_its_own() -> None:
    found = [asked_model(SYSTEMS, hub) for hub in ("urchade/gliner_medium-v2.1", "fastino/gliner2-base-v1")]
    assert found == [SYSTEMS["gliner_medium-v2.1"], SYSTEMS["gliner2-base-v1"]]
    packaged = asked_model(SYSTEMS, "gliner_medium-v2.1-package")
    assert packaged == SYSTEMS["gliner_medium-v2.1-package"]
    order = {"b": card("b", kind="gliner_package", hub="a/m", revision="r"), "c": card("c", hub="a/m", revision="r")}
    assert asked_model(order, "a/m") == order["c"]


def test_options_go_before_the_card() -> None:
    changed = asked_model(SYSTEMS, "gliner_medium-v2.1", revision="abc", adapter="gliner_package")
    assert isinstance(changed, SystemCard)
    assert (changed.hub, changed.revision, changed.kind) == ("urchade/gliner_medium-v2.1", "abc", "gliner_package")
    kept = asked_model(SYSTEMS, "fastino/gliner2-base-v1", revision="abc")
    assert isinstance(kept, SystemCard) and (kept.revision, kept.kind) == ("abc", "gliner2")


def test_other_hub_ids_are_taken_at_main() -> None:
    found = asked_model(SYSTEMS, "someone/model")
    assert isinstance(found, SystemCard) and (found.revision, found.kind) == ("main", "checkpoint")


def test_a_folder_is_ours_unless_an_adapter_is_named(tmp_path: Path) -> None:
    assert asked_model(SYSTEMS, str(tmp_path)) == tmp_path
    found = asked_model(SYSTEMS, str(tmp_path), adapter="gliner2")
    assert isinstance(found, SystemCard) and (found.folder, found.kind) == (str(tmp_path), "gliner2")
    with pytest.raises(InputError, match="has none"):
        asked_model(SYSTEMS, str(tmp_path), revision="abc")


@pytest.mark.parametrize("name", ["gliner_medium-v2.2", "results/demo/runs/x/model", "./model", "/no/folder"])
def test_a_name_that_is_nothing_is_one_sentence(name: str) -> None:
    with pytest.raises(InputError, match=r"no folder, no hub id .* gliner_medium-v2.1,"):
        asked_model(SYSTEMS, name)


def test_the_random_scorer_has_no_revision() -> None:
    with pytest.raises(InputError, match="not on the hub"):
        asked_model(SYSTEMS, "random-scorer", adapter="gliner2")


def test_cards_that_disagree_about_a_hub_id_are_refused() -> None:
    cards = {"one": card("one", hub="a/m", revision="1"), "two": card("two", hub="a/m", revision="2")}
    with pytest.raises(InputError, match="one, two pin different revisions"):
        asked_model(cards, "a/m")
    assert asked_model(cards, "one") == cards["one"]


def test_cards_of_one_hub_id_pin_one_revision_and_each_peer_has_a_card() -> None:
    pins = {(system.hub, system.revision) for system in SYSTEMS.values() if system.hub}
    assert len(dict(pins)) == len(pins)
    assert {system.kind for system in SYSTEMS.values()} == {"random", "checkpoint", "gliner_package", "gliner2"}


@pytest.mark.parametrize("scale", ["pilot", "paper"])
def test_a_study_brings_every_system_into_the_workflow(scale: str) -> None:
    grid = open_workspace(ROOT, {"scale": scale, "studies": ["released_models"], "device": "cpu"}).grid
    assert set(grid.systems) == set(SYSTEMS)
    for system in grid.systems:
        assert {row.protocol for row in grid.rows if row.owner == system} == {"gliner-official", "gliner-title"}
        assert len({cell.dataset for cell, _ in grid.owner_cells(system)}) == 7
