"""The packages of Tacker's functional tests on a real OpenStack's Heat, with requests as those tests send them.

Servers are on hosts of Nova's fake driver, which is all that Heat needs; the images are of a disk with nothing on it. The
project's member is an administrator, for the templates make volume types. Their names are the same in several of the
packages, so the tests come one after the other.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.openstack.deployed import Deployed, Instance
from tests.support.openstack.operator import Operator, Project, until
from tests.support.openstack.tacker import external_links, tacker_package

pytestmark = [pytest.mark.cloud, pytest.mark.long]

IN = {"type": "SCALE_IN", "aspectId": "VDU1_scale", "numberOfSteps": 1}
_PATIENCE = 900.0
"""Seconds for an operation on a machine that has other work: Heat makes a few things at a time."""
OUT = {"type": "SCALE_OUT", "aspectId": "VDU1_scale", "numberOfSteps": 1}
STANDARD = {
    "lcm-operation-user-data": "./UserData/userdata_standard.py",
    "lcm-operation-user-data-class": "StandardUserData",
    "fairlead-package-scripts": "skip",
}
DEFAULT = {
    "lcm-operation-user-data": "./UserData/userdata_default.py",
    "lcm-operation-user-data-class": "DefaultUserData",
}


@pytest.fixture
def project(admin: Operator) -> Iterator[Project]:
    """A project whose member may make volume types, for each test, since what a stack makes carries no mark."""
    made = Project(admin, "fairlead-heat", role="admin")
    yield made
    made.remove()


@pytest.fixture
def deployed(project: Project, tmp_path: Path) -> Iterator[Deployed]:
    """Fairlead, as a process, with the project as its VIM."""
    one = Deployed(tmp_path, project.member)
    yield one
    one.close()


@pytest.fixture
def networks(deployed: Deployed) -> list[tuple[str, str]]:
    """Two networks of the operator's, each with its subnet."""
    found = []
    for number in (1, 2):
        network = deployed.member.network(f"operator-{number}", f"10.8{number}.0.0/24")
        deployed.known.add(network)
        shown = deployed.member.get("network", f"/networks/{network}")["network"]
        found.append((network, str(shown["subnets"][0])))
    return found


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A qcow2 of 1 MiB."""
    path: Path = tmp_path_factory.mktemp("disk") / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "1M"], check=True, timeout=60)
    return path.read_bytes()


class Tacker:
    """One instance of a package of Tacker's."""

    def __init__(self, deployed: Deployed, networks: list[tuple[str, str]], disk: bytes, package: str) -> None:
        self.default = package in ("basic_lcms_max", "scale_ng")
        content = tacker_package(package, disk)
        self.instance: Instance = deployed.create(deployed.onboard(*content), "", package)
        self.instance.patience = _PATIENCE
        self._deployed = deployed
        ports: tuple[str, ...] = ()
        if self.default:
            ports = tuple(deployed.member.port(networks[0][0]) for _ in range(2))
            deployed.known.update(ports)
        small = package == "userdata_standard"
        links = external_links(networks[0], networks[1], ports=ports, fixed="10.82.0.77", small=small)
        parameters = DEFAULT if self.default else STANDARD
        self.request: dict[str, Any] = {
            "flavourId": "simple",
            "extVirtualLinks": links,
            "additionalParams": parameters,
        }

    def own_of_stack(self) -> None:
        """What the stack makes for itself belongs to nobody else."""
        groups = self._deployed.member.get("compute", "/os-server-groups")["server_groups"]
        self._deployed.known.update(str(group["id"]) for group in groups)

    def ports(self) -> dict[str, set[str]]:
        """The ports of each VNFC."""
        info = self.instance.show()["instantiatedVnfInfo"]
        names = {one["vnfcResourceInfoId"]: one["id"] for one in info["vnfcInfo"]}
        servers = {names[one["id"]]: one["computeResource"]["resourceId"] for one in info["vnfcResourceInfo"]}
        member = self._deployed.member
        return {
            name: {port["id"] for port in member.get("network", "/ports", device_id=server)["ports"]}
            for name, server in servers.items()
        }

    def servers(self) -> dict[str, str]:
        """The server of each VNFC."""
        info = self.instance.show()["instantiatedVnfInfo"]
        names = {one["vnfcResourceInfoId"]: one["id"] for one in info["vnfcInfo"]}
        return {names[one["id"]]: one["computeResource"]["resourceId"] for one in info["vnfcResourceInfo"]}


