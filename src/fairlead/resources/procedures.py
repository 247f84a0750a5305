"""What each step does, call by call, and what is written down before and after each call.

`Procedures.run` is the only code in Fairlead that changes a VIM. The order is always the same: write the intent, make
the call, write the handle at once, wait through the watcher, write the outcome. A call whose outcome is not known (the
VIM did not answer, or this process died) is never repeated blindly: what it may have made is first searched for by its
incarnation, until the VIM's settling time is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from fairlead.errors import ResourceFailed, Unprocessable, VimError, VimUnavailable
from fairlead.resources.calls import FIRST_PAUSE, Calls
from fairlead.resources.concrete import Concrete
from fairlead.resources.kinds import Failed, Gone, Intent, Journal, Kind, Observed, Ready, Status, Vims
from fairlead.resources.names import Handle, Incarnation, Name, Outputs, Tag
from fairlead.resources.plan import Do, Plan, Step
from fairlead.resources.records import Ownership, Recorded, Resource, State
from fairlead.resources.telling import listening

__all__ = ["Procedures"]

_replace = msgspec.structs.replace


class Procedures:
    """Runs the steps of one plan. `known` has a row for each resource of the instance that is there."""

    def __init__(
        self,
        plan: Plan,
        known: dict[Name, Recorded[Any]],
        vims: Vims,
        journal: Journal,
        calls: Calls,
        perform: Callable[[Step], Awaitable[None]],
    ) -> None:
        self._vims = vims
        self._journal = journal
        self._calls = calls
        self._perform = perform
        self._resources = Concrete(plan, known, vims, journal.reveal)
        self._known = known

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
        resource = self._resources.bound(step.new)
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

        outputs = await self._outputs(step, resource, incarnation, await self._calls.wait(resource, handle, over))
        await self._ready(step, resource, incarnation, handle, outputs)

    async def _intend(self, step: Step, resource: Resource[Any]) -> Intent:
        """The intent; for a shared thing that another operation is creating, wait for that one's outcome."""
        intent = await self._journal.intend(step, resource)
        while intent.busy:
            await self._calls.pause(resource.name, FIRST_PAUSE)
            intent = await self._journal.intend(step, resource)
        return intent

    async def _given(self, kind: Kind[Any], resource: Resource[Any]) -> Handle:
        handle = Handle(resource.existing or "")
        if await self._calls.call(resource, lambda: kind.read(handle)) is None:
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
        concrete = self._resources.concrete(resource)
        retries = self._calls.retries(resource.name)
        while True:
            if intent.repeated:
                handle = await self._search(kind, concrete, intent.tag, intent.since)
                if handle is not None:
                    return intent, handle
                intent = await self._journal.intend(step, resource, afresh=True)
            try:
                with listening(partial(self._journal.progressed, step), self._vims.now):
                    return intent, await self._calls.once(resource, partial(kind.create, concrete, intent.tag))
            except VimUnavailable as error:
                # What is over by now shows at the first look, if it has made anything.
                since = self._vims.now() - (kind.settling if error.over else 0.0)
                await retries(error)
                intent = _replace(intent, repeated=True, since=since)
            except VimError:
                await self._journal.refused(step, intent.tag.incarnation)
                raise

    async def _search(self, kind: Kind[Any], resource: Resource[Any], tag: Tag, since: float) -> Handle | None:
        """What carries exactly `tag`; looked for until the VIM is sure to show it."""
        while True:
            handle = await self._calls.call(resource, lambda: kind.find(tag, resource))
            remaining = since + kind.settling - self._vims.now()
            if handle is not None or remaining <= 0:
                return handle
            await self._calls.pause(resource.name, min(remaining, FIRST_PAUSE * 5))

    # -- changing ----------------------------------------------------------------------------------------------------

    async def _update(self, step: Step) -> None:
        assert step.new is not None
        assert step.old is not None
        await self._change(step, step.old, self._resources.bound(step.new))

    async def _change(self, step: Step, old: Recorded[Any], new: Resource[Any]) -> None:
        kind = self._vims.kind(new)
        if old.handle is None:
            raise ResourceFailed(f"'{new.name}' has no handle to update it by.", resource=new.name)
        handle = old.handle
        concrete = self._resources.concrete(new)
        before = self._resources.concrete(old.resource).spec if old.resource.spec != new.spec else concrete.spec
        between = _replace(new, bound=_either(old.resource, new))

        async def intend() -> None:
            await self._journal.updating(step, old.incarnation, between)

        await intend()
        for member in self._resources.ended_by.get(step.id, ()):
            assert member.old is not None
            await self._journal.leaving(member, member.old.incarnation)
        try:
            await self._calls.call(new, lambda: kind.update(handle, before, concrete.spec), again=intend)
        except VimUnavailable:
            raise
        except VimError:
            if await self._calls.call(new, lambda: kind.read(handle)) is None:
                await self._outputs(step, new, old.incarnation, Gone())
            raise

        def settled(status: Status, observed: Observed | None) -> bool:
            if isinstance(status, Ready):
                return observed is not None and kind.settled(observed, concrete.spec)
            return isinstance(status, Failed | Gone)

        status = await self._calls.wait(new, handle, settled)
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
            handle = await self._search(kind, self._resources.concrete(resource), self._journal.tag(row), row.since)
        if handle is None:
            return
        found = handle
        await self._calls.call(
            resource, lambda: kind.delete(found), again=lambda: self._journal.leaving(step, row.incarnation)
        )
        status = await self._calls.wait(
            resource,
            found,
            lambda status, _: isinstance(status, Gone) or (isinstance(status, Failed) and status.undead),
        )
        if isinstance(status, Failed):
            raise ResourceFailed(
                f"'{resource.name}' could not be deleted: {status.reason}",
                code=status.code,
                resource=resource.name,
                cause=status.reason,
                remedy="Remove what stands in the way, and retry the operation.",
            )

    # -- acting ------------------------------------------------------------------------------------------------------

    async def _act(self, step: Step) -> None:
        assert step.action is not None
        action = step.action
        self._calls.stop_if_halted(action.id)
        if not await self._journal.performing(step, action):
            return
        target = self._known.get(action.target) if action.target is not None else None
        if action.target is None:
            await self._calls.act(action.id, lambda: self._perform(step))
        elif target is not None and target.handle is not None:
            handle, kind = target.handle, self._vims.kind(target.resource)
            await self._calls.call(
                target.resource,
                lambda: self._calls.act(action.id, lambda: kind.perform(handle, action)),
                again=lambda: self._journal.performing(step, action),
            )
        await self._journal.performed(step, action)

    # -- outcomes ----------------------------------------------------------------------------------------------------

    async def _outputs(self, step: Step, resource: Resource[Any], incarnation: Incarnation, status: Status) -> Outputs:
        if isinstance(status, Ready):
            return status.outputs
        if not (isinstance(status, Failed) and status.mendable and step.do is Do.UPDATE):
            await self._journal.broken(step, incarnation)
        reason = status.reason if isinstance(status, Failed) else "it is not there any more"
        console = status.console if isinstance(status, Failed) else None
        request = status.request if isinstance(status, Failed) else None
        raise ResourceFailed(
            f"'{resource.name}' did not become ready: {reason}",
            code=status.code if isinstance(status, Failed) else None,
            resource=resource.name,
            cause=f"{reason} ({request})" if request else reason,
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


def _known(resource: Resource[Any], incarnation: Incarnation, handle: Handle, outputs: Outputs) -> Recorded[Any]:
    return Recorded(resource, incarnation, State.READY, handle, outputs)


def _either(old: Resource[Any], new: Resource[Any]) -> tuple[Incarnation, ...] | None:
    """What a thing between `old` and `new` may hold on to; None when that is not known."""
    if old.bound is None or new.bound is None:
        return None
    return tuple(sorted({*old.bound, *new.bound}))
