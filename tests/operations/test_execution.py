"""The execution engine itself: it runs what it is told once, gives the program back its threads, and starts again."""

from __future__ import annotations

import asyncio

from fairlead.operations import OperationState
from tests.operations.conftest import Start
from tests.operations.resources import machines, network, site
from tests.support.running import eventually

S = OperationState


async def test_operations_run_on_the_real_engine_and_go_on_after_a_restart_of_the_program(start: Start) -> None:
    behaviour = {"latencies": {"network": {"ready": 0.5}}}
    async with start(engine=True, behaviour=behaviour) as run:
        await run.made(await run.bundle(), *machines(run.vim, 3))
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await run.step_begun(operation, "create net")
        first = run.program.worker
    assert await asyncio.to_thread(lambda: 1) == 1, "the loop has threads of its own again"
    async with start(engine=True) as run:
        stopped = await run.show(operation)
        assert stopped.state in (S.PROCESSING, S.COMPLETED)
        await run.reached(operation, S.COMPLETED)
        assert run.names().count("net") == 1
        assert run.program.worker != first
        await run.made(await run.bundle(), network(run.vim))


async def test_what_is_enqueued_twice_is_run_once(start: Start) -> None:
    async with start(engine=True) as run:
        runs: list[tuple[str, int]] = []
        taking = run.program.runner.run

        async def counting(operation: str, epoch: int) -> None:
            runs.append((operation, epoch))
            await taking(operation, epoch)

        run.program.execution._run = counting  # type: ignore[attr-defined]
        operation = await run.become(await run.bundle(), *machines(run.vim, 2))
        await asyncio.gather(*(run.program.execution.enqueue(operation, 0, 0) for _ in range(3)))
        await run.reached(operation, S.COMPLETED)
        assert runs == [(operation, 0)]


async def test_what_a_lost_worker_left_in_the_engine_is_ended(start: Start) -> None:
    """Clearing is repeatable, and no harm to a worker that left nothing."""
    async with start(engine=True) as run:
        await run.program.execution.clear("worker-nobody")
        operation = await run.become(await run.bundle(), *machines(run.vim, 1))
        await run.reached(operation, S.COMPLETED)
        await run.program.execution.clear(run.program.worker)


async def test_what_has_ended_is_forgotten_and_what_has_not_is_kept(start: Start) -> None:
    async with start(engine=True, behaviour={"latencies": {"network": {"ready": 3600.0}}}) as run:
        for _ in range(3):
            await run.made(await run.bundle(), *machines(run.vim, 1))
        waiting = await run.become(await run.bundle(), network(run.vim))
        await run.step_begun(waiting, "create net")
        execution, now = run.program.execution, run.program.clock.now()
        assert await execution.forget(now - 3600) == 0

        async def forgotten() -> bool:
            forgotten_now.append(await execution.forget(now + 3600))
            return sum(forgotten_now) == 3

        forgotten_now: list[int] = []
        await eventually(forgotten, what="three ended runs")
        assert await execution.forget(now + 3600) == 0
        await run.made(await run.bundle(), *machines(run.vim, 1))


async def test_stopping_does_not_wait_for_operations(start: Start) -> None:
    async with start(engine=True, behaviour={"latency": {"ready": 3600.0}}) as run:
        operation = await run.become(await run.bundle(), network(run.vim))
        await run.step_begun(operation, "create net")
        runner = run.program.runner

    async def let_go() -> bool:
        return not runner.cancels.watched

    await eventually(let_go)
