"""What the corpus tests share: real cards, the mirror of raw files, and small cards over hand-written files."""

import atexit
import functools
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.catalog.cards import DatasetCard, MixtureCard, SourceFile, SuiteCard
from benchmarks.catalog.settings import MIRROR_VARIABLE
from benchmarks.corpora.formats import Reading, read
from benchmarks.corpora.prepare import prepare_dataset
from benchmarks.corpora.sources import fetch
from gliner_core.examples import Example

CARDS = Path(__file__).resolve().parents[2] / "benchmarks"
MODELS = {"datasets": DatasetCard, "suites": SuiteCard, "mixtures": MixtureCard}


def load(kind: str, name: str) -> Any:
    """A card of the repository."""
    return MODELS[kind](**yaml.safe_load((CARDS / kind / f"{name}.yaml").read_text(encoding="utf-8")))


def names(kind: str) -> list[str]:
    """Names of all cards of a kind, sorted."""
    return sorted(path.stem for path in (CARDS / kind).glob("*.yaml"))


def mirror() -> Path:
    """The folder of real raw files, or a skip that says how to give one."""
    if not os.environ.get(MIRROR_VARIABLE):
        pytest.skip(f"no real corpora: set {MIRROR_VARIABLE} to a folder with manifest.tsv to run this test")
    return Path(os.environ[MIRROR_VARIABLE])


@functools.cache
def _scratch() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="gliner-bench-corpora-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@functools.cache
def prepared(name: str) -> Path:
    """The prepared folder of a card, made once a test session; real corpora come from the mirror only."""
    card: DatasetCard = load("datasets", name)
    cache = _scratch() / "cache"
    files = {split: [fetch(item, cache, mirror(), True) for item in items] for split, items in card.sources.items()}
    prepare_dataset(card, files, _scratch() / name)
    return _scratch() / name


def record(name: str) -> dict[str, Any]:
    """The figures of a prepared card."""
    return json.loads((prepared(name) / "card.json").read_text(encoding="utf-8"))


def read_raw(folder: Path, reader: str, text: str | bytes, **options: Any) -> Reading:
    """The bytes of one file a.txt through a reader."""
    path = folder / "a.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(small(reader, {"test": ["a.txt"]}, options=options), "test", [path])


def spans(example: Example) -> list[tuple[str, str]]:
    """Surface and type of every span."""
    return [(example.text(span), span.type) for span in example.spans]


def source(path: str, data: bytes = b"") -> SourceFile:
    """A pinned source for hand-written bytes."""
    return SourceFile(path=path, repo="a/b", commit="0" * 40, sha256=hashlib.sha256(data).hexdigest())


def small(reader: str, files: dict[str, list[str]], **keys: Any) -> DatasetCard:
    """A card named `tiny` over files that were never fetched."""
    sources = {split: tuple(source(name) for name in items) for split, items in files.items()}
    given = {"name": "tiny", "title": "Tiny", "domain": "test", "licence": "none", "reader": reader}
    return DatasetCard(**given, sources=sources, **keys)
