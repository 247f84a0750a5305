"""Processes without an init system: started in sessions of their own, known by a file with their id, stopped by it.

Waiting is always for a condition and always bounded, and it ends at once when the process that it is for has died. Whatever fails
ends the program with one sentence that names the log, and with the last lines of the log.
"""

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
from typing import NoReturn

from place import LOGS, RUN

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
"""All that the cloud's processes are told: nothing of the caller's Python, proxies or `OS_` variables."""
_PATIENCE = 180.0
"""Seconds that a process may take until it answers; the slowest took 40 on two cores that had other work."""
_INTERVAL = 0.2
"""Seconds between two looks."""
_LIVING = {200, 300, 401, 404}
"""What an API answers at its root when it works."""


def run(log: str, *command: str, **environment: str) -> None:
    """Run a tool to its end; what it prints goes to its log. Raises SystemExit when it fails."""
    with (LOGS / f"{log}.log").open("ab") as told:
        code = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=told, stderr=told, env={**ENVIRONMENT, **environment}, check=False
        ).returncode
    if code:
        fail(f"{Path(command[0]).name} failed with {code}", log)


def seen(*command: str) -> str:
    """What a tool prints."""
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=True).stdout


def fail(what: str, log: str) -> NoReturn:
    """End the program, naming the log and showing its end."""
    path = LOGS / f"{log}.log"
    lines = path.read_text(errors="replace").splitlines()[-8:] if path.exists() else []
    raise SystemExit("\n".join([f"{what}; see {path}, which ends with", *(f"    {line}" for line in lines)]))


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
            env={**ENVIRONMENT, **environment},
        )
    note(name, process.pid)


def pid_of(name: str) -> int | None:
    """The id of a process that was started here and runs."""
    try:
        pid, *begun = _file(name).read_text().split()
        state, now = _state(int(pid))
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    # One that began at another time is another, which was given the same id.
    return None if state == "Z" or (begun and begun != [now]) else int(pid)


def note(name: str, pid: int | None = None) -> None:
    """Remember a process by its id and the time of its start; without an id it is the one that wrote its own file."""
    pid = pid or int(_file(name).read_text())
    _file(name).write_text(f"{pid} {_state(pid)[1]}\n")


def _state(pid: int) -> tuple[str, str]:
    """A process's state and when it began, in ticks since the machine did; see proc(5)."""
    # Only what follows the name of the program, which may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], fields[19]


def started() -> list[str]:
    """The names of all processes that were started and not stopped."""
    return sorted(path.stem for path in RUN.glob("*.pid"))


def stop(names: Iterable[str], patience: float) -> None:
    """Ask processes to end, and kill those that do not within `patience` seconds."""
    names = list(names)
    known = {name: pid for name in names if (pid := pid_of(name)) is not None}
    for pid in known.values():
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + patience
    while (left := [name for name in known if pid_of(name) is not None]) and time.monotonic() < end:
        time.sleep(_INTERVAL)
    for name in left:
        os.killpg(known[name], signal.SIGKILL)
    for name in names:
        _file(name).unlink(missing_ok=True)


def wait_for_port(port: int, name: str) -> None:
    """Wait until a process listens there. Raises SystemExit when it dies or takes too long."""

    def listens() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    _wait(listens, f"{name} does not listen on port {port}", name)


def wait_for_api(port: int, name: str) -> None:
    """Wait until an API answers at its root. Raises SystemExit when its process dies or takes too long."""

    def answers() -> bool:
        try:
            with _direct.open(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                return answer.status in _LIVING
        except urllib.error.HTTPError as error:
            return error.code in _LIVING
        except OSError:
            return False

    _wait(answers, f"{name} does not answer on port {port}", name)


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _wait(look: Callable[[], bool], failure: str, name: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not look():
        if pid_of(name) is None:
            fail(f"{name} ended by itself", name)
        if time.monotonic() > end:
            fail(f"{failure} after {_PATIENCE:.0f} s", name)
        time.sleep(_INTERVAL)


def _file(name: str) -> Path:
    return RUN / f"{name}.pid"
