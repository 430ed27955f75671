"""Files and names from others: they stay inside their folders and in bounded size."""

import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from benchmarks.catalog.cards import BackboneCard, Card, DatasetCard, MixturePart, SourceFile, SuiteCard
from benchmarks.catalog.registry import parse
from benchmarks.corpora import mirror as mirror_module
from benchmarks.corpora.prepare import prepare_dataset
from benchmarks.corpora.sources import fetch
from gliner_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0" * 40


def _source(data: bytes, **keys: Any) -> SourceFile:
    given = {"path": "a.txt", "repo": "a/b", "commit": COMMIT, "sha256": hashlib.sha256(data).hexdigest()}
    return SourceFile(**(given | keys))


def _mirror(folder: Path, name: str, digest: str = "") -> None:
    folder.mkdir(exist_ok=True)
    rows = ["file\tsha256_raw\trepo\tcommit\tpath", f"{name}\t{digest}\ta/b\t{COMMIT}\ta.txt"]
    (folder / "manifest.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# ---- archives


def _entry(archive: tarfile.TarFile, name: str, data: bytes = b"x", **keys: Any) -> None:
    item = tarfile.TarInfo(name)
    item.size = len(data)
    for key, value in keys.items():
        setattr(item, key, value)
    archive.addfile(item, io.BytesIO(data) if item.isreg() else None)


def test_no_member_of_an_archive_is_written_under_its_own_name(tmp_path: Path) -> None:
    outside, good = tmp_path / "outside.txt", b"word\tO\n"
    (tmp_path / "mirror").mkdir()
    with tarfile.open(tmp_path / "mirror" / "all.tar.gz", "w:gz") as archive:
        _entry(archive, "../outside.txt", b"climbed")
        _entry(archive, str(outside), b"absolute")
        _entry(archive, "link", b"", type=tarfile.SYMTYPE, linkname=str(outside))
        _entry(archive, "link/under", b"through the link")
        _entry(archive, "hard", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd")
        _entry(archive, "device", b"", type=tarfile.CHRTYPE)
        _entry(archive, "good/../../../a.txt", good)
    _mirror(tmp_path / "mirror", "all.tar.gz")
    before = _files(tmp_path)
    kept = fetch(_source(good), tmp_path / "cache", tmp_path / "mirror", offline=True)
    assert kept.read_bytes() == good
    new = _files(tmp_path) - before
    assert new == {"cache", f"cache/{kept.parent.name}", f"cache/{kept.parent.name}/{kept.name}"}
    with pytest.raises(InputError, match="neither in the cache"):  # what a link points to is no member
        fetch(_source(Path("/etc/passwd").read_bytes()), tmp_path / "cache", tmp_path / "mirror", offline=True)


def test_a_zip_is_never_unpacked(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    with zipfile.ZipFile(tmp_path / "mirror" / "a.zip", "w") as archive:
        archive.writestr("../outside.txt", "climbed")
    data = (tmp_path / "mirror" / "a.zip").read_bytes()
    _mirror(tmp_path / "mirror", "a.zip", hashlib.sha256(data).hexdigest())
    kept = fetch(_source(data), tmp_path / "cache", tmp_path / "mirror", offline=True)
    assert kept.read_bytes() == data and not (tmp_path / "outside.txt").exists()
    unpackers = ("extractall", "unpack_archive", ".extract(")
    texts = [
        path.read_text(encoding="utf-8")
        for name in ("benchmarks", "gliner_core")
        for path in (ROOT / name).rglob("*.py")
    ]
    assert not any(word in text for text in texts for word in unpackers)


def test_a_gzip_bomb_stops_at_the_size_of_the_card(tmp_path: Path) -> None:
    data = bytes(50_000_000)
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "a.txt.gz").write_bytes(gzip.compress(data))  # 50 kB
    _mirror(tmp_path / "mirror", "a.txt.gz", hashlib.sha256(data).hexdigest())
    with pytest.raises(InputError, match=r"^a\.txt: .*a\.txt\.gz holds more than 1000 bytes; correct the source"):
        fetch(_source(data, bytes=1000), tmp_path / "cache", tmp_path / "mirror", offline=True)
    assert sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file()) < 2_000_000


def test_without_a_size_in_the_card_there_is_still_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.corpora.sources.MOST_BYTES", 1000)
    monkeypatch.setattr(mirror_module, "MOST_BYTES", 1000)
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "a.gz").write_bytes(gzip.compress(bytes(5000)))
    with pytest.raises(InputError, match="holds more than 1000 bytes"):
        fetch(SourceFile(path="a.gz", private=True), tmp_path / "cache", tmp_path / "mirror")
    with tarfile.open(tmp_path / "mirror" / "all.tar.gz", "w:gz") as archive:
        _entry(archive, "a", bytes(5000))
        _entry(archive, "b", bytes(5000))
    _mirror(tmp_path / "mirror", "all.tar.gz")
    with pytest.raises(InputError, match="unpacks to more than 1000 bytes"):
        fetch(_source(b"x"), tmp_path / "cache", tmp_path / "mirror", offline=True)


