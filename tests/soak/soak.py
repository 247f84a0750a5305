"""One soak from its beginning to its end: everything is set up, lives are lived in trouble, and all is looked through."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

import click

from fairlead.client import Client
from tests.soak.checking import SWEPT_WITHIN, Checker
from tests.soak.deployment import Deployment
from tests.soak.engine import Engine
from tests.soak.life import Life
from tests.soak.models import Model
from tests.soak.tally import Tally
from tests.soak.trouble import Cutter, Gremlin, Reaper, Trouble
from tests.soak.wire import Wire
from tests.support.rows import Rows

__all__ = ["TROUBLE", "Pace", "Soak"]

_CAPABILITIES = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN"]
TROUBLE = ("internal-error", "operation.run-failed", "Traceback", "quarantine.entered", "nhandled")
"""Words that must not be in the logs."""
_END = 600.0
"""Seconds for all to be ended once the time is over."""


@dataclass(frozen=True)
class Pace:
    """How long it lasts, and how many seconds are between two troubles of each sort; 0: none."""

    minutes: float
    kills: float
    harm: float
    cuts: float


class Soak:
    """See above. `address` is the engine's."""

    def __init__(
        self, deployment: Deployment, address: str, models: list[Model], directory: Path, seed: int, pace: Pace
    ) -> None:
        self.tally = Tally()
        self._deployment = deployment
        self._models = models
        self._seed = seed
        self._pace = pace
        self._engine = Engine(address)
        self._wire = Wire(directory / "wire.sock", address.removeprefix("unix://"))
        self._rows = Rows(deployment.url)
        self._checker = Checker(self._engine, self._rows, self.tally)

    def run(self) -> None:
        """Soak a deployment that has been started."""
        with self._client() as client:
            vim, packages = self._prepare(client)
            began = time.monotonic()
            until = began + self._pace.minutes * 60
            lives = [self._life(index, model, until) for index, model in enumerate(self._models)]
            tally, seed, pace = self.tally, self._seed, self._pace
            troubles: list[Trouble] = [
                Reaper(tally, seed, pace.kills, self._deployment, self._rows),
                Gremlin(tally, seed, pace.harm, self._engine, self._checker),
                Cutter(tally, seed, pace.cuts, self._wire),
            ]
            for thread in (*lives, *troubles):
                thread.start()
            try:
                self._watch(lives, troubles, began, until)
            finally:
                for trouble in troubles:
                    trouble.stop()
            self._finish(client, vim, packages)

    def close(self) -> None:
        self._wire.close()
        self._rows.close()
        self._engine.close()

    def _client(self) -> Client:
        front = self._deployment.front
        return Client(front.url, token=front.token)

    def _life(self, index: int, model: Model, until: float) -> Life:
        chance = random.Random(f"{self._seed}/{model.name}")
        return Life(model, f"10.78.0.{index + 10}", self._client(), self._checker, self.tally, chance, until)

    def _prepare(self, client: Client) -> tuple[str, list[str]]:
        """Register the engine and onboard the packages; their ids."""
        document = {"name": "engine", "type": "containers", "interface": {"url": self._wire.address}}
        settings = {"allowed_capabilities": _CAPABILITIES}
        vim = client.vims.register({**document, "settings": settings, "default": True})
        packages = []
        for model in self._models:
            made = client.packages.create({"name": model.name})
            with model.package.open("rb") as content:
                client.packages.upload(made["id"], content, size=model.package.stat().st_size)
            done = client.packages.wait(made["id"], timeout=120)
            if done["onboardingState"] != "ONBOARDED":
                raise click.ClickException(f"{model.name} was not onboarded: {done.get('onboardingFailureDetails')}")
            packages.append(str(made["id"]))
        return str(vim["id"]), packages

    def _watch(self, lives: list[Life], troubles: list[Trouble], began: float, until: float) -> None:
        """Tell how it goes until all lives are over; no more trouble once the time is."""
        minute, calm = 0, False
        while any(life.is_alive() for life in lives):
            time.sleep(1.0)
            now = time.monotonic()
            if now - began >= (minute + 1) * 60:
                minute += 1
                click.echo(self.tally.line(minute))
            self._checker.at_any_time()
            for process in self._deployment.processes:
                self.tally.most("largest process, MB", process.memory // 2**20)
            if now >= until and not calm:
                calm = True
                for trouble in troubles:
                    trouble.stop()
            if now >= until + _END:
                alive = [life.name for life in lives if life.is_alive()]
                self.tally.violate(f"{', '.join(alive)} did not come to an end in {_END:g} s")
                return

    def _finish(self, client: Client, vim: str, packages: list[str]) -> None:
        """Delete what the lives shared, look for what is left, and tell."""
        tally = self.tally
        end = time.monotonic() + SWEPT_WITHIN
        while not self._checker.swept() and time.monotonic() < end:
            time.sleep(1.0)
        tally.count("leftovers swept", len(self._deployment.log_lines("sweep.leftover")))
        if not tally.violations:
            for package in packages:
                client.packages.modify(package, {"operationalState": "DISABLED"})
                client.packages.delete(package)
            client.vims.delete(vim)
        leaked, lost = self._checker.at_the_end()
        if leaked:
            tally.violate("leaked", leaked)
        if lost:
            tally.violate("lost", lost)
        if trouble := self._deployment.log_lines(*TROUBLE):
            tally.violate("the logs tell of trouble", trouble[:20])
        click.echo(tally.summary(len(leaked), len(lost)))
