"""What befalls Fairlead and its containers at random moments: processes are killed, containers vanish, the wire is cut.

Each sort of trouble is a thread with a chance of its own, so that a seed makes the same choices whatever else happens.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from abc import ABC, abstractmethod

from tests.soak.checking import Checker
from tests.soak.deployment import Deployment
from tests.soak.engine import Engine
from tests.soak.tally import Tally
from tests.soak.wire import Wire
from tests.support.rows import Rows

__all__ = ["Cutter", "Gremlin", "Reaper", "Trouble"]


class Trouble(threading.Thread, ABC):
    """Makes trouble every `apart` seconds on average, until told to stop; 0 means never."""

    def __init__(self, name: str, tally: Tally, seed: int, apart: float) -> None:
        super().__init__(name=name, daemon=True)
        self.tally = tally
        self.chance = random.Random(f"{seed}/{name}")
        self._apart = apart
        self.over = threading.Event()

    def run(self) -> None:
        while self._apart and not self.over.wait(self.chance.uniform(0.2, 1.8) * self._apart):
            try:
                self.make()
            except Exception as error:  # noqa: BLE001 - whatever it is, the soak must not go on as if all were well
                self.tally.violate(f"{self.name}: {type(error).__name__}: {error}")
                return

    @abstractmethod
    def make(self) -> None:
        """Make trouble once."""

    def stop(self) -> None:
        """Make no more; all that can be set right is when this returns."""
        self.over.set()
        if self.ident is not None:
            self.join()


class Reaper(Trouble):
    """Kills processes of Fairlead and starts them again; stalls workers that are not alone."""

    def __init__(self, tally: Tally, seed: int, apart: float, deployment: Deployment, rows: Rows) -> None:
        super().__init__("reaper", tally, seed, apart)
        self._deployment = deployment
        self._rows = rows

    def make(self) -> None:
        process = self.chance.choice(self._deployment.processes)
        if len(self._deployment.processes) > 1 and self.chance.random() < 0.3:
            # Longer than it takes the other worker to take over: it comes back and finds itself superseded.
            process.send(signal.SIGSTOP)
            self.over.wait(self.chance.uniform(1.0, 8.0))
            process.send(signal.SIGCONT)
            self.tally.count("stalls")
            return
        process.kill()
        self.tally.count("kills")
        self.tally.count("interrupted", len(self._rows.running()))
        self.over.wait(self.chance.choice([0.0, 0.0, self.chance.uniform(0.0, 5.0)]))
        began = time.monotonic()
        process.start()
        self.tally.most("longest start, ms", round((time.monotonic() - began) * 1000))

    def stop(self) -> None:
        super().stop()
        for process in self._deployment.processes:
            if not process.running:
                process.start()


class Gremlin(Trouble):
    """Kills and removes containers of Fairlead's."""

    def __init__(self, tally: Tally, seed: int, apart: float, engine: Engine, checker: Checker) -> None:
        super().__init__("gremlin", tally, seed, apart)
        self._engine = engine
        self._checker = checker

    def make(self) -> None:
        found = sorted((t for t in self._checker.things() if t.sort == "compute"), key=lambda thing: thing.name)
        if not found:
            return
        thing = self.chance.choice(found)
        self._checker.note_harm(thing)
        if self.chance.random() < 0.6:
            self._engine.kill(thing.handle)
            self.tally.count("containers killed")
        else:
            self._engine.remove(thing.handle)
            self.tally.count("containers removed")


class Cutter(Trouble):
    """Cuts the wire between Fairlead and the engine."""

    def __init__(self, tally: Tally, seed: int, apart: float, wire: Wire) -> None:
        super().__init__("cutter", tally, seed, apart)
        self._wire = wire

    def make(self) -> None:
        self.tally.count("calls and streams cut", self._wire.cut())
        self.tally.count("cuts")
