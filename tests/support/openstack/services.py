"""The processes of devcloud, stopped and started again."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["forget_tokens", "start_services", "stop_services", "stopped"]

_DEVCLOUD = Path(__file__).parents[3] / "devcloud"
_MEMCACHED = ("127.0.0.1", 11211)
_PATIENCE = 240.0


def stop_services(*names: str) -> None:
    """Stop processes of the cloud, by the names that `devcloud status` shows."""
    _run("stop", *names)


def start_services() -> None:
    """Start all that is stopped, and return once the APIs answer."""
    _run("start")


@contextmanager
def stopped(*names: str) -> Iterator[None]:
    """Stop them for a while."""
    stop_services(*names)
    try:
        yield
    finally:
        start_services()


def forget_tokens() -> None:
    """Have the services ask Keystone about every token again, which they otherwise do after some minutes."""
    with socket.create_connection(_MEMCACHED, timeout=10) as connection:
        connection.sendall(b"flush_all\r\n")
        answer = connection.recv(64)
    assert answer.startswith(b"OK"), answer


def _run(*arguments: str) -> None:
    done = subprocess.run(
        ["/usr/bin/python3", str(_DEVCLOUD), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"devcloud {' '.join(arguments)}: {done.stdout}{done.stderr}")
