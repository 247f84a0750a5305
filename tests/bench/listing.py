"""Pages of a long list, as a client of a served Fairlead gets them: request to last byte, over one connection."""

from __future__ import annotations

import http.client
import random
import re
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from fairlead.store import Store
from fairlead.vnf import vnf_instances
from tests.bench.figures import Figure, figure
from tests.bench.running import program
from tests.support.running import PROJECT
from tests.support.serving import Process

__all__ = ["measure"]

_INSTANCES = 100_000
_REQUESTS = 300
_BATCH = 2000
_PATH = "/vnflcm/v2/vnf_instances"
_FILTERS = {
    "a third of all": "(eq,instantiationState,INSTANTIATED)",
    "one in a hundred": "(eq,vnfdId,descriptor-7)",
    "by a part of the name": "(cont,vnfInstanceName,-77)",
}


async def measure() -> list[Figure]:
    """The slowest of a hundred requests for a page of 100 of 100,000 instances, by filter."""
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as scratch:
        data = Path(scratch)
        size = await _fill(data)
        server = Process("serve", data)
        server.start()
        try:
            found = [_p99(server, name, expression) for name, expression in _FILTERS.items()]
        finally:
            server.stop()
    return [*found, figure("list of 100,000: size of the database", size / 2**20, "MB")]


async def _fill(data: Path) -> int:
    """A database of many instances like two real ones; its size."""
    async with program(data) as on:
        await on.package()
        bare, full = await on.vnf("bare"), await on.instantiated("full")
        where = vnf_instances.c.id.in_((bare, full))
        rows = await on.program.store.read(lambda tx: tx.all(tx.select(vnf_instances).where(where)))
    patterns = {row.id: dict(row._mapping) for row in rows}
    store = Store(f"sqlite:///{data / 'fairlead.db'}")
    chance = random.Random(1)
    for start in range(0, _INSTANCES, _BATCH):
        batch = [
            _copy(patterns[full if number % 3 == 0 else bare], number, chance)
            for number in range(start, start + _BATCH)
        ]
        with store.engine.begin() as connection:
            connection.execute(sa.insert(vnf_instances), batch)
    store.close()
    return (data / "fairlead.db").stat().st_size


def _copy(pattern: dict[str, Any], number: int, chance: random.Random) -> dict[str, Any]:
    id_ = f"{chance.getrandbits(128):032x}"
    id_ = str(uuid.UUID(id_))
    name, vnfd = f"instance-{number}", f"descriptor-{number % 100}"

    def rewritten(text: str) -> str:
        text = text.replace(pattern["id"], id_).replace(pattern["vnfd_id"], vnfd)
        return text.replace(f'"vnfInstanceName":"{pattern["name"]}"', f'"vnfInstanceName":"{name}"')

    own = {"id": id_, "name": name, "vnfd_id": vnfd, "project": PROJECT}
    return {**pattern, **own, "view": rewritten(pattern["view"]), "full": rewritten(pattern["full"])}


def _p99(server: Process, name: str, expression: str) -> Figure:
    """Page after page, from the beginning again at the end."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port or 0)
    headers = {"Authorization": f"Bearer {server.token}", "Version": "2.0.0", "Accept": "application/json"}
    first = f"{_PATH}?filter={quote(expression)}"
    path, times, rows = first, [], 0
    for number in range(_REQUESTS + 10):
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        if number >= 10:
            times.append(took)
        rows = max(rows, body.count(b'"vnfdId"'))
        following = re.search(r"<[^>]*?(/vnflcm[^>]*)>", answer.headers.get("Link", ""))
        path = following[1] if following else first
    connection.close()
    times.sort()
    note = f"median {times[len(times) // 2]:.1f} ms, {rows} instances in a page"
    return figure(f"page of 100,000, {name}: p99", times[int(len(times) * 0.99)], "ms", target=20.0, note=note)
