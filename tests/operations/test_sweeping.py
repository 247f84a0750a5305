"""The sweep: what carries our deployment id and is in no row is nobody's, and is deleted and told; nothing else is."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from fairlead.clock import SteppedClock
from fairlead.errors import VimError
from fairlead.operations import OperationState
from fairlead.vims.simulated.world import Thing
from tests.operations.conftest import Start
from tests.operations.resources import machine, network, site
from tests.support.running import PROJECT, Running, eventually

S = OperationState


def leave(run: Running, owner: str, sort: str = "volume", name: str = "lost", **more: Any) -> str:
    """Put something into the VIM that looks like ours, behind Fairlead's back; its handle."""
    tag = {"deployment": run.program.deployment, "owner": owner, "name": name, "incarnation": secrets.token_hex(8)}
    handle, now = f"{sort}-{name}", run.program.clock.now()
    spec = {"type": sort, **more.pop("spec", {})}
    values: dict[str, Any] = {"tag": {**tag, **more.pop("tag", {})}, "spec": spec, "outputs": {"id": handle}}
    run.world.put(Thing(handle=handle, sort=sort, **values, created=now, due=now, **more))
    return handle


async def told(run: Running, subject: str) -> list[tuple[str, str, str]]:
    found = [event for event in await run.events(subject=subject) if event.type.startswith("leftover")]
    return [(event.type, event.data["handle"], event.project) for event in found]


async def test_a_leftover_is_deleted_and_told_to_whom_it_belonged(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.made(bundle, *site(run.vim))
        before = run.picture()
        handle = leave(run, bundle)
        assert await run.program.sweeper.sweep_all() == 1
        assert run.picture() == before
        assert await told(run, bundle) == [("leftover.deleted", handle, PROJECT)]
        assert await run.program.sweeper.sweep_all() == 0


async def test_what_another_installation_or_somebody_else_made_is_left_alone(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        leave(run, bundle, name="theirs", tag={"deployment": "another"})
        leave(run, bundle, name="former", tag={"deployment": run.program.deployment.upper()})
        before = run.names()
        assert await run.program.sweeper.sweep_all() == 0
        assert run.names() == before
        assert [thing.handle for thing in run.world.all("network")] == ["outside"]


async def test_an_owner_that_is_not_known_any_more_has_its_leftovers_deleted_too(start: Start) -> None:
    async with start() as run:
        leave(run, "forgotten")
        assert await run.program.sweeper.sweep_all() == 1
        assert run.things() == []
        assert [project for *_, project in await told(run, "forgotten")] == ["system"]


async def test_where_only_reports_are_wanted_nothing_is_deleted(start: Start) -> None:
    async with start(settings={"operations.delete_leftovers": False}) as run:
        bundle = await run.bundle()
        handle = leave(run, bundle)
        assert await run.program.sweeper.sweep_all() == 1
        assert [thing.handle for thing in run.things()] == [handle]
        assert [kind for kind, *_ in await told(run, bundle)] == ["leftover.found"]


async def test_what_is_used_is_deleted_after_what_uses_it(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        net = leave(run, bundle, "network", "net")
        port = leave(run, bundle, "port", "port", spec={"network": net})
        leave(run, bundle, "compute", "machine", spec={"ports": [port]})
        assert await run.program.sweeper.sweep_all() == 3
        assert run.things() == []


async def test_one_that_cannot_be_deleted_does_not_keep_the_others(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        for name in ("a", "b", "c"):
            leave(run, bundle, name=name)
        await run.fault("delete", "refused", name="b")
        with pytest.raises(VimError):
            await run.program.sweeper.sweep_vim(run.vim)
        assert run.names() == ["b"]
        assert {handle for _, handle, _ in await told(run, bundle)} == {"volume-a", "volume-c"}
        assert await run.program.sweeper.sweep_all() == 1


async def test_what_an_operation_is_making_or_deleting_is_not_taken_for_a_leftover(start: Start) -> None:
    clock = SteppedClock()
    async with start(clock=clock, behaviour={"latency": {"ready": 10.0, "gone": 10.0}}) as run:
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        while (await run.show(operation)).state is not S.COMPLETED:
            assert await run.program.sweeper.sweep_all() == 0
            clock.step(1.0)
        operation = await run.become(bundle)
        while (await run.show(operation)).state is not S.COMPLETED:
            assert await run.program.sweeper.sweep_all() == 0
            clock.step(1.0)
        assert await told(run, bundle) == []


async def test_an_operation_that_fails_sweeps_its_own_instance_and_no_other(start: Start) -> None:
    async with start() as run:
        bundle, other = await run.bundle(), await run.bundle()
        leave(run, bundle, name="mine")
        leave(run, other, name="theirs")
        await run.fault("create", "refused")
        operation = await run.become(bundle, network(run.vim), machine(run.vim))
        stopped = await run.reached(operation, S.FAILED_TEMP)
        assert "mine" not in run.names()
        assert "theirs" in run.names()
        assert stopped.error is not None
        assert "nothing else was left behind" in stopped.error["left"]


async def test_where_the_vim_cannot_be_swept_the_card_says_so(start: Start) -> None:
    async with start() as run:
        await run.behave(
            faults=[{"on": "create", "effect": "refused"}, {"on": "tagged", "effect": "unavailable", "times": 0}]
        )
        operation = await run.become(await run.bundle(), network(run.vim))
        stopped = await run.reached(operation, S.FAILED_TEMP)
        assert stopped.error is not None
        assert "could not be swept" in stopped.error["left"]
        assert "regular sweep" in stopped.error["left"]


async def test_all_vims_are_swept_from_time_to_time(start: Start) -> None:
    clock = SteppedClock()
    async with start(clock=clock, settings={"operations.sweep_interval": 600}) as run:
        handle = leave(run, "forgotten")

        async def gone() -> bool:
            clock.step(10.0)
            return run.world.get(handle) is None

        begun = clock.now()
        await eventually(gone)
        assert clock.now() - begun >= 600


async def test_a_vim_that_is_down_does_not_end_the_regular_sweep(start: Start) -> None:
    clock = SteppedClock()
    async with start(clock=clock, settings={"operations.sweep_interval": 60}) as run:
        handle = leave(run, "forgotten")
        await run.fault("tagged", "unavailable", times=3)

        async def gone() -> bool:
            clock.step(10.0)
            return run.world.get(handle) is None

        await eventually(gone)
