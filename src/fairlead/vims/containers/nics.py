"""Connecting a container to its networks, from whatever it is connected to now.

Addresses on networks of ours are chosen here, and the engine has the last word: it guards that an address is given out once
to containers that run. When somebody else was faster, another is chosen.

What a container is to have is compared with what it has, so `connect` may be repeated and starts from anywhere. Which network
an engine calls by which name is looked up once (see `Networks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from fairlead.vims.containers.engine import Engine
from fairlead.vims.containers.networks import NetworkFacts, Networks
from fairlead.vims.containers.refusals import AddressTaken, NotThere, Taken
from fairlead.vims.containers.rules import Nic

__all__ = ["Connection", "Connections", "connections_of"]

_ATTEMPTS = 10


class Connection(msgspec.Struct, frozen=True):
    """One network that a container is connected to. `fixed` are the addresses that it keeps over a restart."""

    network: str
    addresses: tuple[str, ...] = ()
    mac: str = ""
    fixed: tuple[str, ...] = ()


async def connections_of(seen: Mapping[str, Any], networks: Networks) -> dict[str, Connection]:
    """The connections in what the engine says of a container, by the network's id."""
    found: dict[str, Connection] = {}
    for name, words in ((seen.get("NetworkSettings") or {}).get("Networks") or {}).items():
        running = bool((seen.get("State") or {}).get("Running"))
        addresses = tuple(words[field] for field in ("IPAddress", "GlobalIPv6Address") if words.get(field))
        if running and not addresses:
            continue  # Docker keeps the words of a connection that it refused
        network = await networks.named(name)
        if network is not None:
            config = words.get("IPAMConfig") or {}
            fixed = tuple(config[field] for field in ("IPv4Address", "IPv6Address") if config.get(field))
            found[network.id] = Connection(network.id, addresses, words.get("MacAddress") or "", fixed)
    return found


class Connections:
    """The calls."""

    def __init__(self, engine: Engine, networks: Networks) -> None:
        self._engine = engine
        self._networks = networks

    async def decided(self, nic: Nic) -> Nic:
        """`nic` with addresses, chosen where none are asked for and the network says from where."""
        facts = await self._networks.facts(nic.network)
        if nic.addresses is not None or not facts.pools:
            return nic
        return msgspec.structs.replace(nic, addresses=await self._networks.choose(facts))

    async def endpoint(self, nic: Nic) -> tuple[NetworkFacts, dict[str, Any]]:
        """The network of `nic`, and the engine's words for the connection."""
        facts = await self._networks.facts(nic.network)
        for address in nic.addresses or ():
            if address in facts.bridges:
                raise AddressTaken(
                    f"The address {address} on network '{facts.name}' is the container engine's own.",
                    resource=nic.port,
                    cause="it is the address of the network's bridge",
                    remedy="Choose another address, or put it into a pool or make it the gateway of the virtual link: "
                    "the bridge stays clear of those.",
                )
        words: dict[str, Any] = {}
        if nic.addresses:
            words["IPAMConfig"] = {"IPv6Address" if ":" in a else "IPv4Address": a for a in nic.addresses}
        if nic.mac:
            words["MacAddress"] = nic.mac
        return facts, words

    async def connect(self, container: str, nic: Nic) -> None:
        """Connect; choose again when a chosen address was taken meanwhile."""
        for attempt in range(_ATTEMPTS):
            decided = await self.decided(nic)
            facts, words = await self.endpoint(decided)
            body = {"Container": container, "EndpointConfig": words}
            try:
                await self._engine.post(f"/networks/{facts.id}/connect", f"connect '{nic.port}'", body)
                return
            except Taken:
                return  # it is connected already: somebody repeats what we do
            except AddressTaken as error:
                await self.disconnect(container, facts.id)
                if decided == nic or attempt == _ATTEMPTS - 1:
                    error.resource = nic.port
                    raise

    async def disconnect(self, container: str, network: str) -> None:
        """Disconnect; not being connected is fine."""
        body = {"Container": container, "Force": True}
        with suppress(NotThere):
            await self._engine.post(f"/networks/{network}/disconnect", "disconnect a network", body)

    async def reach(
        self, container: str, have: Mapping[str, Connection], nics: Sequence[Nic], *, running: bool, starting: bool
    ) -> None:
        """Bring a container from what it has to `nics`.

        Before a start (`starting`), a connection is renewed unless it is known to keep the addresses that are wanted:
        an engine may have given a dynamic address to somebody else meanwhile.
        """
        wanted = {(await self._networks.facts(nic.network)).id: nic for nic in nics}
        for network in have.keys() - wanted.keys():
            await self.disconnect(container, network)
        for network, nic in wanted.items():
            connection = have.get(network)
            if connection is not None:
                if (running or starting) and not _fits(connection, nic, running=running):
                    await self.disconnect(container, network)
                else:
                    continue
            await self.connect(container, nic)


def _fits(connection: Connection, nic: Nic, *, running: bool) -> bool:
    """Whether a connection is as `nic` wants it."""
    addresses = connection.addresses if running else connection.fixed
    right = nic.addresses is None or set(nic.addresses) <= set(addresses)
    return right and (not running or nic.mac in (None, connection.mac))
