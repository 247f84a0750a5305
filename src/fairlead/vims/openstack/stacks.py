"""Stacks of Heat.

A stack is created and changed by one call each, with all templates in it, and carries tags from that call on: who it is, what
Heat was given last, and which members that update was to make anew. An update that Heat has accepted is therefore never sent
twice. Which member is which of an AutoScalingGroup's, whose names Heat makes up, stands in the stack's environment, where Heat
keeps what no template asks for: the members that are there are told apart by it, and those that are new are taken in the
order in which they were made.

To be rid of a certain member of a group, or to have a certain resource anew, it is marked as unhealthy before the update:
Heat removes marked members first, and replaces what is marked inside of those that stay.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from fairlead.errors import Unprocessable, VimRefused, VimUnavailable
from fairlead.resources import (
    Action,
    Failed,
    Fitting,
    Gone,
    Handle,
    Observed,
    Outputs,
    Pending,
    Ready,
    Resource,
    Seen,
    StackSpec,
    Status,
    Tag,
    Undecided,
    known,
    tree,
)
from fairlead.vims.openstack.cloud import SETTLING, Cloud, to
from fairlead.vims.openstack.composition import sized
from fairlead.vims.openstack.flavours import Flavours
from fairlead.vims.openstack.heat import Heat, Part, handle_of, path_of
from fairlead.vims.openstack.refusals import NotThere, concerning, hopeless
from fairlead.vims.openstack.stack_rules import Stacked, StackRules, content_digest, renewal_digest
from fairlead.vims.openstack.tags import incarnation_word, readable, stack_words, tag_of_stack

__all__ = ["Groups", "StackKind", "assigned", "path_in"]

_NOTE = "fairlead"
"""The key in an environment's `parameter_defaults` under which the groups' members are noted."""
_CONTENT, _RENEWAL = "fairlead-u-", "fairlead-r-"
_MINUTES = 60
"""Until Heat itself gives up."""
_REST = 600.0
"""Seconds that an update waits for an earlier one to end: Heat tries five times to make what fails."""
_LOOK_AGAIN = 1.0
_MOMENT = 2.0
"""Seconds for which an answer about a stack's members counts, unless it is updated."""
_WHY = "to be replaced or removed"


class Groups(msgspec.Struct, frozen=True):
    """The members of groups. `names` has Heat's name of each key, None where it is not known yet, by group; `leaving` are the
    names of those that are to go."""

    names: dict[str, dict[str, str | None]] = {}
    leaving: dict[str, tuple[str, ...]] = {}


