"""Fairlead as it is soaked: one process on SQLite, or an API and two workers on PostgreSQL; killed and started again.

A process that is killed may be away for a while. Whoever asks meanwhile is told by the client that nobody answers, and asks again.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from pathlib import Path

from tests.soak.rows import Rows
from tests.soak.tally import Tally
from tests.support.serving import Process

__all__ = ["Deployment", "Reaper"]


class Deployment:
    """The processes. `database` is None for SQLite in the directory `data`."""

    def __init__(self, data: Path, database: str | None) -> None:
        self.data = data
        if database is None:
            self.processes = [Process("serve", data)]
        else:
            workers = [Process("worker", data, name=f"worker-{number}", database=database) for number in (1, 2)]
            self.processes = [Process("api", data, database=database), *workers]
        self.url = database or f"sqlite:///{data / 'fairlead.db'}"

    @property
    def front(self) -> Process:
        """The process that listens."""
        return self.processes[0]

    def start(self) -> None:
        for process in self.processes:
            process.start()

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.stop()

    def log_lines(self, *words: str) -> list[str]:
        """Lines of the logs that have any of `words`."""
        return [
            f"{process.name}: {line}"
            for process in self.processes
            for line in process.printed().splitlines()
            if any(word in line for word in words)
        ]


class Reaper(threading.Thread):
    """Kills processes at random moments until told to stop, and starts them again."""

    def __init__(
        self, deployment: Deployment, rows: Rows, tally: Tally, chance: random.Random, apart: tuple[float, float]
    ) -> None:
        super().__init__(name="reaper", daemon=True)
        self._deployment = deployment
        self._rows = rows
        self._tally = tally
        self._chance = chance
        self._apart = apart
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self._chance.uniform(*self._apart)):
            process = self._chance.choice(self._deployment.processes)
            try:
                self._harm(process)
            except Exception as error:  # noqa: BLE001 - a process that does not come back is what is looked for
                self._tally.violate(f"{process.name} was killed and did not come back: {error}")
                return

    def _harm(self, process: Process) -> None:
        if len(self._deployment.processes) > 1 and self._chance.random() < 0.3:
            # Longer than it takes the other worker to take over: it comes back and finds itself superseded.
            process.send(signal.SIGSTOP)
            self._over.wait(self._chance.uniform(1.0, 8.0))
            process.send(signal.SIGCONT)
            self._tally.count("stalls")
            return
        process.kill()
        interrupted = self._rows.running()
        self._tally.count("kills")
        self._tally.count("interrupted", len(interrupted))
        self._over.wait(self._chance.choice([0.0, 0.0, self._chance.uniform(0.0, 5.0)]))
        began = time.monotonic()
        process.start()
        self._tally.most("longest start, ms", round((time.monotonic() - began) * 1000))

    def stop(self) -> None:
        """Kill no more; all processes run when this returns."""
        self._over.set()
        self.join()
        for process in self._deployment.processes:
            if not process.running:
                process.start()
