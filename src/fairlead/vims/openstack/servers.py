"""What Nova says of servers, in the few words that matter here, what they mean, and how many are read at once.

Few servers are looked at one by one. Many are read by one list: first of all that are ours, from then on only of what
changed since, so that a wait for hundreds costs what changes among them. Which ports a server has stands in Neutron,
and is asked only about servers whose plugs this process has changed, for it is only they that somebody waits for. Those
that are being built or deleted are looked at as `underway` says.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from fairlead.errors import VimError
from fairlead.resources import (
    Attachment,
    ComputeSpec,
    Failed,
    Gone,
    Observed,
    Outputs,
    Pending,
    Ready,
    Ref,
    Seen,
    Status,
    known,
)
from fairlead.vims.openstack.cloud import Cloud, to
from fairlead.vims.openstack.refusals import hopeless
from fairlead.vims.openstack.tags import BOOT, POWER, deployment_word, others_in, readable, tag_in
from fairlead.vims.openstack.underway import Underway, actions_of

__all__ = ["WAKING", "Servers", "server_seen", "server_status", "server_view"]

_FEW = 3
_FORGET = 30.0
"""Seconds for which lists of changes go on from a list of all: a server that ends before it has a host is in none of them."""
_OVERLAP = 10.0
"""Seconds by which the clocks of a cloud's machines may differ."""
_CONSOLE_LINES = 30
_GONE = ("DELETED", "SOFT_DELETED")
WAKING = {
    "PAUSED": "unpause",
    "SUSPENDED": "resume",
    "SHELVED": "unshelve",
    "SHELVED_OFFLOADED": "unshelve",
    "RESCUE": "unrescue",
}
"""Statuses that only somebody else brings a server into, and the action that leads out of each."""


class Servers:
    """Looks at servers."""

    def __init__(self, cloud: Cloud, deployment: str) -> None:
        self._cloud = cloud
        self._deployment = deployment
        self._last: dict[str, dict[str, Any]] = {}
        self._listed_at = -math.inf
        self._since = datetime.now(UTC)
        self._listing = asyncio.Lock()
        self.underway = Underway(cloud, deployment)
        self.replugged: set[str] = set()
        """Servers whose ports are looked at as well."""

    async def words(self, server: str) -> dict[str, Any] | None:
        """All that Nova says of a server; None when it has none such."""
        seen = await self._cloud.look("compute", to("servers", server), "show a server")
        return None if seen is None else seen["server"]

    async def look(self, server: str) -> Observed | None:
        """What is kept of it."""
        return (await self.look_at([server]))[server]

    async def look_at(self, servers: Iterable[str]) -> dict[str, Observed | None]:
        """What is kept of each; None for what is gone. Of what is still being built or deleted only that is told."""
        asked = set(servers)
        as_before = await self.underway.as_before(asked)
        wanted = sorted(asked - as_before.keys())
        at = time.monotonic()
        listed = await self._listed(wanted) if len(wanted) > _FEW else {}
        alone = [server for server in wanted if server not in listed]
        singly = dict(zip(alone, await asyncio.gather(*(self.words(server) for server in alone)), strict=True))
        seen = {server: listed.get(server, singly.get(server)) for server in wanted}
        views = await asyncio.gather(*(self._view(seen[server]) for server in wanted))
        found = dict(zip(wanted, views, strict=True))
        self.underway.looked(found, at)
        await self._add_ports(found)
        return {**as_before, **found}

    async def _listed(self, wanted: list[str]) -> dict[str, dict[str, Any] | None]:
        """What lists tell of `wanted`: not of what is not ours."""
        async with self._listing:
            whole = time.monotonic() - self._listed_at > _FORGET
            since = (self._since - timedelta(seconds=_OVERLAP)).strftime("%Y-%m-%dT%H:%M:%SZ")
            query = {"tags": deployment_word(self._deployment)} if whole else {"changes-since": since}
            asked_at = time.monotonic()
            self._since, servers = await self._pages(query)
            if whole:
                self._listed_at, self._last = asked_at, {}
            self._last = {key: server for key, server in self._last.items() if _there(server) is not None}
            self._last |= {
                server["id"]: server for server in servers if server["id"] in wanted or self._is_ours(server)
            }
            return {server: _there(self._last[server]) for server in wanted if server in self._last}

    def _is_ours(self, server: Mapping[str, Any]) -> bool:
        tag = tag_in(server.get("metadata"))
        return tag is not None and tag.deployment == self._deployment

    async def _pages(self, query: Mapping[str, Any]) -> tuple[datetime, list[dict[str, Any]]]:
        """All pages of a list, and the time at which Nova answered the first."""
        date, servers = await self._cloud.paged("compute", "/servers/detail", "servers", "list servers", query)
        return parsedate_to_datetime(date) if date else datetime.now(UTC), servers

    async def _view(self, seen: dict[str, Any] | None) -> Observed | None:
        if seen is None or seen["status"] in _GONE:
            return None
        view = server_view(seen)
        if isinstance(status := server_status(view), Failed) and status.console is None:
            view["console"], view["request"] = await asyncio.gather(
                self.console(seen["id"]), self.last_request(seen["id"])
            )
        view["lost"] = await self.underway.is_lost(view)
        return view

    async def console(self, server: str) -> str:
        """The last lines that it printed; what they are is never worth failing a look."""
        body = {"os-getConsoleOutput": {"length": _CONSOLE_LINES}}
        try:
            seen = await self._cloud.post("compute", to("servers", server, "action"), "show a console", body)
        except VimError:
            return ""
        return str((seen or {}).get("output") or "")

    async def last_request(self, server: str) -> str | None:
        """The id of the request by which something was last done to it: what Nova's log has of its failure is under that."""
        try:
            done = await actions_of(self._cloud, server)
        except VimError:
            return None
        return str(done[-1].get("request_id") or "") or None if done else None

    async def ports_of(self, server: str) -> list[str]:
        """The ids of the ports that it has."""
        query = {"device_id": server, "fields": "id"}
        seen = await self._cloud.get("network", "/ports", "list the ports of a server", **query)
        return sorted(port["id"] for port in seen["ports"])

    async def _add_ports(self, found: Mapping[str, Observed | None]) -> None:
        asked = [(server, view) for server, view in found.items() if view is not None and server in self.replugged]
        ports = await asyncio.gather(*(self.ports_of(server) for server, _ in asked))
        for (_, view), there in zip(asked, ports, strict=True):
            view["ports"] = there


