"""`fairlead serve` as a process of its own, and the command line that talks to it.

Nothing here knows the program's inside: what it prints and how it exits is all there is to go by.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Answer", "Served"]

_FAIRLEAD = [sys.executable, "-m", "fairlead"]
_PATIENCE = 180.0


class Answer:
    """What a command printed, and its exit code."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def json(self) -> Any:
        """The printed document."""
        assert self.code in (0, 2), f"exit {self.code}: {self.out}{self.err}"
        return json.loads(self.out)

    def ok(self) -> Answer:
        """Itself; fails the test unless the command was done."""
        assert self.code == 0, f"exit {self.code}: {self.out}{self.err}"
        return self


class Served:
    """A served program in its data directory; `settings` as environment variables."""

    def __init__(
        self, data: Path, database: str | None = None, *, port: int = 0, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self._database = database
        self._port = port
        self._log = data.parent / f"serve-{id(self)}.log"
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("FAIRLEAD_")} | dict(
            settings or {}
        )
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        self.token = ""
        self.printed: list[str] = []

    def start(self) -> None:
        """Start it, and return once it says that it listens."""
        command = [*_FAIRLEAD, "serve", "--data", str(self.data), "--port", str(self._port), "--log-format", "json"]
        if self._database is not None:
            command += ["--database", self._database]
        log = self._log.open("a")
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=self._environment)
        log.close()
        spoken = threading.Event()
        self.url = ""
        threading.Thread(target=self._read, args=(self._process, spoken), daemon=True).start()
        assert spoken.wait(_PATIENCE), self.log()
        assert self.url, f"It did not listen: {self.log()}"

    def log(self) -> str:
        """The end of what it wrote to standard error."""
        return self._log.read_text()[-3000:]

    def _read(self, process: subprocess.Popen[str], spoken: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.printed.append(line)
            if found := re.search(r"\bflt_[\w-]+", line):
                self.token = found.group(0)
            if found := re.search(r"listens on (http://\S+)", line):
                self.url = found.group(1)
                spoken.set()
        process.wait()
        spoken.set()

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(_PATIENCE)

    def run(self, *words: str, token: str | None = None, output: str | None = None) -> Answer:
        """Run `fairlead` with these words."""
        arguments: Sequence[str] = [*words, *(["-o", output] if output else [])]
        environment = {**self._environment, "FAIRLEAD_URL": self.url, "FAIRLEAD_TOKEN": token or self.token}
        done = subprocess.run(
            [*_FAIRLEAD, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Answer(done)

    def ask(self, *words: str) -> Any:
        """The JSON that a command prints."""
        return self.run(*words, output="json").json()
