"""Images are shared: whoever wants one first has it made, the others wait for it, and the last to go deletes it."""

from __future__ import annotations

import asyncio
from typing import Any

from fairlead.clock import SteppedClock
from fairlead.operations import OperationState
from fairlead.operations.tables import shared, shared_uses
from fairlead.resources import CancelMode, Name, Resource, State
from fairlead.store import Tx
from tests.operations.conftest import Start
from tests.operations.resources import image, machine
from tests.support.running import PROJECT, Running, eventually

S = OperationState


def pair(run: Running, digest: str = "sha256:1") -> list[Resource[Any]]:
    """An image and a machine from it."""
    return [image(run.vim, digest=digest), machine(run.vim, image="image", cpus=0.1)]


async def counted(run: Running) -> tuple[int, int]:
    """How many shared things and how many uses of them are written down."""

    def read(tx: Tx) -> tuple[int, int]:
        return len(tx.all(tx.select(shared))), len(tx.all(tx.select(shared_uses)))

    return await run.program.store.read(read)


async def test_two_instances_use_one_image_and_the_last_one_deletes_it(start: Start) -> None:
    async with start() as run:
        one, two = await run.bundle(), await run.bundle()
        await run.made(one, *pair(run))
        (made,) = run.things("image")
        await run.made(two, *pair(run))
        assert [thing.handle for thing in run.things("image")] == [made.handle]
        assert await counted(run) == (1, 2)
        await run.made(one)
        assert [thing.handle for thing in run.things("image")] == [made.handle]
        assert await counted(run) == (1, 1)
        await run.made(two)
        assert run.things() == []
        assert await counted(run) == (0, 0)


