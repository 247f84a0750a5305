"""What a real OpenStack will not do: it is told by its code within seconds, and what was made until then is gone by a rollback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cloud.proxy import cutting
from tests.support.openstack.deployed import Deployed, Instance
from tests.support.openstack.operator import Operator, Project
from tests.support.openstack.packages import small_on_cloud

pytestmark = pytest.mark.cloud

PROMPT = 60.0
"""Seconds within which it is told, on a machine that has other work; alone it takes less than 10."""
NOWHERE = "0c4d8a5e-52d4-4d0e-9f0f-6a1c2f0c7b11"


@pytest.fixture
def tight(project: Project) -> Iterator[Project]:
    """The project, whose quotas the test may make small; they are as before afterwards."""
    yield project
    project.quota("network", network=-1, subnet=-1, port=-1)
    project.quota("block-storage", volumes=60, gigabytes=200)
    project.quota("compute", instances=60, cores=200, ram=100_000)


@pytest.mark.parametrize(
    ("service", "limits"),
    [
        ("compute", {"cores": 1}),
        ("network", {"network": 1}),
        ("network", {"port": 1}),
        ("block-storage", {"gigabytes": 0}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_a_quota(instance: Instance, tight: Project, service: str, limits: dict[str, int]) -> None:
    tight.quota(service, **limits)
    refused(instance, "quota-exceeded")


@pytest.mark.parametrize("network", ["no-such-network", NOWHERE], ids=["by-name", "by-id"])
def test_a_network_that_is_not_there(deployed: Deployed, vnfd: str, network: str) -> None:
    refused(deployed.create(vnfd, network), "given-resource-missing")


def test_an_address_that_somebody_has(instance: Instance, outside: str) -> None:
    member = instance.deployed.member
    port = member.port(outside, "10.61.0.77")
    instance.deployed.known.add(port)
    refused(instance, "address-in-use", at("10.61.0.77", instance))
    member.delete("network", f"/ports/{port}")


def test_an_address_outside_the_network(instance: Instance) -> None:
    refused(instance, "address-outside-network", at("10.99.0.1", instance))


def test_a_flavour_that_no_host_can_hold(deployed: Deployed, outside: str, admin: Operator) -> None:
    name = f"{deployed.vim}-vast"
    body = {"flavor": {"name": name, "vcpus": 1, "ram": 128, "disk": 10**6}}
    flavour = admin.call("POST", "compute", "/flavors", body)["flavor"]["id"]
    try:
        vnfd = deployed.onboard(*small_on_cloud(flavour=name, cidr="10.9.1.0/24"))
        refused(deployed.create(vnfd, outside), "no-valid-host")
    finally:
        admin.delete("compute", f"/flavors/{flavour}")


def test_an_upload_that_is_broken_off_is_sent_again(admin: Operator, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The connection is cut when a part of the image has gone through; what Glance has of it by then is removed."""
    glance = admin.get("identity", "/services", type="image")["services"][0]["id"]
    endpoint = admin.get("identity", "/endpoints", service_id=glance, interface="public")["endpoints"][0]["url"]
    project = Project(admin, "fairlead-upload")
    with cutting(endpoint, r"PUT .*/file$", after=2**20) as url:
        deployed = Deployed(tmp_path_factory.mktemp("cut"), project.member, endpoints={"image": f"{url}/v2"})
        network = project.member.network("operator", "10.61.0.0/24")
        deployed.known.add(network)
        instance = deployed.create(deployed.onboard(*small_on_cloud(image_size=2**24)), network)
        done = instance.rest(instance.begin("instantiate"))
        if done["operationState"] == "FAILED_TEMP":
            assert done["error"]["code"] in ("vim-unavailable", "image-half-sent"), done
            instance.retry(done["id"])
        else:
            assert done["operationState"] == "COMPLETED", done
        instance.finish()
        deployed.close()
    project.remove()


def refused(instance: Instance, code: str, request: dict[str, Any] | None = None) -> None:
    """Instantiate it, and fail the test unless that stops in time with this code, and all is gone after a rollback."""
    began = time.monotonic()
    stopped = instance.fail("instantiate", request)
    assert time.monotonic() - began < PROMPT
    error = stopped["error"]
    assert error["code"] == code, error
    assert error["resource"], error
    assert error.get("cause") or code == "given-resource-missing", error
    assert error["remedy"], error
    instance.roll_back(stopped["id"])
    instance.finish()


def at(address: str, instance: Instance) -> dict[str, Any]:
    """The request to instantiate with an address outside."""
    request = instance.request("instantiate")
    addresses = [{"type": "IPV4", "fixedAddresses": [address]}]
    protocol = {"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": {"ipAddresses": addresses}}
    request["extVirtualLinks"][0]["extCps"][0]["cpConfig"] = {"one": {"cpProtocolData": [protocol]}}
    return request
