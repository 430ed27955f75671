"""Whole-file writes that are either complete or absent, so that nothing half-written can pass for a result."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from gliner_core.errors import InputError

PARTIAL = ".partial"  # ends the name of whatever is being written
# As the kernel, safetensors, torch and SQLite say it; some of them lose the error number.
_FULL = ("No space left on device", "os error 28", "disk is full", "Disk quota exceeded")


@contextmanager
def atomic_write(path: str | Path) -> Iterator[TextIO]:
    """Opens a UTF-8 text file beside `path` and renames it into place only if the block succeeds."""
    path = Path(path)
    with _whole(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def atomic_replace(path: str | Path, write: Callable[[Path], None]) -> None:
    """Calls `write(temporary path)` and renames the result to `path`; for writers that want a file name."""
    with _whole(Path(path)) as temporary:
        write(temporary)
        with open(temporary, "rb") as stream:  # a rename that reaches the disk before its data leaves an empty file
            os.fsync(stream.fileno())


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it at the end; a full disk is an `InputError` that names `path`."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=PARTIAL)
        temporary = Path(name)
        os.close(descriptor)
        yield temporary
        os.chmod(temporary, 0o644)  # mkstemp gives it to its owner alone
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if is_disk_full(error):
            raise InputError(disk_full(path)) from error
        raise


def is_without_locks(error: OSError) -> bool:
    """Whether `flock` failed because the file system keeps no locks."""
    return error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, says that a disk or a quota has no room left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if any(words in str(error) for words in _FULL):
            return True
        error = error.__cause__ or error.__context__
    return False


def disk_full(path: str | Path) -> str:
    """The sentence for a file that found no room."""
    return (
        f"{path}: the disk is full, the file was not written and what was there before is unchanged; free some space "
        "and give the same command again"
    )


def remove_partial(folder: Path) -> list[Path]:
    """Removes what killed writers left anywhere below `folder`; call it only while nobody writes there."""
    found = []
    for place, folders, files in os.walk(folder):
        left = [name for name in [*folders, *files] if name.startswith(".") and name.endswith(PARTIAL)]
        folders[:] = [name for name in folders if name not in left]
        found += [Path(place) / name for name in left]
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return found


def write_json(path: str | Path, value: Any) -> None:
    """Writes JSON with a final newline, atomically: mappings one key a line, lists of plain values on one line.

    NaN and infinity are refused. A score file holds three numbers a sentence; a line for each would drown the rest.
    """
    text = _layout(value, "")
    with atomic_write(path) as stream:
        stream.write(text + "\n")


def _layout(value: Any, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, dict) and value:
        items = (f"{inner}{json.dumps(str(key), ensure_ascii=False)}: {_layout(v, inner)}" for key, v in value.items())
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        return "[\n" + ",\n".join(inner + _layout(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def cache_home() -> Path:
    """Where files that can be made or fetched again are kept between runs: ~/.cache/gliner-bench."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gliner-bench"


def file_digest(path: str | Path) -> str:
    """sha256 of a file's bytes, hex."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_digest(path: str | Path, wanted: str, repair: str) -> None:
    """Refuses a file whose bytes are not those that were written down when it was made; `repair` says what to do."""
    try:
        found = file_digest(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file, though it was made; {repair}") from None
    if found != wanted:
        raise InputError(f"{path}: changed since it was written (sha256 {found[:12]}, not {wanted[:12]}); {repair}")


def read_text(path: str | Path) -> str:
    """Reads a UTF-8 file; a missing file or another encoding is an `InputError` that names it."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a readable file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; convert the file to UTF-8") from None


def load_json(text: str) -> Any:
    """`json.loads` with one kind of error: also values that Python cannot hold are a `json.JSONDecodeError`.

    Those are a number of thousands of digits, nesting beyond the stack, and half of a surrogate pair, which no UTF-8
    file could hold.
    """
    try:
        value = json.loads(text)
        if "\\u" in text:  # only an escape can make such a half
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError:
        raise
    except UnicodeEncodeError:
        raise json.JSONDecodeError("half of a surrogate pair", text, 0) from None
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", text, 0) from None
    except ValueError:
        raise json.JSONDecodeError("a number with too many digits", text, 0) from None
    return value


def read_json(path: str | Path) -> Any:
    """Reads JSON; a syntax error is an `InputError` with file and line."""
    try:
        return load_json(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not valid JSON ({error.msg}); repair or delete the file") from None
