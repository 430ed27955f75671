"""What the fuzzer does with files of a mirror and with tables of printed numbers."""

import random
from pathlib import Path

from benchmarks.catalog.cards import SourceFile
from benchmarks.corpora.mirror import find
from benchmarks.corpora.sources import fetch
from benchmarks.reporting.compare import load_published
from tests.faults.fuzz_input import Input, write
from tests.faults.fuzz_seeds import ROOT

MANIFEST = (
    b"file\tsha256_raw\trepo\tcommit\tpath\n"
    + b"a.txt\t"
    + b"a" * 64
    + b"\ta/b\t"
    + b"0" * 40
    + b"\ta.txt\n"
    + b"a.tar.gz\t\ta/b\t"
    + b"0" * 40
    + b"\tb\n"
)
PUBLISHED = b"\n".join((ROOT / "benchmarks/published/gliner_2311.08526.csv").read_bytes().split(b"\n")[:12]) + b"\n"
SOURCE = SourceFile(path="a.txt", repo="a/b", commit="0" * 40, sha256="b" * 64)


def read_manifest(item: Input, folder: Path) -> None:
    """Looks a file up in a mirror with this manifest."""
    mirror = folder / str(
        random.Random(item.data).random()
    )  # a folder of its own: manifests are cached by path and time
    mirror.mkdir()
    try:
        write(item, mirror, "manifest.tsv")
        find(mirror, SOURCE)
    finally:
        (mirror / "manifest.tsv").unlink()
        mirror.rmdir()


def read_archive(item: Input, folder: Path) -> None:
    """Fetches a gzipped private file out of a mirror."""
    mirror = folder / "mirror"
    mirror.mkdir(exist_ok=True)
    private = SourceFile(path="a.txt.gz", private=True)
    write(item, mirror, "a.txt.gz")
    fetch(private, folder / "cache", mirror, offline=True)


def read_published(item: Input, folder: Path) -> None:
    """Reads a table of printed numbers."""
    load_published(write(item, folder, "p.csv"))
