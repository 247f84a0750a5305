"""Each driver in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.clouds import OpenStackSubject, peer_access, real_cloud
from tests.contract.subject import Subject
from tests.contract.subjects import ContainersSubject, SimulatedSubject, engine_url
from tests.support.cloud import PeerCloud

_DRIVERS = (
    "simulated",
    pytest.param("containers", marks=pytest.mark.containers),
    "peer-openstack",
    pytest.param("openstack", marks=[pytest.mark.cloud, pytest.mark.long]),
)


@pytest.fixture(params=_DRIVERS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Each driver in turn."""
    if request.param == "simulated":
        yield SimulatedSubject(tmp_path)
    elif request.param == "peer-openstack":
        with PeerCloud() as peer:
            peer.routing.add_external("public")
            yield OpenStackSubject(tmp_path, peer_access(peer))
    else:
        real: ContainersSubject | OpenStackSubject = (
            ContainersSubject(tmp_path, engine_url())
            if request.param == "containers"
            else OpenStackSubject(tmp_path, real_cloud())
        )
        yield real
        asyncio.run(real.clean())
