"""The tracking server gone before, in the middle of and after logging: everything waits on disk and arrives once.

`python -m tests.faults.outage` does the same to a whole workflow, with the server gone for five minutes.
"""

import http.server
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from benchmarks.catalog.logins import PASSWORD_VARIABLE
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting import delivery
from benchmarks.reporting.tracking import StoreUnreachable, read_metrics_of
from gliner_core.errors import InputError
from gliner_core.files import read_json
from tests.faults.tracking_support import TrackingServer, workspace
from tests.scale.tracking_load import faults, make_metrics, make_run, stored_runs


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TrackingServer]:
    server = TrackingServer(tmp_path / "server")
    yield server
    server.kill()


@pytest.fixture
def space(server: TrackingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Owner "7" is the synthetic run number 7."""
    monkeypatch.setattr(delivery, "HICCUP_SECONDS", 0.0)
    monkeypatch.setattr(delivery, "tracked_run", lambda _, owner: make_run(int(owner)))
    return workspace(tmp_path / "results", server.uri)


def track(space: Workspace, number: int) -> Path:
    marker = space.tracking_folder / "demo" / f"{make_run(number).name}.json"
    delivery.track_owner(space, str(number), marker)
    return marker


def test_what_a_server_misses_while_it_is_gone_arrives_once_and_in_order(
    server: TrackingServer, space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Gone before anything was logged: opening the store and logging cost no job.
    opened = space.tracking_folder / "demo" / "store.json"
    delivery.open_store(space, opened, 0)
    assert read_json(opened) == {"uri": server.uri, "experiment": None, "generation": 0}
    markers = [track(space, 1), track(space, 2)]
    spool = delivery.spool_of(space)
    records = [spool.read(path) for path in spool.waiting()]
    assert [record.name for record in records if record] == ["run-00001", "run-00002"]
    assert read_json(markers[0])["mlflow_run"] is None
    written = markers[0].stat().st_mtime_ns
    assert "Connection refused" in capsys.readouterr().out

    # Back: the next job that logs brings what waits, and then its own.
    server.start()
    markers.append(track(space, 3))
    store = delivery.store_of(space)
    assert spool.waiting() == []
    by_age = sorted(stored_runs(store), key=lambda run: run.data.tags["gliner_bench.logged"])
    assert [run.info.run_name for run in by_age] == ["run-00001", "run-00002", "run-00003"]
    assert [read_json(marker)["mlflow_run"] for marker in markers] == [run.info.run_id for run in by_age]
    assert markers[0].stat().st_mtime_ns == written, "Snakemake would collect again"

    # Killed in the middle of a run, between two of its requests.
    log_artifacts = MlflowClient.log_artifacts

    def killed(client: MlflowClient, run_id: str, folder: str) -> None:
        server.kill()
        log_artifacts(client, run_id, folder)

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "log_artifacts", killed)
        markers.append(track(space, 4))
    markers.append(track(space, 5))
    behind = delivery.Store(uri=server.store, scale="demo", artifacts="")
    left = {run.info.run_name: run.info.status for run in stored_runs(behind)}
    assert left["run-00004"] == "RUNNING" and "run-00005" not in left

    # Collecting does not wait for ever, loses nothing, and says what to do.
    owners = [make_run(number).name for number in range(1, 6)]
    with pytest.raises(InputError) as caught:
        delivery.tracked_metrics(space, owners)
    assert "nothing is lost (2 records wait in" in str(caught.value) and "same command again" in str(caught.value)

    # It waits for a server that is just coming back.
    starting = threading.Timer(2, server.start, kwargs={"wait": False})
    starting.start()
    patient = workspace(space.results, server.uri, wait=600)
    found = delivery.tracked_metrics(patient, owners)
    starting.join()
    assert [{key: row[key] for key in make_metrics(number)} for number, row in enumerate(found.values(), 1)] == [
        make_metrics(number) for number in range(1, 6)
    ]
    assert faults(store, range(1, 6)) == {"missing": 0, "doubled": 0, "unfinished": 0, "incomplete": 0}
    assert spool.waiting() == []


def test_a_record_replayed_again_is_not_logged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A process that is killed after the store took the record and before the record left the spool.
    monkeypatch.setattr(delivery, "tracked_run", lambda _, owner: make_run(int(owner)))
    space = workspace(tmp_path / "results")
    delivery.open_store(space, space.tracking_folder / "demo" / "store.json", 0)
    marker = track(space, 1)
    first = read_json(marker)["mlflow_run"]
    delivery.spool_of(space).put(make_run(1))
    delivery.replay(space)
    assert read_json(marker)["mlflow_run"] == first and delivery.spool_of(space).waiting() == []
    store = delivery.store_of(space)
    assert [run.info.run_id for run in stored_runs(store)] == [first]
    assert set(read_metrics_of(store.uri, [first])) == {first}


def test_an_address_that_nothing_opens_is_one_sentence_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "")
    space = workspace(tmp_path / "results", "nosuchdb://bob:s3cr3t-w0rd@host/db")
    with pytest.raises(InputError, match="`tracking_uri` nosuchdb://bob@host/db: MLflow refuses") as caught:
        delivery.open_store(space, tmp_path / "store.json", 0)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


class _Proxy(http.server.BaseHTTPRequestHandler):
    """Answers in the name of every server, as one whose store is empty."""

    asked: list[str]

    def _answer(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_server_that_only_a_proxy_reaches_is_asked_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "http://tracking.invalid:5000"
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StoreUnreachable):
        read_metrics_of(uri, ["a"])
    _Proxy.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
        assert read_metrics_of(uri, ["a"]) == {}
        proxy.shutdown()
    assert _Proxy.asked and all(path.startswith(f"{uri}/api/") for path in _Proxy.asked)
