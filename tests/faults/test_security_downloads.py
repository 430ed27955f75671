"""Downloads: from the web only, used after their digest was checked, and without a word about tokens."""

import http.server
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.catalog.cards import SourceFile
from benchmarks.corpora.sources import _WebOnly, fetch
from gliner_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0" * 40
TOKEN = "hf_SECRETsecretSECRETsecret0123456789"


class LocalSource(SourceFile):
    """A source whose public address is a server of this test."""

    base: str

    @property
    def url(self) -> str:
        return self.base


class _Site(http.server.BaseHTTPRequestHandler):
    """Redirects, fails, or serves other bytes than those that were pinned; remembers what it was sent."""

    seen: list[str] = []  # noqa: RUF012 - one server a test
    target = ""

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        type(self).seen.append(f"{self.path} {self.headers}")
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", type(self).target)
        elif self.path == "/other":
            self.send_response(200)
        else:
            self.send_response(500, "broken on purpose")
        self.end_headers()
        if self.path == "/other":
            self.wfile.write(b"other bytes")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _Site.seen = []
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "gopher://x/"])
def test_a_redirect_leads_to_the_web_only(tmp_path: Path, site: str, target: str) -> None:
    _Site.target = target
    source = LocalSource(base=f"{site}/moved", path="a.txt", repo="a/b", commit=COMMIT)
    with pytest.raises(
        InputError, match=r"a\.txt: http://127\.0\.0\.1.* cannot be reached \(.*(redirects|Redirection) to"
    ):
        fetch(source, tmp_path / "cache", None)
    assert not any(path.is_file() for path in (tmp_path / "cache").rglob("*"))


@pytest.mark.parametrize(
    ("old", "new", "follows"),
    [
        ("https://a/x", "https://b/y", True),
        ("http://a/x", "https://b/y", True),
        ("http://a/x", "http://b/y", True),
        ("https://a/x", "http://b/y", False),
        ("https://a/x", "ftp://b/y", False),
        ("http://a/x", "file:///y", False),
    ],
)
def test_a_redirect_never_leaves_https(old: str, new: str, follows: bool) -> None:
    asked = urllib.request.Request(old)
    if follows:
        assert _WebOnly().redirect_request(asked, None, 302, "Found", {}, new).full_url == new
    else:
        with pytest.raises(urllib.error.URLError, match="which is not followed"):
            _WebOnly().redirect_request(asked, None, 302, "Found", {}, new)


def test_downloaded_bytes_are_used_only_after_their_digest_was_checked(tmp_path: Path, site: str) -> None:
    source = LocalSource(base=f"{site}/other", path="a.txt", repo="a/b", commit=COMMIT, sha256="0" * 64)
    with pytest.raises(InputError, match=r"has sha256 .* is pinned; it was set aside"):
        fetch(source, tmp_path / "cache", None)
    assert [path.parent.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["rejected"]


def test_a_hub_token_is_neither_sent_to_a_source_nor_written(
    tmp_path: Path, site: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    source = LocalSource(base=f"{site}/failing", path="a.txt", hub="a/b", revision="main")
    with pytest.raises(InputError) as refused:
        fetch(source, tmp_path / "cache", None)
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    shown = capfd.readouterr()
    assert _Site.seen and TOKEN not in str(refused.value) + written + shown.out + shown.err + "".join(_Site.seen)


def test_a_hub_that_fails_does_not_bring_the_token_into_the_message(tmp_path: Path, site: str) -> None:
    environment = os.environ | {"HF_TOKEN": TOKEN, "HF_ENDPOINT": site, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    environment |= {"HF_HUB_DOWNLOAD_TIMEOUT": "2", "HF_HUB_ETAG_TIMEOUT": "2", "no_proxy": "127.0.0.1"}
    script = "from gliner_core.pretrained import GLiNER\nGLiNER.from_pretrained('somebody/some-model')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment)
    written = "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    assert TOKEN in "".join(_Site.seen)  # the hub itself gets it
    assert "InputError" in done.stderr and TOKEN not in done.stdout + done.stderr + written
