"""A worker in a process of its own, for tests that kill it, stop it or take its database away.

`python -m tests.support.worker URL DIRECTORY` runs the program on simulated VIMs, with bundles, until it is told to end; its
first line names the worker. `WorkerProcess` is the test's hold on one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from fairlead.main.logs import set_up_logging
from fairlead.main.program import Program
from fairlead.settings import LogSettings, load_settings
from fairlead.vims.simulated import driver
from tests.support.bundles import BundleRole
from tests.support.running import eventually

__all__ = ["WorkerProcess", "worker_process"]

_READY = "works as "


class WorkerProcess:
    """A worker. `name` is the one that rows know it by."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self.output = output
        self.name = ""

    def told(self, words: str) -> int:
        """How many lines of its log contain `words`."""
        return sum(words in line for line in self.output.read_text().splitlines())

    async def ready(self) -> None:
        """Return once it works."""

        async def look() -> str:
            assert self.process.poll() is None, self.output.read_text()
            lines = self.output.read_text().splitlines()
            return next((line.split(_READY)[1] for line in lines if _READY in line), "")

        self.name = await eventually(look, patience=30, what="a worker")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it, and to nobody else."""
        os.kill(self.process.pid, number)

    def end(self) -> None:
        """Have it gone."""
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
        self.process.wait()


@contextlib.asynccontextmanager
async def worker_process(url: str, directory: Path, label: str) -> AsyncIterator[WorkerProcess]:
    """A worker on the database `url`, with its files in `directory`; begun, but perhaps not ready yet."""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}", "PYTHONUNBUFFERED": "1"}
    output = directory / f"{label}.log"
    command = [sys.executable, "-m", "tests.support.worker", url, str(directory)]
    with output.open("wb") as writing:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting it does not wait for it
            command, stdout=writing, stderr=subprocess.STDOUT, env=environment, cwd=root
        )
    worker = WorkerProcess(process, output)
    try:
        yield worker
    finally:
        worker.end()


async def _work(url: str, directory: str) -> None:
    settings = load_settings(overrides={"data": directory, "store.url": url}, environment={})
    program = Program(settings, types={"simulated": driver}, roles=[BundleRole()])
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await program.start()
    sys.stdout.write(f"{_READY}{program.worker}\n")
    sys.stdout.flush()
    await stopping.wait()
    await program.stop()


if __name__ == "__main__":
    set_up_logging(LogSettings(format="json"))
    asyncio.run(_work(sys.argv[1], sys.argv[2]))
