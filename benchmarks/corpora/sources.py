"""Pinned raw files to a verified local copy: cache, then mirror, then the public address; sha256 checked every time.

The cache is addressed by content: `<cache>/<first 2 hex>/<sha256>`. Whatever fails its check is set aside under
`<cache>/rejected/` by its own digest, so that it is neither used nor lost; a damaged file of the cache is then fetched
again, with a warning in the log. Several workflows may fill one cache: a file that is being written is locked
(`flock`), so that one left by a killed job is told from it and removed. A source without `sha256` is pinned by
its first download: the digest is kept in `<cache>/pins/`, and a later difference is refused. A private source has no
public address: its user puts it in the mirror under the card's path, and it is read from there each time.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from benchmarks.catalog.cards import DatasetCard, SourceFile
from benchmarks.catalog.settings import MIRROR_VARIABLE
from benchmarks.corpora.mirror import BROKEN_ARCHIVE, MOST_BYTES, Stored, find
from gliner_core.errors import InputError
from gliner_core.files import atomic_write, disk_full, file_digest, is_disk_full, read_text

TIMEOUT_SECONDS = 60
_CHUNK = 1 << 20
_INCOMING = ".incoming-"


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https, and from http to http; to nothing else, such as ftp or a file of this machine."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        scheme = urlsplit(newurl).scheme
        if scheme != "https" and (scheme, req.type) != ("http", "http"):
            raise urllib.error.URLError(f"it redirects to {scheme}:, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_WebOnly)


def fetch_dataset(card: DatasetCard, cache: Path, mirror: Path | None, offline: bool = False) -> dict[str, list[Path]]:
    """The verified raw files of a dataset by split; a missing private one is told with the layout it must have."""
    private = [item for items in card.sources.values() for item in items if item.private]
    if card.bring_your_own and not all(mirror and find(mirror, item) for item in private):
        missing = next(item.path for item in private if not (mirror and find(mirror, item)))
        raise InputError(
            f"dataset {card.name}: {missing} cannot be fetched, because {card.bring_your_own.reason}; put your own "
            f"copy ({card.bring_your_own.layout}) at that path below a folder, and set `mirror:` in the configuration "
            f"or {MIRROR_VARIABLE} to the folder"
        )
    return {split: [fetch(item, cache, mirror, offline) for item in items] for split, items in card.sources.items()}


def fetch(source: SourceFile, cache: Path, mirror: Path | None, offline: bool = False) -> Path:
    """The verified raw file of a source in the cache; `offline` forbids the public address."""
    wanted = source.sha256 or _pinned(source, cache)
    if wanted and _is_good(cached := _place(cache, wanted), wanted, source, cache):
        return cached
    stored = find(mirror, source) if mirror else None
    if stored:
        return _keep(
            source, cache, wanted, lambda target: _copy_stored(stored, target, cache, source), f"{stored.path}"
        )
    if offline or source.private:
        raise InputError(f"{source.path}: neither in the cache {cache} nor in a mirror; {_advice('go online')}")
    return _keep(source, cache, wanted, lambda target: _download(source, target), source.url)


def _is_good(cached: Path, wanted: str, source: SourceFile, cache: Path) -> bool:
    """Whether the cache holds the file; one that was damaged there is set aside."""
    if not cached.is_file():
        return False
    if (digest := file_digest(cached)) == wanted:
        return True
    print(
        f"warning: {source.path}: {cached} has sha256 {digest} where {wanted} is pinned; it was set aside as "
        f"{_set_aside(cached, cache)} and is fetched again",
        file=sys.stderr,
    )
    return False


def _advice(other: str) -> str:
    return f"set `mirror:` in the configuration or {MIRROR_VARIABLE} to a folder that holds the file, or {other}"


def _place(cache: Path, digest: str) -> Path:
    return cache / digest[:2] / digest


def _pin_file(source: SourceFile, cache: Path) -> Path:
    return cache / "pins" / f"{hashlib.sha256(source.url.encode()).hexdigest()}.sha256"


def _pinned(source: SourceFile, cache: Path) -> str | None:
    """Digest recorded at the first download of a source that names none."""
    path = _pin_file(source, cache)
    if not path.exists():
        return None
    digest = read_text(path).split(" ")[0]
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise InputError(f"{path}: not a recorded sha256; delete it and fetch {source.path} again")
    return digest


def _keep(source: SourceFile, cache: Path, wanted: str | None, write: Callable[[Path], None], origin: str) -> Path:
    """Writes to a temporary file in the cache, checks it, and only then gives it its name."""
    with _incoming(cache) as temporary:
        try:
            write(temporary)
        except OSError as error:
            if is_disk_full(error):
                raise InputError(disk_full(cache / source.path)) from error
            raise
        digest = file_digest(temporary)
        _check(digest, wanted or digest, source, origin, lambda: _set_aside(temporary, cache))
        if wanted is None:
            _refuse_page(temporary, source, origin)
        target = _place(cache, digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    if source.sha256 is None and wanted is None and not source.private:
        with atomic_write(_pin_file(source, cache)) as stream:
            stream.write(f"{digest} {source.url}\n")
    return target


@contextmanager
def _incoming(cache: Path) -> Iterator[Path]:
    """A locked temporary file in the cache; those of dead writers, which nobody locks, are removed first."""
    cache.mkdir(parents=True, exist_ok=True)
    for left in cache.glob(f"{_INCOMING}*"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
    while True:
        descriptor, name = tempfile.mkstemp(dir=cache, prefix=_INCOMING)
        with suppress(OSError):  # without locks nothing is ever taken for dead
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if Path(name).exists():  # another process may have taken it for dead before it was locked
            break
        os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
        os.close(descriptor)


def _refuse_page(path: Path, source: SourceFile, origin: str) -> None:
    """Keeps an error page from being pinned as the first download of a source that names no digest."""
    with path.open("rb") as stream:
        start = stream.read(512).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")) and not source.path.endswith((".html", ".htm")):
        raise InputError(f"{source.path}: {origin} sent a web page instead of the file; fetch it again later, or "
                         f"{_advice('check the address on its card')}")  # fmt: skip


def _check(digest: str, wanted: str, source: SourceFile, origin: str, refuse: Callable[[], Path]) -> None:
    if digest != wanted:
        raise InputError(
            f"{source.path}: {origin} has sha256 {digest} where {wanted} is pinned; it was set aside as {refuse()}, "
            f"so fetch it again or correct the source it came from"
        )


def _set_aside(path: Path, cache: Path) -> Path:
    """Moves a refused file to the cache's `rejected` folder under its own digest."""
    target = cache / "rejected" / file_digest(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    return target


def _copy_stored(stored: Stored, target: Path, cache: Path, source: SourceFile) -> None:
    try:
        with stored.open() as stream:
            _pour(stream, target, source, f"{stored.path}")
    except BROKEN_ARCHIVE as error:
        shutil.copyfile(stored.path, target)
        raise InputError(
            f"{stored.path}: the mirror's archive is damaged ({error}); a copy was set aside as "
            f"{_set_aside(target, cache)}, so copy the file to the mirror again"
        ) from None


def _download(source: SourceFile, target: Path) -> None:
    with _unreachable(source), _OPENER.open(source.url, timeout=TIMEOUT_SECONDS) as response:
        _pour(response, target, source, source.url)
        expected = response.headers.get("Content-Length")
    received = target.stat().st_size
    if expected is not None and expected.strip() != str(received):  # also one that is no number
        raise InputError(
            f"{source.path}: {source.url} sent {received} of {expected} bytes; fetch it again, or "
            f"{_advice('check the connection')}"
        )


@contextmanager
def _unreachable(source: SourceFile) -> Iterator[None]:
    try:
        yield
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"{source.path}: {source.url} cannot be reached ({reason}); {_advice('check the connection')}"
        ) from None


def _pour(stream: BinaryIO, target: Path, source: SourceFile, origin: str) -> None:
    """Copies a stream, but no more than the card's `bytes`, or MOST_BYTES: a small archive can unpack to any size."""
    most, written = source.bytes or MOST_BYTES, 0
    with target.open("wb") as out:
        while piece := stream.read(_CHUNK):
            written += len(piece)
            if written > most:
                raise InputError(f"{source.path}: {origin} holds more than {most} bytes; correct the source or `bytes`")
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
