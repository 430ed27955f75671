"""A mirror: a local folder with `manifest.tsv` that holds raw files by the sha256 of their uncompressed bytes.

Columns used: `file` (path in the folder), `sha256_raw`, and `repo`, `commit`, `path` for sources without a digest.
Large files are stored gzipped one by one. A row ending in .tar.gz also serves the files inside it.
"""

import csv
import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

from benchmarks.catalog.cards import SourceFile
from gliner_core.errors import InputError
from gliner_core.files import read_text

_COLUMNS = ("file", "sha256_raw", "repo", "commit", "path")
MOST_BYTES = 16 << 30  # of a file, or of all in one archive, when unpacked; the largest known has 0.7 GB
BROKEN_ARCHIVE = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Where a mirror keeps one file: a plain or gzipped file, or a member of a gzipped tar."""

    path: Path
    member: str | None = None

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The uncompressed bytes as a stream; a truncated archive raises one of BROKEN_ARCHIVE while it is read."""
        if self.member is not None:
            with tarfile.open(self.path, "r:gz") as archive:
                yield cast(BinaryIO, archive.extractfile(self.member))
        elif self.path.suffix == ".gz":
            with gzip.open(self.path) as stream:
                yield cast(BinaryIO, stream)
        else:
            with self.path.open("rb") as stream:
                yield stream


def find(mirror: Path, source: SourceFile) -> Stored | None:
    """The mirror's copy of a source, or None if the mirror does not hold it; a private file needs no manifest."""
    if source.private:
        return Stored(path=mirror / source.path) if _is_file(mirror / source.path) else None
    rows = _manifest(mirror / "manifest.tsv", _stamp(mirror / "manifest.tsv"))
    origin = (source.repo or source.hub, source.commit or source.revision, source.path)
    for row in rows:
        path = mirror / row["file"]
        same = row["sha256_raw"] == source.sha256 if source.sha256 else _origin(row) == origin
        if same and _is_file(path):
            return Stored(path=path)
    archives = [mirror / row["file"] for row in rows if row["file"].endswith(".tar.gz") and row["repo"] == source.repo]
    for path in archives:
        members = _members(path, _stamp(path)) if _is_file(path) else {}
        if member := members.get(source.sha256 or ""):
            return Stored(path=path, member=member)
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the file system allows
        return False


def _origin(row: dict[str, str]) -> tuple[str, str, str]:
    return row["repo"], row["commit"], row["path"]


def _stamp(path: Path) -> int:
    if not path.is_file():
        raise InputError(f"{path}: no such file; `mirror:` must name a folder that holds it, or be left empty")
    return path.stat().st_mtime_ns


@lru_cache(maxsize=8)
def _manifest(path: Path, _modified: int) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(read_text(path)), delimiter="\t", quoting=csv.QUOTE_NONE)
    if missing := [name for name in _COLUMNS if name not in (reader.fieldnames or ())]:
        raise InputError(f"{path}:1: column `{missing[0]}` is missing; a mirror needs {', '.join(_COLUMNS)}")
    try:
        rows = list(reader)
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num + 1}: not readable as a table ({error}); repair it") from None
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{path}:{number}: the line has not as many columns as the first; repair it")
        if ".." in Path(row["file"]).parts or Path(row["file"]).is_absolute():
            raise InputError(f"{path}:{number}: `file` {row['file']!r} leaves the folder; write a path inside it")
    return rows


@lru_cache(maxsize=8)
def _members(path: Path, _modified: int) -> dict[str, str]:
    try:
        with tarfile.open(path, "r:gz") as archive:
            files = []
            for member in archive:
                if archive.offset > MOST_BYTES:
                    raise InputError(f"{path}: unpacks to more than {MOST_BYTES} bytes; give a smaller archive")
                if member.isfile():
                    files.append(member)
            return {_digest(archive, member): member.name for member in files}
    except BROKEN_ARCHIVE as error:
        raise InputError(f"{path}: the archive is damaged ({error}); copy it to the mirror again") from None


def _digest(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    # Nothing of an archive is ever unpacked under its own name; members are found by digest, and read as a stream.
    digest = hashlib.sha256()
    with cast(BinaryIO, archive.extractfile(member)) as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
