"""What Heat says of stacks and of the resources in them, and where in a stack something is.

A stack is known by `<name>/<id>`, as Heat's paths have it. Its resources are listed with those of the stacks nested in it; where
one is follows from which stack contains it. Few stacks are looked at one by one, many by one list of ours.

Heat tries five times to make what fails, and says nothing of it until then. So while a stack is in progress its events are
looked at, too: a failure that no repetition mends, or that has come twice, is told at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fairlead.errors import VimError
from fairlead.resources import Handle, Observed
from fairlead.vims.openstack.cloud import Cloud, to
from fairlead.vims.openstack.refusals import hopeless
from fairlead.vims.openstack.tags import deployment_word

__all__ = ["Heat", "Part", "handle_of", "path_of", "stack_view"]

DEPTH = 5
"""How deep stacks are nested that are looked into: two suffice for Tacker's packages."""
_FEW = 3
_DELETIONS = 3
_LOOK_INTO = 2.0
"""Seconds between looks at the events of a stack in progress."""


class Part(msgspec.Struct, frozen=True):
    """A resource of a stack, or of one nested in it. `path` has the names of resources from the outermost stack inwards;
    `stack` is the one that contains it, and `nested` the one that it is, if it is one, both as their paths have them."""

    path: tuple[str, ...]
    kind: str
    status: str
    reason: str
    handle: str
    stack: str
    nested: str | None
    created: str


def handle_of(stack: Mapping[str, Any]) -> Handle:
    """How a stack is known."""
    return Handle(f"{stack.get('stack_name')}/{stack['id']}")


def path_of(handle: str) -> str:
    """Where a stack is."""
    name, _, id_ = handle.partition("/")
    return to("stacks", name, id_)


