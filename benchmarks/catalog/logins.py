"""Passwords and tokens: taken out of addresses, kept in the environment, removed from whatever is printed or kept."""

import os
import re
from collections.abc import Iterable
from typing import TextIO
from urllib.parse import quote, unquote

from gliner_core.errors import InputError

PASSWORD_VARIABLE = "GLINER_BENCH_TRACKING_PASSWORD"
# What MLflow's client reads by itself for a server.
SERVER_USER, SERVER_PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
SERVER_TOKEN = "MLFLOW_TRACKING_TOKEN"
SECRETS = (
    PASSWORD_VARIABLE, SERVER_PASSWORD, SERVER_TOKEN, "PGPASSWORD", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip
HIDDEN = "***"
MIN_SECRET = 4  # characters; replacing a shorter one would garble the text around it
# As SQLAlchemy reads an address: the password ends at the last @ and may hold a slash.
_DATABASE = re.compile(r"(?P<scheme>[\w+.-]+)://(?P<user>[^:/@]*)(?::(?P<password>.*))?@(?P<rest>[^@]*)")
_SERVER = re.compile(r"(?P<scheme>https?)://(?P<user>[^:/]*)(?::(?P<password>[^/]*))?@(?P<rest>[^@]*)")
_IN_QUERY = re.compile(r"(?<=[?&])password=([^&]*)&?")
_IN_TEXT = re.compile(r"(://[^\s:/@]*:)\S+@")  # up to the last @: a password may hold one, or a slash, unquoted
_HUB_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}")


def stow_login(uri: str) -> str:
    """The address without its password, which moves into the variable where its reader looks for it.

    From then on the address can stand in parameters, markers and logs. Child processes inherit the variable.
    """
    uri = uri.strip()
    if uri.startswith(("http://", "https://")):
        found = _SERVER.fullmatch(uri)
        if found is None and "@" in uri:
            raise InputError("`tracking_uri`: write / in a password as %2F and @ as %40, or keep it in the environment")
        if found is None:
            return uri
        if found["password"] is None and not os.environ.get(SERVER_PASSWORD):  # MLflow would send neither
            raise InputError(
                f"`tracking_uri`: names a user without a password; set {SERVER_PASSWORD}, or for a token leave the "
                f"user out and set {SERVER_TOKEN}"
            )
        os.environ[SERVER_USER] = unquote(found["user"])
        if found["password"] is not None:
            os.environ[SERVER_PASSWORD] = unquote(found["password"])
        return f"{found['scheme']}://{found['rest']}"
    for password in _IN_QUERY.findall(uri):
        os.environ[PASSWORD_VARIABLE] = unquote(password)
        uri = _IN_QUERY.sub("", uri, count=1).rstrip("?&")
    found = _DATABASE.fullmatch(uri)
    if found is None or found["password"] is None:
        return uri
    os.environ[PASSWORD_VARIABLE] = unquote(found["password"])
    return f"{found['scheme']}://{found['user']}@{found['rest']}"


def login_address(uri: str) -> str:
    """The address to connect to: a database's with the password from the environment, others unchanged."""
    password = os.environ.get(PASSWORD_VARIABLE)
    found = _DATABASE.fullmatch(uri)
    if not password or uri.startswith(("http://", "https://", "sqlite:")):
        return uri
    if found is None:  # the user stands in the query, if anywhere
        return f"{uri}&password={quote(password, safe='')}" if "user=" in uri else uri
    if found["password"] is not None:
        return uri
    return f"{found['scheme']}://{found['user']}:{quote(password, safe='')}@{found['rest']}"


def without_password(address: str) -> str:
    """An address to show: without the user and password that may stand in it."""
    return re.sub(r"//[^/]*@", "//", address)


def redact(text: str) -> str:
    """The text without the secrets of the environment, passwords inside addresses, and hub tokens."""
    for secret in filter(None, map(os.environ.get, SECRETS)):
        if len(secret) >= MIN_SECRET:
            text = text.replace(secret, HIDDEN).replace(quote(secret, safe=""), HIDDEN)
    return _HUB_TOKEN.sub(HIDDEN, _IN_TEXT.sub(rf"\1{HIDDEN}@", text))


class Redacted:
    """A text stream that no secret passes; everything but writing is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes the text without its secrets; says that all of it was written."""
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes the lines without their secrets."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)
