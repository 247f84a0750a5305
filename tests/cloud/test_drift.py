"""What somebody does to an instance on a real cloud is seen, and a repair brings back just that."""

from __future__ import annotations

import time

import pytest

from tests.support.openstack.deployed import Instance

pytestmark = [pytest.mark.cloud, pytest.mark.long]

_PATIENCE = 120.0


def drifted(instance: Instance, *expected: str) -> str:
    """See that just these things differ by name, once the cloud is at rest; the digest of the repair."""
    end = time.monotonic() + _PATIENCE
    while True:
        shown = instance.deployed.client.vnfs.drift(instance.id)
        found = shown["findings"]
        if not any(one["code"] == "drift-busy" for one in found) and {one["resource"] for one in found} == set(
            expected
        ):
            return str(shown["digest"])
        assert time.monotonic() < end, found
        time.sleep(1)


def repair(instance: Instance, digest: str) -> None:
    """Repair it by the plan that was shown, and see that all is as recorded and nothing else is there."""
    client = instance.deployed.client
    request = {"additionalParams": {"drifted": True}}
    done = instance.rest(client.vnfs.begin(instance.id, "heal", request, plan=digest))
    assert done["operationState"] == "COMPLETED", done
    drifted(instance)
    instance.agree()


def test_a_server_that_was_stopped_is_started_and_one_that_was_deleted_comes_back(running: Instance) -> None:
    member = running.deployed.member
    ((_, server),) = running.vnfcs("worker").items()
    member.call("POST", "compute", f"/servers/{server}/action", {"os-stop": None})
    repair(running, drifted(running, "worker/k1"))
    assert running.vnfcs("worker").popitem()[1] == server
    assert member.server(server)["status"] == "ACTIVE"
    member.remove_server(server)
    repair(running, drifted(running, "worker/k1"))
    assert running.vnfcs("worker").popitem()[1] != server
    running.finish()


def test_a_port_that_was_deleted_comes_back_with_its_address_on_the_same_server(running: Instance) -> None:
    member = running.deployed.member
    ((_, server),) = running.vnfcs("worker").items()
    ports = member.get("network", "/ports", device_id=server)["ports"]
    address = ports[0]["fixed_ips"][0]["ip_address"]
    member.delete("network", f"/ports/{ports[0]['id']}")
    assert len(ports) == 1
    repair(running, drifted(running, "worker/k1", "worker/k1/worker_inside"))
    (again,) = member.get("network", "/ports", device_id=server)["ports"]
    assert (again["id"] != ports[0]["id"], again["fixed_ips"][0]["ip_address"]) == (True, address)
    assert running.vnfcs("worker").popitem()[1] == server
    running.finish()
