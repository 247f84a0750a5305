"""`python -m tests.soak.cloud --times N --seed S`: Fairlead is killed in the middle of operations on a real OpenStack.

Each of a few instances goes through lives of the same shape: instantiate, scale out, heal, scale in, terminate. In each operation
Fairlead is killed by SIGKILL when a random number of its steps has begun, and started again. Between, services of the cloud
are stopped for some seconds, and servers are deleted by hand and healed. After each operation the cloud is compared with the
records. It ends when Fairlead was killed so many times in each type of operation, or when the time is over.

FAIRLEAD_TEST_CLOUD and OS_CLIENT_CONFIG_FILE name the cloud, which nobody else should use meanwhile; `scripts/soak --cloud`
brings it up. Servers are on hosts of Nova's fake driver. Exit code 1 when anything was violated.
"""

from __future__ import annotations

import logging
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
import requests
from keystoneauth1.exceptions import ClientException

from fairlead.client import Client
from tests.soak.checking import SWEEPS, SWEPT_WITHIN, Checker
from tests.soak.deployment import Deployment
from tests.soak.life import Life, Over
from tests.soak.models import Model
from tests.soak.soak import TROUBLE
from tests.soak.tally import Tally
from tests.soak.trouble import Trouble
from tests.support.openstack.deployed import registration
from tests.support.openstack.operator import Operator, Project, Refused
from tests.support.openstack.packages import POINT, small_on_cloud
from tests.support.openstack.services import start_services, stop_services
from tests.support.openstack.things import things_of
from tests.support.rows import Rows
from tests.support.thing import Thing

SORTS = frozenset({"compute", "network", "port", "volume", "affinity-group"})
KINDS = ("instantiate", "scale", "heal", "terminate")
STEPS = {"instantiate": 8, "scale": 3, "heal": 2, "terminate": 7}
"""The number of steps by which the last of an operation has about begun."""
SERVICES = ("nova-api", "neutron-server", "cinder-api", "glance-api", "keystone")
"""The message broker and hypervisors are not among them: what they interrupt costs Nova itself minutes; see `tests/cloud`."""
_PATIENCE = 90.0


class CloudEyes:
    """The project as its operator sees it, who waits while services are away."""

    def __init__(self, member: Operator, known: set[str]) -> None:
        self.member = member
        self._known = known
        self._lock = threading.Lock()

    def things(self) -> list[Thing]:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                with self._lock:
                    return things_of(self.member, but=self._known)
            except (Refused, ClientException, requests.RequestException):
                if time.monotonic() > end:
                    raise
            time.sleep(1.0)

    def delete_server(self, server: str) -> None:
        """Ask Nova to delete it; that Nova is away is as well."""
        try:
            with self._lock:
                self.member.delete("compute", f"/servers/{server}")
        except (Refused, ClientException, requests.RequestException):
            return


class Reaper:
    """Kills Fairlead, for whoever asks."""

    def __init__(self, deployment: Deployment, rows: Rows, tally: Tally, chance: random.Random) -> None:
        self._deployment = deployment
        self._rows = rows
        self._tally = tally
        self._chance = chance
        self._lock = threading.Lock()
        self.hits: Counter[str] = Counter()
        """Kills by the type of operation that they were meant for and met."""

    def kill_in(self, kind: str, operation: str) -> None:
        """Kill it now, unless the operation has ended, and start it again."""
        with self._lock:
            if operation not in self._rows.running():
                self._tally.count("kills that came too late")
                return
            process = self._deployment.front
            process.kill()
            running = self._rows.running()
            self._tally.count("kills")
            self._tally.count("interrupted", len(running))
            if operation in running:
                self.hits[kind] += 1
            time.sleep(self._chance.choice([0.0, 0.0, self._chance.uniform(0.0, 3.0)]))  # away for a while, or not
            process.start()


class Outages(Trouble):
    """Stops services of the cloud for some seconds."""

    def __init__(self, tally: Tally, seed: int, apart: float) -> None:
        super().__init__("outages", tally, seed, apart)
        self.last = -1000.0
        """When the last one ended, or infinitely late during one."""

    def make(self) -> None:
        service = self.chance.choice(SERVICES)
        self.last = float("inf")
        stop_services(service)
        self.over.wait(self.chance.uniform(1.0, 6.0))
        start_services()
        self.last = time.monotonic()
        self.tally.count("outages")
        self.tally.count(f"outages of {service}")

    def stop(self) -> None:
        super().stop()
        start_services()


