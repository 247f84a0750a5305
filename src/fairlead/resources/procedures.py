"""What each step does, call by call, and what is written down before and after each call.

`Procedures.run` is the only code in Fairlead that changes a VIM. The order is always the same: write the intent, make
the call, write the handle at once, wait through the watcher, write the outcome. A call whose outcome is not known (the
VIM did not answer, or this process died) is never repeated blindly: what it may have made is first searched for by its
incarnation, until the VIM's settling time is over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import msgspec

from fairlead.errors import Cancelled, ResourceFailed, Unprocessable, VimError, VimUnavailable
from fairlead.resources.kinds import Failed, Gone, Intent, Journal, Kind, Observed, Pending, Ready, Status, Vims
from fairlead.resources.names import Handle, Incarnation, Name, Outputs, Tag
from fairlead.resources.ordering import dependencies
from fairlead.resources.plan import Do, Plan, Step, StepId, renews
from fairlead.resources.records import Ownership, Recorded, Resource, State
from fairlead.resources.rules import Member
from fairlead.resources.values import Ref, resolve

__all__ = ["Procedures", "noted"]

T = TypeVar("T")
_replace = msgspec.structs.replace

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_CALL_BUDGET = 60.0
"""Seconds from its first failure for which a call to a VIM that does not answer is repeated, within the step's own
deadline."""


class Procedures:
    """Runs the steps of one plan.

    `known` holds the outputs and handles of every resource of the instance that is ready, and grows as steps end.
    `halted` is set when no further call is to be made and nothing to be waited for any longer; `forced` completes when
    actions under way are to be given up too. `seen` has, by name, what the VIM last said of what was waited for.
    """

    def __init__(
        self,
        plan: Plan,
        known: dict[Name, Recorded[Any]],
        vims: Vims,
        journal: Journal,
        halted: asyncio.Event,
        forced: Callable[[], Awaitable[object]],
        perform: Callable[[Step], Awaitable[None]],
    ) -> None:
        self.seen: dict[Name, str] = {}
        self._forced = forced
        self._known = known
        self._vims = vims
        self._journal = journal
        self._halted = halted
        self._perform = perform
        self._target = target = plan.target()
        self._ending = {step.incarnation for step in plan.steps if step.do is Do.RELINQUISH}
        self._needs = dependencies(target)
        self._members: dict[Name, list[tuple[Resource[Any], bool]]] = {}
        self._ended_by = _ended_by_update(plan)
        ended = {step.name for steps in self._ended_by.values() for step in steps}
        renewed = {change.name for change in plan.changes if change.name in ended and renews(change)}
        for member in target.values():
            if member.within is not None:
                self._members.setdefault(member.within, []).append((member, member.name in renewed))

    async def run(self, step: Step) -> None:
        """Do what `step` says; returns when it is done.

        Raises whatever the VIM's kind raises, ResourceFailed for what did not become ready, Cancelled when halted.
        """
        procedure = {
            Do.OBTAIN: self._obtain,
            Do.UPDATE: self._update,
            Do.RELINQUISH: self._relinquish,
            Do.ACT: self._act,
            Do.BARRIER: self._pass,
        }[step.do]
        await procedure(step)

    async def _pass(self, step: Step) -> None:
        """A barrier does nothing itself."""

    # -- obtaining ---------------------------------------------------------------------------------------------------

    async def _obtain(self, step: Step) -> None:
        assert step.new is not None
        resource = self._bound(step.new)
        if resource.ownership is Ownership.CLAIMED:
            row = await self._journal.claimed(step, resource)
            await self._change(step, row, resource)
            return
        kind = self._vims.kind(resource)
        intent = await self._intend(step, resource)
        if resource.ownership is Ownership.GIVEN:
            handle = await self._given(kind, resource)
        else:
            intent, handle = await self._create(step, kind, resource, intent)
        incarnation = intent.tag.incarnation
        await self._journal.accepted(step, incarnation, handle)
        sure = self._vims.now() + kind.settling

        def over(status: Status, _: Observed | None) -> bool:
            return isinstance(status, Ready | Failed) or (isinstance(status, Gone) and self._vims.now() >= sure)

        outputs = await self._outputs(step, resource, incarnation, await self._wait(resource, handle, over))
        await self._ready(step, resource, incarnation, handle, outputs)

    async def _intend(self, step: Step, resource: Resource[Any]) -> Intent:
        """The intent; for a shared thing that another operation is creating, wait for that one's outcome."""
        intent = await self._journal.intend(step, resource)
        while intent.busy:
            await self._pause(resource.name, _FIRST_PAUSE)
            intent = await self._journal.intend(step, resource)
        return intent

    async def _given(self, kind: Kind[Any], resource: Resource[Any]) -> Handle:
        handle = Handle(resource.existing or "")
        if await self._call(resource, lambda: kind.read(handle)) is None:
            raise Unprocessable(
                f"VIM '{resource.vim}' has no {resource.spec.sort()} '{handle}'.",
                code="given-resource-missing",
                resource=resource.name,
                remedy="Name one that exists, or create it first.",
            )
        return handle

    async def _create(
        self, step: Step, kind: Kind[Any], resource: Resource[Any], intent: Intent
    ) -> tuple[Intent, Handle]:
        if intent.handle is not None:
            return intent, intent.handle
        concrete = self._concrete(resource)
        retries = self._retries(resource.name)
        while True:
            if intent.repeated:
                handle = await self._search(kind, concrete, intent.tag, intent.since)
                if handle is not None:
                    return intent, handle
                intent = await self._journal.intend(step, resource, afresh=True)
            try:
                async with self._vims.slot(resource.vim):
                    self._stop_if_halted(resource.name)
                    return intent, await kind.create(concrete, intent.tag)
            except VimUnavailable as error:
                since = self._vims.now()
                await retries(error)
                intent = _replace(intent, repeated=True, since=since)

    async def _search(self, kind: Kind[Any], resource: Resource[Any], tag: Tag, since: float) -> Handle | None:
        """What carries exactly `tag`; looked for until the VIM is sure to show it."""
        while True:
            handle = await self._call(resource, lambda: kind.find(tag, resource))
            remaining = since + kind.settling - self._vims.now()
            if handle is not None or remaining <= 0:
                return handle
            await self._pause(resource.name, min(remaining, _FIRST_PAUSE * 5))

    # -- changing ----------------------------------------------------------------------------------------------------

    async def _update(self, step: Step) -> None:
        assert step.new is not None
        assert step.old is not None
        await self._change(step, step.old, self._bound(step.new))

    async def _change(self, step: Step, old: Recorded[Any], new: Resource[Any]) -> None:
        kind = self._vims.kind(new)
        if old.handle is None:
            raise ResourceFailed(f"'{new.name}' has no handle to update it by.", resource=new.name)
        handle = old.handle
        concrete = self._concrete(new)
        before = self._concrete(old.resource).spec if old.resource.spec != new.spec else concrete.spec
        between = _replace(new, bound=_either(old.resource, new))

        async def intend() -> None:
            await self._journal.updating(step, old.incarnation, between)

        await intend()
        for member in self._ended_by.get(step.id, ()):
            assert member.old is not None
            await self._journal.leaving(member, member.old.incarnation)
        try:
            await self._call(new, lambda: kind.update(handle, before, concrete.spec), again=intend)
        except VimUnavailable:
            raise
        except VimError:
            if await self._call(new, lambda: kind.read(handle)) is None:
                await self._outputs(step, new, old.incarnation, Gone())
            raise

        def settled(status: Status, observed: Observed | None) -> bool:
            if isinstance(status, Ready):
                return observed is not None and kind.settled(observed, concrete.spec)
            return isinstance(status, Failed | Gone)

        status = await self._wait(new, handle, settled)
        outputs = await self._outputs(step, new, old.incarnation, status)
        await self._ready(step, new, old.incarnation, handle, outputs)

    # -- relinquishing -----------------------------------------------------------------------------------------------

    async def _relinquish(self, step: Step) -> None:
        assert step.old is not None
        row = step.old
        resource = row.resource
        if resource.ownership is Ownership.CLAIMED:
            await self._journal.released(step, row.incarnation)
            return
        last = await self._journal.leaving(step, row.incarnation)
        if last and resource.ownership is not Ownership.GIVEN:
            await self._delete(step, row)
        await self._journal.gone(step, row.incarnation)
        current = self._known.get(resource.name)
        if current is not None and current.incarnation == row.incarnation:
            del self._known[resource.name]

    async def _delete(self, step: Step, row: Recorded[Any]) -> None:
        resource = row.resource
        kind = self._vims.kind(resource)
        handle = row.handle
        if handle is None:
            handle = await self._search(kind, self._concrete(resource), self._journal.tag(row), row.since)
        if handle is None:
            return
        found = handle
        await self._call(
            resource, lambda: kind.delete(found), again=lambda: self._journal.leaving(step, row.incarnation)
        )
        await self._wait(resource, found, lambda status, _: isinstance(status, Gone))

    # -- acting ------------------------------------------------------------------------------------------------------

    async def _act(self, step: Step) -> None:
        assert step.action is not None
        action = step.action
        self._stop_if_halted(action.id)
        if not await self._journal.performing(step, action):
            return
        target = self._known.get(action.target) if action.target is not None else None
        if action.target is None:
            await self._unless(self._forced, action.id, lambda: self._perform(step))
        elif target is not None and target.handle is not None:
            handle, kind = target.handle, self._vims.kind(target.resource)
            await self._call(
                target.resource,
                lambda: self._unless(self._forced, action.id, lambda: kind.perform(handle, action)),
                again=lambda: self._journal.performing(step, action),
            )
        await self._journal.performed(step, action)

    # -- shared parts ------------------------------------------------------------------------------------------------

    def _bound(self, resource: Resource[Any]) -> Resource[Any]:
        """`resource` with the lives that its references lead to now, and its members' with it."""
        used = (self._known.get(name) for name in self._needs.get(resource.name, ()))
        return _replace(resource, bound=tuple(sorted({row.incarnation for row in used if row is not None})))

    def _concrete(self, resource: Resource[Any]) -> Resource[Any]:
        """`resource` with its references and secrets resolved and its members folded in."""
        look_up = partial(self._look_up, resource.within or resource.name)
        spec = resolve(resource.spec, look_up, self._journal.reveal)
        members = {
            member.name: Member(
                _replace(member, spec=resolve(member.spec, look_up, self._journal.reveal)),
                row.incarnation if (row := self._known.get(member.name)) else None,
                renewed,
            )
            for member, renewed in self._members.get(resource.name, ())
        }
        folded = self._vims.rules(resource).fold(spec, members)
        composite = self._known.get(resource.within) if resource.within else None
        existing = composite.handle if composite is not None else resource.existing
        return _replace(resource, spec=folded, existing=existing)

    def _look_up(self, composite: Name, ref: Ref) -> Any:
        """The output that `ref` means; the reference itself while there is none, as for a member that is to be made
        with the `composite`."""
        row = self._known.get(ref.name)
        if row is None or ref.output not in row.outputs:
            return ref
        member = self._target.get(ref.name)
        to_be_made = member is not None and member.within == composite and row.incarnation in self._ending
        return ref if to_be_made else row.outputs[ref.output]

    async def _outputs(self, step: Step, resource: Resource[Any], incarnation: Incarnation, status: Status) -> Outputs:
        if isinstance(status, Ready):
            return status.outputs
        await self._journal.broken(step, incarnation)
        reason = status.reason if isinstance(status, Failed) else "it is not there any more"
        console = status.console if isinstance(status, Failed) else None
        raise ResourceFailed(
            f"'{resource.name}' did not become ready: {reason}",
            resource=resource.name,
            cause=reason,
            more={"console": console} if console else None,
            remedy="Correct the cause and retry the operation, or roll it back.",
        )

    async def _ready(
        self, step: Step, resource: Resource[Any], incarnation: Incarnation, handle: Handle, outputs: Outputs
    ) -> None:
        spec = self._vims.rules(resource).pin(resource.spec, outputs)
        pinned = resource if spec is resource.spec else _replace(resource, spec=spec)
        await self._journal.ready(step, incarnation, pinned, outputs)
        self._known[resource.name] = _known(pinned, incarnation, handle, outputs)

    async def _wait(
        self, resource: Resource[Any], handle: Handle, done: Callable[[Status, Observed | None], bool]
    ) -> Status:
        """Wait through the VIM's watcher, unless and until halted."""

        def seen(status: Status, observed: Observed | None) -> bool:
            self.seen[resource.name] = _words(status)
            return done(status, observed)

        return await self._unless(self._halted.wait, resource.name, lambda: self._vims.wait(resource, handle, seen))

    async def _pause(self, name: Name, seconds: float) -> None:
        await self._unless(self._halted.wait, name, lambda: self._vims.sleep(seconds))

    async def _unless(self, stop: Callable[[], Awaitable[object]], name: str, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns, unless `stop` completes before it: then it is given up."""
        self._stop_if_halted(name)
        working, stopping = asyncio.ensure_future(work()), asyncio.ensure_future(stop())
        working.add_done_callback(noted)
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise Cancelled(f"Stopped waiting for '{name}'.", resource=name)
        finally:
            working.cancel()
            stopping.cancel()

    def _stop_if_halted(self, name: str) -> None:
        if self._halted.is_set():
            raise Cancelled(f"Stopped before '{name}' was done.", resource=name)

    async def _call(
        self,
        resource: Resource[Any],
        call: Callable[[], Awaitable[T]],
        *,
        again: Callable[[], Awaitable[object]] | None = None,
    ) -> T:
        """Make a call that may be repeated, for as long as the VIM does not answer. One that changes something has its
        intent written `again` before each repetition, so that a worker that was superseded meanwhile does not make it."""
        retries = self._retries(resource.name)
        while True:
            try:
                async with self._vims.slot(resource.vim):
                    self._stop_if_halted(resource.name)
                    return await call()
            except VimUnavailable as error:
                await retries(error)
            if again is not None:
                await again()

    def _retries(self, name: Name) -> Callable[[VimUnavailable], Awaitable[None]]:
        """What to await after a failure: it pauses longer each time, and raises the failure when the budget is
        spent."""
        give_up: float | None = None
        pause = _FIRST_PAUSE

        async def pause_or_raise(error: VimUnavailable) -> None:
            nonlocal pause, give_up
            give_up = give_up or self._vims.now() + _CALL_BUDGET
            if self._halted.is_set() or self._vims.now() + pause > give_up:
                raise error
            await self._pause(name, pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, _LONGEST_PAUSE)

        return pause_or_raise


def _ended_by_update(plan: Plan) -> dict[StepId, list[Step]]:
    """The steps that end members, by the update of their composite that does it."""
    updates = {step.name: step.id for step in plan.steps if step.do is Do.UPDATE}
    ended: dict[StepId, list[Step]] = {}
    for step in plan.steps:
        if step.do is Do.RELINQUISH and step.old is not None:
            update = updates.get(step.old.resource.within)
            if update in step.after:
                ended.setdefault(update, []).append(step)
    return ended


def noted(task: asyncio.Future[Any]) -> None:
    """For tasks that may fail while nobody waits for them any more: what they were for has failed already."""
    if not task.cancelled():
        task.exception()


def _known(resource: Resource[Any], incarnation: Incarnation, handle: Handle, outputs: Outputs) -> Recorded[Any]:
    return Recorded(resource, incarnation, State.READY, handle, outputs)


def _either(old: Resource[Any], new: Resource[Any]) -> tuple[Incarnation, ...] | None:
    """What a thing between `old` and `new` may hold on to; None when that is not known."""
    if old.bound is None or new.bound is None:
        return None
    return tuple(sorted({*old.bound, *new.bound}))


def _words(status: Status) -> str:
    """What the VIM said, for whoever reads that it took too long."""
    if isinstance(status, Failed):
        return status.reason
    return status.detail if isinstance(status, Pending) else type(status).__name__.lower()
