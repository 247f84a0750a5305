"""Fairlead as real processes: started, killed, stopped and measured, as an operator's machine would.

The port is chosen once, so that clients find a restarted server where it was. What a process prints goes to a file, which
stays for whoever looks into a failure.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["Process", "free_port"]

_START = 30.0
"""Seconds for a process to be ready, on a busy machine."""
_STOP = 15.0


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """One process of Fairlead: `serve`, `api` or `worker`, with its options. Everything about it is under `data`."""

    def __init__(self, command: str, data: Path, *, name: str | None = None, database: str | None = None) -> None:
        self.name = name or command
        self.data = data
        self.log = data / f"{self.name}.log"
        self.port = free_port()
        self.starts = 0
        options = ["--data", str(data), *(["--database", database] if database else [])]
        listening = ["--status-port" if command == "worker" else "--port", str(self.port)]
        program = "from fairlead.main import cli; cli()"
        self._arguments = [sys.executable, "-c", program, command, *options, *listening]
        self._ready = "Fairlead works as" if command == "worker" else "Fairlead listens on"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True) -> None:
        """Start it, and return once it is ready. Raises RuntimeError with the end of its log when that fails."""
        self.data.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            began = log.tell()
            # Compiled once, as where it is installed: a start would take twice as long otherwise.
            environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
            environment["PYTHONUNBUFFERED"] = "1"
            # In a group of its own: Ctrl-C is for whoever started this, who then stops the process in order.
            self._process = subprocess.Popen(
                self._arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, process_group=0
            )
        self.starts += 1
        if wait:
            self._until_ready(began)

    def _until_ready(self, began: int) -> None:
        end = time.monotonic() + _START
        while self._ready not in self.printed(began):
            if not self.running or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"{self.name} did not start:\n{self.printed(began)[-3000:]}")
            time.sleep(0.01)

    def printed(self, since: int = 0) -> str:
        """What it has printed, from the byte `since` on."""
        with self.log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    @property
    def token(self) -> str:
        """The token that was printed at the very first start."""
        found = re.search(r"flt_[A-Za-z0-9_-]+", self.printed())
        if found is None:
            raise RuntimeError(f"{self.name} has printed no token:\n{self.printed()[-3000:]}")
        return found[0]

    @property
    def memory(self) -> int:
        """Bytes of memory that it has resident; 0 when it does not run."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) * 1024 if found else 0

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.running:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a crash does."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """End it in good order, or after some seconds in any."""
        self.send(signal.SIGTERM)
        if self._process is not None:
            try:
                self._process.wait(_STOP)
            except subprocess.TimeoutExpired:
                self.kill()
