"""What is told of an operation while it runs and afterwards: its events, its timeline, its pace, its secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from fairlead.clock import SteppedClock
from fairlead.events import Event
from fairlead.operations import OperationState
from fairlead.resources import SecretRef
from tests.operations.conftest import Start
from tests.operations.resources import machine, machines, network, site
from tests.support.running import PROJECT, Running, eventually

S = OperationState


def states(events: Sequence[Event]) -> list[str]:
    return [event.data["state"] for event in events if event.type == "operation.state"]


def of_resources(events: Sequence[Event], name: str) -> list[str]:
    return [event.type for event in events if event.resource == name]


async def test_events_tell_each_state_and_each_resource_in_order(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        operation = await run.made(bundle, *site(run.vim))
        events = await run.events(operation=operation)
        assert states(events) == ["STARTING", "PROCESSING", "COMPLETED"]
        assert (events[0].type, events[-1].type) == ("operation.state", "operation.state")
        for name in ("net", "port", "disk", "machine"):
            assert of_resources(events, name) == ["resource.creating", "resource.ready"]
        order = [(event.resource, event.type) for event in events]
        for earlier, later in (("net", "port"), ("port", "machine"), ("disk", "machine")):
            assert order.index((earlier, "resource.ready")) < order.index((later, "resource.creating"))
        assert {event.subject for event in events} == {bundle}
        assert {event.project for event in events} == {PROJECT}
        assert [event.id for event in events] == sorted(event.id for event in events)
        # Ids are given out as transactions write, times are taken a moment earlier: side by side they may differ by that.
        assert all(later.time > earlier.time - 1.0 for earlier, later in pairwise(events))


async def test_events_tell_of_failure_and_of_the_way_back(start: Start) -> None:
    async with start() as run:
        await run.fault("create", "refused", sort="compute")
        operation = await run.become(await run.bundle(), *site(run.vim))
        await run.reached(operation, S.FAILED_TEMP)
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK)
        events = await run.events(operation=operation)
        assert states(events) == ["STARTING", "PROCESSING", "FAILED_TEMP", "ROLLING_BACK", "ROLLED_BACK"]
        (failure,) = (event for event in events if event.type == "step.failed")
        assert (failure.resource, failure.data["step"]) == ("machine", "create machine")
        assert failure.data["error"]["code"] == "vim-refused"
        told = next(event for event in events if event.data.get("state") == "FAILED_TEMP")
        assert told.data["error"]["code"] == "vim-refused"
        assert of_resources(events, "net") == [
            "resource.creating",
            "resource.ready",
            "resource.deleting",
            "resource.deleted",
        ]


async def test_the_timeline_has_every_step_with_its_marks(start: Start) -> None:
    clock = SteppedClock()
    async with start(clock=clock, behaviour={"latency": {"call": 1.0, "ready": 10.0}}) as run:
        begun = clock.now()
        operation = await run.become(await run.bundle(), *site(run.vim))
        await run.reached(operation, S.COMPLETED, step=0.5)
        timeline = await run.program.operations.timeline(PROJECT, operation)
        assert (timeline["operation"], timeline["state"], timeline["started"]) == (operation, "COMPLETED", begun)
        assert timeline["ended"] >= timeline["started"] + 33, "three after one another, each of a call and a wait"
        steps = {step["id"]: step for step in timeline["steps"]}
        assert set(steps) == {"create net", "create port", "create disk", "create machine"}
        for step in steps.values():
            assert step["started"] <= step["accepted"] <= step["ended"] <= step["deadline"]
            assert step["accepted"] - step["started"] >= 1.0
            assert step["ended"] - step["accepted"] >= 9.5
            assert (step["outcome"], step["error"], step["attempt"]) == ("done", None, 0)
        assert steps["create port"]["started"] >= steps["create net"]["ended"]
        assert steps["create disk"]["started"] <= steps["create net"]["accepted"], "side by side"
        assert [step["started"] for step in timeline["steps"]] == sorted(step["started"] for step in timeline["steps"])


async def test_the_timeline_keeps_every_attempt(start: Start) -> None:
    async with start() as run:
        await run.fault("create", "refused", sort="compute")
        operation = await run.become(await run.bundle(), *site(run.vim))
        await run.reached(operation, S.FAILED_TEMP)
        await run.program.operations.retry(PROJECT, operation)
        await run.reached(operation, S.COMPLETED)
        timeline = await run.program.operations.timeline(PROJECT, operation)
        machine_steps = [step for step in timeline["steps"] if step["name"] == "machine"]
        assert [(step["attempt"], step["outcome"]) for step in machine_steps] == [(0, "failed"), (1, "done")]
        assert machine_steps[0]["error"]["code"] == "vim-refused"
        assert timeline["attempt"] == 1


async def test_a_step_that_is_on_its_way_shows_its_deadline(start: Start) -> None:
    async with start(clock=SteppedClock(), behaviour={"latency": {"ready": 10.0}}) as run:
        operation = await run.become(await run.bundle(), network(run.vim))
        step = await run.step_begun(operation, "create net")
        assert step["deadline"] - step["started"] == 600
        assert (step["ended"], step["outcome"]) == (None, None)
        assert (await run.program.operations.timeline(PROJECT, operation))["ended"] is None


async def test_a_vim_gets_no_more_calls_at_once_than_are_allowed(start: Start) -> None:
    """Of eight creations with three slots, three take effect at each step of the clock."""
    clock = SteppedClock()
    behaviour = {"latencies": {"compute": {"call": 10.0}}}
    async with start(clock=clock, behaviour=behaviour, settings={"vims.calls_at_once": 3}) as run:
        bundles = [await run.bundle() for _ in range(2)]
        asked = [await run.become(bundle, *machines(run.vim, 4)) for bundle in bundles]

        async def intended() -> bool:
            rows = [await run.records(bundle) for bundle in bundles]
            return sum(len(row.current) for row in rows) == 8

        await eventually(intended)
        for expected in (3, 6, 8):
            before = len(run.things("compute"))

            async def called(before: int = before) -> bool:
                return len(run.things("compute")) > before

            await eventually(called, clock=clock, step=2.0)
            assert len(run.things("compute")) <= expected
        for operation in asked:
            await run.reached(operation, S.COMPLETED, step=2.0)


async def test_many_operations_of_many_steps_share_one_process(start: Start) -> None:
    async with start(behaviour={"cpus": 10000.0}) as run:
        bundles = [await run.bundle() for _ in range(20)]
        asked = await asyncio.gather(*(run.become(bundle, *machines(run.vim, 10)) for bundle in bundles))
        for operation in asked:
            await run.reached(operation, S.COMPLETED)
        assert len(run.things("compute")) == 200


async def _secrets(run: Running, owner: str) -> dict[SecretRef, str]:
    return dict(await run.program.vault.open(owner))


async def test_secrets_are_with_the_instance_for_as_long_as_it_has_resources(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        secret = run.program.vault.digest("hunter2")
        await run.program.store.write(
            lambda tx: run.program.vault.put(tx, PROJECT, bundle, {secret: "hunter2"}), PROJECT
        )
        await run.made(bundle, machine(run.vim, secret=secret))
        (made,) = run.things("compute")
        assert made.spec["user_data"] == "hunter2", "the VIM gets what it has to know"
        assert await _secrets(run, bundle) == {secret: "hunter2"}
        await run.made(bundle)
        assert await _secrets(run, bundle) == {}


@pytest.mark.parametrize("way_out", ["rollback", "fail"])
async def test_secrets_are_forgotten_when_nothing_came_of_the_operation(start: Start, way_out: str) -> None:
    async with start() as run:
        bundle = await run.bundle()
        secret = run.program.vault.digest("hunter2")
        await run.program.store.write(
            lambda tx: run.program.vault.put(tx, PROJECT, bundle, {secret: "hunter2"}), PROJECT
        )
        await run.fault("create", "refused")
        operation = await run.become(bundle, machine(run.vim, secret=secret))
        await run.reached(operation, S.FAILED_TEMP)
        assert await _secrets(run, bundle) == {secret: "hunter2"}
        await getattr(run.program.operations, way_out)(PROJECT, operation)
        await run.stopped(operation)
        if way_out == "fail":
            await run.made(bundle)
        assert await _secrets(run, bundle) == {}
