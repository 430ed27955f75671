"""The workflow with its store lost, with a server that never answers, and with secrets all around."""

import os
from pathlib import Path

import pytest
from checkout import Checkout, counts

HOME = "results/demo"
STORE = "results/tracking/mlflow.db"
COLLECTED = f"{HOME}/studies/span_width/cells.csv"
SECRETS = {"password": "s3cr3t-pass-w0rd", "token": "hf_" + "Zq7" * 12}


def test_a_store_that_alone_is_lost_is_logged_again_without_training(finished: Checkout) -> None:
    before = finished.path(COLLECTED).read_bytes()
    assert counts(finished.plan()) == {}
    content = finished.path(STORE).read_bytes()
    for damage in (None, content[: len(content) // 2]):
        finished.path(STORE).unlink(missing_ok=True)
        if damage is not None:
            finished.path(STORE).write_bytes(damage)
        text = finished.make().text
        assert "The tracking store must be made again from the files" in text
        made = {rule: text.count(f"rule {rule}:") for rule in ("open_store", "track", "train", "predict", "score")}
        assert made == {"open_store": 1, "track": 4, "train": 0, "predict": 0, "score": 0}
        assert finished.path(COLLECTED).read_bytes() == before
        assert counts(finished.plan()) == {}
    assert len(list(finished.path("results/tracking").glob("mlflow.db.damaged-*"))) == 1


def test_without_its_server_the_workflow_says_one_sentence_and_no_secret(
    finished: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = finished.path(COLLECTED).read_bytes()
    monkeypatch.setenv("HF_TOKEN", SECRETS["token"])
    # The network guard of these tests stands for a server that is gone.
    uri = f"http://bob:{SECRETS['password']}@127.0.0.1:9"
    outcome = finished.snakemake(COLLECTED, tracking_uri=uri, tracking_wait=0)
    assert outcome.code != 0
    (sentence,) = outcome.lines("error: ")
    assert "nothing is lost" in sentence and "same command again" in sentence and "http://127.0.0.1:9" in sentence
    assert len(list(finished.path("results/tracking/demo/spool").glob("*.json"))) == 2
    assert leaks(finished.folder, outcome.text) == []

    # Nothing was lost: the default store takes what waits.
    finished.make(COLLECTED)
    assert list(finished.path("results/tracking/demo/spool").glob("*.json")) == []
    assert finished.path(COLLECTED).read_bytes() == before


def leaks(folder: Path, text: str) -> list[str]:
    """Where a secret stands: the terminal, and every file of the results and of Snakemake's records, names included."""
    found = [name for name, secret in SECRETS.items() if secret in text]
    for top in ("results", ".snakemake"):
        for path in (folder / top).rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            found += [str(path) for secret in SECRETS.values() if secret.encode() in content + os.fsencode(path.name)]
    return found
