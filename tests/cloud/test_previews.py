"""A plan on a real cloud tells, before anything is touched, what stands in its way there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fairlead.client import Document
from tests.support.openstack.deployed import Deployed, Instance
from tests.support.openstack.operator import Project

pytestmark = pytest.mark.cloud

PROMPT = 20.0
"""Seconds within which all is told, on a machine that has other work; alone it takes less than one."""


@pytest.fixture
def tight(project: Project) -> Iterator[Project]:
    """The project, whose quotas the test may make small; they are as before afterwards."""
    yield project
    project.quota("network", network=-1, subnet=-1, port=-1)
    project.quota("block-storage", volumes=60, gigabytes=200)
    project.quota("compute", instances=60, cores=200, ram=100_000)


def findings(instance: Instance, request: Mapping[str, Any] | None = None) -> list[Document]:
    """What the plan of its instantiation tells, in time."""
    began = time.monotonic()
    asked = instance.request("instantiate") if request is None else request
    plan = instance.deployed.client.vnfs.plan(instance.id, "instantiate", asked)
    assert time.monotonic() - began < PROMPT
    found: list[Document] = plan["findings"]
    return found


def codes(found: list[Document]) -> list[str]:
    return [one["code"] for one in found]


def at(address: str, instance: Instance) -> dict[str, Any]:
    """The request to instantiate with an address outside."""
    request = instance.request("instantiate")
    addresses = [{"type": "IPV4", "fixedAddresses": [address]}]
    protocol = {"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": {"ipAddresses": addresses}}
    request["extVirtualLinks"][0]["extCps"][0]["cpConfig"] = {"one": {"cpProtocolData": [protocol]}}
    return request


def test_nothing_stands_in_the_way_of_what_can_be_done(instance: Instance) -> None:
    assert findings(instance) == []


def test_every_quota_that_is_too_small_is_told_at_once(instance: Instance, tight: Project) -> None:
    tight.quota("compute", instances=0, cores=1)
    tight.quota("network", network=0, port=1)
    tight.quota("block-storage", gigabytes=0)
    found = findings(instance)
    assert set(codes(found)) == {"quota-exceeded"}
    told = " ".join(one["detail"] for one in found)
    for what in ("servers", "cores", "networks", "ports", "GiB of volumes"):
        assert what in told
    assert all(one["resource"] and one["remedy"] for one in found)


def test_a_network_that_is_not_there(deployed: Deployed, vnfd: str) -> None:
    assert codes(findings(deployed.create(vnfd, "no-such-network"))) == ["vim-lacks-network"]


def test_an_address_that_somebody_has_and_one_outside_the_network(instance: Instance, outside: str) -> None:
    member = instance.deployed.member
    port = member.port(outside, "10.61.0.78")
    instance.deployed.known.add(port)
    assert codes(findings(instance, at("10.61.0.78", instance))) == ["address-in-use"]
    member.delete("network", f"/ports/{port}")
    assert findings(instance, at("10.61.0.78", instance)) == []
    assert codes(findings(instance, at("10.99.0.1", instance))) == ["address-outside-network"]


def test_a_zone_and_a_key_that_are_not_there(instance: Instance) -> None:
    deployed = instance.deployed
    before = deployed.client.vims.show(deployed.vim)["settings"]
    deployed.client.vims.update(deployed.vim, {"settings": {**before, "zone": "nowhere", "key": "nobodys"}})
    try:
        assert set(codes(findings(instance))) == {"vim-lacks-zone", "vim-lacks-key"}
    finally:
        deployed.client.vims.update(deployed.vim, {"settings": {**before, "key": None}})