@pytest.mark.parametrize("package", ["basic_lcms_max", "individual_vnfc_max", "userdata_standard"])
def test_a_whole_life(deployed: Deployed, networks: list[tuple[str, str]], disk: bytes, package: str) -> None:
    one = Tacker(deployed, networks, disk, package)
    instance = one.instance
    finished(instance, "instantiate", one.request)
    one.own_of_stack()
    instance.agree()
    first = one.servers()
    assert first.keys() == {"VDU1-k1", "VDU2-k1"}
    instance.do("scale", OUT)
    more = one.servers()
    assert more.keys() == {"VDU1-k1", "VDU1-k2", "VDU2-k1"}
    assert first.items() <= more.items()
    plugged = one.ports()
    instance.do("heal", {"vnfcInstanceId": ["VDU1-k1"]})
    healed = one.servers()
    assert {name for name in more if healed[name] != more[name]} == {"VDU1-k1"}
    assert one.ports() == plugged
    instance.do("scale", {**IN, "additionalParams": {"vnfcInstanceId": ["VDU1-k1"]}})
    left = one.servers()
    assert left == {name: healed[name] for name in ("VDU1-k2", "VDU2-k1")}
    if package == "basic_lcms_max":
        instance.do("heal")
        again = one.servers()
        assert again.keys() == left.keys()
        assert not set(again.values()) & set(left.values())
    instance.finish()
    assert not deployed.member.stacks()


def test_each_operation_goes_on_after_a_crash_in_its_middle(
    deployed: Deployed, networks: list[tuple[str, str]], disk: bytes, chance: random.Random
) -> None:
    one = Tacker(deployed, networks, disk, "userdata_standard")
    crash(one.instance, chance, "instantiate", one.request)
    one.own_of_stack()
    one.instance.agree()
    first = one.servers()
    crash(one.instance, chance, "scale", OUT)
    one.instance.agree()
    more = one.servers()
    assert first.items() < more.items()
    crash(one.instance, chance, "heal", {"vnfcInstanceId": ["VDU1-k1"]})
    one.instance.agree()
    healed = one.servers()
    assert {name for name in more if healed[name] != more[name]} == {"VDU1-k1"}
    crash(one.instance, chance, "scale", IN)
    one.instance.agree()
    assert one.servers().keys() == first.keys()
    crash(one.instance, chance, "terminate", {"terminationType": "FORCEFUL"})
    one.instance.finish()
    assert not deployed.member.stacks()


def crash(instance: Instance, chance: random.Random, kind: str, request: dict[str, Any]) -> None:
    """Begin it, kill Fairlead at a random moment, at once or while Heat is at it, and see the operation to its end."""
    operation = instance.begin(kind, request)
    if chance.random() < 0.75:
        stacks = instance.deployed.member.stacks
        until(lambda: any(one["stack_status"].endswith("_IN_PROGRESS") for one in stacks()), "Heat to begin")
        time.sleep(chance.uniform(0.0, 4.0))  # the moment is what is tried here; the shortest takes Heat 12 s
    instance.interrupt(operation)


def test_a_scaling_that_is_meant_to_fail_is_told_in_heat_s_words_and_rolled_back(
    deployed: Deployed, networks: list[tuple[str, str]], disk: bytes
) -> None:
    one = Tacker(deployed, networks, disk, "scale_ng")
    one.instance.do("instantiate", one.request)
    before = one.servers()
    stopped = one.instance.fail("scale", OUT)
    assert "VDU1-multi already exists" in str(stopped["error"]), stopped
    one.instance.roll_back(stopped["id"])
    assert one.servers() == before
    one.instance.finish()
    assert not deployed.member.stacks()


def test_a_server_that_no_host_can_hold_is_told_within_seconds_and_leaves_nothing(
    deployed: Deployed, networks: list[tuple[str, str]], disk: bytes, admin: Operator
) -> None:
    body = {"name": f"fairlead-huge-{deployed.member.project[:8]}", "vcpus": 1, "ram": 90_000, "disk": 1}
    huge = admin.call("POST", "compute", "/flavors", {"flavor": body})["flavor"]["id"]
    try:
        one = Tacker(deployed, networks, disk, "userdata_standard")
        parameters = {**STANDARD, "nfv": {"VDU": {"VDU1": {"computeFlavourId": huge, "locationConstraints": "nova"}}}}
        stopped = one.instance.fail("instantiate", {**one.request, "additionalParams": parameters})
        assert stopped["error"]["code"] == "no-valid-host", stopped
        assert "No valid host was found" in str(stopped["error"]), stopped
        one.instance.roll_back(stopped["id"])
        one.instance.finish()
        assert not deployed.member.stacks()
    finally:
        admin.delete("compute", f"/flavors/{huge}")


def finished(instance: Instance, kind: str, request: dict[str, Any]) -> None:
    """Do it; what the stack makes for itself is not known yet, so nothing is compared."""
    done = instance.rest(instance.begin(kind, request))
    assert done["operationState"] == "COMPLETED", done
