"""What must hold, looked at from outside: rows and engine agree, and nothing is there twice or belongs to nobody.

Harm that the soak itself does is noted before it is done, so that what is missing because of it is not held against Fairlead.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from tests.soak.models import Model
from tests.soak.tally import Tally
from tests.support.rows import Row, Rows
from tests.support.thing import Thing

__all__ = ["SWEEPS", "SWEPT_WITHIN", "Checker", "Eyes"]

SWEEPS = 20.0
"""Seconds between two sweeps of a soaked Fairlead."""
SWEPT_WITHIN = 3 * SWEEPS
_ON_ENGINE = frozenset({"compute", "network", "volume"})
"""Sorts of which each row is one thing in the engine; a port is part of its container, an image is shared."""


class Eyes(Protocol):
    """An engine, or a cloud, as somebody else sees it."""

    def things(self) -> list[Thing]:
        """Everything with a mark of Fairlead's."""
        ...


class Checker:
    """Compares rows and engine. `sorts` are those of which each row is one thing there."""

    def __init__(self, engine: Eyes, rows: Rows, tally: Tally, sorts: frozenset[str] = _ON_ENGINE) -> None:
        self._engine = engine
        self._sorts = sorts
        self._rows = rows
        self._tally = tally
        self._deployment = rows.deployment()
        self._harmed: dict[str, set[str]] = {}
        """Containers that were harmed, by the instance whose they are."""
        self._suspects: dict[Thing, float] = {}
        self._given_up: set[str] = set()
        self._lock = threading.Lock()

    def things(self) -> list[Thing]:
        """Everything in the engine that is this deployment's."""
        return [thing for thing in self._engine.things() if thing.deployment == self._deployment]

    def rows_of(self, owner: str) -> list[Row]:
        return self._rows.of(owner)

    # -- harm --------------------------------------------------------------------------------------------------------

    def note_harm(self, thing: Thing) -> None:
        with self._lock:
            self._harmed.setdefault(thing.owner, set()).add(thing.handle)

    def harmed(self, owner: str) -> bool:
        """Whether something of the instance was harmed, and has not been seen whole since."""
        with self._lock:
            return bool(self._harmed.get(owner))

    # -- at rest -----------------------------------------------------------------------------------------------------

    def at_rest(self, owner: str, moment: str, state: str, model: Model) -> None:
        """Compare what is recorded of an instance with what is there, while no operation of it is open."""
        with self._lock:
            harmed = set(self._harmed.get(owner, ()))
        rows = [row for row in self._rows.of(owner) if row.sort in self._sorts and row.ownership == "owned"]
        things = {thing.incarnation: thing for thing in self.things() if thing.owner == owner}
        with self._lock:
            harmed |= self._harmed.get(owner, set())
        self._suspect(thing for thing in things.values() if thing.incarnation not in {row.incarnation for row in rows})
        wrong = []
        whole = self._whole(owner, moment, state)
        for row in rows:
            thing = things.get(row.incarnation)
            if thing is None and row.handle not in harmed and (whole or row.state == "ready"):
                wrong.append(f"{row.sort} {row.name} ({row.incarnation}, {row.state}) is not there")
            if whole and row.state != "ready":
                wrong.append(f"{row.sort} {row.name} ({row.incarnation}) is {row.state}")
        wrong += self._shape(rows, model) if whole else []
        if wrong:
            self._tally.violate(f"{model.name}: {owner}, {moment}", wrong)
        self._tally.count("comparisons")
        self._forget_replaced(owner, {row.handle for row in rows})

    def _whole(self, owner: str, moment: str, state: str) -> bool:
        """Whether the instance is to be as somebody wanted it: not after an operation that was given up, until another that
        has to do with resources is done."""
        if state == "FAILED":
            self._given_up.add(owner)
        elif state == "COMPLETED" and not moment.startswith("modify"):
            self._given_up.discard(owner)
        return owner not in self._given_up

    def _suspect(self, things: Iterable[Thing]) -> None:
        """These are in no row. A worker that was superseded in the middle of a call can leave such a thing at any time; the
        regular sweep has to find it."""
        with self._lock:
            for thing in things:
                self._suspects.setdefault(thing, time.monotonic())

    def _shape(self, rows: list[Row], model: Model) -> list[str]:
        """What is wrong with the numbers of an instance that is as an operation was to leave it."""
        names = Counter(row.name for row in rows)
        wrong = [f"{name} is recorded {number} times" for name, number in names.items() if number > 1]
        computes = sum(1 for row in rows if row.sort == "compute")
        if computes and not model.fixed + model.least <= computes <= model.fixed + model.most:
            wrong.append(f"it has {computes} machines")
        return wrong

    def _forget_replaced(self, owner: str, handles: set[str | None]) -> None:
        """What was harmed and is not recorded any more has been replaced."""
        with self._lock:
            self._harmed[owner] = {handle for handle in self._harmed.get(owner, set()) if handle in handles}

    # -- at any time and at the end ----------------------------------------------------------------------------------

    def at_any_time(self) -> None:
        """No incarnation is there twice, and nothing that no row knows stays for longer than until the next sweep."""
        things = self.things()
        counted = Counter((thing.sort, thing.incarnation, thing.name) for thing in things)
        twice = [f"{sort} {name} ({life}): {number}" for (sort, life, name), number in counted.items() if number > 1]
        if twice:
            self._tally.violate("one incarnation is in the engine more than once", twice)

        with self._lock:
            there = {thing.handle for thing in things}
            self._suspects = {thing: since for thing, since in self._suspects.items() if thing.handle in there}
            late = [thing for thing, since in self._suspects.items() if time.monotonic() - since > SWEPT_WITHIN]
        known = self._rows.incarnations() if late else set()
        for thing in late:
            if thing.incarnation not in known:
                self._tally.violate(f"{thing.sort} {thing.name} ({thing.handle}) of {thing.owner} is in no row")
            with self._lock:
                self._suspects.pop(thing, None)

    def swept(self) -> bool:
        """Whether nothing of ours is left in the engine; a sweep may have to come yet."""
        return not self.things()

    def at_the_end(self) -> tuple[list[str], list[str]]:
        """What was leaked, in engine and rows, and which operations were lost."""
        leaked = [f"{thing.sort} {thing.name} ({thing.handle}) of {thing.owner}" for thing in self.things()]
        leaked += self._rows.left()
        stored = self._rows.operations()
        lost = [f"{kind} {id_}" for id_, kind in self._tally.accepted.items() if id_ not in stored]
        return leaked, lost + self._rows.not_ended()
