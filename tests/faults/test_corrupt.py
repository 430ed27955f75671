"""Files that were damaged after they were made: each is found, named, and made again where its source is at hand."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trainings

from benchmarks.catalog.cards import SourceFile
from benchmarks.corpora.sources import fetch
from benchmarks.pipeline.integrity import check_scores, check_split, check_weights
from gliner_core.errors import InputError
from gliner_core.examples import read_jsonl
from gliner_core.files import file_digest, read_json, write_json

RAW = b"EU\tB-ORG\nrejects\tO\n\n" * 50
PAGE = b"<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>\n"


def flip(path: Path, bit: int = 3) -> None:
    """Turns one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1 << bit
    path.unlink()
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Keeps the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def page(path: Path) -> None:
    """What a server sends instead of a file."""
    path.write_bytes(PAGE)


def make_mirror(folder: Path, raw: bytes, digest: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "a.txt").write_bytes(raw)
    lines = ["file\trepo\tcommit\tpath\tsha256_raw", f"a.txt\ta/b\t{'0' * 40}\ta.txt\t{digest}"]
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("damage", [flip, cut, page])
def test_a_damaged_file_of_the_cache_is_fetched_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None]
) -> None:
    digest = hashlib.sha256(RAW).hexdigest()
    source = SourceFile(repo="a/b", commit="0" * 40, path="a.txt", sha256=digest)
    mirror, cache = make_mirror(tmp_path / "mirror", RAW, digest), tmp_path / "cache"
    file = fetch(source, cache, mirror, offline=True)
    damage(file)
    damaged = file.read_bytes()
    assert fetch(source, cache, mirror, offline=True) == file and file.read_bytes() == RAW
    warning = capsys.readouterr().err
    assert warning.startswith(f"warning: a.txt: {file} has sha256 ") and "is fetched again" in warning
    assert [path.read_bytes() for path in (cache / "rejected").iterdir()] == [damaged]
    damage(file)
    with pytest.raises(InputError, match=r"a\.txt: neither in the cache .* nor in a mirror"):
        fetch(source, cache, None, offline=True)
    assert not file.exists()  # what is damaged is never handed out


def test_an_error_page_is_not_pinned_as_a_first_download(tmp_path: Path) -> None:
    source = SourceFile(repo="a/b", commit="0" * 40, path="a.txt")
    mirror = make_mirror(tmp_path / "mirror", PAGE, hashlib.sha256(PAGE).hexdigest())
    with pytest.raises(InputError, match=r"a\.txt: .* sent a web page instead of the file; fetch it again later"):
        fetch(source, tmp_path / "cache", mirror, offline=True)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_killed_download_leaves_nothing_for_long(tmp_path: Path) -> None:
    digest = hashlib.sha256(RAW).hexdigest()
    source = SourceFile(repo="a/b", commit="0" * 40, path="a.txt", sha256=digest)
    mirror, cache = make_mirror(tmp_path / "mirror", RAW, digest), tmp_path / "cache"
    cache.mkdir()
    (cache / ".incoming-dead").write_bytes(RAW[:100])
    fetch(source, cache, mirror, offline=True)
    assert list(cache.glob(".incoming-*")) == []


def flip_weight(path: Path) -> None:
    """Turns one bit of a weight; a bit of the padding between tensors would change nothing."""
    import torch

    model = torch.load(path, weights_only=True)["model"]
    content = bytearray(path.read_bytes())
    place = content.find(max(model.values(), key=torch.numel).contiguous().numpy().tobytes())
    assert place > 0
    content[place + 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [flip_weight, cut, page])
def test_a_damaged_state_is_put_aside_and_the_training_starts_over(
    trained: Path, damage: Callable[[Path], None]
) -> None:
    name = f"state_{damage.__name__}"
    trainings.run(trained, name, "training.write_training = lambda *_: os._exit(9)")
    state = trained / name / "scratch" / "state.pt"
    damage(state)
    damaged = state.read_bytes()
    again = trainings.run(trained, name)
    assert again.returncode == 0, again.stderr
    (warning,) = [line for line in again.stderr.splitlines() if line.startswith("warning: ")]
    assert str(state) in warning and "was put aside" in warning and "the training starts over" in warning
    assert state.with_name("state.pt.damaged").read_bytes() == damaged
    assert trainings.made(trained, name) == trainings.made(trained, "whole")


