"""Fairlead as processes: what one takes when idle, and how soon an operation goes on after its worker was killed."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from fairlead.client import Client
from fairlead.sol import encode
from fairlead.store import normalised_url
from fairlead.vims.simulated import World
from tests.bench.figures import Figure, Skipped, figure, median_of
from tests.support.databases import server_from_environment
from tests.support.packages import VNFD_ID, small_package
from tests.support.running import instantiate_request, outside
from tests.support.serving import Process

__all__ = ["memory", "resume_postgresql", "resume_sqlite"]

_KILLS = 3
_PATIENCE = 60.0


def memory() -> list[Figure]:
    """Resident memory after the start and a few requests."""
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as scratch:
        server = Process("serve", Path(scratch))
        began = time.perf_counter()
        server.start()
        started = time.perf_counter() - began
        try:
            with Client(server.url, token=server.token) as client:
                for _ in range(5):
                    list(client.vnfs.list())
                    list(client.packages.list())
                    list(client.operations.list())
                    client.vims.list()
            resident = server.memory / 2**20
            spent = _cpu(server)
            time.sleep(5.0)
            idle = (_cpu(server) - spent) / 5.0 * 100
        finally:
            server.stop()
    return [
        figure("serve, idle: memory", resident, "MB", target=150.0),
        figure("serve, idle: processor", idle, "%", note="of one core"),
        figure("serve: from start to listening", started, "s"),
    ]


def _cpu(server: Process) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


def resume_sqlite() -> list[Figure]:
    """The one process is killed in mid-operation and started again at once."""
    times = []
    for _ in range(_KILLS):
        with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as scratch:
            data = Path(scratch)
            server = Process("serve", data)
            with _stopping(server), sqlite3.connect(data / "fairlead.db", timeout=30) as database:
                server.start()
                operation = _begin(server, data)
                marks = partial(_marks, database, _MARKS.format("?"), operation)
                _until_begun(marks)
                killed = time.perf_counter()
                server.kill()
                before = marks()
                server.start(wait=False)
                _until_moved(marks, before)
                times.append(time.perf_counter() - killed)
    name = "kill -9 to the operation being worked on: restart on SQLite"
    return [median_of(name, times, "s", target=5.0)]


def resume_postgresql() -> list[Figure]:
    """The worker that has the operation is killed, and another one takes over."""
    server = server_from_environment()
    if server is None:
        raise Skipped("FAIRLEAD_TEST_POSTGRESQL names no server")
    url = server.create(empty=True)
    times = []
    address = normalised_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as scratch:
            data = Path(scratch)
            front = Process("api", data, database=url)
            workers = [Process("worker", data, name=f"worker-{number}", database=url) for number in (1, 2)]
            with _stopping(front, *workers), psycopg.connect(address, autocommit=True) as database:
                for process in (front, *workers):
                    process.start()
                for number in range(_KILLS):
                    operation = _begin(front, data, number)
                    marks = partial(_marks, database, _MARKS.format("%s"), operation)
                    _until_begun(marks)
                    victim = _worker_of(database, operation, workers)
                    killed = time.perf_counter()
                    victim.kill()
                    before = marks()
                    _until_moved(marks, before)
                    times.append(time.perf_counter() - killed)
                    victim.start()
    finally:
        server.drop(url)
    name = "kill -9 to the operation being worked on: takeover on PostgreSQL"
    return [median_of(name, times, "s", target=5.0)]


_MARKS = (
    "SELECT count(accepted), count(ended), max(coalesce(accepted, 0)), max(coalesce(ended, 0)), count(*) "
    "FROM steps WHERE operation = {}"
)


def _worker_of(database: Any, operation: str, workers: list[Process]) -> Process:
    name = database.execute("SELECT worker FROM operations WHERE id = %s", (operation,)).fetchone()[0]
    for process in workers:
        told = re.findall(r"Fairlead works as (\S+)", process.printed())
        if told and told[-1] == name:
            return process
    raise RuntimeError(f"no process is {name}")


def _begin(front: Process, data: Path, number: int = 0) -> str:
    """Begin an instantiation that takes some ten seconds; the operation's id."""
    with Client(front.url, token=front.token) as client:
        if number == 0:
            settings = {"latency": {"call": 0.05, "ready": 3.0}, "jitter": 0.5}
            interface = {"state": str(data / "world.db")}
            document = {"name": "sim", "type": "simulated", "interface": interface, "settings": settings}
            client.vims.register({**document, "default": True})
            World(interface["state"]).put(outside(time.time()))
            made = client.packages.create({"name": "small"})
            package = data / "small.csar"
            package.write_bytes(small_package())
            with package.open("rb") as content:
                client.packages.upload(made["id"], content, size=package.stat().st_size)
            client.packages.wait(made["id"], timeout=60)
        vnf = client.vnfs.create({"vnfdId": VNFD_ID, "vnfInstanceName": f"killed {number}"})
        asked = json.loads(encode(instantiate_request(address=None)))
        return client.vnfs.begin(vnf["id"], "instantiate", asked)


def _marks(database: Any, statement: str, operation: str) -> tuple[float, ...]:
    return tuple(database.execute(statement, (operation,)).fetchone())


def _until_begun(marks: Callable[[], tuple[float, ...]]) -> None:
    _until(lambda: marks()[0] >= 2)


def _until_moved(marks: Callable[[], tuple[float, ...]], before: tuple[float, ...]) -> None:
    _until(lambda: marks() != before)


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"what was waited for has not happened in {_PATIENCE:g} s")
        time.sleep(0.01)


@contextlib.contextmanager
def _stopping(*processes: Process) -> Iterator[None]:
    try:
        yield
    finally:
        for process in reversed(processes):
            process.kill()
