"""The sample's networks and containers by hand: the same things by as few calls as there can be, as parallel as can be.

This is what an instantiation is compared with. It knows no plan, writes nothing down and checks nothing; each container is begun as
soon as its networks are there, and looked at once when it has started, since addresses and MACs must be known.
"""

from __future__ import annotations

import asyncio
import io
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import aiohttp

__all__ = ["Bare", "Machine"]

_CONFIG = Path(__file__).parents[2] / "samples" / "edge-gateway" / "package" / "Files" / "config"
_TRIES = 3
_NETWORKS = {"front": "10.61.1", "middle": "10.61.2", "back": "10.61.3"}


@dataclass(frozen=True)
class Machine:
    """One container: its image is named by its role, its addresses by network."""

    role: str
    nics: dict[str, str]
    memory: int
    capabilities: tuple[str, ...]
    file: str
    at: str
    values: dict[str, str] = field(default_factory=dict)
    environment: tuple[str, ...] = ()
    forwards: bool = False


def machines(operator: str) -> list[Machine]:
    """The five containers; the router has 10.61.0.1 on the network `operator`."""
    both = ("NET_ADMIN", "NET_RAW")
    found = [
        Machine(
            "router",
            {operator: "10.61.0.1", "front": "10.61.1.1"},
            256,
            (*both, "SYS_ADMIN"),
            "router.conf",
            "/etc/frr/frr.conf",
            {"middle": "10.61.2.0/24", "firewall": "10.61.1.2"},
            forwards=True,
        ),
        Machine(
            "firewall",
            {"front": "10.61.1.2", "middle": "10.61.2.1"},
            128,
            both,
            "firewall.nft",
            "/etc/nftables.conf",
            {"balancer": "10.61.2.10", "port": "80"},
            ("ROUTES=default via 10.61.1.1",),
            forwards=True,
        ),
        Machine(
            "balancer",
            {"middle": "10.61.2.10", "back": "10.61.3.10"},
            128,
            both,
            "haproxy.cfg",
            "/etc/haproxy/haproxy.cfg",
            {"port": "80", "back": "10.61.3"},
            ("ROUTES=default via 10.61.2.1",),
        ),
    ]
    for number in (100, 101):
        values = {"greeting": "Hello"}
        nic = {"back": f"10.61.3.{number}"}
        found.append(Machine("server", nic, 128, ("NET_RAW",), "nginx.conf", "/etc/nginx/nginx.conf", values))
    return found


class Bare:
    """An engine's socket. `images` has the reference of each role's image."""

    def __init__(self, address: str, operator: str, images: dict[str, str]) -> None:
        self._operator = operator
        self._images = images
        self._made: list[str] = []
        self._networks: list[str] = []
        socket = address.removeprefix("unix://") if address.startswith("unix://") else None
        connector = aiohttp.UnixConnector(socket) if socket else aiohttp.TCPConnector()
        self._base = ("http://engine" if socket else address.replace("tcp://", "http://")) + "/v1.41"
        self._session = aiohttp.ClientSession(connector=connector)

    async def close(self) -> None:
        await self._session.close()

    async def instantiate(self) -> float:
        """Make everything; the seconds that it took."""
        began = time.perf_counter()
        networks = {name: asyncio.ensure_future(self._network(name, prefix)) for name, prefix in _NETWORKS.items()}
        await asyncio.gather(*(self._machine(machine, networks) for machine in machines(self._operator)))
        return time.perf_counter() - began

    async def terminate(self) -> None:
        """Remove what was made."""
        made, self._made = self._made, []
        await asyncio.gather(*(self.call("DELETE", f"/containers/{one}?force=1") for one in made))
        networks, self._networks = self._networks, []
        await asyncio.gather(*(self.call("DELETE", f"/networks/{one}") for one in networks))

    async def _network(self, name: str, prefix: str) -> str:
        pool = {"Subnet": f"{prefix}.0/24", "Gateway": f"{prefix}.254"}
        body = {"Name": f"bare-{name}", "Driver": "bridge", "Internal": True, "IPAM": {"Config": [pool]}}
        await self.call("POST", "/networks/create", body)
        self._networks.append(f"bare-{name}")
        return f"bare-{name}"

    async def _machine(self, machine: Machine, networks: Mapping[str, asyncio.Future[str]]) -> None:
        endpoints = {
            await networks[name] if name in networks else name: {"IPAMConfig": {"IPv4Address": address}}
            for name, address in machine.nics.items()
        }
        first, *others = endpoints
        host = {
            "NetworkMode": first,
            "RestartPolicy": {"Name": "no"},
            "Ulimits": [{"Name": name, "Soft": 4096, "Hard": 4096} for name in ("nofile", "nproc")],
            "NanoCpus": 10**9,
            "Memory": machine.memory * 2**20,
            "MemorySwap": machine.memory * 2**20,
            "CapAdd": list(machine.capabilities),
            "Sysctls": {"net.ipv4.ip_forward": "1"} if machine.forwards else {},
        }
        body = {
            "Image": self._images[machine.role],
            "Env": list(machine.environment),
            "HostConfig": host,
            "NetworkingConfig": {"EndpointsConfig": {first: endpoints[first]}},
        }
        container = (await self.call("POST", "/containers/create", body))["Id"]
        self._made.append(container)
        for name in others:
            connection = {"Container": container, "EndpointConfig": endpoints[name]}
            await self.call("POST", f"/networks/{name}/connect", connection)
        await self.call("PUT", f"/containers/{container}/archive?path=/", data=_archive(machine))
        await self.call("POST", f"/containers/{container}/start")
        await self.call("GET", f"/containers/{container}/json")

    async def call(self, method: str, path: str, body: Any = None, data: bytes | None = None) -> Any:
        """One call, made again when the engine fails; raises RuntimeError when it is refused."""
        headers = {"Content-Type": "application/x-tar"} if data is not None else None
        url, status, text = self._base + path, 0, ""
        for _ in range(_TRIES):
            async with self._session.request(method, url, json=body, data=data, headers=headers) as answer:
                if answer.status < 400:
                    return await answer.json() if answer.content_type == "application/json" else None
                status, text = answer.status, await answer.text()
            if status < 500:
                break
        raise RuntimeError(f"{method} {path}: {status} {text}")


def _archive(machine: Machine) -> bytes:
    content = Template((_CONFIG / machine.file).read_text(encoding="utf-8")).safe_substitute(machine.values).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo(machine.at.lstrip("/"))
        member.size, member.mode = len(content), 0o644
        tar.addfile(member, io.BytesIO(content))
        end = tar.offset
    return packed.getvalue()[: end + 2 * tarfile.BLOCKSIZE]
