"""When the infrastructure fails: what is tried again by itself, what stops the operation, and the three ways on.

Everything here happens to the smallest site: a network, a port on it, a volume, and a machine with both.
"""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from fairlead.clock import SteppedClock
from fairlead.errors import Conflict
from fairlead.operations import Operation, OperationState
from fairlead.operations.tables import resources
from fairlead.resources import CancelMode, Name, State
from tests.operations.conftest import Start
from tests.operations.resources import machine, network, port, site, volume
from tests.support.running import PROJECT, Running

S = OperationState
WHOLE = ["disk", "machine", "net", "port"]

STOPPING = {
    "refused": "vim-refused",
    "full": "vim-full",
    "failed": "resource-failed",
    "vanish": "resource-failed",
}
"""What stops an operation, with the code under which it is told."""


async def failed(run: Running, operation: str, code: str) -> Operation:
    """The operation in FAILED_TEMP, with a card that says enough."""
    stopped = await run.reached(operation, S.FAILED_TEMP)
    card = stopped.error
    assert card is not None
    assert card["code"] == code
    assert card["detail"]
    assert card["remedy"]
    assert card["left"]
    assert card["resource"]
    assert card["step"]
    assert stopped.worker is None
    return stopped


# -- what is tried again by itself -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", ["unavailable", "lost"])
@pytest.mark.parametrize("call", ["create", "find", "observe"])
async def test_an_answer_that_does_not_come_delays_and_makes_nothing_twice(
    start: Start, call: str, effect: str
) -> None:
    async with start(clock=SteppedClock()) as run:
        await run.fault(call, effect, times=3)
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await run.reached(operation, S.COMPLETED, step=0.2)
        assert run.names() == WHOLE


@pytest.mark.parametrize("effect", ["unavailable", "lost"])
async def test_updates_and_deletions_are_asked_for_again(start: Start, effect: str) -> None:
    async with start(clock=SteppedClock()) as run:
        bundle = await run.bundle()
        await run.made(bundle, *site(run.vim))
        await run.fault("update", effect, times=2)
        operation = await run.become(bundle, network(run.vim), machine(run.vim, power="off"))
        await run.reached(operation, S.COMPLETED, step=0.2)
        await run.fault("delete", effect, times=2)
        operation = await run.become(bundle)
        await run.reached(operation, S.COMPLETED, step=0.2)
        assert run.things() == []


async def test_what_was_made_without_an_answer_is_found_late_where_the_vim_shows_it_late(start: Start) -> None:
    async with start(clock=SteppedClock()) as run:
        await run.behave(settling=20.0, faults=[{"on": "create", "effect": "lost", "times": 4}])
        operation = await run.become(await run.bundle(), *site(run.vim))
        await run.reached(operation, S.COMPLETED, step=1.0)
        assert run.names() == WHOLE


async def test_a_vim_that_stays_away_stops_the_operation_within_a_minute_and_a_retry_goes_on(start: Start) -> None:
    clock = SteppedClock()
    async with start(clock=clock) as run:
        begun = clock.now()
        await run.behave(down=True)
        operation = await run.become(await run.bundle(), *site(run.vim))
        stopped = await run.reached(operation, S.FAILED_TEMP, step=1.0)
        assert clock.now() - begun <= 90
        assert stopped.error is not None
        assert (stopped.error["code"], stopped.error["cause"]) == ("vim-unavailable", "503 Service Unavailable")
        await run.behave()
        await run.program.operations.retry(PROJECT, operation)
        await run.reached(operation, S.COMPLETED, step=0.2)
        assert run.names() == WHOLE


# -- what stops the operation --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", STOPPING)
@pytest.mark.parametrize("sort", ["network", "compute"])
async def test_a_failure_is_told_and_a_retry_goes_on_from_there(start: Start, effect: str, sort: str) -> None:
    async with start() as run:
        await run.fault("create", effect, sort=sort)
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        stopped = await failed(run, operation, STOPPING[effect])
        assert stopped.error is not None
        assert stopped.error["cause"]
        made_before = {thing.handle for thing in run.things() if thing.fate == "ready"}
        await run.program.operations.retry(PROJECT, operation)
        done = await run.reached(operation, S.COMPLETED)
        assert (done.error, done.attempt) == (None, 1)
        assert run.names() == WHOLE
        assert made_before <= {thing.handle for thing in run.things()}, "what was ready is kept"


