"""Workers in processes of their own on one PostgreSQL: killed, stopped, and with their database taken away."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from fairlead.main.program import Program
from fairlead.operations import OperationState
from fairlead.operations.tables import workers
from fairlead.store import normalised_url
from tests.operations.resources import machines, site
from tests.support.databases import PostgresqlServer
from tests.support.running import PROJECT, Running, eventually, running
from tests.support.servers import OwnPostgresql, postgresql_binaries
from tests.support.worker import WorkerProcess, worker_process

pytestmark = pytest.mark.postgresql

S = OperationState
WHOLE = ["disk", "machine", "net", "port"]
CHANGES = {"on": "[cupd]*", "effect": "refused", "after": 1_000_000}
"""A fault that never happens: the world counts the calls that it concerns."""


@contextlib.asynccontextmanager
async def two_workers(
    url: str, directory: Path, **latency: float
) -> AsyncIterator[tuple[Running, list[WorkerProcess]]]:
    """Two workers that start at once, and a process (this one) that only accepts."""
    async with worker_process(url, directory, "a") as one, worker_process(url, directory, "b") as two:
        await asyncio.gather(one.ready(), two.ready())
        accepting = partial(Program, works=False)
        behaviour = {"latencies": {"network": {"ready": latency["network"]}}, "faults": [CHANGES]}
        async with running(url, directory, engine=True, program=accepting, behaviour=behaviour) as run:
            yield run, [one, two]


async def had_by(run: Running, operation: str, both: list[WorkerProcess]) -> tuple[WorkerProcess, WorkerProcess]:
    """Who has the operation in hand, and who has not, once its network is being made."""
    await run.step_begun(operation, "create net")
    worker = (await run.show(operation)).worker
    one, two = both
    assert worker in (one.name, two.name)
    return (one, two) if worker == one.name else (two, one)


async def taken_over(run: Running, operation: str, other: WorkerProcess) -> None:
    """Wait until `other` has it, or has done it."""

    async def look() -> bool:
        found = await run.show(operation)
        return found.worker == other.name or not found.open

    await eventually(look, what="the takeover")


def calls(run: Running) -> int:
    """How many calls that change something the VIM has had."""
    rows = run.world._db.execute("SELECT coalesce(sum(value), 0) FROM counts WHERE name LIKE 'fault %'")
    return int(rows.fetchone()[0])


async def alive(run: Running) -> set[str]:
    """The workers that have signed in."""
    rows = await run.program.store.read(lambda tx: tx.all(tx.select(workers, workers.c.id)))
    return {row.id for row in rows}


async def test_the_work_of_a_killed_worker_goes_on_and_nothing_is_made_twice(
    postgresql_url: str, tmp_path: Path
) -> None:
    async with two_workers(postgresql_url, tmp_path, network=2.0) as (run, both):
        assert await alive(run) == {worker.name for worker in both}
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        owner, other = await had_by(run, operation, both)
        owner.signal(signal.SIGKILL)
        await taken_over(run, operation, other)
        await run.reached(operation, S.COMPLETED)
        assert run.names() == WHOLE
        assert calls(run) == 4, "one call for each thing: what had been asked for was found"
        rows = await run.records(bundle)
        assert ({row.handle for row in rows.current.values()}, rows.leaving) == ({x.handle for x in run.things()}, ())
        assert await alive(run) == {other.name}


async def test_a_worker_that_hangs_past_its_takeover_makes_no_further_call_when_it_wakes(
    postgresql_url: str, tmp_path: Path
) -> None:
    async with two_workers(postgresql_url, tmp_path, network=1.0) as (run, both):
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        owner, other = await had_by(run, operation, both)
        owner.signal(signal.SIGSTOP)
        await taken_over(run, operation, other)
        done = await run.reached(operation, S.COMPLETED)
        made, told, changes = run.things(), await run.events(operation=operation), calls(run)
        owner.signal(signal.SIGCONT)

        async def awake() -> bool:
            return owner.told("operation.superseded") > 0 and owner.name in await alive(run)

        await eventually(awake, what="the sleeper's waking")
        assert calls(run) == changes == 4
        assert run.things() == made
        assert await run.show(operation) == done
        assert await run.events(operation=operation) == told
        asked = [await run.become(await run.bundle(), *machines(run.vim, 1)) for _ in range(4)]
        for one in asked:
            await run.reached(one, S.COMPLETED)
        assert await alive(run) == {owner.name, other.name}, "it is one of two workers again"


async def test_what_was_accepted_while_no_worker_was_there_is_done_when_one_comes(
    postgresql_url: str, tmp_path: Path
) -> None:
    async with worker_process(postgresql_url, tmp_path, "first") as first:
        await first.ready()
        first.signal(signal.SIGTERM)
        await asyncio.to_thread(first.process.wait, 10)
        assert first.process.returncode == 0
    accepting = partial(Program, works=False)
    async with running(postgresql_url, tmp_path, engine=True, program=accepting) as run:
        assert await alive(run) == set()
        operation = await run.become(await run.bundle(), *site(run.vim))
        async with worker_process(postgresql_url, tmp_path, "second") as second:
            await second.ready()
            await run.reached(operation, S.COMPLETED)
        assert run.names() == WHOLE


async def test_a_worker_that_is_told_to_end_leaves_its_work_to_the_other(postgresql_url: str, tmp_path: Path) -> None:
    async with two_workers(postgresql_url, tmp_path, network=2.0) as (run, both):
        operation = await run.become(await run.bundle(), *site(run.vim))
        owner, other = await had_by(run, operation, both)
        owner.signal(signal.SIGTERM)
        await asyncio.to_thread(owner.process.wait, 10)
        assert owner.process.returncode == 0
        await taken_over(run, operation, other)
        await run.reached(operation, S.COMPLETED)
        assert run.names() == WHOLE


@pytest.fixture
def own_server() -> Iterator[OwnPostgresql]:
    """A PostgreSQL that a test may take away."""
    binaries = postgresql_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's programs are not installed below /usr/lib/postgresql")
    server = OwnPostgresql(binaries)
    yield server
    server.end()


async def test_operations_live_through_a_restart_of_the_database(own_server: OwnPostgresql, tmp_path: Path) -> None:
    url = PostgresqlServer(normalised_url(own_server.url)).create()
    async with two_workers(url, tmp_path, network=2.0) as (run, both):
        bundles = [await run.bundle() for _ in range(6)]
        asked = [await run.become(bundle, *site(run.vim)) for bundle in bundles]
        for operation in asked:
            await run.step_begun(operation, "create net")
        await asyncio.to_thread(own_server.kill)
        await asyncio.to_thread(own_server.start)
        for operation in asked:
            await run.reached(operation, S.COMPLETED)
        assert run.names() == sorted(WHOLE * 6)
        assert calls(run) == 24
        later = [await run.become(await run.bundle(), *machines(run.vim, 1)) for _ in range(6)]
        for operation in later:
            await run.reached(operation, S.COMPLETED)

        async def both_there() -> bool:
            return await alive(run) == {worker.name for worker in both}

        await eventually(both_there)
        await run.program.operations.show(PROJECT, asked[0])
