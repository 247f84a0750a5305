"""Accepting: one open operation for each instance, whoever asks and however often; what is refused writes nothing."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from fairlead.clock import SteppedClock
from fairlead.errors import Conflict, NotFound
from fairlead.operations import OperationState
from fairlead.operations.tables import operations
from fairlead.resources import plan_digest
from tests.operations.conftest import Start
from tests.operations.resources import machine, machines, network, site
from tests.support.bundles import request
from tests.support.running import PROJECT, Running, Tasks

S = OperationState


async def count(run: Running, subject: str) -> int:
    """How many operations of an instance are stored."""
    query = operations.c.subject == subject
    rows = await run.program.store.read(lambda tx: tx.all(tx.select(operations, operations.c.id).where(query)))
    return len(rows)


async def test_an_accepted_operation_is_starting_and_told_before_it_is_begun(start: Start) -> None:
    async with start(execution=Tasks(held=True)) as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, network(run.vim))
        stored = await run.show(operation)
        assert (stored.state, stored.epoch, stored.attempt, stored.worker) == (S.STARTING, 0, 0, None)
        assert stored.open
        told = await run.events(operation=operation)
        assert [(event.type, event.data["state"]) for event in told] == [("operation.state", "STARTING")]
        assert run.things() == []


async def test_of_twenty_requests_at_once_one_is_accepted_and_the_others_are_conflicts(start: Start) -> None:
    async with start(execution=Tasks(held=True)) as run:
        bundle = await run.bundle()
        asked = (run.become(bundle, *machines(run.vim, number)) for number in range(1, 21))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        accepted = [outcome for outcome in outcomes if isinstance(outcome, str)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
        assert (len(accepted), len(refused)) == (1, 19)
        assert {conflict.code for conflict in refused} == {"operation-in-progress"}
        assert all(conflict.remedy for conflict in refused)
        assert await count(run, bundle) == 1


async def test_operations_of_different_instances_do_not_keep_each_other_out(start: Start) -> None:
    async with start() as run:
        bundles = [await run.bundle() for _ in range(5)]
        asked = [await run.become(bundle, network(run.vim)) for bundle in bundles]
        for operation in asked:
            await run.reached(operation, S.COMPLETED)
        assert len(run.things("network")) == 5


async def test_an_operation_that_stopped_for_the_user_keeps_others_out_and_says_what_to_do(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.fault("create", "refused")
        stopped = await run.become(bundle, network(run.vim))
        await run.reached(stopped, S.FAILED_TEMP)
        with pytest.raises(Conflict, match=stopped) as refused:
            await run.become(bundle, network(run.vim))
        assert refused.value.remedy == "Retry, roll back or fail it first."


async def test_the_next_operation_is_accepted_once_the_one_before_has_ended(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.made(bundle, network(run.vim))
        await run.made(bundle)
        assert await count(run, bundle) == 2


async def test_asking_again_with_the_same_id_is_the_same_operation(start: Start) -> None:
    async with start() as run:
        bundle, wanted = await run.bundle(), str(uuid.uuid4())
        assert await run.become(bundle, network(run.vim), operation=wanted) == wanted
        assert await run.become(bundle, network(run.vim), operation=wanted) == wanted
        await run.reached(wanted, S.COMPLETED)
        assert await run.become(bundle, network(run.vim), operation=wanted) == wanted
        assert await count(run, bundle) == 1


async def test_asking_ten_times_at_once_with_the_same_id_is_the_same_operation(start: Start) -> None:
    async with start() as run:
        bundle, wanted = await run.bundle(), str(uuid.uuid4())
        asked = (run.become(bundle, network(run.vim), operation=wanted) for _ in range(10))
        assert set(await asyncio.gather(*asked)) == {wanted}
        await run.reached(wanted, S.COMPLETED)
        assert (await count(run, bundle), len(run.things())) == (1, 1)


async def test_an_unknown_instance_has_no_operations(start: Start) -> None:
    async with start() as run:
        with pytest.raises(NotFound) as refused:
            await run.become("nowhere", network(run.vim))
        assert refused.value.code == "bundle-not-found"
        assert await count(run, "nowhere") == 0


async def test_an_instance_of_another_project_is_unknown(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        role = run.program.roles["bundle"]
        asked = role.types["become"].request()
        with pytest.raises(NotFound):
            await run.program.operations.accept("elsewhere", role, bundle, "become", asked)
        operation = await run.become(bundle)
        with pytest.raises(NotFound):
            await run.program.operations.show("elsewhere", operation)
        for call in (run.program.operations.retry, run.program.operations.rollback, run.program.operations.fail):
            with pytest.raises(NotFound):
                await call("elsewhere", operation)


async def test_an_unknown_operation_is_not_found_whatever_is_asked_of_it(start: Start) -> None:
    async with start() as run:
        for call in (run.program.operations.retry, run.program.operations.rollback, run.program.operations.fail):
            with pytest.raises(NotFound) as refused:
                await call(PROJECT, "nothing")
            assert refused.value.code == "operation-not-found"


async def test_a_plan_is_looked_at_without_anything_being_written_or_called(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.fault("*", "unavailable", times=0)
        role = run.program.roles["bundle"]
        seen = await run.program.operations.preview(PROJECT, role, bundle, "become", request(*site(run.vim)))
        assert seen.plan.counts() == {"create": 4}
        assert seen.digest == plan_digest(seen.plan)
        assert await count(run, bundle) == 0
        assert run.things() == []


async def test_the_worker_looks_again_whether_the_plan_is_the_one_that_was_looked_at(start: Start) -> None:
    """What was looked at is right when the operation is accepted, and not any more when it is begun."""
    engine = Tasks(held=True)
    async with start(execution=engine) as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, network(run.vim), expected_plan="sha256:of something else")
        engine.release()
        ended = await run.reached(operation, S.ROLLED_BACK)
        assert ended.error is not None
        assert ended.error["code"] == "plan-moved"
        assert ended.error["remedy"]
        assert run.things() == []
        assert not (await run.records(bundle)).current


async def test_an_operation_with_the_plan_that_was_looked_at_is_done(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        role, asked = run.program.roles["bundle"], request(*site(run.vim))
        seen = await run.program.operations.preview(PROJECT, role, bundle, "become", asked)
        operation = await run.become(bundle, *site(run.vim), expected_plan=seen.digest)
        await run.reached(operation, S.COMPLETED)
        assert len(run.things()) == 4


async def test_a_request_that_cannot_be_leaves_the_instance_as_it_was(start: Start) -> None:
    """A reference to what is not wanted is found when the plan is made, before anything is done."""
    async with start() as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, machine(run.vim, ports=("nowhere",)))
        ended = await run.reached(operation, S.ROLLED_BACK)
        assert ended.error is not None
        assert (ended.error["code"], ended.target) == ("dangling-reference", None)
        await run.made(bundle, network(run.vim))


async def test_what_was_accepted_and_never_given_out_is_found_by_the_sweep(start: Start) -> None:
    """The process that accepted died before it told the engine."""
    clock, engine = SteppedClock(), Tasks(held=True)
    async with start(clock=clock, execution=engine) as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, network(run.vim))
        engine.held, engine.enqueued[:] = False, []
        dispatcher = run.program.dispatcher
        await dispatcher.sweep()
        assert (await run.show(operation)).state is S.STARTING
        clock.step(6.0)
        await dispatcher.sweep()
        done = await run.reached(operation, S.COMPLETED)
        assert done.epoch == 2, "fenced once by the sweep, taken once"
