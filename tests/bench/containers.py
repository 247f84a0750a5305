"""An instantiation of the sample on a real engine, over the engine's own time for the same networks and containers."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import structlog

from fairlead.main.program import Program
from fairlead.operations import read_records
from fairlead.resources import Resource, Verb
from fairlead.settings import load_settings
from fairlead.sol import CreateVnfRequest, InstantiateVnfRequest, TerminateVnfRequest, TerminationType, decode
from fairlead.vims.containers import driver
from tests.bench.bare import Bare
from tests.bench.figures import Figure, Skipped, median_of
from tests.bench.running import until_at_rest
from tests.support.bundles import BundleRole, add_bundle, request
from tests.support.databases import create_tables
from tests.support.running import PROJECT

__all__ = ["measure"]

_PAIRS = 5
_OPERATOR = "bench-operator"
_SAMPLE = Path(__file__).parents[2] / "samples" / "edge-gateway"
_VNFD = "4b1f6c0e-6a7e-4f43-9d0c-2f5c7a1e8d10"


async def measure() -> list[Figure]:
    """In turns by Fairlead and by hand; images are in the engine already."""
    address, package = os.environ.get("FAIRLEAD_TEST_CONTAINERS"), os.environ.get("FAIRLEAD_TEST_PACKAGE")
    if address is None or package is None:
        raise Skipped("FAIRLEAD_TEST_CONTAINERS and FAIRLEAD_TEST_PACKAGE name no engine and package")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as scratch:
        url = f"sqlite:///{scratch}/fairlead.db"
        create_tables(url)
        settings = load_settings(overrides={"data": scratch}, environment={})
        program = Program(settings, types={"containers": driver}, roles=[BundleRole()])
        await program.start()
        try:
            return await _measure(program, address, Path(package))
        finally:
            await program.stop()


async def _measure(program: Program, address: str, package: Path) -> list[Figure]:
    asked = decode(InstantiateVnfRequest, _request())
    await _prepare(program, address, package)
    images = await _hold_images(program, asked)
    bare = Bare(address, _OPERATOR, images)
    pool = {"Subnet": "10.61.0.0/24", "Gateway": "10.61.0.254"}
    await bare.call("POST", "/networks/create", {"Name": _OPERATOR, "Internal": True, "IPAM": {"Config": [pool]}})
    by_hand, by_us = [], []
    try:
        for _ in range(_PAIRS):
            by_hand.append(await bare.instantiate())
            await bare.terminate()
            by_us.append(await _instantiated(program, asked))
    finally:
        await bare.terminate()
        await _release_images(program)
        await bare.call("DELETE", f"/networks/{_OPERATOR}")
        await bare.close()
    ratios = [ours / theirs for ours, theirs in zip(by_us, by_hand, strict=True)]
    return [
        median_of("edge gateway on containers: instantiate over the engine by hand", ratios, target=1.10),
        median_of("edge gateway on containers: instantiate", by_us, "s"),
        median_of("edge gateway on containers: the engine by hand", by_hand, "s"),
    ]


def _request() -> str:
    document: dict[str, Any] = json.loads((_SAMPLE / "instantiate.json").read_text(encoding="utf-8"))
    document["extVirtualLinks"][0]["resourceId"] = _OPERATOR
    return json.dumps(document)


async def _prepare(program: Program, address: str, package: Path) -> None:
    capabilities = {"allowed_capabilities": ["NET_ADMIN", "NET_RAW", "SYS_ADMIN"]}
    document = {"name": "engine", "type": "containers", "interface": {"url": address}, "settings": capabilities}
    await program.vims.register(PROJECT, {**document, "default": True})

    async def chunks() -> AsyncIterator[bytes]:
        with package.open("rb") as content:
            while chunk := content.read(2**20):
                yield chunk

    made = await program.catalogue.create(PROJECT, {})
    await program.catalogue.upload(PROJECT, made.id, chunks())
    await program.catalogue.idle()


async def _hold_images(program: Program, asked: InstantiateVnfRequest) -> dict[str, str]:
    """Have a bundle use the sample's images as well, so that they are loaded and stay; their names by role."""
    vnf = await program.vnfs.create(PROJECT, CreateVnfRequest(vnfd_id=_VNFD))
    role = program.roles["vnf"]
    plan = (await program.operations.preview(PROJECT, role, vnf.id, "instantiate", asked)).plan
    images: list[Resource[Any]] = [
        change.new
        for change in plan.changes
        if change.verb is Verb.CREATE and change.new is not None and change.new.spec.sort() == "image"
    ]
    await program.vnfs.delete(PROJECT, vnf.id, None)
    await program.store.write(lambda tx: add_bundle(tx, PROJECT, "images"))
    await _become(program, images)
    rows = await program.store.read(lambda tx: read_records(tx, "images"))
    return {name.removeprefix("image/"): str(row.handle) for name, row in rows.current.items()}


async def _release_images(program: Program) -> None:
    await _become(program, [])


async def _become(program: Program, resources: list[Resource[Any]]) -> None:
    asked, role = request(*resources), program.roles["bundle"]
    _, state = await until_at_rest(
        program.events, lambda: program.operations.accept(PROJECT, role, "images", "become", asked)
    )
    if state != "COMPLETED":
        raise RuntimeError(f"the images were not loaded: {state}")


async def _instantiated(program: Program, asked: InstantiateVnfRequest) -> float:
    """Instantiate an instance, and terminate it again; the seconds of the first."""
    vnf = await program.vnfs.create(PROJECT, CreateVnfRequest(vnfd_id=_VNFD))
    took, state = await until_at_rest(program.events, lambda: program.vnfs.begin(PROJECT, vnf.id, "instantiate", asked))
    ending = TerminateVnfRequest(termination_type=TerminationType.FORCEFUL)
    _, ended = await until_at_rest(program.events, lambda: program.vnfs.begin(PROJECT, vnf.id, "terminate", ending))
    if (state, ended) != ("COMPLETED", "COMPLETED"):
        raise RuntimeError(f"instantiate ended in {state}, terminate in {ended}")
    await program.vnfs.delete(PROJECT, vnf.id, None)
    return took
