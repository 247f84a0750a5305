"""Plans applied to a real container engine, with a journal in memory: the engine of `resources` and a driver, and nothing between.

A `Bench` is one instance: `reach` plans from what is recorded to what is desired and applies it. Its rows are kept as the stored
journal keeps them, so a plan that was stopped half way can be made and applied again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Set
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from fairlead.clock import SystemClock
from fairlead.resources import (
    Action,
    Applied,
    CancelMode,
    Handle,
    Incarnation,
    Intent,
    Kind,
    Name,
    Observed,
    Outputs,
    Owner,
    Plan,
    Recorded,
    Records,
    Resource,
    Rules,
    SecretRef,
    State,
    Status,
    Step,
    Tag,
    VimId,
    apply,
    diff,
    new_incarnation,
)
from fairlead.vims import Driver, DriverType, Watcher

__all__ = ["Bench"]

_replace = msgspec.structs.replace


class Bench:
    """One instance on one driver; is `Rulebook`, `Vims`, `Journal` and `Cancellation` at once, since all it has is rows."""

    def __init__(self, type: DriverType, driver: Driver, deployment: str) -> None:
        self.driver = driver
        self.rows: list[Recorded[Any]] = []
        self.told: list[str] = []
        """What the journal was told, in order: `<event> <name>`."""
        self._type = type
        self._deployment = deployment
        self._clock = SystemClock()
        self._watcher = Watcher(driver, self._clock)

    async def reach(self, desired: Iterable[Resource[Any]], tainted: Set[Name] = frozenset()) -> tuple[Plan, Applied]:
        """Plan and apply."""
        plan = diff(Records.of(self.rows), {resource.name: resource for resource in desired}, self, tainted=tainted)
        return plan, await apply(plan, self, self, cancel=self)

    def row(self, name: str) -> Recorded[Any]:
        """The row in force."""
        return Records.of(self.rows).current[Name(name)]

    def desired(self) -> list[Resource[Any]]:
        """What is in force, as if it were wanted."""
        return list(Records.of(self.rows).resources().values())

    async def close(self) -> None:
        await self._watcher.close()
        await self.driver.close()

    # -- Rulebook and Vims -------------------------------------------------------------------------------------------

    def rules(self, resource: Resource[Any]) -> Rules[Any]:
        return self._type.rules[resource.spec.sort()]

    def kind(self, resource: Resource[Any]) -> Kind[Any]:
        return self.driver.kinds[resource.spec.sort()]

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        yield

    def slot(self, vim: VimId, since: float = 0.0) -> Any:
        return self._slot()

    async def wait(
        self, resource: Resource[Any], handle: Handle, done: Callable[[Status, Observed | None], bool]
    ) -> Status:
        return await self._watcher.wait(self.kind(resource), resource.spec.sort(), handle, done)

    def now(self) -> float:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    # -- Cancellation ------------------------------------------------------------------------------------------------

    def mode(self) -> CancelMode | None:
        return None

    def forceful(self) -> Any:
        return asyncio.Event().wait()

    # -- Journal -----------------------------------------------------------------------------------------------------

    async def records(self) -> Records:
        return Records.of(self.rows)

    async def started(self, step: Step, deadline: float) -> None:
        self.told.append(f"started {step.id} {deadline:.0f}")

    async def progressed(self, step: Step, words: str) -> None:
        self.told.append(f"{step.id}: {words}")

    async def ended(self, step: Step) -> None:
        self.told.append(f"ended {step.id}")

    async def failed(self, step: Step, error: Exception) -> None:
        self.told.append(f"failed {step.id}: {error}")

    async def intend(self, step: Step, resource: Resource[Any], *, afresh: bool = False) -> Intent:
        row = Records.of(self.rows).current.get(resource.name)
        if row is not None and row.state in (State.INTENDED, State.CREATING) and not afresh:
            return Intent(self.tag(row), repeated=True, since=row.since, handle=row.handle)
        self.rows = [
            _replace(other, state=State.DELETING) if other is row and not afresh else other
            for other in self.rows
            if not (afresh and other is row)
        ]
        made = Recorded(resource, new_incarnation(), State.INTENDED, since=self.now())
        self.rows.append(made)
        return Intent(self.tag(made))

    async def refused(self, step: Step, incarnation: Incarnation) -> None:
        self._set(incarnation, since=0.0)

    async def accepted(self, step: Step, incarnation: Incarnation, handle: Handle) -> None:
        self._set(incarnation, state=State.CREATING, handle=handle)

    async def ready(self, step: Step, incarnation: Incarnation, resource: Resource[Any], outputs: Outputs) -> None:
        self._set(incarnation, state=State.READY, resource=resource, outputs=outputs)

    async def broken(self, step: Step, incarnation: Incarnation) -> None:
        self._set(incarnation, state=State.FAILED)

    async def updating(self, step: Step, incarnation: Incarnation, resource: Resource[Any]) -> None:
        self._set(incarnation, state=State.UPDATING, resource=resource)

    async def leaving(self, step: Step, incarnation: Incarnation) -> bool:
        self._set(incarnation, state=State.DELETING)
        return True

    async def gone(self, step: Step, incarnation: Incarnation) -> None:
        self.rows = [row for row in self.rows if row.incarnation != incarnation]

    async def claimed(self, step: Step, resource: Resource[Any]) -> Recorded[Any]:
        raise AssertionError(f"nothing is claimed here: {step.id} {resource.name}")

    async def released(self, step: Step, incarnation: Incarnation) -> None:
        raise AssertionError(f"nothing is released here: {step.id} {incarnation}")

    async def performing(self, step: Step, action: Action) -> bool:
        return True

    async def performed(self, step: Step, action: Action) -> None:
        self.told.append(f"performed {step.id} {action.kind}")

    def tag(self, row: Recorded[Any]) -> Tag:
        return Tag(self._deployment, Owner("vnf-1"), row.name, row.incarnation)

    def reveal(self, secret: SecretRef) -> str:
        return f"revealed {secret.digest}"

    def _set(self, incarnation: Incarnation, **fields: Any) -> None:
        self.rows = [_replace(row, **fields) if row.incarnation == incarnation else row for row in self.rows]
