"""Operations that operations start: found again instead of started again, cancelled with their parent, told apart."""

from __future__ import annotations

from fairlead.clock import SteppedClock
from fairlead.operations import Operation, OperationState
from fairlead.operations.occurrence import load
from fairlead.operations.tables import operations
from fairlead.resources import CancelMode, Owner, Tag
from tests.operations.conftest import Start
from tests.operations.nested import child, contribute
from tests.operations.resources import machine, machines, network, site, volume
from tests.support.running import PROJECT, Running, Tasks, eventually

S = OperationState
SLOW = {"latency": {"ready": 10.0, "gone": 10.0}}


async def children_of(run: Running, parent: str) -> list[Operation]:
    query = operations.c.parent == parent
    rows = await run.program.store.read(lambda tx: tx.all(tx.select(operations).where(query)))
    return [load(row) for row in rows]


async def begun(run: Running, parent: str, number: int) -> list[Operation]:
    """The children of an operation once there are `number` of them at work."""

    async def look() -> list[Operation] | None:
        found = await children_of(run, parent)
        working = [one for one in found if one.state is S.PROCESSING]
        return working if len(working) == number else None

    return await eventually(look, what=f"{number} children at work") or []


async def test_three_children_are_started_at_once_and_the_parent_ends_after_them(start: Start) -> None:
    async with start() as run:
        contribute(run)
        parent = await run.bundle()
        operation = await run.made(parent, *(child(f"c{index}", *machines(run.vim, 2)) for index in range(3)))
        found = await children_of(run, operation)
        assert [(one.state, one.depth, one.automatic) for one in found] == [(S.COMPLETED, 1, True)] * 3
        assert len({one.subject for one in found}) == 3
        assert run.names("compute") == ["m1", "m1", "m1", "m2", "m2", "m2"]
        done = await run.show(operation)
        assert all(one.entered <= done.entered for one in found)
        await run.made(parent)
        assert run.things() == []


async def test_a_parent_that_is_taken_over_finds_the_children_that_it_had_started(start: Start) -> None:
    engine = Tasks()
    async with start(clock=SteppedClock(), behaviour=SLOW, execution=engine) as run:
        contribute(run)
        operation = await run.become(await run.bundle(), *(child(f"c{n}", machine(run.vim)) for n in range(3)))
        before = await begun(run, operation, 3)
        where = operations.c.id == operation
        epoch = (await run.show(operation)).epoch + 1
        await run.program.store.write(lambda tx: tx.run(tx.update(operations).where(where).values(epoch=epoch)))
        await engine.begin(operation, epoch - 1)
        engine.begin(operation, epoch)
        await run.reached(operation, S.COMPLETED, step=0.5)
        assert {one.id for one in await children_of(run, operation)} == {one.id for one in before}
        assert len(run.things("compute")) == 3


async def test_starting_a_child_again_is_the_same_child(start: Start) -> None:
    async with start() as run:
        children = contribute(run)
        parent = await run.bundle()
        operation = await run.made(parent, child("c", machine(run.vim)))
        (row,) = (await run.records(parent)).current.values()
        (known,) = await children_of(run, operation)
        tag = Tag(run.program.deployment, Owner(parent), row.name, row.incarnation)
        assert children.id_of(tag, "create") == known.id
        found = await children.find(tag, "create")
        assert found is not None
        assert (found.id, found.parent) == (known.id, operation)
        assert await children.find(tag, "delete") is None


async def test_cancelling_a_parent_cancels_its_children(start: Start) -> None:
    async with start(clock=SteppedClock(), behaviour=SLOW) as run:
        contribute(run)
        operation = await run.become(await run.bundle(), *(child(f"c{n}", *site(run.vim)) for n in range(3)))
        working = await begun(run, operation, 3)
        for one in working:
            await run.step_begun(one.id, "create net")
        await run.program.operations.cancel(PROJECT, operation, CancelMode.FORCEFUL)
        stopped = await run.reached(operation, S.FAILED_TEMP)
        assert stopped.error is not None
        for one in working:
            ended = await run.reached(one.id, S.FAILED_TEMP)
            assert ended.error is not None
            assert ended.error["code"] == "cancelled"
        assert not run.things("compute")


