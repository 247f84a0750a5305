"""Real guests that are reached from outside: through a security group, at a floating IP, at an address that they share.

The machine that the tests run on is on the cloud's external network, as users of a cloud are.
"""

from __future__ import annotations

import socket
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from tests.support.connecting import CONNECTED, SHARED
from tests.support.openstack.deployed import Deployed, Instance
from tests.support.openstack.guests import fetching, telling
from tests.support.openstack.operator import Project, until
from tests.support.openstack.packages import small_on_cloud

pytestmark = [pytest.mark.cloud, pytest.mark.long]

WORKER = telling("answer-of-the-worker") + "ip address add 10.9.0.60/24 dev eth0\n"
GATE = fetching("10.9.0.60", "answer-of-the-worker")


@pytest.fixture(scope="module")
def reached(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A worker at a floating IP, which has an address beside its own, and a gate that fetches something from there."""
    deployed = Deployed(tmp_path_factory.mktemp("reached"), project.member, zone=None)
    network = project.member.network("operator", "10.61.0.0/24")
    deployed.known.add(network)
    source = CONNECTED.replace("        vip_function: high_availability\n", SHARED)
    package = small_on_cloud(guest="nfv-tiny", user_data={"gate": GATE, "worker": WORKER}, source=source)
    instance = deployed.create(deployed.onboard(*package), network, "reached")
    instance.do("instantiate")
    yield instance
    instance.finish()
    deployed.close()


def test_a_guest_is_reached_at_its_floating_ip_by_what_its_rules_let_in_and_keeps_it_over_a_heal(
    reached: Instance,
) -> None:
    address = floating_ip(reached)
    until(lambda: answers(address), "the worker answers at its floating IP", 240)
    assert pings(address)
    assert not connects(address, 7), "it has something on this port too, and no rule lets it in"
    reached.do("heal", {"vnfcInstanceId": list(reached.vnfcs("worker"))})
    assert floating_ip(reached) == address
    until(lambda: answers(address), "its replacement answers at the same floating IP", 240)


def test_what_was_done_to_its_connections_behind_fairleads_back_is_seen_and_set_right(reached: Instance) -> None:
    member, client = reached.deployed.member, reached.deployed.client
    address = floating_ip(reached)
    handles = {row.name: row.handle for row in reached.deployed.rows.of(reached.id)}
    group, floating = handles["security-group/worker_inside"], handles["floating-ip/worker/k1/worker_inside"]
    rule = {"security_group_id": group, "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp"}
    member.call("POST", "network", "/security-group-rules", {"security_group_rule": rule})
    member.call("PUT", "network", f"/floatingips/{floating}", {"floatingip": {"port_id": None}})
    found = {finding["resource"] for finding in client.vnfs.drift(reached.id)["findings"]}
    assert found == {"security-group/worker_inside", "floating-ip/worker/k1/worker_inside"}
    reached.do("heal", {"additionalParams": {"drifted": True}})
    assert not client.vnfs.drift(reached.id)["drifted"]
    assert floating_ip(reached) == address
    until(lambda: answers(address), "the worker answers at its floating IP again", 240)
    assert not connects(address, 7), "the rule is gone again"


def test_a_guest_is_reached_at_the_address_that_it_shares(reached: Instance) -> None:
    """Its port filters, so that it may use this address has to be said to Neutron."""
    (gate,) = reached.vnfcs("gate").values()
    member = reached.deployed.member
    until(lambda: "FETCHED answer-of-the-worker" in member.console(gate), "the gate has reached it", 240)


def floating_ip(instance: Instance) -> str:
    info = instance.show()["instantiatedVnfInfo"]
    points = [point for one in info["vnfcResourceInfo"] for point in one["vnfcCpInfo"] if point.get("metadata")]
    (address,) = {point["metadata"]["floatingIpAddress"] for point in points}
    return str(address)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=5) as answer:
            return bool(answer.read() == b"answer-of-the-worker\n")
    except OSError:
        return False


def pings(address: str) -> bool:
    return subprocess.run(["ping", "-c", "3", "-W", "3", address], check=False, capture_output=True).returncode == 0


def connects(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=5):
            return True
    except OSError:
        return False