class StackKind(StackRules):
    """How a StackSpec lives on Heat."""

    settling = SETTLING

    def __init__(self, cloud: Cloud, heat: Heat, flavours: Flavours) -> None:
        self._cloud = cloud
        self._heat = heat
        self._flavours = flavours
        self._known: dict[str, tuple[float, asyncio.Task[dict[str, Part]]]] = {}

    async def create(self, resource: Resource[Any], tag: Tag) -> Handle:
        stacked = _stacked(resource.spec)
        spec = stacked.stack
        name = f"fairlead-{readable(spec.label)[:100].replace(' ', '-')}-{tag.incarnation}"
        groups = Groups({group: dict.fromkeys(keys) for group, keys in spec.groups.items()})
        words = [*stack_words(tag), *_digests(stacked)]
        with concerning(resource.name):

            async def create() -> Any:
                body = {"stack_name": name, **await self._body(spec, groups, words)}
                return await self._cloud.post("orchestration", "/stacks", f"create stack '{name}'", body)

            made = await self._flavours.heeding(create)
        return Handle(f"{name}/{made['stack']['id']}")

    async def find(self, tag: Tag, resource: Resource[Any]) -> Handle | None:
        found = await self._heat.ours(tags=incarnation_word(tag.incarnation))
        cut = tag_of_stack(stack_words(tag), tag.deployment)
        exact = sorted(handle_of(seen) for seen in found if tag_of_stack(seen.get("tags") or (), tag.deployment) == cut)
        return exact[0] if exact else None

    async def read(self, handle: Handle) -> Observed | None:
        return (await self._heat.look_at([handle]))[handle]

    def status(self, observed: Observed | None) -> Status:
        if observed is None:
            return Gone()
        action, _, state = observed["status"].partition("_")
        reason = "; ".join(observed["failures"]) or observed["reason"]
        if state == "COMPLETE":
            return Ready({"id": observed["id"]})
        if state == "FAILED" or observed["failures"]:
            return Failed(
                reason, None, hopeless(reason), mendable=action not in ("CREATE", "DELETE"), undead=action == "DELETE"
            )
        return Pending(f"{observed['status']}: {observed['reason']}")

    def seen(self, observed: Observed, spec: Any, outputs: Outputs) -> Seen | Pending | Failed:
        """A stack that an update may mend is to be updated."""
        status = self.status(observed)
        if isinstance(status, Failed) and status.mendable:
            return Seen(spec, (status.reason,))
        return status if isinstance(status, Pending | Failed) else Seen(spec)

    def settled(self, observed: Observed, spec: Any) -> bool:
        return set(_digests(_stacked(spec))) <= set(observed["tags"])

    async def update(self, handle: Handle, old: Any, new: Any) -> None:
        stacked = _stacked(new)
        self._known.pop(handle, None)
        seen = await self.read(handle)
        if seen is None:
            raise NotThere("The stack is gone.", cause="404", remedy="Terminate the VNF, and instantiate it again.")
        words = set(_digests(stacked))
        accepted = words <= set(seen["tags"])
        if accepted and not isinstance(self.status(seen), Failed):
            return
        groups, to_mark = await self._look_into(handle, stacked)
        if to_mark and not accepted:
            if seen["status"].endswith("_IN_PROGRESS"):
                await self._rest(handle)
                groups, to_mark = await self._look_into(handle, stacked)
            await asyncio.gather(*(self._mark(part) for part in to_mark))
        kept = [word for word in seen["tags"] if not word.startswith((_CONTENT, _RENEWAL))]
        earlier = [word for word in seen["tags"] if word.startswith(_RENEWAL) and not stacked.renewed]
        self._heat.forget(handle)

        async def update() -> None:
            body = await self._body(stacked.stack, groups, [*kept, *earlier, *sorted(words)])
            await self._cloud.put("orchestration", path_of(handle), f"update stack '{handle.partition('/')[0]}'", body)

        try:
            await self._flavours.heeding(update)
        except VimUnavailable as error:
            if error.code == "stack-busy":
                await self._cancel(handle)
            raise

    async def _cancel(self, handle: Handle) -> None:
        """Have Heat stop an update that is not wanted any more, where it does not take another one meanwhile."""
        body = {"cancel_without_rollback": None}
        with suppress(VimRefused):
            await self._cloud.post("orchestration", f"{path_of(handle)}/actions", "cancel an update of a stack", body)

    async def delete(self, handle: Handle) -> None:
        await self._heat.delete(handle)

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"A stack cannot '{action.kind}'.", code="action-not-supported")

    async def members(self, handle: Handle) -> dict[str, Part]:
        """What the members of a stack are in it, by name; one answer serves all who ask at the same time. Raises VimError."""
        now = time.monotonic()
        self._known = {key: entry for key, entry in self._known.items() if now - entry[0] < _MOMENT}
        if handle not in self._known:
            self._known[handle] = (now, asyncio.create_task(self._look_up(handle)))
        return await asyncio.shield(self._known[handle][1])

    async def _look_up(self, handle: Handle) -> dict[str, Part]:
        parts, environment = await asyncio.gather(self._heat.parts(handle), self._heat.environment(handle))
        note = _noted(environment)
        groups = assigned(note, parts, {group: tuple(keys) for group, keys in note.groups.names.items()})
        places = {name: path_in(place, groups) for name, place in note.places.items()}
        return {name: parts[path] for name, path in places.items() if path in parts}

    # -- what Heat is given --------------------------------------------------------------------------------------------

    async def _body(self, spec: StackSpec, groups: Groups, words: Iterable[str]) -> dict[str, Any]:
        note = {"groups": msgspec.to_builtins(groups), "places": spec.places}
        return {
            "template": known(spec.template),
            "files": {name: known(text) for name, text in spec.files.items()},
            "environment": {
                "parameters": {"nfv": await self._parameters(spec)} if spec.parameters else {},
                "parameter_defaults": {_NOTE: json.dumps(note)},
            },
            "timeout_mins": _MINUTES,
            "disable_rollback": True,
            "tags": ",".join(words),
        }

    async def _parameters(self, spec: StackSpec) -> Any:
        leaves: dict[str, Any] = {}
        for path, leaf in spec.parameters.items():
            if isinstance(leaf, Undecided):
                leaves[path] = self._cloud.settings.zone or ""
            elif isinstance(leaf, Fitting):
                size = sized(leaf.cpus, leaf.memory, leaf.disk, leaf.constraints, from_image=False)
                leaves[path] = (await self._flavours.choose(None, size)).id
            else:
                leaves[path] = leaf
        return tree(leaves)

    async def _look_into(self, handle: Handle, stacked: Stacked) -> tuple[Groups, list[Part]]:
        """The members of groups as they are to be; and what is to be marked, so that Heat removes those that are to go first,
        and makes anew what is to be renewed."""
        parts, environment = await asyncio.gather(self._heat.parts(handle), self._heat.environment(handle))
        groups = assigned(_noted(environment), parts, stacked.stack.groups)
        paths: list[tuple[str, ...]] = [(group, name) for group, names in groups.leaving.items() for name in names]
        paths += [
            path_in(stacked.stack.places[name], groups) for name in stacked.renewed if name in stacked.stack.places
        ]
        return groups, [parts[path] for path in paths if path in parts and parts[path].handle]

    async def _rest(self, handle: Handle) -> None:
        """Until Heat has come to the end of what it is at: before, nothing can be marked, and an update that is cancelled
        leaves resources locked. Raises VimUnavailable (`stack-busy`) when that takes too long."""
        deadline = time.monotonic() + _REST
        while (seen := await self._heat.words(handle)) is not None and seen["stack_status"].endswith("_IN_PROGRESS"):
            if time.monotonic() > deadline:
                cause = f"{seen['stack_status']}: {seen.get('stack_status_reason')}"
                raise VimUnavailable("The stack is busy for too long.", code="stack-busy", cause=cause)
            await asyncio.sleep(_LOOK_AGAIN)

    async def _mark(self, part: Part) -> None:
        path = f"{path_of(part.stack)}{to('resources', part.path[-1])}"
        body = {"mark_unhealthy": True, "resource_status_reason": _WHY}
        await self._cloud.patch("orchestration", path, f"mark the resource '{'/'.join(part.path)}'", body)


