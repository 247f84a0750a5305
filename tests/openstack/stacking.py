"""The whole program with the peer's Heat, and Tacker's packages on it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from fairlead.main.program import Program
from fairlead.operations import Operation, OperationState
from fairlead.resources import Records
from fairlead.sol import (
    CreateVnfRequest,
    HealVnfRequest,
    InstantiateVnfRequest,
    OperateVnfRequest,
    ScaleVnfRequest,
    TerminateVnfRequest,
    decode,
)
from fairlead.vims.openstack import driver as openstack
from tests.support.cloud import PeerCloud
from tests.support.cloud.heat import Heat
from tests.support.openstack.tacker import external_links, tacker_package
from tests.support.running import PROJECT, Running, running

__all__ = ["FORCEFUL", "Stacking", "stacking"]

FORCEFUL = {"terminationType": "FORCEFUL"}
_IMAGE = b"QFI\xfb\x00\x00\x00\x03" + bytes(512)
_REQUESTS: Mapping[str, type[msgspec.Struct]] = {
    "instantiate": InstantiateVnfRequest,
    "scale": ScaleVnfRequest,
    "heal": HealVnfRequest,
    "operate": OperateVnfRequest,
    "terminate": TerminateVnfRequest,
}
_SKIP = {"fairlead-package-scripts": "skip"}


class Stacking:
    """A program, the peer as its VIM, and one VNF of a package of Tacker's."""

    def __init__(self, program: Running, peer: PeerCloud, vnf: str) -> None:
        self.running = program
        self.peer = peer
        self.vnf = vnf

    @property
    def heat(self) -> Heat:
        return self.peer.heat

    def request(self, kind: str, asked: Mapping[str, Any]) -> Any:
        return decode(_REQUESTS[kind], msgspec.json.encode(asked))

    async def begin(self, kind: str, **asked: Any) -> str:
        """Begin an operation; its id."""
        return await self.running.begin(self.vnf, kind, self.request(kind, asked))

    async def do(self, kind: str, **asked: Any) -> None:
        """Do an operation to its end."""
        await self.running.reached(await self.begin(kind, **asked), OperationState.COMPLETED)

    async def fail(self, kind: str, **asked: Any) -> Operation:
        """Do an operation that stops."""
        return await self.running.reached(await self.begin(kind, **asked), OperationState.FAILED_TEMP)

    async def scale(self, way: str, **asked: Any) -> None:
        """By one step."""
        await self.do("scale", type=f"SCALE_{way}", aspectId="VDU1_scale", numberOfSteps=1, **asked)

    async def roll_back(self, operation: str) -> None:
        await self.running.program.operations.rollback(PROJECT, operation)
        await self.running.reached(operation, OperationState.ROLLED_BACK)

    async def retry(self, operation: str) -> None:
        await self.running.program.operations.retry(PROJECT, operation)
        await self.running.reached(operation, OperationState.COMPLETED)

    async def records(self) -> Records:
        return await self.running.records(self.vnf)

    async def handles(self) -> dict[str, str]:
        """The handles of everything that is in force, by name."""
        return {name: str(row.handle) for name, row in (await self.records()).current.items()}

    async def agrees(self) -> None:
        """Fail unless each recorded member is there, and the peer has no server, port or volume that is in no record."""
        held = set((await self.handles()).values())
        there = {server["id"] for server in self.peer.nova.servers.values() if server["status"] != "DELETED"}
        there |= self.peer.neutron.ports.keys() | self.peer.cinder.volumes.keys()
        assert there <= held, there - held
        rows = (await self.records()).current.values()
        assert {row.state for row in rows} <= {"ready"}
        members = {str(row.handle) for row in rows if row.resource.within and row.resource.spec.sort() != "network"}
        assert members <= there

    def nothing_left(self) -> None:
        """Fail unless all of Fairlead's has gone."""
        assert not [server for server in self.peer.nova.servers.values() if server["status"] != "DELETED"]
        assert not [stack for stack in self.heat.stacks.values() if stack["status"] != "DELETE_COMPLETE"]
        assert not self.peer.cinder.volumes
        assert {network["name"] for network in self.peer.neutron.networks.values()} <= {"out1", "out2"}
        assert {port["name"] for port in self.peer.neutron.ports.values()} <= {"theirs"}
        assert self.peer.glance.images.keys() == {"theirs"}


def instantiation(peer: PeerCloud, package: str) -> dict[str, Any]:
    """What Tacker's functional test asks for, on networks that are made for it, with an image that is there already."""
    nets = []
    for number in (1, 2):
        network = peer.neutron.make_network({"name": f"out{number}"})
        subnet = peer.neutron.make_subnet({"network_id": network["id"], "cidr": f"10.8{number}.0.0/24"})
        nets.append((network["id"], subnet["id"]))
    peer.glance.images["theirs"] = {"id": "theirs", "name": "nfv-tiny", "status": "active", "disk_format": "qcow2"}
    default = package in ("basic_lcms_max", "scale_ng")
    ports: list[str] = []
    if default:
        ports = [peer.neutron.make_port({"network_id": nets[0][0], "name": "theirs"})["id"] for _ in range(2)]
    links = external_links(nets[0], nets[1], ports=tuple(ports), fixed="10.82.0.77", small=package in _SMALL)
    vim = {"default": {"vimId": "cloud", "vimType": "ETSINFV.OPENSTACK_KEYSTONE.V_3"}}
    parameters = {} if default else _SKIP
    return {"flavourId": "simple", "extVirtualLinks": links, "additionalParams": parameters, "vimConnectionInfo": vim}


_SMALL = ("userdata_standard", "change_vnfpkg")


@contextlib.asynccontextmanager
async def stacking(
    peer: PeerCloud,
    directory: Path,
    package: str | tuple[str, bytes],
    *,
    vnf: str | None = None,
    changes: Mapping[str, str] | None = None,
) -> AsyncIterator[Stacking]:
    """A program on a database in `directory`; with `vnf`, one that was there before goes on. `package` is the name of one of
    Tacker's, or a descriptor's id and a package."""

    def program(settings: Any, **more: Any) -> Program:
        return Program(settings, **{**more, "types": {**more["types"], "openstack": openstack}})

    async with running(f"sqlite:///{directory / 'db'}", directory, program=program) as made:
        if vnf is None:
            interface = {"auth_url": f"{peer.url}/identity/v3", "region": "one"}
            credentials = {"username": "demo", "password": peer.password, "project_name": "demo"}
            cloud = {"name": "cloud", "type": "openstack", "interface": interface, "credentials": credentials}
            await made.program.vims.register(PROJECT, cloud)
            vnfd, content = tacker_package(package, _IMAGE, changes=changes) if isinstance(package, str) else package
            await made.package(content)
            shown = await made.program.vnfs.create(PROJECT, CreateVnfRequest(vnfd_id=vnfd, vnf_instance_name="tacker"))
            vnf = shown.id
        yield Stacking(made, peer, vnf)
