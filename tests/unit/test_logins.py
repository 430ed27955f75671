"""Passwords leave addresses before anything can print them, and reach the driver nevertheless."""

import io
import os

import pytest
from pydantic import ValidationError
from sqlalchemy import make_url

from benchmarks.catalog.logins import PASSWORD_VARIABLE, Redacted, login_address, redact, stow_login, without_password
from benchmarks.catalog.settings import Settings
from gliner_core.errors import InputError

SECRET = "s3cr3t/p@ss"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (PASSWORD_VARIABLE, "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "HF_TOKEN"):
        monkeypatch.setenv(name, "")  # restored afterwards, whatever the test sets


@pytest.mark.parametrize(
    "given, clean",
    [
        (
            "postgresql://me:s3cr3t%2Fp%40ss@host:5432/db?sslmode=require",
            "postgresql://me@host:5432/db?sslmode=require",
        ),
        ("postgresql+psycopg2://me:s3cr3t/p%40ss@host/db", "postgresql+psycopg2://me@host/db"),
        ("mysql+pymysql://me:s3cr3t%2Fp%40ss@host/db", "mysql+pymysql://me@host/db"),
        ("postgresql://host/db?user=me&password=s3cr3t%2Fp%40ss", "postgresql://host/db?user=me"),
        ("postgresql://host/db?password=s3cr3t%2Fp%40ss&user=me", "postgresql://host/db?user=me"),
    ],
)
def test_a_databases_password_moves_into_the_environment_and_back(given: str, clean: str) -> None:
    assert stow_login(given) == clean
    assert os.environ[PASSWORD_VARIABLE] == SECRET
    url = make_url(login_address(clean))
    assert SECRET in (url.password, url.query.get("password")) and url.host == "host"
    assert url.username == "me" or url.query["user"] == "me"


def test_a_servers_login_moves_to_where_mlflow_looks_for_it() -> None:
    assert stow_login("https://me:s3cr3t%2Fp%40ss@host:5000/path") == "https://host:5000/path"
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "me" and os.environ["MLFLOW_TRACKING_PASSWORD"] == SECRET
    assert login_address("https://host:5000/path") == "https://host:5000/path"


@pytest.mark.parametrize("uri", ["sqlite:////a/b:c@d.db", "http://host:5000", "postgresql://me@host/db"])
def test_an_address_without_a_password_stays(uri: str) -> None:
    assert stow_login(uri) == uri == login_address(uri)
    assert not os.environ[PASSWORD_VARIABLE]


def test_what_cannot_be_taken_apart_is_refused_without_repeating_it() -> None:
    for given in ({"tracking_uri": "http://me:s3/cr3t@host"}, {"tracking_artifacts": "sftp://me:s3cr3t@host/x"}):
        with pytest.raises(ValidationError) as refused:
            Settings(**given)
        sentence = refused.value.errors()[0]["msg"]
        assert "cr3t" not in sentence and ("%2F" in sentence or "holds a login" in sentence)
    assert stow_login(" postgresql://me@host/db ") == "postgresql://me@host/db"
    assert redact("see postgresql://me:s3/cr@3t@host/db now") == "see postgresql://me:***@host/db now"
    stream = io.StringIO()
    Redacted(stream).writelines(["a http://me:s3cr3t@host\n", "b\n"])
    assert stream.getvalue() == "a http://me:***@host\nb\n"


def test_settings_never_hold_a_password() -> None:
    settings = Settings(tracking_uri="postgresql://me:s3cr3t@host/db")
    assert settings.tracking_uri == "postgresql://me@host/db" and "s3cr3t" not in repr(settings)


def test_text_is_printed_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRET)
    token = "hf_" + "aB3" * 12
    shown = redact(f"a {SECRET} b s3cr3t%2Fp%40ss c http://me:other@host/x d {token} e no secret")
    assert shown == "a *** b *** c http://me:***@host/x d *** e no secret"
    stream = io.StringIO()
    print("failed at", SECRET, file=Redacted(stream), flush=True)
    assert stream.getvalue() == "failed at ***\n"
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a")
    assert redact("a bad day") == "a bad day"  # a password of one letter would take the text with it


def test_a_shown_address_has_no_user_either() -> None:
    assert without_password("postgresql://me:pass@host/db") == "postgresql://host/db"


def test_a_servers_user_alone_needs_a_password_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="names a user without a password; set MLFLOW_TRACKING_PASSWORD") as refused:
        stow_login("https://tok3n-as-user@host")
    assert "tok3n" not in str(refused.value) and not os.environ["MLFLOW_TRACKING_USERNAME"]
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRET)
    assert stow_login("https://me@host") == "https://host"
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "me" and os.environ["MLFLOW_TRACKING_PASSWORD"] == SECRET
