"""A client of the peer for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fairlead.client import Client
from tests.support.peer import Peer
from tests.support.peer.fixtures import peer, running_peer

__all__ = ["client", "peer", "running_peer"]


@pytest.fixture
def client(peer: Peer) -> Iterator[Client]:
    with Client(peer.url, token=peer.token) as made:
        yield made
