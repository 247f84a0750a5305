"""Waiting for an operation: woken by events, never dependent on them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from fairlead.client import Client, Document, Feed, at_rest
from fairlead.client.waiting import wait_until
from fairlead.errors import FairleadError, ServerUnreachable, StillRunning
from tests.support.peer import Peer, until


class Seen:
    """Watches a wait, and does something at each reading."""

    def __init__(self, at_reading: Callable[[Document], Any] | None = None) -> None:
        self.states: list[str] = []
        self.troubles: list[FairleadError | None] = []
        self._at_reading = at_reading

    def read(self, document: Document) -> None:
        self.states.append(document["operationState"])
        if self._at_reading is not None:
            self._at_reading(document)

    def trouble(self, error: FairleadError | None) -> None:
        self.troubles.append(error)


def begun(client: Client, operation: str = "instantiate") -> str:
    vnf = client.vnfs.create({"vnfdId": "vnfd-1", "vnfInstanceName": "gw"})
    return client.vnfs.begin(vnf["id"], operation, {"flavourId": "default"})


def test_a_wait_ends_when_the_operation_does(client: Client) -> None:
    done = client.operations.wait(begun(client), timeout=10)
    assert done["operationState"] == "COMPLETED"


def test_a_wait_for_what_has_ended_returns_at_once(client: Client) -> None:
    operation = begun(client)
    client.operations.wait(operation, timeout=10)
    assert client.operations.wait(operation, timeout=0)["operationState"] == "COMPLETED"


def test_a_failure_for_now_ends_a_wait(peer: Peer, client: Client) -> None:
    peer.faults.failing_step = "router/k1"
    done = client.operations.wait(begun(client), timeout=10)
    assert done["operationState"] == "FAILED_TEMP"
    assert done["error"]["code"] == "image-not-found"


def test_a_server_without_events_is_asked_again_and_again(peer: Peer, client: Client) -> None:
    peer.faults.no_stream = peer.faults.hold = True
    operation = begun(client)

    def let_go(_: Document) -> None:
        peer.faults.hold = False

    assert client.operations.wait(operation, timeout=20, watching=Seen(let_go))["operationState"] == "COMPLETED"


def test_a_stream_that_is_silently_dead_delays_a_wait_and_does_not_end_it(peer: Peer, client: Client) -> None:
    peer.faults.silent_stream = peer.faults.hold = True
    operation = begun(client)
    with Feed(client.events, operation=operation) as feed:
        until(lambda: feed.connected)
        peer.faults.hold = False
        done = wait_until(
            lambda: client.operations.show(operation), at_rest, feed, what="It", timeout=10, with_feed=0.2
        )
    assert done["operationState"] == "COMPLETED"


def test_a_stream_that_breaks_after_every_event_loses_nothing(peer: Peer, client: Client) -> None:
    peer.faults.break_streams_after = 1
    assert client.operations.wait(begun(client), timeout=20)["operationState"] == "COMPLETED"


def test_a_wait_lasts_no_longer_than_it_may(peer: Peer, client: Client) -> None:
    peer.faults.hold = True
    operation = begun(client)
    with pytest.raises(StillRunning) as caught:
        client.operations.wait(operation, timeout=0.3)
    assert operation in caught.value.detail
    assert client.operations.show(operation)["operationState"] == "PROCESSING"


def test_a_wait_outlives_a_restart_of_the_server(peer: Peer, client: Client) -> None:
    peer.faults.hold = True
    operation = begun(client)
    stopped = threading.Event()

    def stop(_: Document) -> None:
        if not stopped.is_set():
            stopped.set()
            peer.stop()
            threading.Timer(0.5, peer.start).start()
        peer.faults.hold = False

    seen = Seen(stop)
    done = client.operations.wait(operation, timeout=20, watching=seen)
    assert done["operationState"] == "COMPLETED"
    assert isinstance(seen.troubles[0], ServerUnreachable)
    assert seen.troubles[-1] is None


def test_a_stream_that_breaks_wakes_who_waits(peer: Peer, client: Client) -> None:
    with Feed(client.events, operation=begun(client)) as feed:
        until(lambda: feed.connected)
        while feed.wait(0.3):
            pass
        peer.stop()
        assert feed.wait(5.0)
        assert not feed.connected


def test_the_end_of_a_wait_ends_its_thread(client: Client) -> None:
    client.operations.wait(begun(client), timeout=10)
    until(lambda: not any(thread.name == "fairlead-feed" for thread in threading.enumerate()))


def test_an_operation_that_is_not_there_is_no_reason_to_wait(client: Client) -> None:
    with pytest.raises(FairleadError) as caught:
        client.operations.wait("00000000-0000-4000-8000-000000000000", timeout=10)
    assert caught.value.code == "operation-not-found"
