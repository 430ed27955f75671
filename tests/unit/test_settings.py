"""The configuration: typed, checked against the cards, and the same from a file or from `--config` strings."""

from pathlib import Path
from typing import Any

import pytest
from catalog_support import write_repository

from benchmarks.catalog.devices import choose_device, visible_gpus
from benchmarks.catalog.registry import Registry, load_registry
from benchmarks.catalog.settings import MIRROR_VARIABLE, Settings, load_settings
from gliner_core.errors import InputError


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return load_registry(write_repository(tmp_path_factory.mktemp("repository")))


def _settings(registry: Registry, **config: Any) -> Settings:
    return load_settings({"scale": "tiny"} | config, registry)


@pytest.mark.parametrize(
    ("given", "seeds"),
    [([1, 2], (1, 2)), (["1", "2"], (1, 2)), ("3", (3,)), (3, (3,)), (None, None), ([], None)],
)
def test_seeds_from_the_command_line_become_numbers(registry: Registry, given: Any, seeds: Any) -> None:
    found = _settings(registry, seeds=given).seeds
    assert found == seeds and all(type(seed) is int for seed in found or ())


def test_a_single_study_is_a_list_of_one(registry: Registry) -> None:
    assert _settings(registry, studies="width").studies == ("width",)
    assert _settings(registry, studies=["width", "main"]).studies == ("width", "main")
    assert _settings(registry).studies is None


def test_switches_and_numbers_may_be_strings(registry: Registry) -> None:
    found = _settings(registry, offline="true", resamples="200", gpus="2")
    assert (found.offline, found.resamples, found.gpus) == (True, 200, 2)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"scales": "tiny"}, "unknown key `scales`"),
        ({"scale": "huge"}, "`scale` 'huge' is unknown; known: tiny"),
        ({"studies": ["depth"]}, "`studies` names 'depth'; known: main, width"),
        ({"studies": ["main", "main"]}, "`studies` holds a duplicate"),
        ({"seeds": [1, "1"]}, "`seeds` holds a duplicate"),
        ({"seeds": ["one"]}, "`seeds.0`"),
        ({"device": "tpu"}, "`device`"),
        ({"gpus": 0}, "`gpus`"),
        ({"gpus_per_run": 0}, "`gpus_per_run`"),
        ({"gpus": 2, "gpus_per_run": 4}, "`gpus_per_run` is 4 and `gpus` 2; allow at least"),
        ({"resamples": 5}, "`resamples`"),
        ({"overrides": ["a"]}, "`overrides`"),
    ],
)
def test_a_faulty_key_is_named(registry: Registry, config: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        _settings(registry, **config)
    message = str(caught.value)
    assert message.startswith("workflow/config.yaml: ") and words in message and "\n" not in message


def test_the_mirror_is_the_key_then_the_variable(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)
    assert _settings(registry).mirror_folder() is None
    monkeypatch.setenv(MIRROR_VARIABLE, str(tmp_path / "one"))
    assert _settings(registry).mirror_folder() == tmp_path / "one"
    assert _settings(registry, mirror=str(tmp_path / "two")).mirror_folder() == tmp_path / "two"
    with pytest.raises(InputError, match=r"`mirror` .*absent' is not a folder"):
        _settings(registry, mirror=str(tmp_path / "absent")).mirror_folder()


def test_the_cache_has_a_usual_place(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert _settings(registry).cache_folder() == tmp_path / "gliner-bench"
    assert _settings(registry, cache=str(tmp_path / "own")).cache_folder() == tmp_path / "own"


@pytest.mark.parametrize(("visible", "count"), [("0,1", 2), ("", 0), ("-1", 0), ("GPU-8f1c", 1)])
def test_gpus_are_those_the_process_may_use(monkeypatch: pytest.MonkeyPatch, visible: str, count: int) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert len(visible_gpus()) == count
    assert choose_device("auto") == ("cuda" if count else "cpu")
    assert (choose_device("cpu"), choose_device("cuda")) == ("cpu", "cuda")
