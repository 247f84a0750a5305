"""Networks: one bridge each.

A network is complete when the engine has answered, so what is there is ready. The engine keeps no two networks with overlapping
subnets, which is also what stops a second creation of the same incarnation on Docker, where names are not unique.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from fairlead.errors import Unprocessable, VimFull, VimRefused
from fairlead.resources import Action, Gone, Handle, NetworkSpec, Observed, Ready, Resource, Status, Tag
from fairlead.vims.containers.addresses import Range, choose, ipam, pools_label, pools_of
from fairlead.vims.containers.engine import Engine
from fairlead.vims.containers.labels import ADDRESSES, POOLS, engine_name, filters_for, labels_of, tag_of
from fairlead.vims.containers.refusals import InUse, NotThere
from fairlead.vims.containers.rules import NetworkRules

__all__ = ["NetworkFacts", "NetworkKind", "Networks", "observed_network"]


_OTHERS = 5.0
"""Seconds for which a network of somebody else is taken as read."""
_PROMISED = 10.0
"""Seconds within which a container with a chosen address is seen by all."""


class NetworkFacts(msgspec.Struct, frozen=True):
    """What never changes about a network. `bridges` are the engine's own addresses on it."""

    id: str
    name: str
    bridges: frozenset[str]
    pools: tuple[Range, ...] = ()


class Networks:
    """The facts of networks that containers are connected to, each read once.

    Podman calls networks by name where Docker gives their ids, so both lead here. A name of ours is never used again; another's
    may be, with another network behind it, so those are read again after some seconds. (Not each time: Podman answers only when
    it has set up the networks of all containers that are starting.)
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._facts: dict[str, NetworkFacts] = {}
        self._others: dict[str, tuple[float, NetworkFacts]] = {}
        """Networks of others by name, and when they were read."""
        self._promised: dict[str, dict[str, float]] = {}
        """By network, addresses that were chosen and may not be seen in the engine yet, and until when."""

    async def facts(self, key: str) -> NetworkFacts:
        """The facts of the network with this id or name. Raises VimRefused (`network-missing`) when there is none."""
        known = self._facts.get(key)
        if known is not None:
            return known
        try:
            seen = await self._engine.get(f"/networks/{key}", f"show network '{key}'")
        except NotThere as error:
            raise VimRefused(
                f"The container engine has no network '{key}'.",
                code="network-missing",
                cause=error.cause,
                remedy="Create it first, or name one that exists.",
            ) from error
        return self._remember(seen)

    async def named(self, name: str) -> NetworkFacts | None:
        """The facts of the network with this name; None when there is none."""
        if name in self._facts:
            return self._facts[name]
        read, facts = self._others.get(name, (0.0, None))
        if facts is not None and time.monotonic() - read < _OTHERS:
            return facts
        seen = await self._engine.look(f"/networks/{name}", f"show network '{name}'")
        return None if seen is None else self._remember(seen)

    def forget(self, handle: str) -> None:
        """The network is gone."""
        for key in [key for key, facts in self._facts.items() if handle in (facts.id, facts.name)]:
            del self._facts[key]
        self._others.clear()
        self._promised.pop(handle, None)

    async def choose(self, facts: NetworkFacts) -> tuple[str, ...]:
        """Addresses for a container on a network that has pools, one of each family; nobody else gets them for a while.

        Raises VimFull (`no-free-address`).
        """
        taken, now = await self._taken(facts), time.monotonic()
        promised = {address: until for address, until in self._promised.get(facts.id, {}).items() if until > now}
        what = f"network '{facts.name}'"
        try:
            chosen = choose(facts.pools, taken | promised.keys(), what)
        except VimFull:
            chosen = choose(facts.pools, taken, what)
        self._promised[facts.id] = promised | dict.fromkeys(chosen, now + _PROMISED)
        return chosen

    async def _taken(self, facts: NetworkFacts) -> set[str]:
        """The addresses that containers have on a network, running or not, and the bridge's."""
        seen = await self._engine.get(f"/networks/{facts.id}", f"show network '{facts.name}'")
        used = set(facts.bridges)
        for container in (seen.get("Containers") or {}).values():
            used |= {container[field].split("/")[0] for field in ("IPv4Address", "IPv6Address") if container.get(field)}
        filters = {"network": [facts.id]}
        for item in await self._engine.get("/containers/json", "list containers", all="1", filters=filters):
            used |= set(((item.get("Labels") or {}).get(ADDRESSES) or "").split(","))
        return used

    def _remember(self, seen: dict[str, Any]) -> NetworkFacts:
        labels: Mapping[str, str] = seen.get("Labels") or {}
        configs = (seen.get("IPAM") or {}).get("Config") or []
        bridges = frozenset(config["Gateway"].split("/")[0] for config in configs if config.get("Gateway"))
        facts = NetworkFacts(seen["Id"], seen["Name"], bridges, pools_of(labels.get(POOLS, "")))
        self._facts[facts.id] = facts
        if tag_of(labels) is not None:
            self._facts[facts.name] = facts
        else:
            self._others[facts.name] = (time.monotonic(), facts)
        return facts


