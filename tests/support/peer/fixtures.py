"""The peer as fixtures: one server for all tests of a topic, emptied for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.peer.server import Peer

__all__ = ["peer", "running_peer"]


@pytest.fixture(scope="package")
def running_peer() -> Iterator[Peer]:
    """The server."""
    made = Peer()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def peer(running_peer: Peer) -> Peer:
    """The server with nothing in it, running, and behaving well."""
    running_peer.reset()
    return running_peer
