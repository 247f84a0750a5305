"""Fairlead as it is soaked: one process on SQLite, or an API and two workers on PostgreSQL.

A process that is killed may be away for a while. Whoever asks meanwhile is told by the client that nobody answers, and asks again.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.serving import Process

__all__ = ["Deployment"]


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
