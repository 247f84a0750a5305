"""An OpenStack under contract: the peer in memory everywhere, a real one where there is one.

The real one is named by a clouds.yaml (`OS_CLIENT_CONFIG_FILE`) and an entry in it (`FAIRLEAD_TEST_CLOUD`). Its servers
go into the zone `fake` unless `FAIRLEAD_TEST_ZONE` says otherwise: the contract is about Fairlead, and not about
guests.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from fairlead.errors import VimError
from fairlead.resources import Handle, ImageSpec, Kind
from fairlead.vims import Access, DriverType
from fairlead.vims.openstack import driver as openstack
from fairlead.vims.openstack.cloud import Cloud
from fairlead.vims.openstack.settings import place_of, settings_of, way_of
from tests.contract.subject import Files, open_driver
from tests.support.cloud import PeerCloud
from tests.support.cloud.proxy import proxied

__all__ = ["OpenStackSubject", "peer_access", "real_cloud"]

_CREATIONS = {
    "network": ("network", r"POST .*/subnets$"),
    "volume": ("block-storage", r"POST .*/volumes$"),
    "image": ("image", r"PUT .*/file$"),
    "compute": ("compute", r"POST .*/servers$"),
    "security-group": ("network", r"POST .*/security-group-rules$"),
    "qos": ("network", r"POST .*/policies$"),
    "router": ("network", r"PUT .*/add_router_interface$"),
    "floating-ip": ("network", r"POST .*/floatingips$"),
    "trunk": ("network", r"POST .*/trunks$"),
}
"""The last call of each creation: its service, method and path."""
_SORTS = (
    *("compute", "floating-ip", "trunk", "router", "port", "security-group", "qos", "network", "volume"),
    *("affinity-group", "image"),
)
"""In the order in which they can be removed."""


def real_cloud() -> Access:
    """The cloud for tests; skips the test where there is none."""
    path, name = os.environ.get("OS_CLIENT_CONFIG_FILE"), os.environ.get("FAIRLEAD_TEST_CLOUD")
    if path is None or name is None:
        pytest.skip("OS_CLIENT_CONFIG_FILE and FAIRLEAD_TEST_CLOUD name no OpenStack")
    entry = yaml.safe_load(Path(path).read_text(encoding="utf-8"))["clouds"][name]
    auth: dict[str, Any] = dict(entry["auth"])
    interface = {"auth_url": auth.pop("auth_url"), "region": entry.get("region_name")}
    return Access(
        id="vim-1",
        name=name,
        type="openstack",
        deployment="",
        interface=interface,
        credentials=auth,
        settings={"zone": os.environ.get("FAIRLEAD_TEST_ZONE", "fake"), "timeout": 110},
    )


def peer_access(peer: PeerCloud) -> Access:
    """How to reach the peer."""
    return Access(
        id="vim-1",
        name="peer",
        type="openstack",
        deployment="",
        interface={"auth_url": f"{peer.url}/identity/v3", "region": "one"},
        credentials={"username": "demo", "password": peer.password, "project_name": "demo"},
    )


class OpenStackSubject:
    """A cloud. Everything of the deployments that were opened is removed afterwards."""

    type: DriverType = openstack

    def __init__(self, directory: Path, cloud: Access) -> None:
        self._cloud = cloud
        self._deployments: set[str] = set()
        self.files = Files(directory)
        image = directory / "image.raw"
        image.write_bytes(os.urandom(512) + bytes(2**16))
        digest = "sha256:" + hashlib.sha256(image.read_bytes()).hexdigest()
        self.image = ImageSpec(label="tiny", digest=digest, artifact="package/image.raw")

    def access(self, deployment: str) -> Access:
        self._deployments.add(deployment)
        return msgspec.structs.replace(self._cloud, deployment=deployment)

    @asynccontextmanager
    async def losing(self, sort: str, deployment: str) -> AsyncIterator[Access]:
        service, call = _CREATIONS[sort]
        access = self.access(deployment)
        cloud = Cloud(place_of(access), way_of(access), settings_of(access))
        _, endpoints = await cloud.about()
        await cloud.close()
        async with proxied(str(endpoints[service]), losing=call) as url:
            settings = {**access.settings, "endpoints": {service: url}}
            yield msgspec.structs.replace(access, settings=settings)

    def unreachable(self) -> Access:
        interface = {"auth_url": "http://127.0.0.1:9/v3"}
        credentials = {"username": "x", "password": "x", "project_name": "x"}
        return Access(id="x", name="x", type="openstack", deployment="x", interface=interface, credentials=credentials)

    async def clean(self) -> None:
        """Remove everything of the deployments of this subject, servers first; calls given up may still make more."""
        for deployment in self._deployments:
            driver = open_driver(self, deployment)
            async with asyncio.timeout(300):
                while left := await driver.tagged():
                    for sort in _SORTS:
                        handles = [thing.handle for thing in left if thing.sort == sort]
                        await asyncio.gather(*(_remove(driver.kinds[sort], handle) for handle in handles))
            await driver.close()


async def _remove(kind: Kind[Any], handle: Handle) -> None:
    """Delete it, and wait a while until it is gone; what something still holds is for the next round."""
    with suppress(VimError):
        await kind.delete(handle)
        for _ in range(60):
            if await kind.read(handle) is None:
                return
            await asyncio.sleep(0.5)
