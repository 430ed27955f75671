"""Fetching: cache, mirror and network in this order; sha256 every time; refused files kept aside, never used."""

import functools
import gzip
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpora_support import source

from benchmarks.catalog.cards import SourceFile
from benchmarks.corpora.sources import fetch
from gliner_core.errors import InputError

DATA = b"EU\tB-ORG\nrejects\tO\n\n" * 50
DIGEST = hashlib.sha256(DATA).hexdigest()
COMMIT = "0" * 40


class LocalSource(SourceFile):
    """A source whose public address is a server of this test."""

    base: str

    @property
    def url(self) -> str:
        return f"{self.base}/{self.path}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A web server over a folder: its address and the folder."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "site"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            """Serves the folder; a file named cut.* is announced longer than it is."""
            if not self.path.startswith("/cut"):
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Length", "many" if self.path.startswith("/cut.many") else str(len(DATA)))
            self.end_headers()
            self.wfile.write(DATA[:100])

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()
    thread.join()


def _mirror(folder: Path, file: str, content: bytes, digest: str = DIGEST, path: str = "data/a.txt") -> Path:
    folder.mkdir()
    (folder / file).write_bytes(content)
    lines = ["file\tsplit\trepo\tcommit\tpath\tsha256_raw", f"{file}\ttest\ta/b\t{COMMIT}\t{path}\t{digest}"]
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _rejected(cache: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((cache / "rejected").iterdir())]


def _leftovers(cache: Path) -> list[Path]:
    return list(cache.glob(".incoming-*"))


@pytest.mark.parametrize(("file", "content"), [("a.txt", DATA), ("a.txt.gz", gzip.compress(DATA, mtime=0))])
def test_mirror_gives_the_raw_bytes_and_fills_the_cache(tmp_path: Path, file: str, content: bytes) -> None:
    cache = tmp_path / "cache"
    found = fetch(source("data/a.txt", DATA), cache, _mirror(tmp_path / "mirror", file, content))
    assert found == cache / DIGEST[:2] / DIGEST
    assert found.read_bytes() == DATA
    assert fetch(source("data/a.txt", DATA), cache, None, offline=True) == found


