"""`python -m tests.soak --minutes N --seed S`: random operations on containers, with kill -9 at random moments.

FAIRLEAD_TEST_CONTAINERS names the engine, FAIRLEAD_TEST_PACKAGE the sample's package (without it only the small network
functions are operated), FAIRLEAD_TEST_POSTGRESQL the server for `--postgresql`. `scripts/soak` starts all of them. The
seed decides what is done and when; how long things take decides the rest, so a seed leads to similar soaks, not to
equal ones. Exit code 1 when anything was violated; the directory with database and logs is kept then, and named.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from fairlead.client import Client
from tests.soak.checking import SWEEPS, SWEPT_WITHIN, Checker, Gremlin
from tests.soak.deployment import Deployment, Reaper
from tests.soak.engine import Engine
from tests.soak.life import Life
from tests.soak.models import NETWORK, TAKEN, Model, gateway, small
from tests.soak.rows import Rows
from tests.soak.tally import Tally
from tests.support.databases import server_from_environment
from tests.support.images import docker_archive

_HOLDER = "localhost/soak-holder:1"
_CAPABILITIES = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN"]
_TROUBLE = ("internal-error", "operation.run-failed", "Traceback", "quarantined", "unhandled", "Unhandled")
_END = 600.0
"""Seconds for all to be ended once the time is over."""


@click.command(
    help="Operate network functions on containers at random, kill Fairlead and containers, and look for damage."
)
@click.option("--minutes", type=float, default=5.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--postgresql", is_flag=True, help="An API and two workers on PostgreSQL, in place of one process on SQLite."
)
@click.option("--small", "number", type=int, default=3, show_default=True, help="How many small network functions.")
@click.option(
    "--kills", type=float, default=12.0, show_default=True, help="Seconds between two kills, on average; 0: none."
)
@click.option(
    "--harm", type=float, default=10.0, show_default=True, help="Seconds between harm to containers; 0: none."
)
@click.option("--keep", is_flag=True, help="Keep database and logs even when all is well.")
def main(minutes: float, seed: int, postgresql: bool, number: int, kills: float, harm: float, keep: bool) -> None:
    address = os.environ.get("FAIRLEAD_TEST_CONTAINERS")
    if address is None:
        raise click.ClickException("FAIRLEAD_TEST_CONTAINERS names no container engine; scripts/soak starts one.")
    directory = Path(tempfile.mkdtemp(prefix="fairlead-soak-"))
    server = server_from_environment() if postgresql else None
    if postgresql and server is None:
        raise click.ClickException("FAIRLEAD_TEST_POSTGRESQL names no server; scripts/soak starts one.")
    database = server.create(empty=True) if server is not None else None
    models = [small(index + 1, directory) for index in range(number)]
    if package := os.environ.get("FAIRLEAD_TEST_PACKAGE"):
        models.append(gateway(Path(package)))
    click.echo(f"soak: {minutes:g} minutes, seed {seed}, {', '.join(model.name for model in models)}; {directory}")
    tally, engine = Tally(), Engine(address)
    holder = docker_archive(directory / "holder.tar", [_HOLDER]).read_bytes()
    engine.vacate(NETWORK, _HOLDER)
    engine.occupy(NETWORK, "10.78.0.0/24", TAKEN, holder, _HOLDER)
    os.environ["FAIRLEAD_OPERATIONS_SWEEP_INTERVAL"] = str(SWEEPS)
    deployment = Deployment(directory / "data", database)
    try:
        deployment.start()
        _soak(deployment, engine, address, models, tally, seed, minutes, (kills, harm))
    finally:
        deployment.stop()
        engine.vacate(NETWORK, _HOLDER)
        if server is not None and database is not None and not tally.violations:
            server.drop(database)
    if not tally.violations and not keep:
        shutil.rmtree(directory)
        return
    click.echo(f"database and logs are in {directory}" + (f", {database}" if database else ""))
    sys.exit(1 if tally.violations else 0)


def _soak(
    deployment: Deployment,
    engine: Engine,
    address: str,
    models: list[Model],
    tally: Tally,
    seed: int,
    minutes: float,
    pace: tuple[float, float],
) -> None:
    token, url = deployment.front.token, deployment.front.url
    rows = Rows(deployment.url)
    checker = Checker(engine, rows, tally)
    with Client(url, token=token) as client:
        vim, packages = _prepare(client, address, models)
        began = time.monotonic()
        until = began + minutes * 60
        lives = [
            Life(
                model,
                f"10.78.0.{index + 10}",
                Client(url, token=token),
                checker,
                tally,
                random.Random(f"{seed}/{model.name}"),
                until,
            )
            for index, model in enumerate(models)
        ]
        reaper = Reaper(deployment, rows, tally, random.Random(f"{seed}/reaper"), (pace[0] * 0.2, pace[0] * 1.8))
        gremlin = Gremlin(engine, checker, tally, random.Random(f"{seed}/gremlin"), (pace[1] * 0.2, pace[1] * 1.8))
        threads = [*lives, *([reaper] if pace[0] else []), *([gremlin] if pace[1] else [])]
        for thread in threads:
            thread.start()
        _watch(lives, deployment, checker, tally, began, until, reaper, gremlin)
        _finish(client, vim, packages, checker, deployment, tally)
    rows.close()


def _prepare(client: Client, address: str, models: list[Model]) -> tuple[str, list[str]]:
    """Register the engine and onboard the packages; their ids."""
    settings = {"allowed_capabilities": _CAPABILITIES}
    document = {"name": "engine", "type": "containers", "interface": {"url": address}, "settings": settings}
    vim = client.vims.register({**document, "default": True})
    packages = []
    for model in models:
        made = client.packages.create({"name": model.name})
        with model.package.open("rb") as content:
            client.packages.upload(made["id"], content, size=model.package.stat().st_size)
        done = client.packages.wait(made["id"], timeout=120)
        if done["onboardingState"] != "ONBOARDED":
            raise click.ClickException(f"{model.name} was not onboarded: {done.get('onboardingFailureDetails')}")
        packages.append(str(made["id"]))
    return str(vim["id"]), packages


def _watch(
    lives: list[Life],
    deployment: Deployment,
    checker: Checker,
    tally: Tally,
    began: float,
    until: float,
    reaper: Reaper,
    gremlin: Gremlin,
) -> None:
    """Tell how it goes until all lives are over; no more harm once the time is."""
    minute = 0
    while any(life.is_alive() for life in lives):
        time.sleep(1.0)
        now = time.monotonic()
        if now - began >= (minute + 1) * 60:
            minute += 1
            click.echo(tally.line(minute))
        checker.at_any_time()
        for process in deployment.processes:
            tally.most("largest process, MB", process.memory // 2**20)
        if now >= until and reaper.ident is not None and reaper.is_alive():
            reaper.stop()
        if now >= until and gremlin.ident is not None and gremlin.is_alive():
            gremlin.stop()
        if now >= until + _END:
            alive = [life.name for life in lives if life.is_alive()]
            tally.violate(f"{', '.join(alive)} did not come to an end in {_END:g} s")
            return


def _finish(
    client: Client, vim: str, packages: list[str], checker: Checker, deployment: Deployment, tally: Tally
) -> None:
    """Delete what the lives shared, look for what is left, and tell."""
    end = time.monotonic() + SWEPT_WITHIN
    while not checker.swept() and time.monotonic() < end:
        time.sleep(1.0)
    tally.count("leftovers swept", sum(event.type == "leftover.deleted" for event in client.events.page()))
    if not tally.violations:
        for package in packages:
            client.packages.modify(package, {"operationalState": "DISABLED"})
            client.packages.delete(package)
        client.vims.delete(vim)
    leaked, lost = checker.at_the_end()
    if leaked:
        tally.violate("leaked", leaked)
    if lost:
        tally.violate("lost", lost)
    if trouble := deployment.log_lines(*_TROUBLE):
        tally.violate("the logs tell of trouble", trouble[:20])
    click.echo(tally.summary())
    click.echo(
        f"kills: {tally.counts['kills']}, stalls: {tally.counts['stalls']}, interrupted operations that went on: "
        f"{tally.counts['interrupted']}, leaks: {len(leaked)}, lost: {len(lost)}, violations: {len(tally.violations)}"
    )


if __name__ == "__main__":
    main()
