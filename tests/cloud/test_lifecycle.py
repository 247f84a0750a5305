"""Each operation on a real OpenStack, through the API of a real `fairlead serve`: done, refused by the cloud and rolled back, and
interrupted by a crash. Servers are on hosts of Nova's fake driver.

After each operation everything in the project is compared with the records, so a test needs to look at nothing but what
the operation was for.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.openstack.deployed import Instance
from tests.support.openstack.operator import Operator, Project

pytestmark = pytest.mark.cloud

IN = {"type": "SCALE_IN", "aspectId": "workers", "numberOfSteps": 1}
START = {"changeStateTo": "STARTED"}


@pytest.fixture
def tight(project: Project) -> Iterator[Project]:
    """The project, whose quotas the test may make small; they are as before afterwards."""
    yield project
    project.quota("compute", instances=60)


def test_a_whole_life(instance: Instance) -> None:
    instance.do("instantiate")
    first = instance.vnfcs("worker")
    assert len(first) == 1
    assert len(instance.vnfcs("gate")) == 1
    instance.do("scale")
    assert len(instance.vnfcs("worker")) == 2
    instance.do("scale_to_level", {"instantiationLevelId": "least"})
    assert instance.vnfcs("worker") == first
    instance.do("heal", {"vnfcInstanceId": list(first)})
    healed = instance.vnfcs("worker")
    assert len(healed) == 1
    assert not set(healed.values()) & set(first.values())
    instance.do("operate")
    assert states(instance) == {"SHUTOFF"}
    instance.do("operate", START)
    assert states(instance) == {"ACTIVE"}
    instance.do("scale")
    instance.do("scale", IN)
    assert len(instance.vnfcs("worker")) == 1
    instance.finish()


def test_an_instantiation_without_quota_is_rolled_back_or_retried_with_more(instance: Instance, tight: Project) -> None:
    tight.quota("compute", instances=1)
    stopped = instance.fail("instantiate")
    assert code_of(stopped) == "quota-exceeded"
    instance.roll_back(stopped["id"])
    assert not instance.deployed.rows.of(instance.id)
    stopped = instance.fail("instantiate")
    tight.quota("compute", instances=60)
    instance.retry(stopped["id"])
    instance.finish()


def test_scaling_out_without_quota_is_rolled_back(running: Instance, tight: Project) -> None:
    tight.quota("compute", instances=2)
    before = running.vnfcs("worker")
    stopped = running.fail("scale")
    assert code_of(stopped) == "quota-exceeded"
    running.roll_back(stopped["id"])
    assert running.vnfcs("worker") == before
    running.finish()


def test_a_healing_whose_replacement_has_no_room_is_rolled_back_once_there_is(
    running: Instance, tight: Project
) -> None:
    tight.quota("compute", instances=1)
    stopped = running.fail("heal", {"vnfcInstanceId": list(running.vnfcs("worker"))})
    assert code_of(stopped) == "quota-exceeded"
    tight.quota("compute", instances=60)
    running.roll_back(stopped["id"])
    assert states(running) == {"ACTIVE"}
    running.finish()


@pytest.mark.parametrize(
    ("kind", "request_"),
    [("operate", None), ("scale", IN), ("heal", None), ("terminate", None)],
    ids=["stop", "scale-in", "heal", "terminate"],
)
def test_what_meets_a_server_that_may_not_be_touched_is_rolled_back(
    instance: Instance, admin: Operator, kind: str, request_: dict[str, Any] | None
) -> None:
    """As by a lock of an administrator's, who is at work on it."""
    instance.do("instantiate")
    instance.do("scale")
    before = {vdu: len(instance.vnfcs(vdu)) for vdu in ("gate", "worker")}
    locked = [server for vdu in before for server in instance.vnfcs(vdu).values()][-1]
    admin.call("POST", "compute", f"/servers/{locked}/action", {"lock": None})
    stopped = instance.fail(kind, request_)
    assert "locked" in str(stopped["error"]), stopped
    instance.roll_back(stopped["id"])
    assert {vdu: len(instance.vnfcs(vdu)) for vdu in before} == before
    assert states(instance) == {"ACTIVE"}
    admin.call("POST", "compute", f"/servers/{locked}/action", {"unlock": None})
    instance.finish()


def test_each_operation_goes_on_after_a_crash_in_its_middle(instance: Instance, chance: random.Random) -> None:
    crash(instance, chance, "instantiate")
    crash(instance, chance, "scale")
    assert len(instance.vnfcs("worker")) == 2
    crash(instance, chance, "heal")
    crash(instance, chance, "operate")
    assert states(instance) == {"SHUTOFF"}
    crash(instance, chance, "operate", START)
    assert states(instance) == {"ACTIVE"}
    crash(instance, chance, "scale", IN)
    assert len(instance.vnfcs("worker")) == 1
    crash(instance, chance, "terminate")
    instance.finish()


def crash(instance: Instance, chance: random.Random, kind: str, request: dict[str, Any] | None = None) -> None:
    """Begin it, kill Fairlead when a random number of its steps has begun, start it again, and see it to its end."""
    plan = instance.deployed.client.vnfs.plan(instance.id, kind, instance.request(kind) if request is None else request)
    steps = chance.randint(1, sum(1 for change in plan["plan"]["changes"] if change["verb"] != "keep"))
    operation = instance.begin(kind, request)
    instance.until_steps(operation, steps)
    instance.interrupt(operation)
    instance.agree()


def code_of(operation: dict[str, Any]) -> str:
    """The code of the error that it stopped with."""
    return str(operation["error"]["code"])


def states(instance: Instance) -> set[str]:
    """What Nova says of its servers."""
    servers = [server for vdu in ("gate", "worker") for server in instance.vnfcs(vdu).values()]
    return {instance.deployed.member.server(server)["status"] for server in servers}
