"""`python -m tests.bench.cloud`: the same resources made and deleted by hand, by Heat and by Fairlead, in turns.

What is made is in `shape`, how in `by_hand` and `fairlead`; servers are on hosts of Nova's fake driver. One round makes and
deletes in each way once, so that whatever else the machine does falls on all of them; a ratio is of one round. With thirty
network functions a round takes half an hour, so that one comparison may be made by itself. FAIRLEAD_TEST_CLOUD and
OS_CLIENT_CONFIG_FILE name the cloud, which nobody else should use meanwhile; `scripts/bench --cloud` brings it up.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Protocol

import click
import msgspec

from tests.bench.cloud.by_hand import ByHand, Heat
from tests.bench.cloud.costs import Costs, Meter
from tests.bench.cloud.fairlead import Ours, served
from tests.bench.figures import Figure, median_of
from tests.bench.showing import show
from tests.support.openstack.operator import Operator, Project

_TARGETS = {"Fairlead direct": ("by hand", 1.10), "Fairlead through Heat": ("Heat alone", 1.05)}
_ONLY = {"direct": "Fairlead direct", "heat": "Fairlead through Heat"}


class Way(Protocol):
    """One way to make them."""

    name: str

    async def instantiate(self, size: int) -> float: ...
    async def terminate(self) -> float: ...
    async def close(self) -> None: ...


Times = dict[tuple[str, str, int], list[float]]
"""Seconds by way, operation and size, one for each round."""


@click.command(help="Compare Fairlead on a real OpenStack with the cloud's own critical path, and with Heat alone.")
@click.option("--pairs", type=int, default=5, show_default=True, help="How many rounds of each size.")
@click.option("--sizes", default="1,10,30", show_default=True, help="Numbers of network functions, by commas.")
@click.option(
    "--only",
    type=click.Choice(list(_ONLY)),
    help="This comparison and no other: Fairlead's direct calls with those by hand, or Fairlead through Heat with Heat alone.",
)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the figures, by name, to this file.")
def main(pairs: int, sizes: str, only: str | None, file: Path | None) -> None:
    if "FAIRLEAD_TEST_CLOUD" not in os.environ:
        raise click.ClickException("FAIRLEAD_TEST_CLOUD names no OpenStack; scripts/bench --cloud brings one up.")
    logging.getLogger("keystoneauth").setLevel(logging.ERROR)
    began = time.monotonic()
    admin = Operator.admin()
    project = Project(admin, "fairlead-bench")
    project.quota("compute", instances=200, cores=400, ram=1_000_000)
    try:
        with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as scratch:
            chosen = [int(size) for size in sizes.split(",")]
            figures = asyncio.run(_measured(project.member, Path(scratch), pairs, chosen, only))
    finally:
        project.remove()
        admin.close()
    show(figures, [], time.monotonic() - began)
    if file is not None:
        document = {
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
            "figures": {each.name: {**msgspec.to_builtins(each), "met": each.met} for each in figures},
        }
        file.write_bytes(msgspec.json.format(msgspec.json.encode(document)))
    sys.exit(0)


async def _measured(member: Operator, scratch: Path, pairs: int, sizes: list[int], only: str | None) -> list[Figure]:
    deployed = served(member, scratch)
    ways: list[Way] = [ByHand(member), Heat(member), Ours(deployed), Ours(deployed, template=True)]
    if only is not None:
        ours = _ONLY[only]
        ways = [way for way in ways if way.name in (ours, _TARGETS[ours][0])]
    process = ("fairlead", deployed.process.pid)
    times: Times = {}
    costs = {(way.name, kind): Costs() for way in ways for kind in ("instantiate", "terminate")}
    try:
        for way in ways:  # tokens, connections, what services load with their first work
            took = await way.instantiate(1)
            await way.terminate()
            click.echo(f"{way.name}, to begin with: {took:.1f} s", err=True)
        for size in sizes:
            for number in range(pairs):
                for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
                    await _once(way, size, times, costs, process)
                told = ", ".join(f"{way.name} {times[way.name, 'instantiate', size][-1]:.1f} s" for way in ways)
                click.echo(f"{size} network functions, round {number + 1} of {pairs}: {told}", err=True)
    finally:
        for way in ways:
            await way.close()
        deployed.close()
    for (name, kind), cost in costs.items():
        requests, seconds = cost.total
        click.echo(
            f"\n{name}, {kind}, for one network function: {requests:.1f} requests, {seconds:.2f} s of processors"
        )
        click.echo("\n".join(f"    {line}" for line in cost.lines()))
    return _figures(ways, times)


async def _once(
    way: Way, size: int, times: Times, costs: dict[tuple[str, str], Costs], process: tuple[str, int]
) -> None:
    for kind in ("instantiate", "terminate"):
        meter = Meter(process)
        took = await (way.instantiate(size) if kind == "instantiate" else way.terminate())
        meter.read(costs[way.name, kind], size)
        times.setdefault((way.name, kind, size), []).append(took)


def _figures(ways: list[Way], times: Times) -> list[Figure]:
    found = []
    for kind in ("instantiate", "terminate"):
        for size in sorted({size for _, _, size in times}):
            for way in ways:
                seconds = times[way.name, kind, size]
                found.append(median_of(f"{kind} {size}: {way.name}", seconds, "s"))
                if way.name in _TARGETS:
                    other, target = _TARGETS[way.name]
                    ratios = [mine / theirs for mine, theirs in zip(seconds, times[other, kind, size], strict=True)]
                    medians = statistics.median(seconds) / statistics.median(times[other, kind, size])
                    note = f"of medians: {medians:.3f}"
                    found.append(median_of(f"{kind} {size}: {way.name} over {other}", ratios, target=target, note=note))
    return found


if __name__ == "__main__":
    main()
