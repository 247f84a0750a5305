"""OpenStack's notifications: what a message is about, and which addresses are taken."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from fairlead.errors import Unprocessable
from fairlead.vims.openstack import driver
from fairlead.vims.openstack.notifications import Notifications, changed_by
from fairlead.vims.openstack.settings import Place, way_of
from tests.openstack.test_registering import access

PASSWORD = {"username": "nfv", "password": "secret", "project_name": "nfv"}
ID = "0e5f1b66-3a0c-4b1e-8a8a-000000000001"
OTHER = "0e5f1b66-3a0c-4b1e-8a8a-000000000002"


def message(event: str, payload: Any) -> bytes:
    """A message as oslo.messaging sends it."""
    inner = {"event_type": event, "payload": payload, "publisher_id": "nova.host", "priority": "INFO"}
    return json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(inner)}).encode()


@pytest.mark.parametrize(
    ("event", "payload", "found"),
    [
        ("compute.instance.create.end", {"instance_id": ID, "state": "active"}, [("compute", ID)]),
        ("compute.instance.update", {"instance_id": ID}, [("compute", ID)]),
        ("instance.create.error", {"nova_object.data": {"uuid": ID}}, [("compute", ID)]),
        ("compute_task.build_instances", {"instance_uuid": ID}, [("compute", ID)]),
        ("scheduler.select_destinations.end", {"request_spec": {}}, []),
        ("volume.create.end", {"volume_id": ID, "status": "available"}, [("volume", ID)]),
        ("volume.attach.end", {"volume_id": ID}, [("volume", ID)]),
        ("snapshot.create.end", {"snapshot_id": ID, "volume_id": OTHER}, []),
        ("port.create.end", {"port": {"id": ID}}, [("port", ID)]),
        ("port.create.end", {"ports": [{"id": ID}, {"id": OTHER}]}, [("port", ID), ("port", OTHER)]),
        ("port.delete.end", {"port_id": ID}, [("port", ID)]),
        ("network.update.end", {"network": {"id": ID}}, [("network", ID)]),
        ("subnet.update.end", {"subnet": {"id": ID}}, []),
        (
            "orchestration.stack.create.end",
            {"stack_identity": f"arn:openstack:heat::p:stacks/vnf/{ID}"},
            [("stack", f"vnf/{ID}")],
        ),
        ("identity.user.created", {"resource_info": ID}, []),
    ],
)
def test_a_message_says_what_has_changed(event: str, payload: Any, found: list[tuple[str, str]]) -> None:
    assert changed_by(message(event, payload)) == found
    bare = json.dumps({"event_type": event, "payload": payload}).encode()
    assert changed_by(bare) == found, "older services send it without an envelope"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"{}",
        b'{"oslo.message": 1}',
        b'{"oslo.message": "{"}',
        message("compute.instance.update", None),
        message("compute.instance.update", []),
        message("compute.instance.update", {"instance_id": 7}),
        message("instance.update", {}),
        message("orchestration.stack.create.end", {}),
        message("port.create.end", {"ports": ["x"]}),
        b'{"event_type": 1, "payload": {}}',
        b"\xff\xfe",
    ],
)
def test_what_is_not_understood_says_nothing(body: bytes) -> None:
    assert changed_by(body) == []


@pytest.mark.parametrize(
    "url", ["amqp://nova:secret@mq.example:5672/", "amqps://nova:secret@mq.example/cloud", "amqp://a:b@[2001:db8::1]"]
)
def test_an_address_is_taken_beside_each_way_to_prove_who_one_is(url: str) -> None:
    for credentials in (
        PASSWORD,
        {"token": "t"},
        {"application_credential_id": "1", "application_credential_secret": "s"},
    ):
        given = access(credentials=credentials | {"notifications": url})
        driver.validate(given)
        assert driver.hold_on_host(given) is None
        assert "notifications" not in way_of(given).values, "Keystone is not told"


@pytest.mark.parametrize(
    "url",
    [
        "rabbit://nova:secret@mq.example:5672/",
        "amqp://mq.example:5672/",
        "amqp://nova:secret@/",
        "amqp://nova:secret@mq.example:port/",
        "amqp://nova:secret@mq.example/?heartbeat=0",
        "mq.example",
    ],
)
def test_other_addresses_are_refused_without_being_shown(url: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        driver.validate(access(credentials=PASSWORD | {"notifications": url}))
    assert (caught.value.code, caught.value.place) == ("bad-vim-credentials", "credentials.notifications")
    assert "secret" not in msgspec.json.encode(caught.value.card()).decode()


def test_a_rabbitmq_on_fairleads_own_machine_is_a_hold_on_it() -> None:
    held = driver.hold_on_host(access(credentials=PASSWORD | {"notifications": "amqp://a:secret@127.0.0.1:5672/"}))
    assert held is not None
    assert "127.0.0.1:5672" in held
    assert "secret" not in held


async def test_a_broker_that_is_not_there_is_told_by_a_check_without_its_password() -> None:
    told = Notifications("amqp://nova:hush@127.0.0.1:1/", Place(auth_url="https://cloud.example"), insecure=False)
    (finding,) = await told.findings()
    assert (finding.severity, finding.code) == ("warning", "notifications-lost")
    assert "hush" not in finding.detail
