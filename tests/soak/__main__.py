"""`python -m tests.soak --minutes N --seed S`: random operations on containers, with kill -9 at random moments.

FAIRLEAD_TEST_CONTAINERS names the engine, FAIRLEAD_TEST_PACKAGE the sample's package (without it only the small network
functions are operated), FAIRLEAD_TEST_POSTGRESQL the server for `--postgresql`. `scripts/soak` starts all of them. The
seed decides what is done and when; how long things take decides the rest, so a seed leads to similar soaks, not to
equal ones. Exit code 1 when anything was violated; the directory with database and logs is kept then, and named.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import click

from tests.soak.checking import SWEEPS
from tests.soak.deployment import Deployment
from tests.soak.engine import Engine
from tests.soak.models import NETWORK, TAKEN, gateway, small
from tests.soak.soak import Pace, Soak
from tests.support.databases import PostgresqlServer, server_from_environment
from tests.support.images import docker_archive

_HOLDER = "localhost/soak-holder:1"


@click.command(help="Operate network functions on containers at random, in trouble of every sort, and look for damage.")
@click.option("--minutes", type=float, default=5.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--postgresql", is_flag=True, help="An API and two workers, in place of one process on SQLite.")
@click.option("--small", "number", type=int, default=3, show_default=True, help="How many small network functions.")
@click.option(
    "--kills", type=float, default=12.0, show_default=True, help="Seconds between kills of Fairlead; 0: none."
)
@click.option(
    "--harm", type=float, default=10.0, show_default=True, help="Seconds between harm to containers; 0: none."
)
@click.option("--cuts", type=float, default=20.0, show_default=True, help="Seconds between cuts of the wire; 0: none.")
@click.option("--keep", is_flag=True, help="Keep database and logs even when all is well.")
def main(
    minutes: float, seed: int, postgresql: bool, number: int, kills: float, harm: float, cuts: float, keep: bool
) -> None:
    address = os.environ.get("FAIRLEAD_TEST_CONTAINERS", "")
    if not address.startswith("unix://"):
        raise click.ClickException("FAIRLEAD_TEST_CONTAINERS names no engine on a socket; scripts/soak starts one.")
    server = _server() if postgresql else None
    database = server.create(empty=True) if server is not None else None
    directory = Path(tempfile.mkdtemp(prefix="fairlead-soak-"))
    models = [small(index + 1, directory) for index in range(number)]
    if package := os.environ.get("FAIRLEAD_TEST_PACKAGE"):
        models.append(gateway(Path(package)))
    click.echo(f"soak: {minutes:g} minutes, seed {seed}, {', '.join(model.name for model in models)}; {directory}")
    os.environ["FAIRLEAD_OPERATIONS_SWEEP_INTERVAL"] = str(SWEEPS)
    deployment = Deployment(directory / "data", database)
    others = Engine(address)
    others.vacate(NETWORK, _HOLDER)
    image = docker_archive(directory / "holder.tar", [_HOLDER]).read_bytes()
    others.occupy(NETWORK, "10.78.0.0/24", TAKEN, image, _HOLDER)
    sound = False
    try:
        deployment.start()
        soak = Soak(deployment, address, models, directory, seed, Pace(minutes, kills, harm, cuts))
        soak.run()
        soak.close()
        sound = not soak.tally.violations
    finally:
        deployment.stop()
        others.vacate(NETWORK, _HOLDER)
        if server is not None and database is not None and sound:
            server.drop(database)
    if sound and not keep:
        shutil.rmtree(directory)
        return
    click.echo(f"database and logs are in {directory}" + (f", {database}" if database else ""))
    sys.exit(0 if sound else 1)


def _server() -> PostgresqlServer:
    server = server_from_environment()
    if server is None:
        raise click.ClickException("FAIRLEAD_TEST_POSTGRESQL names no server; scripts/soak starts one.")
    return server


if __name__ == "__main__":
    main()