async def test_content_under_another_name_stays_the_image_that_it_is(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.made(bundle, *pair(run))
        (made,) = run.things("image")
        renamed = [image(run.vim, "another"), machine(run.vim, image="another", cpus=0.1)]
        for _ in range(2):
            await run.made(bundle, *renamed)
            rows = await run.records(bundle)
            assert (set(rows.current), rows.leaving) == ({Name("another"), Name("machine")}, ())
            assert rows.current[Name("another")].state is State.READY
            assert len(run.things("image")) == 1
            assert await counted(run) == (1, 1)
        assert [thing.handle for thing in run.things("image")] == [made.handle]
        await run.made(bundle)
        assert run.things() == []
        assert await counted(run) == (0, 0)


async def test_one_content_under_two_names_is_refused(start: Start) -> None:
    async with start() as run:
        operation = await run.become(await run.bundle(), image(run.vim), image(run.vim, "another"))
        stopped = await run.stopped(operation)
        assert stopped.error is not None
        assert stopped.error["code"] == "shared-twice"
        assert run.things() == []


async def test_other_content_is_another_image(start: Start) -> None:
    async with start() as run:
        await run.made(await run.bundle(), *pair(run))
        await run.made(await run.bundle(), *pair(run, "sha256:2"))
        assert len(run.things("image")) == 2


async def test_ten_instances_at_once_have_the_image_made_once(start: Start) -> None:
    async with start(clock=SteppedClock(), behaviour={"latencies": {"image": {"ready": 10.0}}}) as run:
        bundles = [await run.bundle() for _ in range(10)]
        asked = await asyncio.gather(*(run.become(bundle, *pair(run)) for bundle in bundles))

        async def made() -> bool:
            return bool(run.things("image"))

        await eventually(made)
        for operation in asked:
            await run.reached(operation, S.COMPLETED, step=0.5)
        assert (len(run.things("image")), len(run.things("compute"))) == (1, 10)
        assert await counted(run) == (1, 10)
        asked = await asyncio.gather(*(run.become(bundle) for bundle in bundles))
        for operation in asked:
            await run.reached(operation, S.COMPLETED, step=0.5)
        assert run.things() == []
        assert await counted(run) == (0, 0)


async def test_who_comes_while_the_last_one_goes_gets_an_image_of_its_own(start: Start) -> None:
    async with start(clock=SteppedClock(), behaviour={"latencies": {"image": {"gone": 10.0}}}) as run:
        one, two = await run.bundle(), await run.bundle()
        await run.made(one, *pair(run))
        (former,) = run.things("image")
        going = await run.become(one)
        await run.step_begun(going, f"delete image#{former.tag['incarnation']}", "started")
        coming = await run.become(two, *pair(run))
        await run.reached(going, S.COMPLETED, step=0.5)
        await run.reached(coming, S.COMPLETED, step=0.5)
        (made,) = run.things("image")
        assert made.handle != former.handle
        assert await counted(run) == (1, 1)


async def test_when_the_first_one_fails_the_next_makes_the_image_and_nothing_is_left_of_the_failed_one(
    start: Start,
) -> None:
    async with start(clock=SteppedClock(), behaviour={"latencies": {"image": {"ready": 10.0}}}) as run:
        one, two = await run.bundle(), await run.bundle()
        await run.behave(
            latencies={"image": {"ready": 10.0}}, faults=[{"on": "create", "effect": "failed", "sort": "image"}]
        )
        first = await run.become(one, *pair(run))
        await run.step_begun(first, "create image")
        second = await run.become(two, *pair(run))
        await run.reached(first, S.FAILED_TEMP, step=0.5)
        await run.reached(second, S.COMPLETED, step=0.5)
        await run.program.operations.retry(PROJECT, first)
        await run.reached(first, S.COMPLETED, step=0.5)
        assert [thing.fate for thing in run.things("image")] == ["ready"]
        assert await counted(run) == (1, 2)


async def test_a_failed_image_is_made_anew_by_a_retry_and_deleted(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.fault("create", "failed", sort="image")
        operation = await run.become(bundle, *pair(run))
        await run.reached(operation, S.FAILED_TEMP)
        await run.program.operations.retry(PROJECT, operation)
        await run.reached(operation, S.COMPLETED)
        assert [thing.fate for thing in run.things("image")] == ["ready"]
        assert await counted(run) == (1, 1)
        await run.made(bundle)
        assert run.things() == []
        assert await counted(run) == (0, 0)


async def test_a_failed_image_is_deleted_by_a_rollback(start: Start) -> None:
    async with start() as run:
        await run.fault("create", "failed", sort="image")
        operation = await run.become(await run.bundle(), *pair(run))
        await run.reached(operation, S.FAILED_TEMP)
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK)
        assert run.things() == []
        assert await counted(run) == (0, 0)


async def test_an_image_whose_maker_stopped_is_waited_for_by_the_next(start: Start) -> None:
    async with start(clock=SteppedClock(), behaviour={"latencies": {"image": {"ready": 10.0}}}) as run:
        one, two = await run.bundle(), await run.bundle()
        first = await run.become(one, *pair(run))
        await run.step_begun(first, "create image")
        await run.program.operations.cancel(PROJECT, first, CancelMode.FORCEFUL)
        await run.reached(first, S.FAILED_TEMP)
        (begun,) = run.things("image")
        second = await run.become(two, *pair(run))
        await run.reached(second, S.COMPLETED, step=0.5)
        assert [thing.handle for thing in run.things("image")] == [begun.handle]
        await run.program.operations.rollback(PROJECT, first)
        await run.reached(first, S.ROLLED_BACK, step=0.5)
        assert [thing.handle for thing in run.things("image")] == [begun.handle], "the second one uses it"
        assert await counted(run) == (1, 1)


async def test_the_answer_to_making_an_image_may_be_lost(start: Start) -> None:
    async with start() as run:
        await run.fault("create", "lost", sort="image")
        bundle = await run.bundle()
        await run.made(bundle, *pair(run))
        assert len(run.things("image")) == 1
        assert Name("image") in (await run.records(bundle)).current


async def test_instances_of_one_image_are_not_confused_by_the_sweep(start: Start) -> None:
    async with start() as run:
        one, two = await run.bundle(), await run.bundle()
        await run.made(one, *pair(run))
        await run.made(two, *pair(run))
        await run.made(one)
        assert await run.program.sweeper.sweep_all() == 0
        assert len(run.things("image")) == 1
