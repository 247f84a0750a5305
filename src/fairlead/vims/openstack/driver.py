"""One connected OpenStack: its kinds, and what concerns all of them.

Reading is by the narrowest calls that each service has: servers by one list of what changed, or one by one when they
are few (see `servers`); ports and networks by one list of their ids; volumes by one list of ours. A thing that is not
there is told as gone and fails nothing else. OpenStack has no event stream that a tenant could follow: `changes` has
the operator's notifications, where it was given them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, cast

from fairlead.errors import VimRefused
from fairlead.resources import Handle, Kind, Observed, Tag
from fairlead.vims.needs import Missing, Need
from fairlead.vims.openstack.answers import Answers
from fairlead.vims.openstack.cloud import Cloud, is_id
from fairlead.vims.openstack.compute import ComputeKind
from fairlead.vims.openstack.flavours import Flavours
from fairlead.vims.openstack.floating import FloatingIpKind
from fairlead.vims.openstack.groups import GroupKind, listed_groups
from fairlead.vims.openstack.heat import Heat, handle_of
from fairlead.vims.openstack.images import ImageKind
from fairlead.vims.openstack.inventory import capacity_of, check_of, zones_of
from fairlead.vims.openstack.members import MemberKind, NetworkMemberKind, ServerMemberKind
from fairlead.vims.openstack.networks import NETWORK_FIELDS, NetworkKind, network_view
from fairlead.vims.openstack.neutron import Described, Extensions, described
from fairlead.vims.openstack.notifications import Notifications
from fairlead.vims.openstack.ports import PORT_FIELDS, PortKind, port_view
from fairlead.vims.openstack.qos import QosKind
from fairlead.vims.openstack.routers import Outside, RouterKind
from fairlead.vims.openstack.security import SecurityGroupKind
from fairlead.vims.openstack.servers import Servers
from fairlead.vims.openstack.stacks import StackKind
from fairlead.vims.openstack.stock import missing_on
from fairlead.vims.openstack.surveying import add_details
from fairlead.vims.openstack.tags import deployment_word, metadata_filter, tag_in, tag_of_line, tag_of_stack
from fairlead.vims.openstack.trunks import TrunkKind
from fairlead.vims.openstack.volumes import VolumeKind
from fairlead.vims.seam import MEMBER, Artifacts, Capacity, Check, Tagged

__all__ = ["OpenStackDriver"]

Seen = dict[tuple[str, Handle], Observed | None]
_IDS = 40
"""How many ids stand in one request: an address of 2 kB passes everywhere."""
_FEW = 3


class OpenStackDriver:
    """See `Driver`."""

    def __init__(
        self, deployment: str, cloud: Cloud, artifacts: Artifacts, notifications: Notifications | None = None
    ) -> None:
        self._deployment = deployment
        self._cloud = cloud
        self._notifications = notifications
        self._servers = Servers(cloud, deployment)
        self._flavours = Flavours(cloud)
        self._volumes = VolumeKind(cloud)
        self._answers = Answers()
        extensions, outside = Extensions(cloud), Outside(cloud)
        self._extensions = extensions
        self._described: tuple[Described, ...] = (
            SecurityGroupKind(cloud, self._answers),
            QosKind(cloud, self._answers),
            RouterKind(cloud, self._answers, outside),
            FloatingIpKind(cloud, self._answers, outside),
            TrunkKind(cloud, self._answers),
        )
        self._kinds: dict[str, Kind[Any]] = {
            "image": ImageKind(cloud, artifacts),
            "network": NetworkKind(cloud, self._answers, extensions),
            "port": PortKind(cloud, self._answers, extensions),
            "volume": self._volumes,
            "affinity-group": GroupKind(cloud),
            **{kind.sort: cast("Kind[Any]", kind) for kind in self._described},
        }
        servers = ComputeKind(cloud, self._servers, self._flavours)
        self._heat = Heat(cloud, deployment)
        stacks = StackKind(cloud, self._heat, self._flavours)
        self._kinds |= {
            "compute": servers,
            "stack": stacks,
            f"{MEMBER}compute": ServerMemberKind(servers, stacks),
            f"{MEMBER}port": MemberKind(self._kinds["port"], stacks),
            f"{MEMBER}volume": MemberKind(self._volumes, stacks),
            f"{MEMBER}network": NetworkMemberKind(self._kinds["network"], stacks),
        }

    @property
    def kinds(self) -> Mapping[str, Kind[Any]]:
        return self._kinds

    @property
    def withheld(self) -> Set[str]:
        return frozenset({"qos"}) if self._cloud.settings.bit_rates == "ignore" else frozenset()

    async def check(self) -> Check:
        found = await check_of(self._cloud, self._flavours)
        told = () if self._notifications is None else await self._notifications.findings()
        return Check(found.reachable, found.version, (*found.findings, *told))

    async def capacity(self) -> Capacity:
        return await capacity_of(self._cloud)

    async def lacks(self, needs: Sequence[Need]) -> Missing:
        return await missing_on(self._cloud, self._flavours, needs)

    async def zones(self) -> tuple[str, ...]:
        """See `TellsZones`."""
        return await zones_of(self._cloud)

    def changes(self) -> AsyncIterator[tuple[str, Handle]] | None:
        return None if self._notifications is None else self._notifications.follow()

    # -- looking -----------------------------------------------------------------------------------------------------

    async def observe(self, wanted: Mapping[str, Set[Handle]]) -> dict[tuple[str, Handle], Observed | None]:
        ways: Mapping[str, Callable[[Sequence[Handle]], Awaitable[dict[Handle, Observed | None]]]] = {
            "compute": self._observe_servers,
            "port": self._observe_ports,
            "network": self._observe_networks,
            "volume": self._observe_volumes,
            "stack": self._heat.look_at,
        }

        async def look(sort: str, handles: Set[Handle]) -> Seen:
            found = self._answers.take(sort, handles)
            if asked := sorted(handles - found.keys()):
                way = ways.get(sort)
                found |= await (way(asked) if way else self._one_by_one(sort, asked))
            return {(sort, handle): found.get(handle) for handle in handles}

        parts = await asyncio.gather(*(look(sort, handles) for sort, handles in wanted.items() if handles))
        return {key: view for part in parts for key, view in part.items()}

    async def survey(self, wanted: Mapping[str, Set[Handle]]) -> Seen:
        found = await self.observe(wanted)
        await add_details(self._cloud, found)
        return found

    async def _one_by_one(self, sort: str, handles: Iterable[Handle]) -> dict[Handle, Observed | None]:
        """Read each; what a name does not tell apart counts as not there, since nothing may fail for one of many."""

        async def read(handle: Handle) -> tuple[Handle, Observed | None]:
            try:
                return handle, await self._kinds[sort].read(handle)
            except VimRefused as error:
                if error.code != "network-ambiguous":
                    raise
                return handle, None

        return dict(await asyncio.gather(*(read(handle) for handle in handles)))

    async def _observe_servers(self, handles: Sequence[Handle]) -> dict[Handle, Observed | None]:
        found = await self._servers.look_at(handles)
        return {handle: found[handle] for handle in handles}

    async def _observe_ports(self, handles: Sequence[Handle]) -> dict[Handle, Observed | None]:
        seen = await self._by_ids("ports", PORT_FIELDS, handles)
        return {handle: port_view(seen[handle]) for handle in handles if handle in seen}

    async def _observe_networks(self, handles: Sequence[Handle]) -> dict[Handle, Observed | None]:
        names = [handle for handle in handles if not is_id(handle)]
        ids = [handle for handle in handles if is_id(handle)]
        seen, by_name = await asyncio.gather(
            self._by_ids("networks", NETWORK_FIELDS, ids), self._one_by_one("network", names)
        )
        by_id: dict[Handle, Observed | None] = {handle: network_view(seen[handle]) for handle in ids if handle in seen}
        return {**by_id, **by_name}

    async def _by_ids(self, what: str, fields: Sequence[str], ids: Sequence[Handle]) -> dict[str, dict[str, Any]]:
        """The things with these ids, by lists that ask for nothing else."""
        pieces = [list(ids[start : start + _IDS]) for start in range(0, len(ids), _IDS)]
        queries: list[dict[str, Any]] = [{"id": piece, "fields": list(fields)} for piece in pieces]
        answers = await asyncio.gather(
            *(self._cloud.all("network", f"/{what}", what, f"list {what}", **query) for query in queries)
        )
        return {seen["id"]: seen for answer in answers for seen in answer}

    async def _observe_volumes(self, handles: Sequence[Handle]) -> dict[Handle, Observed | None]:
        if len(handles) <= _FEW:
            return await self._one_by_one("volume", handles)
        seen = {volume["id"]: volume for volume in await self._all_volumes()}
        found = {handle: await self._volumes.view(seen[handle]) for handle in handles if handle in seen}
        return found | await self._one_by_one("volume", [handle for handle in handles if handle not in seen])

    async def _all_volumes(self) -> list[dict[str, Any]]:
        query = {"metadata": metadata_filter(self._deployment)}
        return await self._cloud.all("block-storage", "/volumes/detail", "volumes", "list volumes", **query)

    # -- what is ours --------------------------------------------------------------------------------------------------

    async def tagged(self) -> list[Tagged]:
        project, _ = await self._cloud.about()
        stacks, servers, networks, ports, volumes, images, groups, *others = await asyncio.gather(
            self._stacks(),
            self._cloud.all(
                "compute", "/servers/detail", "servers", "list servers", tags=deployment_word(self._deployment)
            ),
            described(self._cloud, "/networks", project_id=project),
            described(self._cloud, "/ports", project_id=project),
            self._all_volumes(),
            self._cloud.all(
                "image", "/images", "images", "list images", fairlead_deployment=self._deployment, limit=200
            ),
            listed_groups(self._cloud),
            *(self._all_of(kind, project) for kind in self._described),
        )
        found = [("compute", seen, tag_in(seen.get("metadata")), seen.get("created")) for seen in servers]
        found += [("volume", seen, tag_in(seen.get("metadata")), seen.get("created_at")) for seen in volumes]
        found += [("image", seen, tag_in(seen), seen.get("created_at")) for seen in images]
        found += [("affinity-group", seen, tag_of_line(seen["name"]), None) for seen in groups]
        sorts = ("network", "port", *(kind.sort for kind in self._described))
        for sort, things in zip(sorts, (networks, ports, *others), strict=True):
            found += [(sort, seen, tag_of_line(seen["description"]), seen.get("created_at")) for seen in things]
        return [
            Tagged(sort, Handle(seen["id"]), tag, _seconds(created))
            for sort, seen, tag, created in found
            if tag is not None and self._is_ours(tag)
        ] + [
            Tagged("stack", handle_of(seen), tag, _seconds(seen.get("creation_time")))
            for seen in stacks
            if (tag := tag_of_stack(seen.get("tags") or (), self._deployment)) is not None
        ]

    async def _all_of(self, kind: Described, project: str) -> list[dict[str, Any]]:
        """Those that say that they are Fairlead's; none where the cloud has no such things."""
        if not await self._extensions.has(kind.extension):
            return []
        return await described(self._cloud, kind.collection, project_id=project)

    async def _stacks(self) -> list[dict[str, Any]]:
        """Our stacks; a cloud need not have any."""
        try:
            return await self._heat.ours()
        except VimRefused as error:
            if error.code != "service-missing":
                raise
            return []

    def _is_ours(self, tag: Tag) -> bool:
        return tag.deployment == self._deployment

    async def close(self) -> None:
        await self._cloud.close()


def _seconds(text: str | None) -> float | None:
    """The time in `text`, which is UTC though not every service says so."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
