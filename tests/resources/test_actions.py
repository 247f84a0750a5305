"""Actions in a plan: done once, or again, or not again; by a kind or by the room that contributes them."""

from __future__ import annotations

import asyncio

from fairlead.errors import Cancelled, OutcomeUnknown, Unprocessable, VimUnavailable
from fairlead.resources import Action, CancelMode, Name, OnFailure, Repeat, Step
from tests.resources.rehearsal import Rehearsal, Wish, compute, fault, volume
from tests.support.waiting import until

ONCE = Action(id="1", kind="stop", target=Name("m"), repeat=Repeat.ONCE)


class Room:
    """Does actions, and counts them. One may be made to last."""

    def __init__(self, *, lasting: bool = False) -> None:
        self.done: list[str] = []
        self.began = 0
        self.release = asyncio.Event()
        if not lasting:
            self.release.set()

    async def perform(self, step: Step) -> None:
        assert step.action is not None
        self.began += 1
        await self.release.wait()
        self.done.append(step.action.id)


async def test_a_kinds_action_is_done_to_its_target() -> None:
    rehearsal = Rehearsal()
    plan = rehearsal.plan(compute("m"))
    stop = Action(id="1", kind="stop", target=Name("m"))
    assert (await rehearsal.apply(plan.with_action(stop, after=["create m"]))).complete
    assert rehearsal.things("compute")[0].spec["power"] == "off"


async def test_an_action_without_a_target_is_the_rooms() -> None:
    rehearsal, room = Rehearsal(), Room()
    plan = rehearsal.plan(volume("v")).with_action(Action(id="hook", kind="script"), before=["create v"])
    assert (await rehearsal.apply(plan, perform=room.perform)).complete
    assert room.done == ["hook"]


async def test_an_action_that_nobody_can_do_fails_its_step() -> None:
    rehearsal = Rehearsal()
    plan = rehearsal.plan(volume("v")).with_action(Action(id="1", kind="levitate"), before=["create v"])
    applied = await rehearsal.apply(plan)
    assert isinstance(applied.failures[0].error, Unprocessable)
    assert applied.failures[0].error.code == "action-not-supported"
    assert "levitate" in applied.failures[0].error.detail
    assert rehearsal.things() == []


async def test_an_action_on_what_is_not_there_is_passed_over() -> None:
    rehearsal = Rehearsal()
    plan = rehearsal.plan(volume("v")).with_action(Action(id="1", kind="stop", target=Name("m")))
    assert (await rehearsal.apply(plan)).complete


async def test_what_was_done_is_not_done_again() -> None:
    rehearsal, room = Rehearsal(fault("create", "refused")), Room()
    hook = Action(id="hook", kind="script", repeat=Repeat.ONCE)
    for complete in (False, True):
        plan = rehearsal.plan(volume("v")).with_action(hook, before=["create v"])
        assert (await rehearsal.apply(plan, perform=room.perform)).complete is complete
    assert room.done == ["hook"]


async def test_a_repeatable_action_is_repeated_while_the_vim_does_not_answer() -> None:
    rehearsal = Rehearsal(fault("perform", "lost", times=2))
    stop = Action(id="1", kind="stop", target=Name("m"))
    assert (await rehearsal.apply(rehearsal.plan(compute("m")).with_action(stop, after=["create m"]))).complete


async def test_one_that_may_be_done_once_only_is_not_and_says_that_nobody_knows() -> None:
    rehearsal = Rehearsal(fault("perform", "lost"))
    applied = await rehearsal.apply(rehearsal.plan(compute("m")).with_action(ONCE, after=["create m"]))
    assert isinstance(applied.failures[0].error, OutcomeUnknown)
    again = await rehearsal.apply(rehearsal.plan(compute("m")).with_action(ONCE))
    assert isinstance(again.failures[0].error, OutcomeUnknown)


async def test_one_with_a_key_is_repeated_for_its_receiver_can_tell() -> None:
    rehearsal = Rehearsal(fault("perform", "lost"))
    keyed = Action(id="1", kind="stop", target=Name("m"), repeat=Repeat.ONCE, key="k-1")
    assert (await rehearsal.apply(rehearsal.plan(compute("m")).with_action(keyed, after=["create m"]))).complete


async def test_an_action_is_not_cut_short_by_a_failure_elsewhere() -> None:
    rehearsal, room = Rehearsal(fault("create", "refused")), Room(lasting=True)
    plan = rehearsal.plan(volume("v")).with_action(Action(id="hook", kind="script", patience=10_000.0))
    work = asyncio.ensure_future(rehearsal.apply(plan, perform=room.perform, on_failure=OnFailure.STOP, still=True))
    await until(lambda: room.began)
    await rehearsal.settle()
    room.release.set()
    applied = await work
    assert room.done == ["hook"]
    assert applied.done == {"act hook"}


async def test_an_action_under_way_is_given_up_by_a_forceful_cancel_and_finished_by_a_graceful_one() -> None:
    for mode, done in ((CancelMode.FORCEFUL, []), (CancelMode.GRACEFUL, ["hook"])):
        rehearsal, room, wish = Rehearsal(), Room(lasting=True), Wish()
        journal = rehearsal.journal()
        plan = rehearsal.plan().with_action(Action(id="hook", kind="script", patience=10_000.0))
        work = asyncio.ensure_future(
            rehearsal.apply(plan, journal=journal, perform=room.perform, wish=wish, still=True)
        )
        await until(lambda room=room: room.began)  # type: ignore[misc]
        wish.cancel(mode)
        await rehearsal.settle()
        room.release.set()
        await work
        assert room.done == done
        assert isinstance(journal.errors.get("act hook"), Cancelled) is (not done)


async def test_an_action_that_lasts_too_long_fails() -> None:
    rehearsal, room = Rehearsal(), Room(lasting=True)
    plan = rehearsal.plan().with_action(Action(id="hook", kind="script", patience=5.0))
    applied = await rehearsal.apply(plan, perform=room.perform)
    assert applied.failures[0].error.code == "deadline-exceeded"  # type: ignore[attr-defined]
    assert room.done == []


async def test_a_silent_vim_fails_a_repeatable_action_in_the_end() -> None:
    rehearsal = Rehearsal(fault("perform", "unavailable", times=0))
    stop = Action(id="1", kind="stop", target=Name("m"))
    applied = await rehearsal.apply(rehearsal.plan(compute("m")).with_action(stop, after=["create m"]))
    assert isinstance(applied.failures[0].error, VimUnavailable)