class CloudLife(Life):
    """See above."""

    patience = 900.0

    def __init__(
        self,
        model: Model,
        eyes: CloudEyes,
        reaper: Reaper,
        outages: Outages,
        rows: Rows,
        times: int,
        *,
        client: Client,
        checker: Checker,
        tally: Tally,
        chance: random.Random,
        until: float,
    ) -> None:
        super().__init__(model, "", client, checker, tally, chance, until)
        self._eyes = eyes
        self._reaper = reaper
        self._outages = outages
        self._rows = rows
        self._times = times
        self._began = 0.0

    def run(self) -> None:
        try:
            while time.monotonic() < self._until and self._left():
                self._live()
        except Over:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the soak has failed and says so
            self._tally.violate(f"{self.name}: {type(error).__name__}: {error}")

    def _left(self) -> bool:
        return any(self._reaper.hits[kind] < self._times for kind in KINDS)

    def _live(self) -> None:
        self._create()
        self._operate("instantiate", self._model.instantiate("", None), calm=True)
        if self._show()["instantiationState"] == "INSTANTIATED":
            self._operate("scale", self._scaling("SCALE_OUT"), calm=True)
            self._heal_one()
            self._operate("scale", self._scaling("SCALE_IN"), calm=True)
        self._end()

    def _scaling(self, direction: str) -> dict[str, Any]:
        return {"type": direction, "aspectId": self._model.aspect, "numberOfSteps": 1}

    def _heal_one(self) -> None:
        info = self._show()["instantiatedVnfInfo"]
        member = self._chance.choice(info["vnfcResourceInfo"])
        if self._chance.random() < 0.5:
            server = member["computeResource"]["resourceId"]
            for thing in self._eyes.things():
                if thing.handle == server:
                    self._checker.note_harm(thing)
            self._eyes.delete_server(server)
            self._tally.count("servers deleted by hand")
        self._operate("heal", {"vnfcInstanceId": [member["id"]]}, calm=True)

    def _meanwhile(self, kind: str, operation: str, *, calm: bool) -> None:
        """Kill Fairlead when a random number of the operation's steps has begun."""
        self._began = time.monotonic()
        number, end = self._chance.randint(1, STEPS[kind]), time.monotonic() + _PATIENCE
        while self._rows.begun(operation) < number and time.monotonic() < end:
            if operation not in self._rows.running():
                break
            time.sleep(0.05)
        time.sleep(self._chance.uniform(0.0, 0.8))  # a step's call is under way, answered, or waited for
        self._reaper.kill_in(kind, operation)

    def _excused(self) -> bool:
        return super()._excused() or self._outages.last > self._began - 30.0


def model_of(vnfd: str, number: int, network: str) -> Model:
    """The small network function on the operator's network `network`."""

    class Small(Model):
        def instantiate(self, address: str, level: str | None) -> dict[str, Any]:
            point = {"cpdId": POINT, "cpConfig": {"first": {}}}
            return {
                "flavourId": "simple",
                "extVirtualLinks": [{"id": "outside", "resourceId": network, "extCps": [point]}],
            }

    return Small(f"small-{number}", vnfd=vnfd, package=Path(), aspect="workers", point=POINT, fixed=1, least=1, most=4)


@click.command(help="Kill Fairlead in the middle of operations on a real OpenStack, in trouble, and look for damage.")
@click.option("--times", type=int, default=20, show_default=True, help="Kills in each type of operation.")
@click.option("--minutes", type=float, default=20.0, show_default=True, help="No new life begins after this.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--lives", type=int, default=3, show_default=True, help="Instances at once.")
@click.option("--outages", type=float, default=45.0, show_default=True, help="Seconds between outages; 0: none.")
@click.option("--keep", is_flag=True, help="Keep database and logs even when all is well.")
def main(times: int, minutes: float, seed: int, lives: int, outages: float, keep: bool) -> None:
    if "FAIRLEAD_TEST_CLOUD" not in os.environ:
        raise click.ClickException("FAIRLEAD_TEST_CLOUD names no OpenStack; scripts/soak --cloud brings one up.")
    directory = Path(tempfile.mkdtemp(prefix="fairlead-soak-"))
    logging.getLogger("keystoneauth").setLevel(logging.ERROR)  # it warns of each try to reach what is away
    click.echo(f"soak on a cloud: {times} kills in each type of operation, seed {seed}; {directory}")
    os.environ["FAIRLEAD_OPERATIONS_SWEEP_INTERVAL"] = str(SWEEPS)
    admin = Operator.admin()
    project = Project(admin, "fairlead-soak", role="admin")  # who may reset servers that Nova has forgotten to delete
    deployment = Deployment(directory / "data", None)
    sound = False
    try:
        deployment.start()
        sound = _soak(deployment, project, times=times, until=minutes * 60, seed=seed, lives=lives, outages=outages)
    finally:
        deployment.stop()
        project.remove()
        admin.close()
    if sound and not keep:
        shutil.rmtree(directory)
        return
    click.echo(f"database and logs are in {directory}")
    sys.exit(0 if sound else 1)


