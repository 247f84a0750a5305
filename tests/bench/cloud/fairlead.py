"""Fairlead, as a process of its own, through its API: so many instances begun at once, and waited for as a client does."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.cloud.shape import ZONE, package
from tests.support.openstack.deployed import Deployed
from tests.support.openstack.operator import Operator

__all__ = ["Ours", "served"]


class Ours:
    """By direct calls of the driver, or, of a package that has a template, through Heat."""

    def __init__(self, deployed: Deployed, *, template: bool = False) -> None:
        self.name = "Fairlead through Heat" if template else "Fairlead direct"
        self.deployed = deployed
        self._vnfd = deployed.onboard(*package(template=template))
        self._vnfs: list[str] = []

    async def instantiate(self, size: int) -> float:
        """The seconds that `size` instantiations took."""
        client = self.deployed.client
        self._vnfs = [str(client.vnfs.create({"vnfdId": self._vnfd})["id"]) for _ in range(size)]
        return await self._all("instantiate", {"flavourId": "simple"})

    async def terminate(self) -> float:
        """The seconds that it took to terminate them all."""
        took = await self._all("terminate", {"terminationType": "FORCEFUL"})
        for vnf in self._vnfs:
            self.deployed.client.vnfs.delete(vnf)
        return took

    async def _all(self, kind: str, request: dict[str, str]) -> float:
        def one(vnf: str) -> None:
            client = self.deployed.client
            done = client.operations.wait(client.vnfs.begin(vnf, kind, request), timeout=900)
            if done["operationState"] != "COMPLETED":
                raise RuntimeError(f"{kind}: {done}")

        loop, began = asyncio.get_running_loop(), time.perf_counter()
        with ThreadPoolExecutor(len(self._vnfs)) as clients:
            await asyncio.gather(*(loop.run_in_executor(clients, one, vnf) for vnf in self._vnfs))
        return time.perf_counter() - began

    async def close(self) -> None:
        """The process is the business of whoever has started it."""


def served(member: Operator, data: Path) -> Deployed:
    """The process."""
    return Deployed(data, member, zone=ZONE)
