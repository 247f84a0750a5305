"""One worker at a time: who has been taken over makes no further call, and whoever takes over finds what was begun."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from fairlead.clock import SteppedClock
from fairlead.operations import OperationState
from fairlead.operations.tables import operations, workers
from tests.operations.conftest import Start
from tests.operations.resources import machines, network, site
from tests.support.running import Running, Tasks, eventually, running

S = OperationState
SLOW = {"latency": {"ready": 10.0, "gone": 10.0}}
WHOLE = ["disk", "machine", "net", "port"]


async def fence(run: Running, operation: str) -> int:
    """Do what a takeover does first: raise the epoch. The new one is returned."""
    where = operations.c.id == operation
    values = {"epoch": operations.c.epoch + 1, "worker": None}
    await run.program.store.write(lambda tx: tx.run(tx.update(operations).where(where).values(**values)))
    return (await run.show(operation)).epoch


async def let_go(run: Running, operation: str) -> None:
    """Until this process has nothing to do with the operation any more."""

    async def look() -> bool:
        clock = run.program.clock
        assert isinstance(clock, SteppedClock)
        clock.step(1.0)
        return operation not in run.program.runner.cancels.watched

    await eventually(look, what="letting go")


async def test_a_superseded_worker_makes_no_further_call_and_moves_nothing(start: Start) -> None:
    engine = Tasks()
    async with start(clock=SteppedClock(), behaviour=SLOW, execution=engine) as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await run.step_begun(operation, "create net")
        await run.step_begun(operation, "create disk")
        epoch = await fence(run, operation)
        await let_go(run, operation)
        assert run.names() == ["disk", "net"]
        left = await run.show(operation)
        assert (left.state, left.epoch, left.worker, left.error) == (S.PROCESSING, epoch, None, None)
        engine.begin(operation, epoch)
        await run.reached(operation, S.COMPLETED, step=1.0)
        assert run.names() == WHOLE


async def test_what_a_superseded_worker_had_asked_for_is_found_by_who_takes_over(start: Start) -> None:
    """The call is on its way while the operation is taken over: its answer comes too late to be written down."""
    engine = Tasks()
    async with start(clock=SteppedClock(), execution=engine) as run:
        await run.behave(latencies={"network": {"call": 5.0}})
        bundle = await run.bundle()
        operation = await run.become(bundle, network(run.vim))

        async def intended() -> bool:
            return "net" in (await run.records(bundle)).current

        await eventually(intended)
        epoch = await fence(run, operation)
        await let_go(run, operation)
        made = {thing.handle for thing in run.things("network")}
        assert len(made) == 1
        engine.begin(operation, epoch)
        await run.reached(operation, S.COMPLETED, step=1.0)
        assert {thing.handle for thing in run.things("network")} == made


async def test_a_superseded_worker_does_not_end_the_operation(start: Start) -> None:
    """Nor when all that is left is to say that it is done."""
    engine = Tasks()
    async with start(clock=SteppedClock(), behaviour=SLOW, execution=engine) as run:
        operation = await run.become(await run.bundle(), network(run.vim))
        await run.step_begun(operation, "create net")
        epoch = await fence(run, operation)
        await let_go(run, operation)
        assert (await run.show(operation)).state is S.PROCESSING
        engine.begin(operation, epoch)
        await run.reached(operation, S.COMPLETED, step=1.0)


async def test_an_operation_is_taken_once_at_each_epoch(start: Start) -> None:
    engine = Tasks(held=True)
    async with start(execution=engine) as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, *machines(run.vim, 3))
        await asyncio.gather(*(engine.begin(operation, 0) for _ in range(5)))
        done = await run.reached(operation, S.COMPLETED)
        assert (done.epoch, len(run.things())) == (1, 3)
        await engine.begin(operation, 0)
        await engine.begin(operation, 1)
        assert (await run.show(operation)).epoch == 1


async def test_a_worker_that_starts_takes_over_from_one_that_is_gone(start: Start) -> None:
    """The first program stops in the middle, without a word; the second finds its operation and what it had begun."""
    slow_at_first = {"latencies": {"network": {"ready": 10.0}}}
    async with start(clock=SteppedClock(), behaviour=slow_at_first) as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await run.step_begun(operation, "create net")
        row = {"id": run.program.worker, "lock": 1, "started": 0.0}
    later = SteppedClock(1_700_000_100.0)
    async with start(clock=later) as second:
        await second.program.store.write(lambda tx: tx.put(workers, **row))
        await second.reached(operation, S.COMPLETED, step=0.5)
        assert second.names() == WHOLE
        states = [event.data["state"] for event in await second.events(operation=operation) if "state" in event.data]
        assert states == ["STARTING", "PROCESSING", "COMPLETED"]

        async def buried() -> bool:
            rows = await second.program.store.read(lambda tx: tx.all(tx.select(workers, workers.c.id)))
            return [row.id for row in rows] == [second.program.worker]

        await eventually(buried, clock=later, step=0.5)


async def test_an_operation_of_a_worker_that_nobody_remembers_is_given_out_again(start: Start) -> None:
    clock, engine = SteppedClock(), Tasks(held=True)
    async with start(clock=clock, execution=engine) as run:
        operation = await run.become(await run.bundle(), network(run.vim))
        where = operations.c.id == operation
        forgotten = {"worker": "worker-forgotten"}
        await run.program.store.write(lambda tx: tx.run(tx.update(operations).where(where).values(**forgotten)))
        engine.held, engine.enqueued[:] = False, []
        await run.program.dispatcher.sweep()
        clock.step(6.0)
        await run.program.dispatcher.sweep()
        await run.reached(operation, S.COMPLETED)


@pytest.mark.postgresql
async def test_a_worker_whose_connection_is_cut_begins_nothing_until_it_is_seen_again(
    postgresql_url: str, tmp_path: Path
) -> None:
    async with running(postgresql_url, tmp_path) as run:
        program = run.program
        assert program.liveness.held
        bundles = [await run.bundle() for _ in range(3)]
        for bundle in bundles:
            assert await asyncio.to_thread(_cut_locks, program.store.engine) >= 1

            async def lost() -> bool:
                return not program.liveness.held

            await eventually(lost, what="noticing that the lock is gone")
            operation = await run.become(bundle, *machines(run.vim, 2))
            await run.reached(operation, S.COMPLETED)
            assert program.liveness.held
            rows = await program.store.read(lambda tx: tx.all(tx.select(workers, workers.c.id)))
            assert [row.id for row in rows] == [program.worker]
        assert len(run.things()) == 6


def _cut_locks(engine: sa.Engine) -> int:
    """End the sessions that hold a worker's lock; how many there were."""
    ending = sa.text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks JOIN pg_database ON oid = database"
        " WHERE locktype = 'advisory' AND datname = current_database() AND mode = 'ExclusiveLock'"
    )
    with engine.connect() as connection:
        return int(connection.scalar(ending) or 0)