@pytest.mark.parametrize("effect", STOPPING)
async def test_a_failure_is_rolled_back_to_nothing(start: Start, effect: str) -> None:
    async with start() as run:
        await run.fault("create", effect, sort="compute")
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await failed(run, operation, STOPPING[effect])
        await run.program.operations.rollback(PROJECT, operation)
        ended = await run.reached(operation, S.ROLLED_BACK)
        assert ended.error is not None, "what it was rolled back for stays with it"
        assert ended.error["code"] == STOPPING[effect]
        assert run.things() == []
        rows = await run.records(bundle)
        assert (rows.current, rows.leaving) == ({}, ())


@pytest.mark.parametrize("effect", STOPPING)
async def test_what_is_given_up_stays_recorded_and_the_next_operation_clears_it(start: Start, effect: str) -> None:
    async with start() as run:
        await run.fault("create", effect, sort="compute")
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await failed(run, operation, STOPPING[effect])
        await run.program.operations.fail(PROJECT, operation)
        assert (await run.show(operation)).state is S.FAILED
        recorded = {row.handle for row in (await run.records(bundle)).current.values() if row.handle}
        assert {thing.handle for thing in run.things()} <= recorded
        await run.made(bundle)
        assert run.things() == []


@pytest.mark.parametrize("effect", ["refused", "failed"])
async def test_a_failing_update_is_retried_or_undone(start: Start, effect: str) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.made(bundle, *site(run.vim))
        before = run.picture()
        stopping = [*site(run.vim)[:3], machine(run.vim, ports=("port",), disks=("disk",), power="off")]
        for action in ("rollback", "retry"):
            await run.fault("update", effect)
            operation = await run.become(bundle, *stopping)
            await failed(run, operation, STOPPING[effect])
            await getattr(run.program.operations, action)(PROJECT, operation)
            await run.reached(operation, S.ROLLED_BACK if action == "rollback" else S.COMPLETED)
            if action == "rollback":
                assert run.picture() == before
        assert run.picture()["machine"]["spec"]["power"] == "off"


async def test_a_refused_deletion_is_retried_or_undone(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.made(bundle, *site(run.vim))
        before = run.picture()
        await run.fault("delete", "refused", sort="network")
        operation = await run.become(bundle)
        await failed(run, operation, "vim-refused")
        assert "net" in run.names()
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK)
        assert run.picture() == before, "addresses and MACs are those of before"
        await run.fault("delete", "refused", sort="compute")
        operation = await run.become(bundle)
        await failed(run, operation, "vim-refused")
        await run.program.operations.retry(PROJECT, operation)
        await run.reached(operation, S.COMPLETED)
        assert run.things() == []


async def test_a_failure_stops_what_has_not_begun_and_lets_nothing_run_on(start: Start) -> None:
    async with start() as run:
        await run.fault("create", "refused", sort="network")
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await failed(run, operation, "vim-refused")
        names = {step["name"] for step in (await run.program.operations.timeline(PROJECT, operation))["steps"]}
        assert names <= {"net", "disk"}, "port and machine need the network"


async def test_isolated_failures_leave_out_only_what_depends_on_them(start: Start) -> None:
    async with start() as run:
        await run.fault("create", "refused", sort="network", name="one")
        pairs = [
            network(run.vim, "one"),
            port(run.vim, "p1", "one"),
            network(run.vim, "two"),
            port(run.vim, "p2", "two"),
        ]
        bundle = await run.bundle()
        operation = await run.become(bundle, *pairs, volume(run.vim), on_failure="isolate")
        await failed(run, operation, "vim-refused")
        assert run.names() == ["disk", "p2", "two"]


