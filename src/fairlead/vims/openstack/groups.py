"""Server groups: members kept together or apart.

A server group is about hosts. A rule about hosts becomes a group of its policy; one that wants members together in a
wider scope becomes a soft one, since a host more or less does not matter to it; one that wants them apart in different
zones is none of Nova's groups, and refused. A group has nothing to write a tag on but its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import Unprocessable, VimRefused
from fairlead.resources import (
    Action,
    AffinityGroupSpec,
    Gone,
    Handle,
    Observed,
    Ready,
    Resource,
    Status,
    Tag,
)
from fairlead.vims.openstack.cloud import SETTLING, Cloud, to
from fairlead.vims.openstack.refusals import concerning
from fairlead.vims.openstack.rules import GroupRules
from fairlead.vims.openstack.tags import line_of

__all__ = ["GroupKind", "group_view", "listed_groups"]

_OF_HOSTS = ("nfvi_node", "network_link_and_node", "")
_PAGE = 500


class GroupKind(GroupRules):
    """How an AffinityGroupSpec lives on Nova."""

    settling = SETTLING

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def create(self, resource: Resource[AffinityGroupSpec], tag: Tag) -> Handle:
        body = {"server_group": {"name": line_of(tag), "policy": _policy(resource)}}
        what = f"create the server group of '{resource.name}'"
        with concerning(resource.name):
            made = await self._cloud.post("compute", "/os-server-groups", what, body)
        return Handle(made["server_group"]["id"])

    async def find(self, tag: Tag, resource: Resource[AffinityGroupSpec]) -> Handle | None:
        found = await listed_groups(self._cloud)
        exact = sorted(seen["id"] for seen in found if seen["name"] == line_of(tag))
        return Handle(exact[0]) if exact else None

    async def read(self, handle: Handle) -> Observed | None:
        seen = await self._cloud.look("compute", to("os-server-groups", handle), "show a server group")
        return None if seen is None else group_view(seen["server_group"])

    def status(self, observed: Observed | None) -> Status:
        return Gone() if observed is None else Ready({"id": observed["id"]})

    def settled(self, observed: Observed, spec: AffinityGroupSpec) -> bool:
        return True

    async def update(self, handle: Handle, old: AffinityGroupSpec, new: AffinityGroupSpec) -> None:
        """Nothing about it can differ in place."""
        return

    async def delete(self, handle: Handle) -> None:
        await self._cloud.delete("compute", to("os-server-groups", handle), "delete a server group")

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"A server group cannot '{action.kind}'.", code="action-not-supported")


async def listed_groups(cloud: Cloud) -> list[dict[str, Any]]:
    """All server groups of the project."""
    found: list[dict[str, Any]] = []
    while True:
        query = {"limit": _PAGE, "offset": len(found)}
        page = (await cloud.get("compute", "/os-server-groups", "list server groups", **query))["server_groups"]
        found += page
        if len(page) < _PAGE:
            return found


def group_view(seen: Mapping[str, Any]) -> Observed:
    """What is kept of Nova's words; members are none of a group's own properties."""
    return {"id": seen["id"], "name": seen["name"], "policy": seen.get("policy")}


def _policy(resource: Resource[AffinityGroupSpec]) -> str:
    spec = resource.spec
    if spec.scope in _OF_HOSTS:
        return f"soft-{spec.policy}" if spec.soft else spec.policy
    if spec.policy == "affinity":
        return "soft-affinity"
    raise VimRefused(
        f"Nova keeps servers apart on hosts, not over the scope '{spec.scope}'.",
        code="affinity-scope-not-supported",
        resource=resource.name,
        cause=f"anti-affinity over {spec.scope}",
        remedy="Use the scope nfvi_node, or name a zone for each VDU.",
    )
