"""The cloud's own critical path, and Heat alone: the same things by calls of our own, as parallel as can be.

By hand: each network with its subnet, then its ports; a server as soon as it has all its ports; one list of servers, asked
for again as soon as it is answered, but for a pause of `_TIGHT`, until all are ACTIVE. Nothing is written down and
nothing checked. By Heat: one stack for each network function, looked at every 100 ms.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import aiohttp

from tests.bench.cloud.shape import FLAVOUR, IMAGE, NETWORKS, SERVERS, ZONE, heat_template
from tests.support.openstack.operator import Operator

__all__ = ["ByHand", "Heat"]

_TIGHT = 0.05
_LOOK = 0.1
_PATIENCE = 900.0
_MICROVERSION = {"compute": {"OpenStack-API-Version": "compute 2.64"}}
_SUFFIXES = {"network": "/v2.0"}


class Caller:
    """A session of the member's, with one token and pooled connections."""

    def __init__(self, member: Operator) -> None:
        self._headers = {"X-Auth-Token": member.token(), "Accept": "application/json"}
        self._endpoints = {
            service: member.endpoint(service) + _SUFFIXES.get(service, "")
            for service in ("compute", "network", "orchestration")
        }
        self._http: aiohttp.ClientSession | None = None

    async def call(self, method: str, service: str, path: str, body: Any = None) -> Any:
        """One call; its answer's JSON. What is refused raises."""
        if self._http is None:
            self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64))
        headers = {**self._headers, **_MICROVERSION.get(service, {})}
        async with self._http.request(method, self._endpoints[service] + path, json=body, headers=headers) as answer:
            if answer.status >= 400 and not (method in ("DELETE", "GET") and answer.status == 404):
                raise RuntimeError(f"{method} {service} {path}: {answer.status} {(await answer.text())[:300]}")
            return await answer.json() if answer.content_type == "application/json" and answer.status < 400 else None

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()


class ByHand:
    """See above."""

    name = "by hand"

    def __init__(self, member: Operator) -> None:
        self._caller = Caller(member)
        flavours = member.get("compute", "/flavors")["flavors"]
        self._flavour = next(one["id"] for one in flavours if one["name"] == FLAVOUR)
        self._image = member.get("image", "/images", name=IMAGE)["images"][0]["id"]
        self._networks: list[str] = []
        self._ports: list[str] = []
        self._servers: list[str] = []

    async def instantiate(self, size: int) -> float:
        """The seconds that `size` network functions took."""
        began = time.perf_counter()
        self._networks, self._ports, self._servers = [], [], []
        creating = [asyncio.create_task(self._one(number)) for number in range(size)]
        waiting = asyncio.create_task(self._until_active(size * len(SERVERS)))
        await asyncio.gather(*creating)
        await waiting
        return time.perf_counter() - began

    async def _one(self, number: int) -> None:
        ports = {(server, link): asyncio.get_running_loop().create_future() for server in SERVERS for link in NETWORKS}

        async def network(link: str) -> None:
            body = {"network": {"name": f"hand-{number}-{link}", "port_security_enabled": False}}
            made = (await self._caller.call("POST", "network", "/networks", body))["network"]["id"]
            self._networks.append(made)
            subnet = {"network_id": made, "cidr": NETWORKS[link], "ip_version": 4, "gateway_ip": None}
            await self._caller.call("POST", "network", "/subnets", {"subnet": {**subnet, "enable_dhcp": False}})
            await asyncio.gather(*(port(server, link, made) for server in SERVERS))

        async def port(server: str, link: str, network: str) -> None:
            made = await self._caller.call("POST", "network", "/ports", {"port": {"network_id": network}})
            self._ports.append(made["port"]["id"])
            ports[server, link].set_result(made["port"]["id"])

        async def server(name: str) -> None:
            nics = [{"port": await ports[name, link]} for link in NETWORKS]
            body = {"name": f"hand-{number}-{name}", "flavorRef": self._flavour, "imageRef": self._image}
            asked = {"server": {**body, "networks": nics, "availability_zone": ZONE}}
            self._servers.append((await self._caller.call("POST", "compute", "/servers", asked))["server"]["id"])

        async with asyncio.TaskGroup() as group:
            for link in NETWORKS:
                group.create_task(network(link))
            for name in SERVERS:
                group.create_task(server(name))

    async def _until_active(self, number: int) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if len(self._servers) == number:
                seen = (await self._caller.call("GET", "compute", "/servers/detail"))["servers"]
                states = [one["status"] for one in seen if one["id"] in self._servers]
                if "ERROR" in states:
                    raise RuntimeError("a server went to ERROR")
                if states.count("ACTIVE") == number:
                    return
            await asyncio.sleep(_TIGHT)
        raise TimeoutError("the servers did not become ACTIVE")

    async def terminate(self) -> float:
        """The seconds that it took until all was gone."""
        began, end = time.perf_counter(), time.monotonic() + _PATIENCE
        await self._delete("compute", "servers", self._servers)
        while (await self._caller.call("GET", "compute", "/servers"))["servers"]:
            if time.monotonic() > end:
                raise TimeoutError("the servers did not go")
            await asyncio.sleep(_TIGHT)
        await self._delete("network", "ports", self._ports)
        await self._delete("network", "networks", self._networks)
        return time.perf_counter() - began

    async def _delete(self, service: str, what: str, ids: Iterable[str]) -> None:
        await asyncio.gather(*(self._caller.call("DELETE", service, f"/{what}/{id_}") for id_ in ids))

    async def close(self) -> None:
        await self._caller.close()


class Heat:
    """See above."""

    name = "Heat alone"

    def __init__(self, member: Operator) -> None:
        self._caller = Caller(member)
        self._stacks: list[str] = []

    async def instantiate(self, size: int) -> float:
        """The seconds that `size` stacks took."""
        began = time.perf_counter()

        async def stack(number: int) -> None:
            body = {"stack_name": f"bench-{number}", "template": heat_template(), "timeout_mins": 20}
            made = (await self._caller.call("POST", "orchestration", "/stacks", body))["stack"]["id"]
            self._stacks.append(f"bench-{number}/{made}")
            await self._until(f"bench-{number}/{made}", "CREATE_COMPLETE")

        self._stacks = []
        await asyncio.gather(*(stack(number) for number in range(size)))
        return time.perf_counter() - began

    async def _until(self, stack: str, status: str) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            seen = await self._caller.call("GET", "orchestration", f"/stacks/{stack}")
            found = seen["stack"]["stack_status"] if seen else "DELETE_COMPLETE"
            if found == status:
                return
            if found.endswith("_FAILED"):
                raise RuntimeError(f"{stack}: {found}: {seen['stack']['stack_status_reason']}")
            await asyncio.sleep(_LOOK)
        raise TimeoutError(f"{stack} is not {status}")

    async def terminate(self) -> float:
        """The seconds that it took until all stacks were gone."""
        began = time.perf_counter()

        async def delete(stack: str) -> None:
            await self._caller.call("DELETE", "orchestration", f"/stacks/{stack}")
            await self._until(stack, "DELETE_COMPLETE")

        await asyncio.gather(*(delete(stack) for stack in self._stacks))
        return time.perf_counter() - began

    async def close(self) -> None:
        await self._caller.close()
