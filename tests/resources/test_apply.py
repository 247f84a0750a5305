"""Walking a plan: all at once that can be, stopping and isolating, cancelling, deadlines, takeovers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fairlead.errors import DeadlineExceeded, FairleadError, StoreUnavailable, Superseded, VimRefused
from fairlead.resources import CancelMode, Do, OnFailure, Plan, State, Step
from tests.resources.rehearsal import Rehearsal, Wish, fault, latency, network, port, volume
from tests.support.memory_journal import MemoryJournal
from tests.support.waiting import until


async def test_only_references_hold_anything_up() -> None:
    rehearsal = Rehearsal(latency=latency(ready=10.0))
    began = rehearsal.now()
    wanted = [network(f"n{number}") for number in range(30)]
    wanted += [port(f"p{number}", f"n{number % 30}") for number in range(60)]
    applied = await rehearsal.become(*wanted)
    assert applied.complete
    assert 20.0 <= rehearsal.now() - began < 22.0
    assert rehearsal.plan(*wanted).empty


async def test_slots_bound_how_many_calls_a_vim_gets_at_once() -> None:
    rehearsal = Rehearsal(slots=3, latency=latency(call=1.0))
    began = rehearsal.now()
    assert (await rehearsal.become(*(volume(f"v{number}") for number in range(12)))).complete
    assert rehearsal.most == 3
    assert rehearsal.now() - began >= 4.0


async def test_a_barrier_lets_nothing_pass_before_its_time() -> None:
    rehearsal = Rehearsal(latency=latency(ready=5.0))
    plan = rehearsal.plan(volume("a"), volume("b"))
    journal = rehearsal.journal()
    applied = await rehearsal.apply(plan.with_barrier("x", after=["create a"], before=["create b"]), journal=journal)
    assert applied.done == {"create a", "create b", "barrier x"}
    writes = [(write.what, write.step) for write in rehearsal.ledger.written]
    assert writes.index(("ready", "create a")) < writes.index(("intend", "create b"))


async def test_a_plan_that_waits_for_itself_is_refused_before_anything_is_done() -> None:
    rehearsal = Rehearsal()
    steps = (Step("a", Do.BARRIER, frozenset({"b"})), Step("b", Do.BARRIER, frozenset({"a"})))
    with pytest.raises(FairleadError, match="wait for each other"):
        await rehearsal.apply(Plan(steps=steps))


# -- failures ------------------------------------------------------------------------------------------------------------


async def test_the_first_failure_stops_the_rest_and_what_was_in_flight_is_recorded() -> None:
    rehearsal = Rehearsal(fault("create", "refused", "bad"), latency=latency(ready=10.0))
    wanted = (network("slow"), port("later", "slow"), volume("bad"))
    applied = await rehearsal.become(*wanted)
    assert [failure.step.id for failure in applied.failures] == ["create bad"]
    assert isinstance(applied.failures[0].error, VimRefused)
    assert applied.left_out == {"create slow", "create later"}
    assert rehearsal.states() == {"slow": "creating", "bad": "intended"}
    assert rehearsal.records().current["slow"].handle  # type: ignore[index]
    assert (await rehearsal.become(*wanted)).complete
    assert rehearsal.names() == ["bad", "later", "slow"]


async def test_isolated_a_failure_leaves_out_only_what_depends_on_it() -> None:
    rehearsal = Rehearsal(fault("create", "refused", "bad"))
    wanted = (network("bad"), port("later", "bad"), network("good"), port("fine", "good"))
    applied = await rehearsal.apply(rehearsal.plan(*wanted), on_failure=OnFailure.ISOLATE)
    assert applied.left_out == {"create later"}
    assert applied.done == {"create good", "create fine"}
    rest = rehearsal.plan(*wanted)
    assert {step.id for step in rest.steps} == {"create bad", "create later"}
    assert (await rehearsal.apply(rest)).complete


async def test_no_call_is_made_for_a_step_that_waited_for_a_slot_while_another_failed() -> None:
    rehearsal = Rehearsal(fault("create", "refused", "v0"), slots=1, latency=latency(call=1.0))
    applied = await rehearsal.become(*(volume(f"v{number}") for number in range(5)))
    assert [failure.step.id for failure in applied.failures] == ["create v0"]
    assert len(rehearsal.things()) <= 1


# -- cancelling ----------------------------------------------------------------------------------------------------------


async def test_a_graceful_cancel_finishes_what_has_begun_and_begins_nothing() -> None:
    rehearsal = Rehearsal(latency=latency(ready=10.0))
    wish = Wish()
    work = asyncio.ensure_future(rehearsal.apply(rehearsal.plan(network("n"), port("p", "n"), volume("v")), wish=wish))
    await rehearsal.settle()
    wish.cancel(CancelMode.GRACEFUL)
    applied = await work
    assert applied.done == {"create n", "create v"}
    assert applied.left_out == {"create p"}
    assert applied.cancelled is CancelMode.GRACEFUL
    assert rehearsal.states() == {"n": "ready", "v": "ready"}


async def test_a_forceful_cancel_stops_waiting_at_once_and_nothing_is_lost() -> None:
    rehearsal = Rehearsal(latency=latency(ready=1000.0))
    wish, began = Wish(), rehearsal.now()
    plan = rehearsal.plan(network("n"), port("p", "n"))
    work = asyncio.ensure_future(rehearsal.apply(plan, wish=wish))
    await until(lambda: rehearsal.states() == {"n": "creating"})
    wish.cancel(CancelMode.FORCEFUL)
    applied = await work
    assert (applied.done, applied.failures) == (frozenset(), ())
    assert rehearsal.now() - began < 100.0
    assert rehearsal.records().current["n"].handle == rehearsal.things()[0].handle  # type: ignore[index]


async def test_a_forceful_cancel_between_the_call_and_its_answer_still_records_the_handle() -> None:
    rehearsal = Rehearsal(latency=latency(call=5.0, ready=100.0))
    wish = Wish()
    work = asyncio.ensure_future(rehearsal.apply(rehearsal.plan(volume("v")), wish=wish))
    await until(lambda: rehearsal.calls > 0)
    wish.cancel(CancelMode.FORCEFUL)
    assert not (await work).complete
    assert rehearsal.states() == {"v": "creating"}
    assert rehearsal.names() == ["v"]


async def test_a_forceful_cancel_does_not_sit_out_a_pause_between_two_tries() -> None:
    rehearsal = Rehearsal(fault("create", "unavailable", times=0))
    wish = Wish()
    work = asyncio.ensure_future(
        rehearsal.pass_time(
            rehearsal.apply(rehearsal.plan(volume("v")), wish=wish), until=lambda: rehearsal.now() % 1000 > 10
        )
    )
    await until(lambda: rehearsal.now() % 1000 > 3)
    wish.cancel(CancelMode.FORCEFUL)
    assert not (await work).complete


# -- deadlines -----------------------------------------------------------------------------------------------------------


async def test_a_step_that_lasts_longer_than_it_may_fails_and_says_what_the_vim_last_said() -> None:
    rehearsal = Rehearsal(fault("create", "stuck"))
    journal = rehearsal.journal()
    began = rehearsal.now()
    applied = await rehearsal.apply(rehearsal.plan(volume("v")), journal=journal)
    assert 600.0 <= rehearsal.now() - began < 603.0
    assert journal.deadlines["create v"] == began + 600.0
    (failure,) = applied.failures
    assert isinstance(failure.error, DeadlineExceeded)
    assert (failure.error.resource, failure.error.cause) == ("v", "BUILD")
    assert failure.error.remedy
    assert rehearsal.states() == {"v": "creating"}


async def test_a_call_that_is_given_up_at_the_deadline_is_looked_for_before_it_is_made_again() -> None:
    rehearsal = Rehearsal(latency=latency(call=50.0))
    plan = rehearsal.plan(volume("v")).with_patience({"create v": 20.0})
    applied = await rehearsal.apply(plan)
    assert isinstance(applied.failures[0].error, DeadlineExceeded)
    assert rehearsal.states() == {"v": "intended"}
    rehearsal.behave()
    assert (await rehearsal.become(volume("v"))).complete
    assert rehearsal.names() == ["v"]


async def test_going_on_after_a_deadline_waits_for_the_same_thing() -> None:
    rehearsal = Rehearsal(latency=latency(ready=700.0))
    assert not (await rehearsal.become(volume("v"))).complete
    (thing,) = rehearsal.things()
    assert (await rehearsal.become(volume("v"))).complete
    assert [one.handle for one in rehearsal.things()] == [thing.handle]


# -- takeovers -----------------------------------------------------------------------------------------------------------


async def test_a_superseded_worker_makes_no_further_call() -> None:
    rehearsal = Rehearsal(latency=latency(ready=10.0))
    plan = rehearsal.plan(network("n"), port("p", "n"), volume("v"))
    work = asyncio.ensure_future(rehearsal.apply(plan))
    await until(lambda: len(rehearsal.things()) == 2)
    rehearsal.journal()
    with pytest.raises(Superseded):
        await work
    assert rehearsal.names() == ["n", "v"]
    assert (await rehearsal.become(network("n"), port("p", "n"), volume("v"))).complete
    assert rehearsal.names() == ["n", "p", "v"]


@pytest.mark.parametrize("on", ["update", "delete"])
async def test_a_worker_that_is_superseded_while_a_vim_does_not_answer_does_not_repeat_its_call(on: str) -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(volume("v"))
    rehearsal.behave(fault(on, "lost"))
    wanted = [volume("v", 2)] if on == "update" else []
    work = asyncio.ensure_future(rehearsal.apply(rehearsal.plan(*wanted)))
    await until(lambda: any(write.what in ("updating", "leaving") for write in rehearsal.ledger.written))
    rehearsal.journal()
    calls = rehearsal.most
    with pytest.raises(Superseded):
        await work
    assert rehearsal.most == calls


async def test_without_a_store_nothing_goes_on() -> None:
    class Failing(MemoryJournal):
        async def accepted(self, *_: Any) -> None:
            raise StoreUnavailable("The database does not answer.")

    rehearsal = Rehearsal()
    with pytest.raises(StoreUnavailable):
        await rehearsal.apply(rehearsal.plan(volume("v")), journal=Failing(rehearsal.ledger))
    assert rehearsal.states() == {"v": "intended"}
    assert (await rehearsal.become(volume("v"))).complete
    assert rehearsal.names() == ["v"]


async def test_a_failure_is_noted_with_its_step() -> None:
    rehearsal = Rehearsal(fault("create", "full"))
    journal = rehearsal.journal()
    await rehearsal.apply(rehearsal.plan(volume("v")), journal=journal)
    assert journal.errors["create v"].code == "vim-full"  # type: ignore[attr-defined]
    assert State.INTENDED in {row.state for row in rehearsal.records().current.values()}