class NetworkKind(NetworkRules):
    """How a NetworkSpec lives on a container engine."""

    settling = 2.0
    """A call that this process gave up may still be under way in the engine."""

    def __init__(self, engine: Engine, networks: Networks) -> None:
        self._engine = engine
        self._networks = networks

    async def create(self, resource: Resource[NetworkSpec], tag: Tag) -> Handle:
        try:
            body = _body(resource.spec, tag)
            made = await self._engine.post("/networks/create", f"create network '{resource.spec.label}'", body)
        except VimRefused as error:
            existing = await self.find(tag, resource)
            if existing is None:
                error.resource = resource.name
                raise
            return existing
        return Handle(made["Id"])

    async def find(self, tag: Tag, resource: Resource[NetworkSpec]) -> Handle | None:
        filters = filters_for(tag.deployment, tag.incarnation)
        found = await self._engine.get("/networks", "list networks", filters=filters)
        exact = sorted(seen["Id"] for seen in found if tag_of(seen.get("Labels")) == tag)
        return Handle(exact[0]) if exact else None

    async def read(self, handle: Handle) -> Observed | None:
        return observed_network(await self._engine.look(f"/networks/{handle}", f"show network '{handle}'"))

    def status(self, observed: Observed | None) -> Status:
        return Gone() if observed is None else Ready({"id": observed["id"]})

    def settled(self, observed: Observed, spec: NetworkSpec) -> bool:
        return True

    async def update(self, handle: Handle, old: NetworkSpec, new: NetworkSpec) -> None:
        """Only the label can differ, which the engine does not know."""
        return

    async def delete(self, handle: Handle) -> None:
        """Podman deletes a network under its containers and leaves the bridge behind, so who is on it is asked first."""
        filters = {"network": [handle]}
        users = await self._engine.get("/containers/json", "list containers", all="1", filters=filters)
        if users:
            names = ", ".join(sorted(user["Names"][0].lstrip("/") for user in users)[:5])
            raise InUse(
                f"The network is still in use by {names}.",
                code="network-in-use",
                cause=f"{len(users)} containers are connected to it",
                remedy="Disconnect or delete them, then retry.",
            )
        await self._engine.delete(f"/networks/{handle}", "delete a network")
        self._networks.forget(handle)

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"A network cannot '{action.kind}'.", code="action-not-supported")


def observed_network(seen: Mapping[str, Any] | None) -> Observed | None:
    """What is kept of the engine's words: the same from a list as from a look."""
    if seen is None:
        return None
    configs = (seen.get("IPAM") or {}).get("Config") or []
    subnets = sorted(config["Subnet"] for config in configs if config.get("Subnet"))
    return {
        "id": seen["Id"],
        "name": seen["Name"],
        "internal": bool(seen.get("Internal")),
        "subnets": subnets,
        "labels": seen.get("Labels") or {},
    }


def _body(spec: NetworkSpec, tag: Tag) -> dict[str, Any]:
    labels = labels_of(tag)
    if pools := pools_label(spec.subnets):
        labels[POOLS] = pools
    body: dict[str, Any] = {
        "Name": engine_name(tag),
        "CheckDuplicate": True,
        "Driver": "bridge",
        "Internal": spec.internal,
        "Labels": labels,
        "EnableIPv6": any(":" in subnet.cidr for subnet in spec.subnets),
    }
    if spec.subnets:
        body["IPAM"] = {
            "Driver": "default",
            "Config": [ipam(subnet, internal=spec.internal) for subnet in spec.subnets],
        }
    if spec.mtu:
        body["Options"] = {"com.docker.network.driver.mtu": str(spec.mtu)}
    return body
