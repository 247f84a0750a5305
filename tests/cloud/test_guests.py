"""Real guests on a real OpenStack: they run their user data, reach each other, and are replaced when they have died."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.support.openstack.deployed import Deployed, Instance
from tests.support.openstack.guests import fetching, telling
from tests.support.openstack.operator import Operator, Project, until
from tests.support.openstack.packages import small_on_cloud

pytestmark = pytest.mark.cloud

GATE = telling("answer-of-the-gate")
WORKER = fetching("10.9.0.50", "answer-of-the-gate")


@pytest.fixture(scope="module")
def pair(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A gate, which tells something over HTTP, and a worker, which fetches it and says so on its console."""
    deployed = Deployed(tmp_path_factory.mktemp("guests"), project.member, zone=None)
    network = project.member.network("operator", "10.61.0.0/24")
    deployed.known.add(network)
    package = small_on_cloud(guest="nfv-tiny", user_data={"gate": GATE, "worker": WORKER}, gate="10.9.0.50")
    instance = deployed.create(deployed.onboard(*package), network, "pair")
    instance.do("instantiate")
    yield instance
    instance.finish()
    deployed.close()


def test_guests_run_their_user_data_and_reach_each_other(pair: Instance) -> None:
    (worker,) = pair.vnfcs("worker").values()
    fetched(pair, worker)


def test_a_guest_that_was_killed_is_replaced_by_healing(pair: Instance, admin: Operator) -> None:
    """Its process is killed on its host: Fairlead and Nova were not asked."""
    ((vnfc, worker),) = pair.vnfcs("worker").items()
    gate = pair.vnfcs("gate")
    fetched(pair, worker)
    domain = admin.server(worker)["OS-EXT-SRV-ATTR:instance_name"]
    subprocess.run(["virsh", "destroy", domain], check=True, capture_output=True, timeout=60)
    until(lambda: admin.server(worker)["status"] == "SHUTOFF", "Nova has seen that the guest is dead")
    pair.do("heal", {"vnfcInstanceId": [vnfc]})
    (replacement,) = pair.vnfcs("worker").values()
    assert replacement != worker
    assert pair.vnfcs("gate") == gate
    fetched(pair, replacement)


def fetched(pair: Instance, worker: str) -> None:
    """Return once the worker has said that it got the gate's answer."""
    member = pair.deployed.member
    until(lambda: "FETCHED answer-of-the-gate" in member.console(worker), "the worker has reached the gate", 180)