async def test_several_failures_are_all_told(start: Start) -> None:
    async with start() as run:
        await run.fault("create", "failed", sort="volume", times=0)
        bundle = await run.bundle()
        operation = await run.become(
            bundle, volume(run.vim, "a"), volume(run.vim, "b"), volume(run.vim, "c"), on_failure="isolate"
        )
        stopped = await failed(run, operation, "resource-failed")
        assert stopped.error is not None
        told = {card["resource"] for card in (stopped.error, *stopped.error["others"])}
        assert told == {"a", "b", "c"}


async def test_a_machine_that_fails_shows_the_end_of_its_console(start: Start) -> None:
    async with start() as run:
        await run.fault("create", "failed", sort="compute")
        operation = await run.become(await run.bundle(), *site(run.vim))
        stopped = await failed(run, operation, "resource-failed")
        assert stopped.error is not None
        assert "simulated console" in stopped.error["console"]


# -- deadlines -----------------------------------------------------------------------------------------------------------


async def test_what_never_becomes_ready_stops_the_operation_at_the_deadline_that_it_shows(start: Start) -> None:
    clock = SteppedClock()
    async with start(clock=clock) as run:
        await run.fault("create", "stuck", sort="compute")
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        waiting = await run.step_begun(operation, "create machine")
        assert waiting["deadline"] == waiting["started"] + 600
        assert (await run.show(operation)).state is S.PROCESSING
        clock.step(waiting["deadline"] - clock.now() - 1)
        assert (await run.show(operation)).state is S.PROCESSING
        clock.step(2)
        stopped = await failed(run, operation, "deadline-exceeded")
        assert stopped.error is not None
        assert "600 s" in stopped.error["detail"]
        assert (await run.records(bundle)).current[Name("machine")].state is State.CREATING


async def test_after_a_deadline_a_retry_goes_on_waiting_for_the_same_thing(start: Start) -> None:
    clock = SteppedClock()
    async with start(clock=clock) as run:
        await run.fault("create", "stuck", sort="compute")
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await run.reached(operation, S.FAILED_TEMP, step=50)
        (stuck,) = run.things("compute")
        await run.program.operations.retry(PROJECT, operation)
        await run.step_begun(operation, "create machine", "started")
        run.world.put(msgspec.structs.replace(stuck, fate="ready"))
        await run.reached(operation, S.COMPLETED, step=1)
        assert [thing.handle for thing in run.things("compute")] == [stuck.handle]


async def test_after_a_deadline_a_rollback_deletes_what_was_waited_for(start: Start) -> None:
    async with start(clock=SteppedClock()) as run:
        await run.fault("create", "stuck", sort="compute")
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await run.reached(operation, S.FAILED_TEMP, step=50)
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK, step=1)
        assert run.things() == []


async def test_a_deletion_that_never_ends_stops_at_its_deadline(start: Start) -> None:
    async with start(clock=SteppedClock()) as run:
        bundle = await run.bundle()
        await run.made(bundle, network(run.vim))
        await run.behave(latency={"gone": 1e9})
        operation = await run.become(bundle)
        stopped = await run.reached(operation, S.FAILED_TEMP, step=50)
        assert stopped.error is not None
        assert stopped.error["code"] == "deadline-exceeded"
        rows = await run.records(bundle)
        assert [row.name for row in rows.leaving] == ["net"]


# -- plans of the ways on ------------------------------------------------------------------------------------------------


async def test_the_plans_of_retry_and_rollback_can_be_looked_at(start: Start) -> None:
    async with start() as run:
        await run.fault("create", "refused", sort="compute")
        bundle = await run.bundle()
        operation = await run.become(bundle, *site(run.vim))
        await failed(run, operation, "vim-refused")
        retry = await run.program.operations.preview_of(PROJECT, operation, "retry")
        assert retry.plan.counts() == {"keep": 3, "create": 1}
        back = await run.program.operations.preview_of(PROJECT, operation, "rollback")
        assert back.plan.counts() == {"delete": 4}
        assert (await run.show(operation)).state is S.FAILED_TEMP
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK)
        with pytest.raises(Conflict):
            await run.program.operations.preview_of(PROJECT, operation, "rollback")