# ---- names and paths


CARD = {"name": "a", "title": "A"}
DATASET = {**CARD, "domain": "d", "licence": "l", "reader": "conll"}
FILE = {"path": "a.txt", "repo": "a/b", "commit": COMMIT}


@pytest.mark.parametrize(
    "name", ["a; touch x", "../x", "/x", "a/b", "a\n", "$(id)", "`id`", "a b", "", ".", "-rf", "A"]
)
def test_a_card_name_is_a_plain_word(name: str) -> None:
    with pytest.raises(InputError, match="`name`"):
        parse(Card, {**CARD, "name": name}, "a.yaml")


@pytest.mark.parametrize("split", ["../x", "a/b", "/x", "a; touch x", "..", "a\n"])
def test_a_split_is_a_plain_word_because_it_names_a_file(split: str) -> None:
    suite = {**CARD, "closed": True, "datasets": ["a"], "protocol": "p", "split": split}
    for model, data in (
        (DatasetCard, {**DATASET, "sources": {split: [FILE]}}),
        (MixturePart, {"dataset": "a", "split": split}),
        (SuiteCard, suite),
    ):
        with pytest.raises(InputError, match=r"a\.yaml: `(sources|split)"):
            parse(model, data, "a.yaml")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "a\\..\\x", "a\x00b", "", "a\nb", ".."])
def test_a_source_stays_in_its_repository_or_mirror(path: str) -> None:
    for rest in ({"repo": "a/b", "commit": COMMIT}, {"private": True}):
        with pytest.raises(InputError):
            parse(SourceFile, {**rest, "path": path}, "a.yaml")


@pytest.mark.parametrize("repo", ["../x", "a/b/../../c", "a b", "a?b", "a/b#c", "http://x/y", "a@b:c"])
def test_a_repository_is_an_owner_and_a_name(repo: str) -> None:
    with pytest.raises(InputError, match="`repo`"):
        parse(SourceFile, {**FILE, "repo": repo}, "a.yaml")


def test_odd_signs_of_a_path_do_not_change_the_address() -> None:
    source = parse(SourceFile, {**FILE, "path": "a b/\u00e9?x=1#y"}, "a.yaml")
    assert source.url == f"https://raw.githubusercontent.com/a/b/{COMMIT}/a%20b/%C3%A9%3Fx%3D1%23y"


def test_a_package_is_an_identifier() -> None:
    given = {**CARD, "kind": "package", "parameters": 1, "sha256": "0" * 64}
    for package in ("a.b", "../a", "a b", "a;b", ""):
        with pytest.raises(InputError, match="`package`"):
            parse(BackboneCard, {**given, "package": package}, "a.yaml")


def test_a_mirror_cannot_point_out_of_its_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"secret")
    for name in ("../secret.txt", str(secret)):
        _mirror(tmp_path / "mirror", name, hashlib.sha256(b"secret").hexdigest())
        os.utime(tmp_path / "mirror" / "manifest.tsv", ns=(0, len(name)))  # the manifest is cached by its time
        with pytest.raises(InputError, match=r"manifest\.tsv:2: `file` .* leaves the folder"):
            fetch(_source(b"secret"), tmp_path / "cache", tmp_path / "mirror", offline=True)


def test_a_forced_name_with_a_command_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card whose check was skipped: the name goes through fetching and preparing as a string."""
    monkeypatch.chdir(tmp_path)
    data, name = b"Anna\tB-person\n", "a; touch x"
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "a.txt").write_bytes(data)
    _mirror(tmp_path / "mirror", "a.txt", hashlib.sha256(data).hexdigest())
    card = parse(DatasetCard, {**DATASET, "sources": {"test": [FILE]}}, "a.yaml").model_copy(update={"name": name})
    raw = fetch(_source(data), tmp_path / "cache", tmp_path / "mirror", offline=True)
    prepare_dataset(card, {"test": [raw]}, tmp_path / "data" / name)
    assert (tmp_path / "data" / name / "test.jsonl").is_file()
    assert not [path for path in tmp_path.rglob("x") if path.name == "x"]
