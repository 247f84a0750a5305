"""The registered VIMs at work: one driver, one watcher and one set of slots for each, made when first needed.

This is the engine's `Vims`. `prepare` is awaited with the VIMs that a plan touches before the plan is made; it reads
their rows, takes up changed registrations, and makes drivers, without calling the VIM. So rules are there for a VIM
that is down, and a plan for it can be made and shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import structlog

from fairlead.clock import Clock
from fairlead.errors import FairleadError, Unprocessable
from fairlead.resources import Handle, Kind, Observed, Resource, Rules, Status, VimId
from fairlead.vims.needs import Missing, Need, TellsLacks
from fairlead.vims.registrations import Registrations, shown
from fairlead.vims.seam import MEMBER, Artifacts, Driver, DriverType, Traits
from fairlead.vims.turns import Turns
from fairlead.vims.watcher import Watcher

__all__ = ["VimRegistry"]

log = structlog.get_logger()
_FRESH = 5.0
"""Seconds for which a registration is taken as read."""


class _Connected:
    """A VIM with its driver, watcher and slots."""

    def __init__(self, row: Mapping[str, Any], type_: DriverType, driver: Driver, watcher: Watcher, slots: int) -> None:
        self.row = row
        self.type = type_
        self.driver = driver
        self.watcher = watcher
        self.slots = Turns(slots)
        self.read_at = 0.0


class VimRegistry:
    """All VIMs of this process."""

    def __init__(
        self,
        registrations: Registrations,
        artifacts: Artifacts,
        clock: Clock,
        *,
        calls_at_once: int = 32,
        poll_shortest: float = 0.03,
        poll_longest: float = 2.0,
    ) -> None:
        self._registrations = registrations
        self._artifacts = artifacts
        self._clock = clock
        self._calls_at_once = calls_at_once
        self._poll = (poll_shortest, poll_longest)
        self._connected: dict[str, _Connected] = {}
        self._contributed: dict[str, Kind[Any]] = {}
        self._lock = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()

    # -- registrations -----------------------------------------------------------------------------------------------

    async def register(self, project: str, document: dict[str, Any], *, trusted: bool = True) -> dict[str, Any]:
        """Register a VIM (see `Registrations.register`)."""
        return await self._registrations.register(project, document, trusted=trusted)

    async def list(self, project: str) -> list[dict[str, Any]]:
        """The VIMs that `project` can use."""
        return await self._registrations.list(project)

    async def show(self, project: str, vim: str) -> dict[str, Any]:
        """One VIM, by id or name. Raises NotFound."""
        return shown(await self._registrations.find(project, vim))

    async def choose(self, project: str, vim: str | None) -> VimId:
        """The id of the VIM that is meant; None means the project's default. Raises NotFound or Unprocessable."""
        row = await self._registrations.find(project, vim)
        return VimId(row["id"])

    async def update(
        self, project: str, vim: str, document: dict[str, Any], *, trusted: bool = True, merge: bool = False
    ) -> dict[str, Any]:
        """Change a VIM (see `Registrations.update`)."""
        changed = await self._registrations.update(project, vim, document, trusted=trusted, merge=merge)
        self._stale(changed["id"])
        return changed

    async def reveal(self, project: str, vim: str, names: Collection[str]) -> dict[str, str]:
        """What of a VIM's credentials is no secret (see `Registrations.reveal`)."""
        return await self._registrations.reveal(project, vim, names)

    async def delete(self, project: str, vim: str) -> None:
        """Forget a VIM (see `Registrations.delete`)."""
        row = await self._registrations.find(project, vim)
        await self._registrations.delete(project, vim)
        connected = self._connected.pop(row["id"], None)
        if connected is not None:
            await _close(connected)

    async def check(self, project: str, vim: str) -> dict[str, Any]:
        """Ask a VIM how it is: reachable, version, capacity, findings. Raises NotFound only."""
        row = await self._registrations.find(project, vim)
        await self.prepare([VimId(row["id"])], at_once=True)
        driver = self._connected[row["id"]].driver
        answer = await driver.check()
        document: dict[str, Any] = {
            "reachable": answer.reachable,
            "version": answer.version,
            "findings": [
                {"severity": item.severity, "code": item.code, "detail": item.detail} for item in answer.findings
            ],
        }
        if answer.reachable:
            try:
                capacity = await driver.capacity()
            except FairleadError as error:
                document["findings"].append({"severity": "warning", "code": error.code, "detail": error.detail})
            else:
                document["capacity"] = {
                    field: value
                    for field in capacity.__struct_fields__
                    if (value := getattr(capacity, field)) is not None
                }
        return document

    async def lint(self, project: str, vim: str, needs: Sequence[Need]) -> dict[str, Any]:
        """What a VIM lacks of `needs`: `checked` are the sorts that it can tell of. Raises NotFound, VimError."""
        row = await self._registrations.find(project, vim)
        await self.prepare([VimId(row["id"])], at_once=True)
        driver = self._connected[row["id"]].driver
        answer = await driver.lacks(needs) if isinstance(driver, TellsLacks) else Missing(())
        return {
            "vim": row["name"],
            "type": row["type"],
            "checked": list(answer.looked_at),
            "lacks": [msgspec.to_builtins(lack) for lack in answer.lacks],
        }

    async def prepare(self, vims: Iterable[VimId], *, at_once: bool = False) -> None:
        """Have drivers ready for `vims`. `at_once` takes up a registration that was changed a moment ago.

        Raises Unprocessable (`vim-unknown`) for one that is not registered.
        """
        async with self._lock:
            for vim in set(vims) - self._contributed.keys():
                connected = self._connected.get(vim)
                if connected is None or at_once or self._clock.now() - connected.read_at > _FRESH:
                    await self._refresh(vim, connected)

    async def _refresh(self, vim: VimId, connected: _Connected | None) -> None:
        row = await self._registrations.row(vim)
        if row is None:
            raise Unprocessable(f"VIM '{vim}' is not registered (any more).", code="vim-unknown", resource=vim)
        if connected is None or connected.row["version"] != row["version"]:
            type_ = self._registrations.driver_type(row["type"])
            access = self._registrations.access(row, await self._registrations.credentials(row))
            driver = type_.open(access, self._artifacts, self._clock)
            shortest, longest = self._poll
            watcher = Watcher(driver, self._clock, shortest=shortest, longest=longest)
            fresh = _Connected(row, type_, driver, watcher, self._calls_at_once)
            self._connected[vim] = fresh
            if connected is not None:
                self._retire(connected)
            connected = fresh
        connected.read_at = self._clock.now()

    def _retire(self, connected: _Connected) -> None:
        """Close what a changed registration has replaced once nobody waits through it."""

        async def retire() -> None:
            await connected.watcher.idle()
            await _close(connected)

        task = asyncio.get_running_loop().create_task(retire(), name="retired-vim")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    def _stale(self, vim: str) -> None:
        if vim in self._connected:
            self._connected[vim].read_at = 0.0

    def contribute(self, vim: VimId, kind: Kind[Any]) -> None:
        """Have resources of the VIM `vim`, which is no infrastructure but a part of this program, handled by `kind`."""
        self._contributed[vim] = kind

    # -- what planners and the sweep ask -------------------------------------------------------------------------------

    def traits(self, vim: VimId) -> Traits:
        """What a planner must know of a prepared VIM."""
        connected = self._get(vim)
        traits = connected.type.traits
        return msgspec.structs.replace(traits, sorts=traits.sorts - connected.driver.withheld)

    def driver(self, vim: VimId) -> Driver:
        """The driver of a prepared VIM."""
        return self._get(vim).driver

    async def unreadable(self) -> tuple[tuple[str, str, FairleadError], ...]:
        """See `Registrations.unreadable`."""
        return await self._registrations.unreadable()

    def contributed(self, vim: VimId) -> bool:
        """Whether `vim` is no infrastructure but a part of this program."""
        return vim in self._contributed

    async def all_ids(self) -> tuple[str, ...]:
        """The ids of all registered VIMs."""
        return await self._registrations.all_ids()

    # -- the engine's Vims ---------------------------------------------------------------------------------------------

    def rules(self, resource: Resource[Any]) -> Rules[Any]:
        if resource.vim in self._contributed:
            return self._contributed[resource.vim]
        connected = self._get(resource.vim)
        rules: Rules[Any] = _of_sort(connected.type.rules, resource, connected.row)
        return rules

    def kind(self, resource: Resource[Any]) -> Kind[Any]:
        if resource.vim in self._contributed:
            return self._contributed[resource.vim]
        connected = self._get(resource.vim)
        kind: Kind[Any] = _of_sort(connected.driver.kinds, resource, connected.row)
        return kind

    @asynccontextmanager
    async def slot(self, vim: VimId, since: float = 0.0) -> AsyncIterator[None]:
        if vim in self._contributed:
            yield
            return
        async with self._get(vim).slots.turn(since):
            yield

    async def wait(
        self, resource: Resource[Any], handle: Handle, done: Callable[[Status, Observed | None], bool]
    ) -> Status:
        kind = self.kind(resource)
        waiting = getattr(kind, "wait", None)
        if resource.vim in self._contributed and waiting is not None:
            status: Status = await waiting(handle, done)
            return status
        return await self._get(resource.vim).watcher.wait(kind, resource.spec.sort(), handle, done)

    def now(self) -> float:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    async def close(self) -> None:
        """Stop watching and let go of all connections."""
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*(_close(connected) for connected in self._connected.values()))
        self._connected.clear()

    def _get(self, vim: str) -> _Connected:
        try:
            return self._connected[vim]
        except KeyError:
            raise Unprocessable(f"VIM '{vim}' is not registered.", code="vim-unknown", resource=vim) from None


async def _close(connected: _Connected) -> None:
    await connected.watcher.close()
    await connected.driver.close()


def _of_sort(found: Mapping[str, Any], resource: Resource[Any], row: Mapping[str, Any]) -> Any:
    sort = resource.spec.sort()
    member = found.get(f"{MEMBER}{sort}") if resource.within is not None else None
    try:
        return member if member is not None else found[sort]
    except KeyError:
        raise Unprocessable(
            f"VIM '{row['name']}' of the type '{row['type']}' has no resources of the sort '{sort}'.",
            code="unsupported-on-vim",
            resource=resource.name,
            remedy="Choose another VIM, or a flavour that does not need it.",
        ) from None
