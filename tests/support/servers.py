"""A PostgreSQL server of the test's own, to be taken away and given back in the middle of things."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

__all__ = ["OwnPostgresql", "postgresql_binaries"]


def postgresql_binaries() -> Path | None:
    """Where Debian's newest PostgreSQL has its programs; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class OwnPostgresql:
    """A server on a scratch directory and a free port of 127.0.0.1; it refuses to run as root, so its own account runs it."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._directory = Path(tempfile.mkdtemp(prefix="fairlead-postgresql-"))
        self._as_root = os.geteuid() == 0
        if self._as_root:
            shutil.chown(self._directory, "postgres", "postgres")
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self._port: int = one.getsockname()[1]
        self._data = str(self._directory / "data")
        self._run(
            "initdb", "--pgdata", self._data, "--username", "fairlead", "--auth", "trust", "--no-sync", "-E", "UTF8"
        )
        self.start()

    @property
    def url(self) -> str:
        """The server's first database."""
        return f"postgresql+psycopg://fairlead@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = f"-c listen_addresses=127.0.0.1 -c port={self._port} -c unix_socket_directories={self._directory}"
        log = str(self._directory / "log")
        self._run("pg_ctl", "start", "--silent", "--wait", "--pgdata", self._data, "--log", log, "--options", options)

    def kill(self) -> None:
        """End it at once, as a crash does: no transaction is finished, no connection is closed in good order."""
        self._run("pg_ctl", "stop", "--silent", "--wait", "--mode", "immediate", "--pgdata", self._data)

    def end(self) -> None:
        """End it for good and forget it."""
        if (Path(self._data) / "postmaster.pid").exists():
            self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        if self._as_root:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