def _soak(
    deployment: Deployment, project: Project, *, times: int, until: float, seed: int, lives: int, outages: float
) -> bool:
    tally = Tally()
    member = project.member
    network = member.network("operator", "10.61.0.0/24")
    rows, eyes = Rows(deployment.url), CloudEyes(member, {network})
    checker = Checker(eyes, rows, tally, SORTS)
    client = Client(deployment.front.url, token=deployment.front.token)
    vim = str(client.vims.register(registration(member))["id"])
    reaper = Reaper(deployment, rows, tally, random.Random(f"{seed}/reaper"))
    trouble = Outages(tally, seed, outages)
    began = time.monotonic()
    threads, packages = [], []
    for number in range(lives):
        vnfd, content = small_on_cloud(cidr=f"10.79.{number}.0/24")
        packages.append(_onboard(client, content))
        threads.append(
            CloudLife(
                model_of(vnfd, number, network),
                eyes,
                reaper,
                trouble,
                rows,
                times,
                client=Client(deployment.front.url, token=deployment.front.token),
                checker=checker,
                tally=tally,
                chance=random.Random(f"{seed}/{number}"),
                until=began + until,
            )
        )
    for thread in (*threads, trouble):
        thread.start()
    _watch(threads, checker, tally, reaper, began, until)
    trouble.stop()
    return _finished(deployment, client, checker, tally, reaper, vim, packages, times)


def _onboard(client: Client, content: bytes) -> str:
    path = Path(tempfile.mkstemp(suffix=".csar")[1])
    path.write_bytes(content)
    made = client.packages.create({})
    with path.open("rb") as file:
        client.packages.upload(made["id"], file, size=len(content))
    path.unlink()
    done = client.packages.wait(made["id"], timeout=120)
    if done["onboardingState"] != "ONBOARDED":
        raise click.ClickException(f"The package was not onboarded: {done.get('onboardingFailureDetails')}")
    return str(made["id"])


def _watch(lives: list[CloudLife], checker: Checker, tally: Tally, reaper: Reaper, began: float, until: float) -> None:
    """Tell how it goes until all lives are over."""
    minute = 0
    while any(life.is_alive() for life in lives):
        time.sleep(2.0)
        now = time.monotonic()
        if now - began >= (minute + 1) * 60:
            minute += 1
            hits = ", ".join(f"{kind} {reaper.hits[kind]}" for kind in KINDS)
            ended = sum(tally.outcomes.values())
            click.echo(
                f"minute {minute:3d}: {ended} operations ended, {tally.counts['kills']} kills ({hits}), "
                f"{tally.counts['outages']} outages, {len(tally.violations)} violations"
            )
        checker.at_any_time()
        if now - began > until + 1200:
            alive = [life.name for life in lives if life.is_alive()]
            tally.violate(f"{', '.join(alive)} did not come to an end")
            return


def _finished(
    deployment: Deployment,
    client: Client,
    checker: Checker,
    tally: Tally,
    reaper: Reaper,
    vim: str,
    packages: list[str],
    times: int,
) -> bool:
    """Delete what the lives shared, look for what is left, and tell; whether all is well."""
    end = time.monotonic() + SWEPT_WITHIN
    while not checker.swept() and time.monotonic() < end:
        time.sleep(1.0)
    tally.count("leftovers swept", len(deployment.log_lines("sweep.leftover")))
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
    if trouble := deployment.log_lines(*TROUBLE):
        tally.violate("the logs tell of trouble", trouble[:20])
    click.echo(tally.summary(len(leaked), len(lost)))
    click.echo("killed in: " + ", ".join(f"{kind} {reaper.hits[kind]} of {times}" for kind in KINDS))
    return not tally.violations


if __name__ == "__main__":
    main()
