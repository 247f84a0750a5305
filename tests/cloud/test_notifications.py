"""A real cloud's notifications: what its services tell is followed, and without it Fairlead asks as before.

FAIRLEAD_TEST_NOTIFICATIONS is the address of the cloud's RabbitMQ. A relay stands before it, so that a test can take it
away from Fairlead and from nobody else.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import aio_pika
import msgspec
import pytest

from fairlead.errors import VimUnavailable
from fairlead.vims.openstack import notifications as room
from fairlead.vims.openstack.notifications import Notifications
from fairlead.vims.openstack.settings import Place
from tests.support.openstack.deployed import Deployed, Instance, registration
from tests.support.openstack.operator import Operator, Project, until
from tests.support.relay import Relay

pytestmark = [pytest.mark.cloud, pytest.mark.long]


@pytest.fixture(scope="module")
def broker() -> str:
    address = os.environ.get("FAIRLEAD_TEST_NOTIFICATIONS")
    if address is None:
        pytest.skip("FAIRLEAD_TEST_NOTIFICATIONS names no RabbitMQ")
    return address


@pytest.fixture
def relay(broker: str) -> Iterator[Relay]:
    parts = urlsplit(broker)
    with Relay((parts.hostname or "", parts.port or 5672)) as one:
        yield one


def through(relay: Relay, broker: str) -> str:
    """The broker's address, by the relay."""
    parts = urlsplit(broker)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{relay.port}").geturl()


async def test_networks_ports_and_servers_are_told_of(project: Project, relay: Relay, broker: str) -> None:
    told = Notifications(through(relay, broker), Place(auth_url="http://cloud.example"), insecure=False)
    assert await told.findings() == ()
    following = told.follow()
    heard: set[tuple[str, str]] = set()

    async def hear() -> None:
        async for key in following:
            heard.add(key)

    listening = asyncio.create_task(hear())
    # Whether the queue is bound nobody tells: what is told of first says so.
    await asyncio.to_thread(
        until, lambda: heard or project.member.network("first", "10.76.0.0/24") is None, "it is heard"
    )
    wanted = await asyncio.to_thread(_make, project.member)
    await asyncio.to_thread(until, lambda: wanted <= heard, f"{wanted} are told of")
    await asyncio.to_thread(_unmake, project.member)
    relay.cut()
    with pytest.raises(VimUnavailable) as caught:
        await asyncio.wait_for(listening, 10)
    assert caught.value.code == "notifications-lost"
    assert (await told.findings())[0].code == "notifications-lost"
    relay.mend()
    assert await told.findings() == ()


async def test_a_service_that_is_back_later_is_heard_then(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LATER", 0.05)
    name = f"fairlead-test-{uuid.uuid4().hex[:8]}"
    place = Place(auth_url="http://cloud.example")
    told = Notifications(broker, place, insecure=False, exchanges=("nova", name))
    following = told.follow()
    hearing = asyncio.ensure_future(anext(following))
    connection = await aio_pika.connect(broker)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(name, "topic", auto_delete=True)
        event = {"event_type": "volume.create.end", "payload": {"volume_id": "the-one"}}
        body = msgspec.json.encode({"oslo.version": "2.0", "oslo.message": msgspec.json.encode(event).decode()})
        async with asyncio.timeout(20):
            while not hearing.done() or hearing.result() != ("volume", "the-one"):
                if hearing.done():  # of something else that happens in the cloud
                    hearing = asyncio.ensure_future(anext(following))
                await exchange.publish(aio_pika.Message(body), "notifications.info", mandatory=False)
                await asyncio.wait({hearing}, timeout=0.1)
    await following.aclose()
    lonely = await Notifications(broker, place, insecure=False, exchanges=(f"{name}-not",)).findings()
    assert "none of the exchanges" in lonely[0].detail


def _make(member: Operator) -> set[tuple[str, str]]:
    """One of each, as the stream should name them."""
    network = member.network("told", "10.77.0.0/24")
    (image,) = member.get("image", "/images", name="nfv-tiny")["images"]
    flavour = next(one for one in member.get("compute", "/flavors")["flavors"] if one["name"] == "m1.nano")
    asked = {"name": "told", "imageRef": image["id"], "flavorRef": flavour["id"], "networks": "none"}
    server = member.call("POST", "compute", "/servers", {"server": {**asked, "availability_zone": "fake"}})["server"]
    return {("network", network), ("port", member.port(network)), ("compute", str(server["id"]))}


def _unmake(member: Operator) -> None:
    """Delete it all again: the next test compares everything in the project with Fairlead's records."""
    for server in member.get("compute", "/servers", name="told")["servers"]:
        member.remove_server(server["id"])
    for port in member.get("network", "/ports", device_owner="")["ports"]:
        member.delete("network", f"/ports/{port['id']}")
    for network in member.get("network", "/networks", project_id=member.project)["networks"]:
        member.delete("network", f"/networks/{network['id']}")


def test_an_operation_goes_on_when_the_broker_is_gone_and_is_told_again_when_it_is_back(
    deployed: Deployed, instance: Instance, relay: Relay, broker: str
) -> None:
    credentials = registration(deployed.member)["credentials"] | {"notifications": through(relay, broker)}
    deployed.client.vims.update(deployed.vim, {"credentials": credentials})
    try:
        assert not [one for one in deployed.client.vims.check(deployed.vim)["findings"] if "notif" in one["code"]]
        operation = instance.begin("instantiate")
        instance.until_steps(operation, 3)
        relay.cut()
        done = instance.rest(operation)
        assert done["operationState"] == "COMPLETED", done
        before = relay.passed
        relay.mend()
        instance.do("scale")
        instance.finish()
        assert relay.passed > before, "the stream is had again"
    finally:
        deployed.client.vims.update(deployed.vim, {"credentials": registration(deployed.member)["credentials"]})
