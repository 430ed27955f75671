"""Files on their way to a disk, and from a source."""

import errno
import gzip
import os
import socket
import time
from pathlib import Path

import pytest

from benchmarks.catalog.cards import SourceFile
from benchmarks.corpora import sources
from benchmarks.corpora.sources import _incoming, fetch
from gliner_core import files
from gliner_core.errors import InputError
from gliner_core.files import is_disk_full, remove_partial
from tests.faults.test_security_downloads import LocalSource


def test_a_quota_and_a_size_limit_are_full_disks() -> None:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        assert is_disk_full(OSError(number, "x"))


def test_half_made_folders_are_removed_with_what_is_in_them(tmp_path: Path) -> None:
    left = tmp_path / "data" / ".demo.x.partial"
    (left / "new").mkdir(parents=True)
    (left / "new" / "test.jsonl").touch()
    (tmp_path / "data" / "kept.partial").touch()
    assert remove_partial(tmp_path) == [left]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["kept.partial"]


def test_data_reach_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(files.os, "fsync", lambda fd: (done.append("fsync"), fsync(fd)))
    monkeypatch.setattr(files.os, "replace", lambda a, b: (done.append("replace"), replace(a, b)))
    files.write_json(tmp_path / "a.json", {})
    files.atomic_replace(tmp_path / "b", lambda path: path.write_text("b"))
    assert done == ["fsync", "replace"] * 2


def test_a_file_of_just_the_cards_size_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "a.txt").write_bytes(b"12345")
    assert fetch(SourceFile(path="a.txt", private=True, bytes=5), tmp_path / "cache", tmp_path / "mirror").is_file()


def test_a_file_that_another_process_is_writing_stays(tmp_path: Path) -> None:
    with _incoming(tmp_path) as first, _incoming(tmp_path) as second:
        assert first.exists() and second.exists()


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    socket.setdefaulttimeout(5)
    try:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            source = LocalSource(
                base=f"http://127.0.0.1:{silent.getsockname()[1]}/a", path="a", repo="a/b", commit="0" * 40
            )
            begin = time.monotonic()
            with pytest.raises(InputError, match="cannot be reached"):
                sources.fetch(source, tmp_path, None)
            assert time.monotonic() - begin < 3
    finally:
        socket.setdefaulttimeout(None)


def test_a_gzip_that_is_damaged_inside_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"EU B-ORG\n" * 500, mtime=0))
    packed[10] = 0xFF  # a kind of block that deflate does not have: zlib.error
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "a.gz").write_bytes(packed)
    with pytest.raises(InputError, match="archive is damaged"):
        fetch(SourceFile(path="a.gz", private=True), tmp_path / "cache", tmp_path / "mirror")
