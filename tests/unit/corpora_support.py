"""What the corpus tests share: real cards, the mirror of raw files, and small cards over hand-written files."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.catalog.cards import DatasetCard, MixtureCard, SourceFile, SuiteCard
from benchmarks.corpora.sources import MIRROR_VARIABLE, fetch

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


def raw_files(card: DatasetCard, cache: Path) -> dict[str, list[Path]]:
    """The fetched files of a card, from the mirror only."""
    return {split: [fetch(item, cache, mirror(), True) for item in items] for split, items in card.sources.items()}


def source(path: str, data: bytes = b"") -> SourceFile:
    """A pinned source for hand-written bytes."""
    return SourceFile(path=path, repo="a/b", commit="0" * 40, sha256=hashlib.sha256(data).hexdigest())


def small(reader: str, files: dict[str, list[str]], **keys: Any) -> DatasetCard:
    """A card named `tiny` over files that were never fetched."""
    sources = {split: tuple(source(name) for name in items) for split, items in files.items()}
    given = {"name": "tiny", "title": "Tiny", "domain": "test", "licence": "none", "reader": reader}
    return DatasetCard(**given, sources=sources, **keys)
