"""A private PostgreSQL server on the loopback, with a password, gone when the block ends.

It needs the server programs, for example `apt-get install postgresql`. They refuse to run as root, so root starts them
as the user `postgres` that the package makes; the data folder must then lie where that user may go.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, DATABASE = "mlflow", "mlflow"
INSTALL = "PostgreSQL's server programs (initdb, pg_ctl) are not here: apt-get install postgresql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server."""

    folder: Path
    programs: Path
    port: int
    password: str

    def uri(self, database: str = DATABASE) -> str:
        """The address without the password, as it may stand in a configuration."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str) -> str:
        """Runs a client program as the owner of the databases; returns what it prints."""
        command = [str(self.programs / program), "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, *arguments]
        environment = os.environ | {"PGPASSWORD": self.password}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def stop(self) -> None:
        """Ends the server at once, as a power cut would; open transactions are lost."""
        _as_owner(self.programs / "pg_ctl", "-D", self.folder, "-m", "immediate", "-w", "stop")

    def start(self) -> None:
        """Starts the server, also again after `stop`."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        log = self.folder / "server.log"
        _as_owner(self.programs / "pg_ctl", "-D", self.folder, "-l", log, "-o", options, "-w", "start")


@contextmanager
def postgres() -> Iterator[Server]:
    """A server with an empty database; `FileNotFoundError` says what to install."""
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        password = secrets.token_urlsafe(12)
        server = Server(folder=folder / "data", programs=programs, port=_free_port(), password=password)
        word = folder / "password"
        word.write_text(password, encoding="utf-8")
        if os.geteuid() == 0:
            for path in (folder, word):
                shutil.chown(path, "postgres")
        access = ("-A", "scram-sha-256", "-U", USER, f"--pwfile={word}", "-E", "UTF8", "--no-sync")
        _as_owner(programs / "initdb", "-D", server.folder, *access)
        server.start()
        try:
            server.run("createdb", DATABASE)
            yield server
        finally:
            server.stop()


def _programs() -> Path:
    found = shutil.which("pg_ctl")
    named = [Path(found).resolve().parent] if found else []  # Debian keeps the programs out of PATH
    for folder in [*named, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise FileNotFoundError(INSTALL)


def _as_owner(*command: object) -> None:
    switch = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if switch:
        pwd.getpwnam("postgres")  # a KeyError here: the user that Debian's package makes is missing
    # Output goes to a file: the server inherits it, and a pipe would never close.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run([*switch, *map(str, command)], stdout=output, stderr=subprocess.STDOUT, cwd="/")
        output.seek(0)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {output.read().strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
