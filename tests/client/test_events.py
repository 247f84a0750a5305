"""The event log: pages, the stream, and what a broken connection does to it."""

from __future__ import annotations

import threading
from itertools import islice

import pytest

from fairlead.client import Client
from fairlead.client.events import parse
from fairlead.errors import Unauthenticated
from tests.support.peer import Peer, until


def log(client: Client, count: int) -> str:
    """At least `count` events; the id of the instance that they are about."""
    vnf = client.vnfs.create({"vnfdId": "vnfd-1"})
    for _ in range(count // 6 + 1):
        client.operations.wait(client.vnfs.begin(vnf["id"], "heal", {}), timeout=10)
    return str(vnf["id"])


def test_a_page_begins_after_an_id_and_ends_at_its_limit(client: Client) -> None:
    log(client, 8)
    assert [event.id for event in client.events.page(after=2, limit=3)] == [3, 4, 5]


def test_the_log_of_one_thing_is_about_that_thing(client: Client) -> None:
    log(client, 6)
    vnf = log(client, 6)
    found = client.events.page(subject=vnf)
    assert found
    assert {event.subject for event in found} == {vnf}


def test_following_begins_with_what_was_already_there_after_an_id(client: Client) -> None:
    log(client, 6)
    follower = client.events.follow(after=0)
    assert [event.id for event in islice(follower, 4)] == [1, 2, 3, 4]
    follower.close()


@pytest.mark.parametrize("every", [1, 3])
def test_broken_connections_lose_and_double_nothing(peer: Peer, client: Client, every: int) -> None:
    log(client, 6)
    before = len(peer.asked("GET", "/events"))
    peer.faults.break_streams_after = every
    follower = client.events.follow(after=0)
    assert [event.id for event in islice(follower, 5)] == [1, 2, 3, 4, 5]
    follower.close()
    resumed = [one["headers"].get("last-event-id") for one in peer.asked("GET", "/events")[before:]]
    assert resumed[:2] == ["0", str(every)]


def test_a_follower_that_waits_can_be_closed_from_elsewhere(client: Client) -> None:
    follower = client.events.follow()
    reading = threading.Thread(target=lambda: list(follower), daemon=True)
    reading.start()
    until(lambda: follower.connected)
    follower.close()
    reading.join(2.0)
    assert not reading.is_alive()


def test_a_stream_that_is_refused_is_not_tried_again(peer: Peer) -> None:
    with Client(peer.url, token="wrong") as client, pytest.raises(Unauthenticated):
        list(client.events.follow())
    assert len(peer.asked("GET", "/events")) == 1


def test_a_stream_is_read_as_the_standard_has_it() -> None:
    lines = [
        ": a comment",
        "id: 7",
        "event: vnf.created",
        'data: {"time": 1.5,',
        'data:"subject": "v"}',
        "",
        "retry: 100",
        "",
        'data: {"id": 8, "type": "x.y"}',
        "",
        "data: cut off",
    ]
    first, second = parse(lines)
    assert (first.id, first.type, first.subject, first.time) == (7, "vnf.created", "v", 1.5)
    assert (second.id, second.type) == (8, "x.y")
