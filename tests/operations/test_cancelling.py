"""Cancelling: before anything is done nothing is left of an operation; afterwards it stops where it is and says so."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.clock import SteppedClock
from fairlead.errors import Conflict
from fairlead.operations import OperationState
from fairlead.resources import CancelMode, State
from tests.operations.conftest import Start
from tests.operations.resources import machines, network, port, site
from tests.support.running import PROJECT, Running, Tasks

S = OperationState
SLOW = {"latency": {"ready": 10.0, "gone": 10.0}}
BOTH = pytest.mark.parametrize("mode", list(CancelMode))


async def cancel(run: Running, operation: str, mode: CancelMode) -> None:
    await run.program.operations.cancel(PROJECT, operation, mode)


async def slow_site(run: Running, bundle: str) -> str:
    """An operation that waits for the network, the first of four steps."""
    operation = await run.become(bundle, *site(run.vim))
    await run.step_begun(operation, "create net")
    return operation


@BOTH
async def test_before_it_is_begun_a_cancelled_operation_leaves_nothing(start: Start, mode: CancelMode) -> None:
    engine = Tasks(held=True)
    async with start(execution=engine) as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await cancel(run, operation, mode)
        engine.release()
        ended = await run.reached(operation, S.ROLLED_BACK)
        assert ended.error is not None
        assert (ended.error["code"], ended.target, ended.cancel) == ("cancelled", None, None)
        assert run.things() == []
        assert not (await run.records(bundle)).current


async def test_gracefully_what_has_begun_is_finished_and_nothing_else_is_begun(start: Start) -> None:
    async with start(clock=SteppedClock(), behaviour=SLOW) as run:
        bundle = await run.bundle()
        operation = await slow_site(run, bundle)
        await run.step_begun(operation, "create disk")
        await cancel(run, operation, CancelMode.GRACEFUL)
        assert (await run.show(operation)).cancel is CancelMode.GRACEFUL
        stopped = await run.reached(operation, S.FAILED_TEMP, step=1.0)
        assert run.names() == ["disk", "net"]
        rows = (await run.records(bundle)).current
        assert {name: row.state for name, row in rows.items()} == {"net": State.READY, "disk": State.READY}
        assert stopped.error is not None
        assert stopped.error["code"] == "cancelled"
        assert "2 steps are done, 2 are not" in stopped.error["left"]
        assert stopped.cancel is None, "the wish is fulfilled"


async def test_forcefully_nothing_is_waited_for(start: Start) -> None:
    clock = SteppedClock()
    async with start(clock=clock, behaviour=SLOW) as run:
        bundle = await run.bundle()
        operation = await slow_site(run, bundle)
        begun = clock.now()
        await cancel(run, operation, CancelMode.FORCEFUL)
        await run.reached(operation, S.FAILED_TEMP)
        assert clock.now() == begun
        rows = (await run.records(bundle)).current
        assert rows
        assert {row.state for row in rows.values()} <= {State.CREATING, State.INTENDED}
        timeline = await run.program.operations.timeline(PROJECT, operation)
        assert {step["outcome"] for step in timeline["steps"]} == {"interrupted"}


async def test_a_forceful_wish_makes_a_graceful_one_urgent(start: Start) -> None:
    clock = SteppedClock()
    async with start(clock=clock, behaviour=SLOW) as run:
        operation = await slow_site(run, await run.bundle())
        await cancel(run, operation, CancelMode.GRACEFUL)
        assert (await run.show(operation)).state is S.PROCESSING
        await cancel(run, operation, CancelMode.FORCEFUL)
        await run.reached(operation, S.FAILED_TEMP)


async def test_a_wish_that_another_process_took_is_noticed(start: Start) -> None:
    """The API that took the request may be in another process than the worker: only the row tells."""
    async with start(clock=SteppedClock(), behaviour=SLOW) as run:
        operation = await slow_site(run, await run.bundle())
        run.program.operations._cancels = None
        await cancel(run, operation, CancelMode.FORCEFUL)
        run_clock = run.program.clock
        assert isinstance(run_clock, SteppedClock)
        await run.reached(operation, S.FAILED_TEMP, step=1.0)


@BOTH
async def test_a_cancelled_operation_goes_on_by_retry(start: Start, mode: CancelMode) -> None:
    async with start(clock=SteppedClock(), behaviour=SLOW) as run:
        bundle = await run.bundle()
        operation = await slow_site(run, bundle)
        await cancel(run, operation, mode)
        await run.reached(operation, S.FAILED_TEMP, step=1.0)
        await run.program.operations.retry(PROJECT, operation)
        await run.reached(operation, S.COMPLETED, step=1.0)
        assert run.names() == ["disk", "machine", "net", "port"]


@BOTH
async def test_a_cancelled_operation_goes_back_by_rollback(start: Start, mode: CancelMode) -> None:
    async with start(clock=SteppedClock(), behaviour=SLOW) as run:
        bundle = await run.bundle()
        operation = await slow_site(run, bundle)
        await cancel(run, operation, mode)
        await run.reached(operation, S.FAILED_TEMP, step=1.0)
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK, step=1.0)
        assert run.things() == []
        assert not (await run.records(bundle)).current


@BOTH
async def test_the_way_back_can_be_cancelled_too(start: Start, mode: CancelMode) -> None:
    async with start(clock=SteppedClock(), behaviour=SLOW) as run:
        bundle = await run.bundle()
        operation = await slow_site(run, bundle)
        await cancel(run, operation, CancelMode.GRACEFUL)
        await run.reached(operation, S.FAILED_TEMP, step=1.0)
        await run.program.operations.rollback(PROJECT, operation)
        await run.step_begun(operation, f"delete net#{_life(await run.records(bundle), 'net')}", "started")
        await cancel(run, operation, mode)
        stopped = await run.reached(operation, S.FAILED_TEMP, step=1.0)
        assert stopped.error is not None
        assert stopped.error["code"] == "cancelled"
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK, step=1.0)
        assert run.things() == []


async def test_an_operation_that_has_ended_cannot_be_cancelled(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        operation = await run.made(bundle, network(run.vim))
        before = await run.events(operation=operation)
        with pytest.raises(Conflict) as refused:
            await cancel(run, operation, CancelMode.FORCEFUL)
        assert refused.value.code == "wrong-operation-state"
        assert (await run.show(operation)).cancel is None
        assert await run.events(operation=operation) == before


async def test_cancelling_at_any_moment_ends_in_a_state_of_the_standard(start: Start) -> None:
    """Ten operations, each cancelled at once, or a little later: before it is begun, while it is decided, at work."""
    async with start() as run:
        bundles = [await run.bundle() for _ in range(10)]

        async def one(number: int, bundle: str) -> tuple[OperationState, str]:
            operation = await run.become(bundle, *machines(run.vim, 3))
            for _ in range(number * 3):
                await asyncio.sleep(0)
            try:
                await cancel(run, operation, CancelMode.GRACEFUL)
            except Conflict:
                assert (await run.show(operation)).state is S.COMPLETED
            return (await run.stopped(operation)).state, bundle

        for state, bundle in await asyncio.gather(*(one(number, bundle) for number, bundle in enumerate(bundles))):
            rows = (await run.records(bundle)).current
            assert state in (S.ROLLED_BACK, S.FAILED_TEMP, S.COMPLETED)
            assert len(rows) == {S.ROLLED_BACK: 0, S.COMPLETED: 3}.get(state, len(rows))
            assert len(run.picture(bundle)) == len(rows)


async def test_the_port_that_waits_for_its_network_is_not_begun_by_a_cancelled_operation(start: Start) -> None:
    async with start(clock=SteppedClock(), behaviour=SLOW) as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, network(run.vim), port(run.vim))
        await run.step_begun(operation, "create net")
        await cancel(run, operation, CancelMode.GRACEFUL)
        await run.reached(operation, S.FAILED_TEMP, step=1.0)
        timeline = await run.program.operations.timeline(PROJECT, operation)
        assert [step["id"] for step in timeline["steps"]] == ["create net"]


def _life(records: object, name: str) -> str:
    return str(records.current[name].incarnation)  # type: ignore[attr-defined]
