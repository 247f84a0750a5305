"""What Neutron's things have in common: a description that carries our tag, and lists that can be asked for it.

`Described` is the half of a kind that is the same for security groups, routers, floating IPs, QoS policies and trunks.
Ports and networks have ways of their own. Which extensions a Neutron has is asked once.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from fairlead.errors import Unprocessable
from fairlead.resources import Action, Gone, Handle, Observed, Ready, Resource, Status, Tag
from fairlead.vims.openstack.answers import Answers
from fairlead.vims.openstack.cloud import SETTLING, Cloud, to
from fairlead.vims.openstack.tags import line_of, tag_of_line

__all__ = ["Described", "Extensions", "described"]


class Extensions:
    """What a Neutron can, by the aliases of its extensions."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._known: frozenset[str] | None = None
        self._asking = asyncio.Lock()

    async def has(self, alias: str) -> bool:
        """Raises VimError."""
        async with self._asking:
            if self._known is None:
                seen = await self._cloud.get("network", "/extensions", "list its extensions", fields="alias")
                self._known = frozenset(extension["alias"] for extension in seen["extensions"])
        return alias in self._known


class Described(ABC):
    """One sort of thing. `collection` is its path, `member` the key of one in bodies, `noun` what people call it."""

    settling = SETTLING

    sort: ClassVar[str]
    collection: ClassVar[str]
    member: ClassVar[str]
    noun: ClassVar[str]
    extension: ClassVar[str]
    """Without it a Neutron has none."""

    def __init__(self, cloud: Cloud, answers: Answers) -> None:
        self._cloud = cloud
        self._answers = answers

    @abstractmethod
    def view(self, seen: Mapping[str, Any]) -> Observed:
        """What is kept of Neutron's words."""

    async def find(self, tag: Tag, resource: Resource[Any]) -> Handle | None:
        found = await described(self._cloud, self.collection, description=line_of(tag))
        exact = sorted(seen["id"] for seen in found if seen["description"] == line_of(tag))
        return Handle(exact[0]) if exact else None

    async def read(self, handle: Handle) -> Observed | None:
        seen = await self._cloud.look("network", f"{self.collection}{to(handle)}", f"show a {self.noun}")
        return None if seen is None else self.view(seen[self.member])

    def status(self, observed: Observed | None) -> Status:
        return Gone() if observed is None else Ready({"id": observed["id"]})

    async def delete(self, handle: Handle) -> None:
        self._answers.forget(self.sort, handle)
        await self._cloud.delete("network", f"{self.collection}{to(handle)}", f"delete a {self.noun}")
        self._answers.note(self.sort, handle, None)

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"A {self.noun} cannot '{action.kind}'.", code="action-not-supported")

    async def _make(self, body: Mapping[str, Any], tag: Tag, what: str) -> dict[str, Any]:
        """Create one that carries `tag`."""
        asked = {self.member: {**body, "description": line_of(tag)}}
        made: dict[str, Any] = (await self._cloud.post("network", self.collection, what, asked))[self.member]
        return made

    async def _change(self, handle: Handle, body: Mapping[str, Any], what: str) -> dict[str, Any]:
        self._answers.forget(self.sort, handle)
        path = f"{self.collection}{to(handle)}"
        seen: dict[str, Any] = (await self._cloud.put("network", path, what, {self.member: dict(body)}))[self.member]
        return seen


async def described(cloud: Cloud, collection: str, **query: Any) -> list[dict[str, Any]]:
    """Id, description and time of all things of a collection for which `query` holds."""
    asked = {**query, "fields": ["id", "description", "created_at"]}
    name = collection.rpartition("/")[2]
    found = await cloud.all("network", collection, name.replace("-", "_"), f"list {name}", **asked)
    return [thing for thing in found if tag_of_line(thing.get("description")) is not None]
