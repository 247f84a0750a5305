"""Processes without an init system: started in sessions of their own, known by a file with their id, stopped by it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

from place import LOGS, RUN

_PATIENCE = 120.0
_LIVING = {200, 300, 401, 404}
"""What an API answers at its root when it works."""


def _file(name: str) -> Path:
    return RUN / f"{name}.pid"


def pid_of(name: str) -> int | None:
    """The id of a process that was started here and runs."""
    try:
        pid = int(_file(name).read_text())
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return None if state == "Z" else pid


def start(name: str, *command: str, **environment: str) -> None:
    """Start a process, unless it runs. What it prints goes to its log."""
    if pid_of(name) is not None:
        return
    with (LOGS / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    _file(name).write_text(str(process.pid))


def started() -> list[str]:
    """The names of all processes that were started and not stopped."""
    return sorted(path.stem for path in RUN.glob("*.pid"))


def stop(names: Iterable[str], patience: float = 10.0) -> None:
    """Ask processes to end, and kill those that do not within `patience` seconds."""
    known = {name: pid for name in names if (pid := pid_of(name)) is not None}
    for pid in known.values():
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + patience
    while (left := [name for name in known if pid_of(name) is not None]) and time.monotonic() < end:
        time.sleep(0.1)
    for name in left:
        os.killpg(known[name], signal.SIGKILL)
    for name in known:
        _file(name).unlink(missing_ok=True)


def wait_for_port(port: int, what: str) -> None:
    """Wait until something listens there."""

    def open_() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    _wait(open_, f"{what} does not listen on port {port}", what)


def wait_for_api(port: int, what: str) -> None:
    """Wait until an API answers at its root."""

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                return answer.status in _LIVING
        except urllib.error.HTTPError as error:
            return error.code in _LIVING
        except OSError:
            return False

    _wait(answers, f"{what} does not answer on port {port}", what)


def _wait(look: Callable[[], bool], failure: str, name: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not look():
        if time.monotonic() > end:
            raise SystemExit(f"{failure}; see {LOGS / name}.log")
        time.sleep(0.2)