class Heat:
    """The orchestration service of one cloud."""

    def __init__(self, cloud: Cloud, deployment: str) -> None:
        self._cloud = cloud
        self._deployment = deployment
        self._looked_into: dict[str, tuple[float, list[str]]] = {}
        self._deletions: dict[str, int] = {}
        """How many more times the deletion of a stack is asked for."""

    async def look_at(self, handles: Sequence[Handle]) -> dict[Handle, Observed | None]:
        """What is kept of each; None for what is gone."""
        listed: dict[str, dict[str, Any]] = {}
        if len(handles) > _FEW:
            seen = await self.ours()
            listed = {handle_of(stack): stack for stack in seen}
        views = await asyncio.gather(*(self._view(handle, listed.get(handle)) for handle in handles))
        return dict(zip(handles, views, strict=True))

    def forget(self, handle: str) -> None:
        """It is about to change: what has failed in it until now is past."""
        self._looked_into.pop(handle, None)

    async def ours(self, **query: str) -> list[dict[str, Any]]:
        """All stacks of this deployment in our project: Heat shows an administrator those of others, too, and for a moment
        those that have ended."""
        query.setdefault("tags", deployment_word(self._deployment))
        project, _ = await self._cloud.about()
        found = await self._cloud.all("orchestration", "/stacks", "stacks", "list stacks", **query)
        ours = (stack for stack in found if stack.get("project") in (None, project))
        return [stack for stack in ours if stack["stack_status"] != "DELETE_COMPLETE"]

    async def words(self, handle: str) -> dict[str, Any] | None:
        """All that Heat says of a stack; None when it has none such."""
        seen = await self._cloud.look("orchestration", path_of(handle), "show a stack", resolve_outputs="false")
        return None if seen is None else seen["stack"]

    async def delete(self, handle: str) -> None:
        """Ask for a stack's end, and again for some times when that fails: services let go of things a moment later than they
        say, and Heat asks them once."""
        self._deletions[handle] = _DELETIONS
        await self._cloud.delete("orchestration", path_of(handle), "delete a stack")

    async def _view(self, handle: Handle, listed: dict[str, Any] | None) -> Observed | None:
        seen = listed if listed is not None else await self.words(handle)
        if seen is None or seen["stack_status"] == "DELETE_COMPLETE":
            self._looked_into.pop(handle, None)
            self._deletions.pop(handle, None)
            return None
        view = stack_view(seen)
        if view["status"] == "DELETE_FAILED" and self._deletions.get(handle, 0) > 1:
            self._deletions[handle] -= 1
            await self._cloud.delete("orchestration", path_of(handle), "delete a stack")
            return {**view, "status": "DELETE_IN_PROGRESS"}
        if view["status"].endswith("_FAILED"):
            view["failures"] = await self._failed_parts(handle)
        elif view["status"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
            view["failures"] = await self._failing(handle, view)
        return view

    # -- what is in a stack ----------------------------------------------------------------------------------------------

    async def parts(self, handle: str) -> dict[tuple[str, ...], Part]:
        """The resources of a stack, and of those nested in it, by path."""
        seen = await self._cloud.get(
            "orchestration", f"{path_of(handle)}/resources", "list the resources of a stack", nested_depth=str(DEPTH)
        )
        inside = {one.get("physical_resource_id"): one for one in seen["resources"] if _link(one, "nested")}
        found = {}
        for one in seen["resources"]:
            path = [one["resource_name"]]
            at: Mapping[str, Any] | None = one
            while at is not None and len(path) <= DEPTH + 1:
                at = inside.get((_link(at, "stack") or "").rpartition("/")[2])
                if at is not None:
                    path.insert(0, at["resource_name"])
            part = Part(
                path=tuple(path),
                kind=one["resource_type"],
                status=one["resource_status"],
                reason=one.get("resource_status_reason") or "",
                handle=one.get("physical_resource_id") or "",
                stack=_link(one, "stack") or handle,
                nested=_link(one, "nested"),
                created=one.get("creation_time") or "",
            )
            found[part.path] = part
        return found

    async def environment(self, handle: str) -> dict[str, Any]:
        """The environment that a stack was last given."""
        seen = await self._cloud.get("orchestration", f"{path_of(handle)}/environment", "show a stack's environment")
        return dict(seen or {})

    # -- what went wrong -------------------------------------------------------------------------------------------------

    async def _failed_parts(self, handle: Handle) -> list[str]:
        """Heat's words on the resources that failed, the deepest first; what they are is never worth failing a look."""
        try:
            parts = await self.parts(handle)
        except VimError:
            return []
        failed = [part for part in parts.values() if part.status.endswith("FAILED") and part.reason]
        deepest = [part for part in failed if not _others_within(part, failed)]
        deepest.sort(key=lambda part: (-len(part.path), part.path))
        words = [f"{'/'.join(part.path)}: {part.reason}" for part in deepest]
        return [word + await self._behind(part) for word, part in zip(words[:3], deepest, strict=False)]

    async def _behind(self, part: Part) -> str:
        """What Nova says of a server that failed, unless Heat has said it."""
        if part.kind != "OS::Nova::Server" or not part.handle:
            return ""
        try:
            seen = await self._cloud.look("compute", to("servers", part.handle), "show a server")
        except VimError:
            return ""
        fault = ((seen or {}).get("server") or {}).get("fault") or {}
        message = str(fault.get("message") or "")
        return f" ({message})" if message and message not in part.reason else ""

    async def _failing(self, handle: Handle, view: Mapping[str, Any]) -> list[str]:
        """What has failed since the stack's present action began, and will not be mended by another try."""
        now = time.monotonic()
        last, words = self._looked_into.get(handle, (0.0, []))
        if now - last < _LOOK_INTO:
            return words
        self._looked_into[handle] = (now, words)
        try:
            seen = await self._cloud.get(
                "orchestration",
                f"{path_of(handle)}/events",
                "list the events of a stack",
                nested_depth=str(DEPTH),
                resource_status="FAILED",
            )
        except VimError:
            return words
        began = view["updated"] or view["created"] or ""
        events = [one for one in seen["events"] if one["event_time"] >= began and not _is_stack(one)]
        found = _lasting(events)
        self._looked_into = {key: entry for key, entry in self._looked_into.items() if now - entry[0] < 60.0}
        self._looked_into[handle] = (now, found)
        return found


def stack_view(seen: Mapping[str, Any]) -> Observed:
    """What is kept of Heat's words: the same from a list as from a look."""
    return {
        "id": seen["id"],
        "name": seen["stack_name"],
        "status": seen["stack_status"],
        "reason": seen.get("stack_status_reason") or "",
        "tags": sorted(seen.get("tags") or ()),
        "created": seen.get("creation_time"),
        "updated": seen.get("updated_time"),
        "failures": [],
    }


def _lasting(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """The words of events that are worth giving up for: hopeless at once, and whatever has come a second time."""
    times: dict[str, int] = {}
    found: dict[str, None] = {}
    for event in sorted(events, key=lambda event: str(event["event_time"])):
        name, reason = event["resource_name"], event.get("resource_status_reason") or ""
        if str(event.get("resource_status")).partition("_")[0] not in ("CREATE", "UPDATE"):
            continue
        key = f"{_link(event, 'stack')} {name}"
        times[key] = times.get(key, 0) + 1
        if hopeless(reason) or times[key] > 1:
            found[f"{name}: {reason}"] = None
    return list(found)[:3]


def _is_stack(event: Mapping[str, Any]) -> bool:
    """Whether an event is of a stack itself and not of a resource in it."""
    return bool(event["resource_name"] == (_link(event, "stack") or "").partition("/")[0])


def _others_within(part: Part, failed: Iterable[Part]) -> bool:
    return any(other.path[: len(part.path)] == part.path and other.path != part.path for other in failed)


def _link(one: Mapping[str, Any], rel: str) -> str | None:
    """`<name>/<id>` of the stack that a link leads to."""
    href = next((link["href"] for link in one.get("links") or () if link.get("rel") == rel), None)
    return None if href is None else "/".join(str(href).split("/stacks/", 1)[-1].split("/")[:2])
