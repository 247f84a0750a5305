"""A cloud: the peer everywhere, and a real one where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.clouds import OpenStackSubject, peer_access, real_cloud
from tests.support.cloud import PeerCloud


@pytest.fixture
def peer() -> Iterator[PeerCloud]:
    """The peer."""
    with PeerCloud() as cloud:
        yield cloud


@pytest.fixture
def peer_subject(peer: PeerCloud, tmp_path: Path) -> OpenStackSubject:
    """The driver on the peer."""
    return OpenStackSubject(tmp_path, peer_access(peer))


@pytest.fixture(params=["peer", pytest.param("real", marks=[pytest.mark.cloud, pytest.mark.long])])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStackSubject]:
    """The driver on the peer, and on a real cloud."""
    if request.param == "peer":
        yield request.getfixturevalue("peer_subject")
        return
    real = OpenStackSubject(tmp_path, real_cloud())
    yield real
    asyncio.run(real.clean())