async def test_the_plan_back_names_what_cannot_come_back(start: Start) -> None:
    """Volumes go last; once one is gone, the way back makes an empty one, and says so."""
    async with start() as run:
        bundle = await run.bundle()
        await run.made(bundle, volume(run.vim, "a"), volume(run.vim, "b"))
        (kept,) = (thing.handle for thing in run.things() if thing.tag["name"] == "b")
        await run.fault("delete", "refused", sort="volume", name="b")
        operation = await run.become(bundle, on_failure="isolate")
        await failed(run, operation, "vim-refused")
        assert run.names() == ["b"]
        back = await run.program.operations.preview_of(PROJECT, operation, "rollback")
        reasons = {str(change.name): change.reason for change in back.plan.changes}
        assert reasons["a"].endswith("what was in it cannot come back")
        assert "cannot" not in reasons["b"]
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK)
        assert run.names() == ["a", "b"]
        assert kept in {thing.handle for thing in run.things()}, (
            "what the VIM refused to delete is kept with its content"
        )


async def test_a_volume_is_deleted_only_after_everything_that_could_still_fail(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.made(bundle, *site(run.vim))
        await run.fault("delete", "refused", sort="network")
        operation = await run.become(bundle)
        await failed(run, operation, "vim-refused")
        assert "disk" in run.names()


@pytest.mark.parametrize("request_", ["retry", "rollback", "fail"])
async def test_two_words_of_the_user_at_once_are_one_and_a_conflict(start: Start, request_: str) -> None:
    async with start() as run:
        await run.fault("create", "refused", times=2)
        operation = await run.become(await run.bundle(), network(run.vim))
        await failed(run, operation, "vim-refused")
        ask = getattr(run.program.operations, request_)
        outcomes = await asyncio.gather(*(ask(PROJECT, operation) for _ in range(5)), return_exceptions=True)
        refused = [outcome for outcome in outcomes if outcome is not None]
        assert len(refused) == 4
        assert all(isinstance(one, Conflict) and one.code == "wrong-operation-state" for one in refused)


async def test_what_the_vim_had_chosen_is_chosen_again_after_a_replacement_that_stopped_half_way(start: Start) -> None:
    async with start() as run:
        bundle = await run.bundle()
        kept = [network(run.vim), port(run.vim, "second")]
        await run.made(bundle, *kept, port(run.vim, "first"))
        await run.made(bundle, *kept)
        before = (await run.records(bundle)).current[Name("second")]
        await run.behave(latencies={"port": {"gone": 0.3}})
        operation = await run.become(bundle, *kept, taint=("second",))
        await run.step_begun(operation, f"delete second#{before.incarnation}", "started")
        await run.program.operations.cancel(PROJECT, operation, CancelMode.GRACEFUL)
        await run.reached(operation, S.FAILED_TEMP)
        found = await run.records(bundle)
        assert (run.names("port"), set(found.current), found.leaving) == ([], {Name("net")}, ()), "nothing knows of it"
        await run.program.operations.retry(PROJECT, operation)
        await run.reached(operation, S.COMPLETED)
        after = (await run.records(bundle)).current[Name("second")]
        assert after.incarnation != before.incarnation
        assert (after.outputs["addresses"], after.outputs["mac"]) == (
            before.outputs["addresses"],
            before.outputs["mac"],
        )


async def test_the_way_back_to_what_an_earlier_operation_left_incomplete_leaves_out_what_lacks_something(
    start: Start,
) -> None:
    async with start() as run:
        bundle = await run.bundle()
        await run.made(bundle, *site(run.vim))
        lost = resources.c.owner == bundle, resources.c.name == "net"
        await run.program.store.write(lambda tx: tx.run(tx.delete(resources).where(*lost)))
        await run.fault("create", "refused", sort="network")
        operation = await run.become(bundle, *site(run.vim))
        await failed(run, operation, "vim-refused")
        await run.program.operations.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK)
        assert set((await run.records(bundle)).current) == {Name("disk")}
