"""`python -m tests.bench [--json FILE] [NAMES...]`: measure, print a table, and write the figures by name.

Each part runs in a process of its own, so that none inherits another's threads, memory or world. A part that needs something that
is not there says so and is skipped; `scripts/bench` starts all that any part needs.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import platform
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import click
import msgspec

from tests.bench import containers, critical_path, descriptors, listing, many, planning, serving, uploads
from tests.bench.figures import Figure, Skipped
from tests.bench.showing import show

PARTS: dict[str, Callable[[], list[Figure] | Awaitable[list[Figure]]]] = {
    "critical-path": critical_path.measure,
    "concurrent": many.concurrent,
    "children": many.children,
    "planning": planning.measure,
    "vnfd": descriptors.measure,
    "listing": listing.measure,
    "memory": serving.memory,
    "resume-sqlite": serving.resume_sqlite,
    "resume-postgresql": serving.resume_postgresql,
    "uploads": uploads.measure,
    "containers": containers.measure,
}
_PATIENCE = 240.0
"""Seconds for one part; all together take some five minutes."""
_MARK = "figures: "


class Report(msgspec.Struct, frozen=True):
    """What a part tells to the process that shows it."""

    figures: list[Figure] = []
    skipped: str | None = None


@click.command(help=f"Measure and compare with the targets. Parts: {', '.join(PARTS)}; all unless some are named.")
@click.argument("names", nargs=-1)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the figures, by name, to this file.")
@click.option("--part", hidden=True, help="Measure one part in this process.")
def main(names: tuple[str, ...], file: Path | None, part: str | None) -> None:
    if part is not None:
        click.echo(_MARK + msgspec.json.encode(_measured(part)).decode())
        return
    if unknown := sorted(set(names) - PARTS.keys()):
        raise click.BadParameter(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    began = time.monotonic()
    figures: list[Figure] = []
    remarks: list[str] = []
    for name in names or PARTS:
        click.echo(f"measuring {name}", err=True)
        report = _in_a_process(name)
        figures += report.figures
        if report.skipped is not None:
            remarks.append(f"{name}: {report.skipped}")
    show(figures, remarks, time.monotonic() - began)
    if file is not None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(_document(figures, remarks))))


def _measured(part: str) -> Report:
    measure = PARTS[part]
    try:
        if inspect.iscoroutinefunction(measure):
            return Report(asyncio.run(measure()))
        found = measure()
        assert isinstance(found, list)
        return Report(found)
    except Skipped as reason:
        return Report(skipped=f"skipped, {reason}")


def _in_a_process(name: str) -> Report:
    command = [sys.executable, "-m", "tests.bench", "--part", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return Report(skipped=f"not done within {_PATIENCE:g} s")
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            return msgspec.json.decode(line.removeprefix(_MARK), type=Report)
    return Report(skipped="failed: " + "\n".join(done.stderr.strip().splitlines()[-4:]))


def _document(figures: list[Figure], remarks: list[str]) -> dict[str, object]:
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "taken": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "figures": {each.name: {**msgspec.to_builtins(each), "met": each.met} for each in figures},
        "remarks": remarks,
    }


if __name__ == "__main__":
    main()
