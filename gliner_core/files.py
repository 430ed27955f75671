"""Whole-file writes that are either complete or absent, so that nothing half-written can pass for a result."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from gliner_core.errors import InputError


@contextmanager
def atomic_write(path: str | Path) -> Iterator[TextIO]:
    """Opens a UTF-8 text file beside `path` and renames it into place only if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def atomic_replace(path: str | Path, write: Callable[[Path], None]) -> None:
    """Calls `write(temporary path)` and renames the result to `path`; for writers that want a file name."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