async def test_a_cancelled_parent_is_rolled_back_with_all_that_its_children_had_made(start: Start) -> None:
    async with start(clock=SteppedClock(), behaviour=SLOW) as run:
        contribute(run)
        operation = await run.become(await run.bundle(), *(child(f"c{n}", *site(run.vim)) for n in range(3)))
        for one in await begun(run, operation, 3):
            await run.step_begun(one.id, "create net")
        await run.program.operations.cancel(PROJECT, operation, CancelMode.FORCEFUL)
        await run.reached(operation, S.FAILED_TEMP)
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK, step=0.5)
        assert run.things() == []


async def test_a_child_that_has_stopped_is_not_marked_as_to_be_cancelled(start: Start) -> None:
    async with start(clock=SteppedClock()) as run:
        contribute(run)
        await run.behave(
            latencies={"volume": {"ready": 10.0}}, faults=[{"on": "create", "effect": "refused", "sort": "network"}]
        )
        parent = await run.bundle()
        wanted = (child("bad", network(run.vim)), child("slow", volume(run.vim)))
        operation = await run.become(parent, *wanted, on_failure="isolate")

        async def look() -> Operation | None:
            stopped = [one for one in await children_of(run, operation) if one.state is S.FAILED_TEMP]
            return stopped[0] if stopped else None

        bad = await eventually(look)
        assert bad is not None
        await run.program.operations.cancel(PROJECT, operation, CancelMode.FORCEFUL)
        await run.reached(operation, S.FAILED_TEMP)
        assert (await run.show(bad.id)).cancel is None


async def test_a_child_that_fails_fails_its_change_in_the_parent(start: Start) -> None:
    async with start() as run:
        contribute(run)
        await run.fault("create", "refused", sort="compute", name="m2")
        parent = await run.bundle()
        wanted = [child("c1", *machines(run.vim, 1)), child("c2", *machines(run.vim, 2))]
        operation = await run.become(parent, *wanted)
        stopped = await run.reached(operation, S.FAILED_TEMP)
        assert stopped.error is not None
        assert stopped.error["resource"] == "c2"
        bad = next(one for one in await children_of(run, operation) if one.error is not None)
        assert bad.id in stopped.error["detail"]
        assert "refuses to create 'm2'" in stopped.error["detail"]
        await run.program.operations.retry(PROJECT, operation)
        await run.reached(operation, S.COMPLETED)
        assert run.names("compute") == ["m1", "m1", "m2"]


async def test_a_failing_child_is_rolled_back_with_its_parent(start: Start) -> None:
    async with start() as run:
        contribute(run)
        await run.fault("create", "refused", sort="compute", name="m2")
        operation = await run.become(
            await run.bundle(), child("c1", *machines(run.vim, 1)), child("c2", *machines(run.vim, 2))
        )
        await run.reached(operation, S.FAILED_TEMP)
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK)
        assert run.things() == []


async def test_waiting_parents_leave_the_slots_of_a_vim_to_their_children(start: Start) -> None:
    """One call at a time, and more parents than that."""
    async with start(settings={"vims.calls_at_once": 1}) as run:
        contribute(run)
        asked = [await run.become(await run.bundle(), child("c", *machines(run.vim, 2))) for _ in range(4)]
        for operation in asked:
            await run.reached(operation, S.COMPLETED)
        assert len(run.things("compute")) == 8


async def test_grandchildren_are_found_at_their_depth_and_cancelled_too(start: Start) -> None:
    async with start(clock=SteppedClock(), behaviour=SLOW) as run:
        contribute(run)
        operation = await run.become(await run.bundle(), child("c", child("g", *site(run.vim))))
        (middle,) = await begun(run, operation, 1)
        (last,) = await begun(run, middle.id, 1)
        assert (middle.depth, last.depth) == (1, 2)
        await run.step_begun(last.id, "create net")
        await run.program.operations.cancel(PROJECT, operation, CancelMode.FORCEFUL)
        for one in (last.id, middle.id, operation):
            await run.reached(one, S.FAILED_TEMP)
