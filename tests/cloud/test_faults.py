"""Services of a real OpenStack that go away in the middle of an operation and come back.

`scripts/soak --cloud` does this at random for longer, with more services. Whatever it does to the operation, it must come to
rest, say by a stable code what stopped it, and go through by a retry or be undone by a rollback; and then the cloud has
what the records have, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.openstack.deployed import Instance
from tests.support.openstack.operator import Operator, Project
from tests.support.openstack.services import forget_tokens, start_services, stop_services, stopped

pytestmark = [pytest.mark.cloud, pytest.mark.alone]

CODES = {
    "deletion-lost",
    "vim-unavailable",
    "server-busy",
    "no-valid-host",
    "resource-failed",
    "resource-not-ready",
    "volume-busy",
}
"""What an operation may stop with while services of its cloud are away."""


@pytest.fixture(autouse=True)
def whole() -> Iterator[None]:
    """The cloud is whole after each test."""
    yield
    start_services()


@pytest.mark.parametrize("kind", ["instantiate", "heal", "terminate"])
def test_an_operation_outlives_novas_api(instance: Instance, kind: str) -> None:
    prepare(instance, kind)
    operation = interrupted(instance, kind, lambda: away("nova-api"))
    settle(instance, operation)
    instance.finish()


@pytest.mark.parametrize("service", ["rabbitmq", "keystone", "neutron-server"])
def test_an_instantiation_outlives_each_service(instance: Instance, service: str) -> None:
    operation = interrupted(instance, "instantiate", lambda: away(service))
    settle(instance, operation)
    instance.finish()


def test_a_termination_outlives_the_message_broker(running: Instance) -> None:
    operation = interrupted(running, "terminate", lambda: away("rabbitmq"))
    settle(running, operation)
    running.finish()


def test_an_instantiation_waits_for_hypervisors_that_are_down(instance: Instance) -> None:
    with stopped("nova-fake1", "nova-fake2"):
        operation = instance.begin("instantiate")
        instance.until_steps(operation, 7)
    settle(instance, operation)
    instance.finish()


def test_a_termination_waits_for_hypervisors_that_are_down(running: Instance) -> None:
    with stopped("nova-fake1", "nova-fake2"):
        operation = running.begin("terminate")
        running.until_steps(operation, 2)
    settle(running, operation)
    running.finish()


def test_hypervisors_that_are_closed_are_told_and_what_was_made_is_undone(instance: Instance, admin: Operator) -> None:
    closed = [
        seen["id"]
        for seen in admin.get("compute", "/os-services", binary="nova-compute")["services"]
        if seen["host"].startswith("fake")
    ]
    assert closed
    try:
        for service in closed:
            admin.call("PUT", "compute", f"/os-services/{service}", {"status": "disabled"})
        done = instance.fail("instantiate")
        assert done["error"]["code"] == "zone-missing", done  # a zone without an open host is none
        instance.roll_back(done["id"])
    finally:
        for service in closed:
            admin.call("PUT", "compute", f"/os-services/{service}", {"status": "enabled"})
    instance.do("instantiate")
    instance.finish()


def test_a_token_that_is_revoked_is_replaced_in_the_middle(instance: Instance, project: Project) -> None:
    def revoke() -> None:
        project.revoke_tokens()
        forget_tokens()

    operation = interrupted(instance, "instantiate", revoke)
    done = instance.rest(operation)
    assert done["operationState"] == "COMPLETED", done
    instance.agree()
    instance.finish()


def prepare(instance: Instance, kind: str) -> None:
    """Bring it to where `kind` can be begun."""
    if kind != "instantiate":
        instance.do("instantiate")


def interrupted(instance: Instance, kind: str, fault: Callable[[], None]) -> str:
    """Begin it, and make the fault in its middle; the operation."""
    operation = instance.begin(kind)
    instance.until_steps(operation, 2)
    fault()
    return operation


def away(service: str, seconds: float = 6.0) -> None:
    """Stop a service, and start it again a while later."""
    stop_services(service)
    time.sleep(seconds)
    start_services()


def settle(instance: Instance, operation: str) -> None:
    """See it to its end, by as many retries as it may take. Fails the test unless it gets there, and all agrees."""
    done = instance.rest(operation)
    for _ in range(3):
        if done["operationState"] != "FAILED_TEMP":
            break
        said(done)
        if done["error"]["code"] == "deletion-lost":
            administer(instance)
        instance.deployed.client.operations.retry(operation)
        done = instance.rest(operation)
    assert done["operationState"] == "COMPLETED", done
    instance.agree()


def administer(instance: Instance) -> None:
    """What an administrator does who is told that Nova has lost a deletion."""
    admin = Operator.admin()
    for row in instance.deployed.rows.of(instance.id):
        if row.sort == "compute" and row.state == "deleting":
            admin.call("POST", "compute", f"/servers/{row.handle}/action", {"os-resetState": {"state": "error"}})
    admin.close()


def said(operation: dict[str, Any]) -> None:
    """Fail the test unless the operation says well what stopped it."""
    error = operation["error"]
    assert error["code"] in CODES, error