def _there(server: dict[str, Any]) -> dict[str, Any] | None:
    return None if server["status"] in _GONE else server


def server_view(seen: Mapping[str, Any]) -> Observed:
    """What is kept of Nova's words: the same from a list as from a look."""
    flavour = seen.get("flavor") or {}
    fault = seen.get("fault") or {}
    view: Observed = {
        "id": seen["id"],
        "name": seen["name"],
        "status": seen["status"],
        "task": seen.get("OS-EXT-STS:task_state"),
        "off": (seen.get("metadata") or {}).get(POWER) == "off",
        "zone": seen.get("OS-EXT-AZ:availability_zone") or None,
        "host": seen.get("OS-EXT-SRV-ATTR:host") or None,
        "flavour": flavour.get("original_name"),
        "cores": flavour.get("vcpus"),
        "memory": flavour.get("ram"),
        "volumes": sorted(one["id"] for one in seen.get("os-extended-volumes:volumes_attached") or ()),
    }
    metadata = seen.get("metadata") or {}
    view |= {"metadata": others_in(metadata), "boot": metadata.get(BOOT)}
    if fault:
        view["fault"] = str(fault.get("message") or "")
    return view


def server_status(view: Observed | None) -> Status:
    """The status of a server. One that is off and was not meant to be has failed: nothing starts it again."""
    if view is None:
        return Gone()
    status, task = view["status"], view["task"]
    if status == "ERROR":
        reason = view.get("fault") or "the server is in the status ERROR"
        return Failed(reason, view.get("console") or None, hopeless(reason), request=view.get("request"))
    if view.get("lost"):
        reason = f"Nova has noted that it is to be deleted, and lost the request; openstack server set --state error {view['id']}"
        return Failed(f"{reason} by an administrator has it accept another", code="deletion-lost", undead=True)
    if task is not None:
        return Pending(f"{status}, {task}")
    if status == "ACTIVE":
        return Pending("it is to be stopped") if view["off"] else Ready(_outputs(view))
    if status == "SHUTOFF":
        reason = "the server has stopped, and was not meant to"
        return Ready(_outputs(view)) if view["off"] else Failed(reason, view.get("console") or None)
    if status in WAKING:
        return Failed(f"the server is in the status {status}")
    return Pending(status)


def server_seen(view: Observed, spec: ComputeSpec, outputs: Outputs) -> Seen | Pending | Failed:
    """What is there of a server recorded with `spec`.

    `ports` are compared when they were looked at; which flavour it had when it was last as wanted stands in `outputs`.
    """
    status, task = view["status"], view["task"]
    resting = status in ("ACTIVE", "SHUTOFF", "VERIFY_RESIZE", *WAKING)
    if status == "ERROR" or task is not None or not resting:
        found = server_status(view)
        return found if isinstance(found, Failed) else Pending(f"{status}, {task}" if task else status)
    powers = {"ACTIVE": "on", "SHUTOFF": "off", "VERIFY_RESIZE": spec.power}
    changed: dict[str, Any] = {"power": powers.get(status, status.lower())}
    if view["name"] != readable(spec.label):
        changed["label"] = view["name"]
    if outputs.get("flavour") not in (None, view["flavour"]):
        changed["flavour"] = view["flavour"]
    if "ports" in view:
        changed["ports"] = _held(spec.ports, view["ports"])
    attached = {known(one.volume): one for one in spec.volumes if isinstance(one.volume, str)}
    changed["volumes"] = tuple(one for one in spec.volumes if one.volume in view["volumes"]) + tuple(
        Attachment(volume=volume) for volume in view["volumes"] if volume not in attached
    )
    there = {key: view["metadata"].get(key, "") for key in spec.metadata}
    if there != spec.metadata:
        changed["metadata"] = there
    amiss = []
    if status == "VERIFY_RESIZE":
        amiss.append("a resize waits to be confirmed or reverted")
    if (spec.power == "off") is not view["off"]:
        amiss.append(f"its metadata say that it is meant to be {'off' if view['off'] else 'on'}")
    moved = isinstance(spec.zone, str) and view["zone"] not in (None, spec.zone)
    strange = (f"it is in the zone {view['zone']}, and was made in {spec.zone}",) if moved else ()
    return Seen(msgspec.structs.replace(spec, **changed), tuple(amiss), strange)


def _held(wanted: tuple[str | Ref, ...], there: Iterable[str]) -> tuple[str | Ref, ...]:
    """Those of `wanted` that are there, in their order, and after them what is there beside."""
    have = set(there)
    return tuple(one for one in wanted if one in have) + tuple(sorted(have - set(wanted)))


def _outputs(view: Observed) -> dict[str, Any]:
    return {"id": view["id"]} | {field: view[field] for field in ("host", "flavour") if view[field]}