def test_every_bit_of_a_state_counts(tmp_path: Path) -> None:
    import random

    import torch

    from gliner_core.checkpoint import DamagedState, TrainState, load_state, save_state

    state = TrainState(
        step=2, identity="a", model={"w": torch.arange(600.0)}, optimizer={"state": {0: {"step": torch.tensor(2.0)}}},
        history=[{"loss": 0.5}], counts={"words": 3}, splits=0, seconds=1.5,
    )  # fmt: skip
    path, draw, whole = tmp_path / "state.pt", random.Random(1), None
    save_state(path, state)
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        content, place = bytearray(whole), draw.randrange(len(whole))
        content[place] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        try:
            read = load_state(path, "a")
        except (DamagedState, InputError):
            refused += 1
            continue
        assert torch.equal(read.model["w"], state.model["w"]) and read.history == state.history  # padding or a date
        assert (read.step, read.counts, read.seconds) == (2, {"words": 3}, 1.5)
    assert refused > 100


def folder_with_card(folder: Path, card: dict[str, Any]) -> Path:
    file = folder / "train.jsonl"
    folder.mkdir()
    file.write_text('{"id": "a", "words": ["Ada"], "spans": []}\n' * 30, encoding="utf-8")
    write_json(folder / "card.json", json.loads(json.dumps(card).replace("DIGEST", file_digest(file))))
    return file


@pytest.mark.parametrize("card", [{"splits": {"train": {"sha256": "DIGEST"}}}, {"train": {"sha256": "DIGEST"}}])
def test_prepared_data_that_changed_are_refused(tmp_path: Path, card: dict[str, Any]) -> None:
    file = folder_with_card(tmp_path / "data", card)
    check_split(file)
    file.write_text(file.read_text(encoding="utf-8").replace("Ada", "Bda", 1), encoding="utf-8")
    assert len(read_jsonl(file)) == 30  # a reader alone sees nothing
    with pytest.raises(
        InputError, match=r"train\.jsonl: changed since it was written .*; delete the folder .*data and"
    ):
        check_split(file)
    write_json(tmp_path / "data" / "card.json", {"splits": {}})
    with pytest.raises(InputError, match=r"card\.json: `sha256` of train is missing"):
        check_split(file)


def test_weights_that_changed_are_refused(tmp_path: Path, trained: Path) -> None:
    import shutil

    run = Path(shutil.copytree(trained / "whole", tmp_path / "run"))
    weights = run / "model" / "model.safetensors"
    write_json(run / "receipt.json", {"weights": file_digest(weights)})
    check_weights(run)
    flip(weights)
    with pytest.raises(
        InputError, match=r"model\.safetensors: changed since it was written .*; delete the folder .*run"
    ):
        check_weights(run)


def test_scores_that_changed_are_refused(tmp_path: Path) -> None:
    score = tmp_path / "cells" / "run" / "d" / "scores.json"
    write_json(score, {"f1_pct": 50.0, "sentences": [[1, 2, 3]] * 9})
    write_json(tmp_path / "cells" / "run" / "s.scored.json", {"cells/run/d/scores.json": file_digest(score)})
    space: Any = SimpleNamespace(home=tmp_path, grid=SimpleNamespace(owner_suites=lambda owner: ["s"]))
    check_scores(space, "run")
    write_json(score, read_json(score) | {"f1_pct": 51.0})
    with pytest.raises(InputError, match=r"scores\.json: changed since .* delete .*s\.scored\.json and start again"):
        check_scores(space, "run")
    score.unlink()
    with pytest.raises(InputError, match=r"scores\.json: no such file, though it was made; delete .*s\.scored\.json"):
        check_scores(space, "run")
