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
from typing import Any, TypeVar

import msgspec

from fairlead.errors import Cancelled, ResourceFailed, Unprocessable, VimUnavailable
from fairlead.resources.kinds import Failed, Gone, Intent, Journal, Kind, Observed, Ready, Status, Vims
from fairlead.resources.names import Handle, Incarnation, Name, Outputs, Tag
from fairlead.resources.plan import Do, Plan, Step
from fairlead.resources.records import Ownership, Recorded, Resource, State
from fairlead.resources.rules import Member
from fairlead.resources.values import Ref, resolve

__all__ = ["Procedures"]

T = TypeVar("T")
_replace = msgspec.structs.replace

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_CALL_BUDGET = 60.0
"""Seconds for which a call to a VIM that does not answer is repeated, within the step's own deadline."""


class Procedures:
    """Runs the steps of one plan.

    `known` holds the outputs and handles of every resource of the instance that is ready, and grows as steps end.
    `halted` completes when nothing may be waited for any longer.
    """

    def __init__(
        self,
        plan: Plan,
        known: dict[Name, Recorded[Any]],
        vims: Vims,
        journal: Journal,
        halted: asyncio.Event,
        perform: Callable[[Step], Awaitable[None]],
    ) -> None:
        self._known = known
        self._vims = vims
        self._journal = journal
        self._halted = halted
        self._perform = perform
        self._members: dict[Name, list[tuple[Resource[Any], bool]]] = {}
        for change in plan.changes:
            if change.new is not None and change.new.within is not None:
                renewed = any(step.do is Do.OBTAIN for step in plan.steps_of(change.name))
                self._members.setdefault(change.new.within, []).append((change.new, renewed))

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
        if step.new.ownership is Ownership.CLAIMED:
            row = await self._journal.claimed(step, step.new)
            await self._change(step, row, step.new)
            return
        resource = step.new
        kind = self._vims.kind(resource)
        intent = await self._intend(step, resource)
        if resource.ownership is Ownership.GIVEN:
            handle = await self._given(kind, resource)
        else:
            intent, handle = await self._create(step, kind, self._concrete(resource), intent)
        await self._journal.accepted(step, intent.tag.incarnation, handle)
        outputs = await self._until_ready(step, resource, intent.tag.incarnation, handle)
        await self._ready(step, resource, intent.tag.incarnation, handle, outputs)

    async def _intend(self, step: Step, resource: Resource[Any]) -> Intent:
        """The intent; for a shared thing that another operation is creating, wait for that one's outcome."""
        intent = await self._journal.intend(step, resource)
        while intent.busy:
            self._stop_if_halted(resource.name)
            await self._vims.sleep(_FIRST_PAUSE)
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
        retries = self._retries()
        while True:
            if intent.repeated:
                handle = await self._search(kind, resource, intent.tag, intent.since)
                if handle is not None:
                    return intent, handle
                intent = await self._journal.intend(step, resource, afresh=True)
            try:
                async with self._vims.slot(resource.vim):
                    return intent, await kind.create(resource, intent.tag)
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
            self._stop_if_halted(resource.name)
            await self._vims.sleep(min(remaining, _FIRST_PAUSE * 5))

    # -- changing ----------------------------------------------------------------------------------------------------

    async def _update(self, step: Step) -> None:
        assert step.new is not None
        assert step.old is not None
        await self._change(step, step.old, step.new)

    async def _change(self, step: Step, old: Recorded[Any], new: Resource[Any]) -> None:
        kind = self._vims.kind(new)
        if old.handle is None:
            raise ResourceFailed(f"'{new.name}' has no handle to update it by.", resource=new.name)
        handle = old.handle
        await self._journal.updating(step, old.incarnation, new)
        concrete = self._concrete(new)
        before = self._concrete(old.resource).spec if old.resource.spec != new.spec else concrete.spec
        await self._call(new, lambda: kind.update(handle, before, concrete.spec))

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
            await self._delete(row)
        await self._journal.gone(step, row.incarnation)
        current = self._known.get(resource.name)
        if current is not None and current.incarnation == row.incarnation:
            del self._known[resource.name]

    async def _delete(self, row: Recorded[Any]) -> None:
        resource = row.resource
        kind = self._vims.kind(resource)
        handle = row.handle
        if handle is None:
            handle = await self._search(kind, self._concrete(resource), self._journal.tag(row), row.since)
        if handle is None:
            return
        found = handle
        await self._call(resource, lambda: kind.delete(found))
        status = await self._wait(resource, found, lambda status, _: isinstance(status, Gone | Failed))
        if isinstance(status, Failed) and await self._call(resource, lambda: kind.read(found)) is not None:
            status = await self._wait(resource, found, lambda status, _: isinstance(status, Gone))

    # -- acting ------------------------------------------------------------------------------------------------------

    async def _act(self, step: Step) -> None:
        assert step.action is not None
        action = step.action
        if not await self._journal.performing(step, action):
            return
        target = self._known.get(action.target) if action.target is not None else None
        if action.target is None:
            await self._perform(step)
        elif target is not None and target.handle is not None:
            handle, kind = target.handle, self._vims.kind(target.resource)
            await self._call(target.resource, lambda: kind.perform(handle, action))
        await self._journal.performed(step, action)

    # -- shared parts ------------------------------------------------------------------------------------------------

    def _concrete(self, resource: Resource[Any]) -> Resource[Any]:
        """`resource` with its references and secrets resolved and its members folded in."""
        spec = resolve(resource.spec, self._look_up, self._journal.reveal)
        members = {
            member.name: Member(
                _replace(member, spec=resolve(member.spec, self._look_up, self._journal.reveal)),
                row.incarnation if (row := self._known.get(member.name)) else None,
                renewed,
            )
            for member, renewed in self._members.get(resource.name, ())
        }
        folded = self._vims.rules(resource).fold(spec, members)
        composite = self._known.get(resource.within) if resource.within else None
        existing = composite.handle if composite is not None else resource.existing
        return _replace(resource, spec=folded, existing=existing)

    def _look_up(self, ref: Ref) -> Any:
        """The output that `ref` means; the reference itself while there is none (a member of a composite to be)."""
        row = self._known.get(ref.name)
        return ref if row is None or ref.output not in row.outputs else row.outputs[ref.output]

    async def _until_ready(
        self, step: Step, resource: Resource[Any], incarnation: Incarnation, handle: Handle
    ) -> Outputs:
        status = await self._wait(resource, handle, lambda status, _: isinstance(status, Ready | Failed | Gone))
        return await self._outputs(step, resource, incarnation, status)

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
        self._stop_if_halted(resource.name)
        waiting = asyncio.ensure_future(self._vims.wait(resource, handle, done))
        halted = asyncio.ensure_future(self._halted.wait())
        try:
            await asyncio.wait((waiting, halted), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise Cancelled(f"Stopped waiting for '{resource.name}'.", resource=resource.name)
        finally:
            waiting.cancel()
            halted.cancel()

    def _stop_if_halted(self, name: Name) -> None:
        if self._halted.is_set():
            raise Cancelled(f"Stopped before '{name}' was done.", resource=name)

    async def _call(self, resource: Resource[Any], call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that may be repeated, for as long as the VIM does not answer."""
        retries = self._retries()
        while True:
            try:
                async with self._vims.slot(resource.vim):
                    return await call()
            except VimUnavailable as error:
                await retries(error)

    def _retries(self) -> Callable[[VimUnavailable], Awaitable[None]]:
        """What to await after a failure: it pauses longer each time, and raises the failure when the budget is
        spent."""
        give_up = self._vims.now() + _CALL_BUDGET
        pause = _FIRST_PAUSE

        async def pause_or_raise(error: VimUnavailable) -> None:
            nonlocal pause
            if self._halted.is_set() or self._vims.now() + pause > give_up:
                raise error
            await self._vims.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, _LONGEST_PAUSE)

        return pause_or_raise


def _known(resource: Resource[Any], incarnation: Incarnation, handle: Handle, outputs: Outputs) -> Recorded[Any]:
    return Recorded(resource, incarnation, State.READY, handle, outputs)
