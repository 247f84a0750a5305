"""The drivers under contract: how to open each, and what may be asked of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from fairlead.resources import ImageSpec
from fairlead.vims import Access, DriverType
from fairlead.vims.containers import driver as containers
from fairlead.vims.simulated import driver as simulated
from tests.containers.faults import Fault, proxied
from tests.contract.subject import Files, open_driver
from tests.support.images import BUSYBOX, docker_archive

__all__ = ["ContainersSubject", "SimulatedSubject", "engine_url"]


def engine_url() -> str:
    """Where the container engine for tests is; skips the test where there is none, or no busybox to make an image of."""
    url = os.environ.get("FAIRLEAD_TEST_CONTAINERS")
    if url is None:
        pytest.skip("FAIRLEAD_TEST_CONTAINERS names no container engine")
    if not BUSYBOX.exists():
        pytest.skip(f"{BUSYBOX} is not there; Debian has it in the package busybox-static")
    return url


class SimulatedSubject:
    """The simulated VIM, with some latency, so that nothing is ready or gone at once."""

    type: DriverType = simulated

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.files = Files(directory)
        self.image = ImageSpec(label="busybox", digest="sha256:" + "0" * 64, artifact="package/image.tar")

    def access(self, deployment: str) -> Access:
        latency = {"call": 0.001, "ready": 0.02, "gone": 0.02}
        return Access(
            id=f"contract-{self._directory}",
            name="simulated",
            type="simulated",
            deployment=deployment,
            interface={"state": str(self._directory / "world")},
            settings={"latency": latency, "push": True, "cpus": 1000.0},
        )

    @asynccontextmanager
    async def losing(self, sort: str, deployment: str) -> AsyncIterator[Access]:
        access = self.access(deployment)
        fault = {"on": "create", "effect": "lost", "sort": sort}
        yield msgspec.structs.replace(access, settings={**access.settings, "faults": [fault]})

    def unreachable(self) -> Access:
        return msgspec.structs.replace(self.access("contract"), settings={"down": True})


class ContainersSubject:
    """A real container engine. Everything of the deployments that were opened is removed afterwards."""

    type: DriverType = containers

    def __init__(self, directory: Path, url: str) -> None:
        self._directory = directory
        self._url = url
        self._deployments: set[str] = set()
        self.files = Files(directory)
        archive = docker_archive(directory / "image.tar", names=["busybox:contract"])
        digest = "sha256:" + hashlib.sha256(archive.read_bytes()).hexdigest()
        self.image = ImageSpec(label="busybox", digest=digest, artifact="package/image.tar", container_format="docker")

    def access(self, deployment: str) -> Access:
        self._deployments.add(deployment)
        return Access(
            id="vim-1", name="containers", type="containers", deployment=deployment, interface={"url": self._url}
        )

    @asynccontextmanager
    async def losing(self, sort: str, deployment: str) -> AsyncIterator[Access]:
        last = {
            "network": "POST /networks/create",
            "volume": "POST /volumes/create",
            "image": "POST /images/load",
            "compute": "POST /containers/[0-9a-f]+/start",
        }
        async with proxied(self._url, self._directory) as (proxy, url):
            proxy.faults.append(Fault(on=last[sort], effect="lose"))
            yield msgspec.structs.replace(self.access(deployment), interface={"url": url})

    def unreachable(self) -> Access:
        return Access(id="x", name="x", type="containers", deployment="x", interface={"url": "unix:///nowhere.sock"})

    async def clean(self) -> None:
        """Remove everything that carries a deployment of this subject, machines first."""
        for deployment in self._deployments:
            driver = open_driver(self, deployment)
            left = await driver.tagged()
            for sort in ("compute", "network", "volume", "image"):
                kind = driver.kinds[sort]
                await asyncio.gather(*(kind.delete(thing.handle) for thing in left if thing.sort == sort))
            await driver.close()
