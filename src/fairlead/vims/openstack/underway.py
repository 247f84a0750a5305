"""Servers that are being built or deleted: looked at with little work, and not waited for in vain.

All that Nova says of a server costs it two questions to Neutron, at the very time when the two are busy with that
server. So while one is built, or deleted, Nova is asked for what it knows by itself: which ids are in the status BUILD,
or whether there is such a server. What is not as before is read as a whole, and so is everything once in a while.

Nova notes that a server is to be deleted before it begins to. If its API ends in between, it takes every further request
for a repetition and does nothing; then only an administrator can reset the server's state, so it is tried whether we may.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Set
from contextlib import suppress
from typing import Any

import msgspec

from fairlead.errors import VimError
from fairlead.resources import Observed
from fairlead.vims.openstack.cloud import Cloud, to
from fairlead.vims.openstack.tags import deployment_word

__all__ = ["Underway", "actions_of"]

_FEW = 3
_BELIEVED = 30.0
"""Seconds after a look at the whole server for which less is enough."""
_FORGET = 60.0
"""Seconds after which nobody seems to wait for it any more."""
_LOST = 20.0
"""Seconds after which a deletion that Nova has not begun is one that it will not begin."""
_BUILDING, _DELETING = "building", "deleting"


class _Entry(msgspec.Struct, frozen=True):
    """One of them: what is done to it, since when, and when it was last looked at as a whole. `anew` says that Nova was made
    to forget its deletion, which is to be asked for again."""

    what: str
    since: float
    looked: float
    anew: bool = False


class Underway:
    """The servers under way in one cloud."""

    def __init__(self, cloud: Cloud, deployment: str) -> None:
        self._cloud = cloud
        self._deployment = deployment
        self._entries: dict[str, _Entry] = {}

    def built(self, server: str) -> None:
        """Nova has accepted to build it."""
        self._add(server, _BUILDING)

    def deleted(self, server: str) -> None:
        """Nova is asked to delete it."""
        self._add(server, _DELETING)

    def _add(self, server: str, what: str) -> None:
        now = time.monotonic()
        self._entries = {key: entry for key, entry in self._entries.items() if now - entry.looked < _FORGET}
        self._entries[server] = _Entry(what, now, now)

    def looked(self, views: Mapping[str, Observed | None], at: float) -> None:
        """What a look at the whole of some servers has shown, which began `at`; some may have come to their end."""
        for server, view in views.items():
            entry = self._entries.pop(server, None)
            if entry is not None and view is not None and (entry.what == _DELETING or view["status"] == "BUILD"):
                self._entries[server] = msgspec.structs.replace(entry, looked=at)

    # -- little looks ------------------------------------------------------------------------------------------------

    async def as_before(self, servers: Collection[str]) -> dict[str, Observed]:
        """Those of `servers` that are still being built, or deleted, and no more of them than that."""
        since = time.monotonic() - _BELIEVED
        known = {key: entry.what for key, entry in self._entries.items() if key in servers and entry.looked > since}
        building = {server for server, what in known.items() if what == _BUILDING}
        deleting = sorted(known.keys() - building)
        if len(deleting) > _FEW:
            deleting = []  # one list of what has changed costs less
        still, there = await asyncio.gather(
            self._still_building(building), asyncio.gather(*(self._is_there(server) for server in deleting))
        )
        left = [server for server, is_there in zip(deleting, there, strict=True) if is_there]
        return {
            **{server: {"status": "BUILD", "task": None} for server in still},
            **{server: {"status": "ACTIVE", "task": "deleting"} for server in left},
        }

    async def _still_building(self, servers: Set[str]) -> Set[str]:
        if not servers:
            return servers
        query = {"tags": deployment_word(self._deployment), "status": "BUILD"}
        listed = await self._cloud.all("compute", "/servers", "servers", "list the servers being built", **query)
        return servers & {server["id"] for server in listed}

    async def _is_there(self, server: str) -> bool:
        """By the part of a server that Nova shows with the least work."""
        return await self._cloud.look("compute", to("servers", server, "metadata"), "show a server") is not None

    # -- deletions that were lost ------------------------------------------------------------------------------------

    async def is_lost(self, view: Observed) -> bool:
        """Whether Nova will not delete a server although it was asked to, and cannot be made to. Never worth failing a look."""
        server = view["id"]
        lost = False
        with suppress(VimError):
            if view["task"] == "deleting" and await self._not_begun(server):
                lost = not await self._reset(server)
            if (entry := self._entries.get(server)) is not None and entry.anew:
                await self._cloud.delete("compute", to("servers", server), "delete a server")
                self._add(server, _DELETING)
        return lost

    async def _not_begun(self, server: str) -> bool:
        entry = self._entries.get(server)
        if entry is None or entry.what != _DELETING or time.monotonic() - entry.since < _LOST:
            return False
        return not any(action.get("action") == "delete" for action in await actions_of(self._cloud, server))

    async def _reset(self, server: str) -> bool:
        """Have Nova forget that it is to be deleted; False where we may not."""
        body = {"os-resetState": {"state": "error"}}
        try:
            await self._cloud.post("compute", to("servers", server, "action"), "reset the state of a server", body)
        except VimError:
            return False
        if (entry := self._entries.get(server)) is not None:  # it may have been seen gone meanwhile
            self._entries[server] = msgspec.structs.replace(entry, anew=True)
        return True


async def actions_of(cloud: Cloud, server: str) -> list[dict[str, Any]]:
    """What Nova has begun to do with a server, in order. Raises VimError."""
    path = to("servers", server, "os-instance-actions")
    seen = await cloud.get("compute", path, "tell what was done to a server")
    return sorted(seen.get("instanceActions") or (), key=lambda action: str(action.get("start_time")))