class _Note(msgspec.Struct, frozen=True):
    """What stands in the environment."""

    groups: Groups = Groups()
    places: dict[str, str] = {}


def _noted(environment: Mapping[str, Any]) -> _Note:
    """The note in an environment; an empty one where somebody else has changed it. Raises VimRefused."""
    text = (environment.get("parameter_defaults") or {}).get(_NOTE)
    try:
        return msgspec.json.decode(text, type=_Note) if text else _Note()
    except msgspec.MsgspecError as error:
        raise VimRefused(
            "The stack's environment has been changed behind our back.",
            code="stack-changed",
            cause=str(error),
            remedy="Restore the entry 'fairlead' of its parameter_defaults, or terminate the VNF.",
        ) from error


def assigned(note: _Note, parts: Mapping[tuple[str, ...], Part], wanted: Mapping[str, Sequence[str]]) -> Groups:
    """The members of groups as they are to be: the `wanted` keys with the names that are known of them.

    What is in a group and has no key yet is given, in the order of its making, to the keys that have no name.
    """
    names: dict[str, dict[str, str | None]] = {}
    leaving: dict[str, tuple[str, ...]] = {}
    for group, keys in wanted.items():
        there = sorted((part.created, part.path[1]) for part in parts.values() if part.path[:-1] == (group,))
        before = dict(note.groups.names.get(group, {}))
        going = [name for _, name in there if name in note.groups.leaving.get(group, ())]
        taken = {name for name in before.values() if name is not None} | set(going)
        free = [name for _, name in there if name not in taken]
        for key in [key for key, name in before.items() if name is None][: len(free)]:
            before[key] = free.pop(0)
        names[group] = {key: before.get(key) for key in keys}
        gone = [name for key, name in before.items() if key not in keys and name is not None]
        leaving[group] = tuple(name for _, name in there if name in going or name in gone)
    return Groups(names, leaving)


def path_in(place: str, groups: Groups) -> tuple[str, ...]:
    """Where a member's place leads: a key after a group's name stands for the name that Heat has given it."""
    first, *rest = place.split("/")
    if first in groups.names and rest:
        rest[0] = groups.names[first].get(rest[0]) or rest[0]
    return (first, *rest)


def _digests(stacked: Stacked) -> list[str]:
    renewal = renewal_digest(stacked)
    return [f"{_CONTENT}{content_digest(stacked)}", *([f"{_RENEWAL}{renewal}"] if renewal is not None else [])]


def _stacked(spec: Any) -> Stacked:
    return spec if isinstance(spec, Stacked) else Stacked(spec)
