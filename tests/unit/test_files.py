"""Atomic writes: a writer that fails leaves neither a target nor a temporary file, and an old target stays whole."""

import hashlib
import stat
from pathlib import Path

import pytest

from gliner_core.errors import InputError
from gliner_core.examples import Example, write_jsonl
from gliner_core.files import atomic_replace, atomic_write, file_digest, read_json, write_json


class Interrupt(BaseException):
    """Like Ctrl-C: not an Exception."""


def _half(path: Path) -> None:
    path.write_text("half")
    raise Interrupt


@pytest.mark.parametrize("before", [None, "old"])
@pytest.mark.parametrize("writer", ["stream", "named"])
def test_a_writer_that_fails_changes_nothing(tmp_path: Path, before: str | None, writer: str) -> None:
    path = tmp_path / "deep" / "out.txt"
    if before is not None:
        path.parent.mkdir()
        path.write_text(before)
    with pytest.raises(Interrupt):
        if writer == "named":
            atomic_replace(path, _half)
        else:
            with atomic_write(path) as stream:
                stream.write("half")
                raise Interrupt
    assert [item.name for item in path.parent.iterdir()] == ([] if before is None else ["out.txt"])
    assert before is None or path.read_text() == before


def test_the_target_appears_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.txt"
    with atomic_write(path) as stream:
        stream.write("whole\n")
        assert not path.exists()
    assert path.read_bytes() == b"whole\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_examples_that_cannot_be_written_leave_no_file(tmp_path: Path) -> None:
    examples = [Example(id="a", words=("fine",)), Example(id="b", words=("\ud800",))]
    with pytest.raises(UnicodeEncodeError):
        write_jsonl(tmp_path / "data.jsonl", examples)
    assert list(tmp_path.iterdir()) == []


def test_json_refuses_what_other_readers_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"f1": float("nan")})
    assert list(tmp_path.iterdir()) == []
    write_json(tmp_path / "a.json", {"f1": 0.1, "word": "\u00e9"})
    assert read_json(tmp_path / "a.json") == {"f1": 0.1, "word": "\u00e9"}
    assert (tmp_path / "a.json").read_bytes().endswith(b"}\n")


def test_a_json_fault_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": 1,\n "b": }\n')
    with pytest.raises(InputError, match=r"a\.json:2: not valid JSON .*; repair or delete the file$"):
        read_json(path)


def test_a_file_digest_is_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