def test_a_tar_in_the_mirror_serves_its_members(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in (("fold/other.csv", b"other"), ("fold/a.csv", DATA)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    mirror = _mirror(tmp_path / "mirror", "fold.tar.gz", packed.getvalue(), digest="f" * 64)
    assert fetch(source("fold/a.csv", DATA), tmp_path / "cache", mirror, offline=True).read_bytes() == DATA


def test_a_wrong_mirror_file_is_refused_and_copied_aside(tmp_path: Path) -> None:
    mirror = _mirror(tmp_path / "mirror", "a.txt", b"something else")
    cache = tmp_path / "cache"
    with pytest.raises(InputError, match=r"data/a\.txt: .*mirror/a\.txt has sha256 .* where .* is pinned") as error:
        fetch(source("data/a.txt", DATA), cache, mirror)
    assert "\n" not in str(error.value)
    assert _rejected(cache) == [b"something else"]
    assert (mirror / "a.txt").read_bytes() == b"something else"
    assert not (cache / DIGEST[:2]).exists() and not _leftovers(cache)


def test_a_truncated_gzip_in_the_mirror_is_refused_and_copied_aside(tmp_path: Path) -> None:
    broken = gzip.compress(DATA, mtime=0)[:-20]
    cache = tmp_path / "cache"
    with pytest.raises(InputError, match=r"a\.txt\.gz: the mirror's archive is damaged"):
        fetch(source("data/a.txt", DATA), cache, _mirror(tmp_path / "mirror", "a.txt.gz", broken))
    assert _rejected(cache) == [broken]


def test_a_damaged_cache_file_is_moved_aside_and_fetched_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, mirror = tmp_path / "cache", _mirror(tmp_path / "mirror", "a.txt", DATA)
    found = fetch(source("data/a.txt", DATA), cache, mirror)
    found.write_bytes(DATA[:100])
    assert fetch(source("data/a.txt", DATA), cache, mirror).read_bytes() == DATA
    assert _rejected(cache) == [DATA[:100]]
    assert "is pinned; it was set aside as " in capsys.readouterr().err


def test_the_public_address_is_used_last_and_checked(tmp_path: Path, site: tuple[str, Path]) -> None:
    base, folder = site
    (folder / "a.txt").write_bytes(DATA)
    item = LocalSource(path="a.txt", repo="a/b", commit=COMMIT, sha256=DIGEST, base=base)
    assert fetch(item, tmp_path / "cache", None).read_bytes() == DATA
    (folder / "a.txt").write_bytes(b"changed upstream")
    with pytest.raises(InputError, match=r"a\.txt: http://.* has sha256"):
        fetch(item, tmp_path / "other", None)
    assert _rejected(tmp_path / "other") == [b"changed upstream"]


def test_a_source_without_digest_is_pinned_by_its_first_download(tmp_path: Path, site: tuple[str, Path]) -> None:
    base, folder = site
    (folder / "train.json").write_bytes(DATA)
    item = LocalSource(path="train.json", hub="o/d", revision="main", base=base)
    cache = tmp_path / "cache"
    first = fetch(item, cache, None)
    assert first.name == DIGEST
    first.unlink()
    (folder / "train.json").write_bytes(b"a new revision")
    with pytest.raises(InputError, match=r"train\.json: .* is pinned"):
        fetch(item, cache, None)
    assert _rejected(cache) == [b"a new revision"]


def test_a_download_that_breaks_off_is_refused_even_without_digest(tmp_path: Path, site: tuple[str, Path]) -> None:
    for name in ("cut.json", "cut.many.json"):  # the second is announced as "many" bytes
        item = LocalSource(path=name, hub="o/d", revision="main", base=site[0])
        with pytest.raises(InputError, match=rf"{name}: .*(sent 100 of|cannot be reached)"):
            fetch(item, tmp_path / "cache", None)
    assert not (tmp_path / "cache" / "pins").exists() and not _leftovers(tmp_path / "cache")


def test_a_pin_that_is_no_digest_is_named(tmp_path: Path, site: tuple[str, Path]) -> None:
    base, folder = site
    (folder / "train.json").write_bytes(DATA)
    item = LocalSource(path="train.json", hub="o/d", revision="main", base=base)
    fetch(item, tmp_path, None)
    (pin,) = (tmp_path / "pins").iterdir()
    pin.write_text("garbage\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"pins/.*: not a recorded sha256; delete it"):
        fetch(item, tmp_path, None)


def test_no_network_names_file_mirror_key_and_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    item = LocalSource(path="a.txt", repo="a/b", commit=COMMIT, sha256=DIGEST, base="http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"^a\.txt: .*cannot be reached.*`mirror:`.*GLINER_BENCH_MIRROR") as error:
        fetch(item, tmp_path, None)
    assert "\n" not in str(error.value) and not _leftovers(tmp_path)


def test_a_missing_page_is_one_sentence(tmp_path: Path, site: tuple[str, Path]) -> None:
    item = LocalSource(path="absent.txt", repo="a/b", commit=COMMIT, sha256=DIGEST, base=site[0])
    with pytest.raises(InputError, match=r"absent\.txt: .*cannot be reached \(File not found\)"):
        fetch(item, tmp_path / "cache", None)


def test_offline_never_asks_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *_, **__: pytest.fail("network used"))
    with pytest.raises(InputError, match=r"data/a\.txt: neither in the cache .*GLINER_BENCH_MIRROR"):
        fetch(source("data/a.txt", DATA), tmp_path, None, offline=True)


def test_a_mirror_without_manifest_or_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"manifest\.tsv: no such file; `mirror:`"):
        fetch(source("data/a.txt", DATA), tmp_path / "cache", tmp_path)
    (tmp_path / "manifest.tsv").write_text("file\trepo\tcommit\tpath\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"manifest\.tsv:1: column `sha256_raw` is missing"):
        fetch(source("data/a.txt", DATA), tmp_path / "cache", tmp_path)
