"""Which flavour a server gets: the one that is named, else one that fits, else one that is made for it where that is
allowed.

Fitting is decided here and not by Nova: the exact size first, then the smallest that holds what is asked for. Flavours
change seldom, so what there is is read for all servers of a VIM every ten minutes, when a plan or the VIM is looked into,
when nothing that is known will do, and when Nova says that one is gone. A flavour that we make is named after what it
is, so all who need the same share it, and it stays.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from fairlead.errors import VimRefused
from fairlead.vims.openstack.cloud import Cloud, to
from fairlead.vims.openstack.refusals import Denied, Taken

__all__ = ["Flavour", "Flavours", "Size", "chosen", "fits", "named"]

T = TypeVar("T")
_FRESH = 600.0


class Size(msgspec.Struct, frozen=True):
    """What a server needs: whole cores, MiB of memory, GiB of disk (0: none), and extra specs."""

    cores: int
    memory: int
    disk: int
    specs: Mapping[str, str] = {}

    def words(self) -> str:
        """For people."""
        more = "".join(f", {key}={value}" for key, value in sorted(self.specs.items()))
        return f"{self.cores} cores, {self.memory} MiB of memory, {self.disk} GiB of disk{more}"


class Flavour(msgspec.Struct, frozen=True):
    """A flavour of the cloud's."""

    id: str
    name: str
    cores: int
    memory: int
    disk: int
    specs: Mapping[str, str] = {}
    public: bool = True


def chosen(flavours: Iterable[Flavour], size: Size) -> Flavour | None:
    """The smallest that holds `size`; None when there is none.

    One with extra specs that nobody asked for is taken last: they may reserve cores or pages.
    """
    fitting = [flavour for flavour in flavours if fits(flavour, size)]
    return min(fitting, key=lambda flavour: _rank(flavour, size), default=None)


def fits(flavour: Flavour, size: Size) -> bool:
    """Whether `flavour` holds `size`."""
    return (
        flavour.cores >= size.cores
        and flavour.memory >= size.memory
        and flavour.disk >= size.disk
        and all(flavour.specs.get(key) == value for key, value in size.specs.items())
    )


def _rank(flavour: Flavour, size: Size) -> tuple[int, int, int, int, str]:
    more = sum(1 for key in flavour.specs if key not in size.specs)
    return more, flavour.cores, flavour.memory, flavour.disk, flavour.id


def named(flavours: Iterable[Flavour], name: str) -> Flavour | None:
    """The one with this id or name."""
    there = list(flavours)
    return next((f for f in there if f.id == name), None) or next((f for f in there if f.name == name), None)


class Flavours:
    """The flavours of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._known: tuple[Flavour, ...] = ()
        self._read_at = -_FRESH
        self._reading = asyncio.Lock()

    async def all(self, *, at_once: bool = False) -> tuple[Flavour, ...]:
        """All that we may use. Raises VimError."""
        asked_at = time.monotonic()
        async with self._reading:
            if self._read_at < (asked_at if at_once else asked_at - _FRESH):
                seen = await self._cloud.all("compute", "/flavors/detail", "flavors", "list flavours", is_public="None")
                self._known = tuple(_flavour(one) for one in seen)
                self._read_at = time.monotonic()
        return self._known

    async def heeding(self, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` returns, which chooses flavours and uses them; it is called again, to choose among those that there are
        now, when one of them is gone."""
        known = self._known
        try:
            return await call()
        except VimRefused as error:
            if error.code != "flavour-missing" or await self.all(at_once=True) == known:
                raise
            return await call()

    async def choose(self, name: str | None, size: Size) -> Flavour:
        """The flavour for a server: the one called `name`, else one for `size`. Raises VimRefused, VimUnavailable."""
        for at_once in (False, True):
            there = await self.all(at_once=at_once)
            found = named(there, name) if name is not None else chosen(there, size)
            if found is not None and self._good_enough(found, name, size):
                return found
        if name is None and self._cloud.settings.create_flavours:
            return await self._create(size)
        if found is not None:
            return found
        if name is not None:
            raise VimRefused(
                f"The cloud has no flavour '{name}'.",
                code="flavour-missing",
                cause=f"neither id nor name of any of {len(there)} flavours",
                remedy="Create it, or let the request or the VNFD name another.",
            )
        raise VimRefused(
            f"No flavour of the cloud holds {size.words()}.",
            code="no-flavour-fits",
            cause=f"{len(there)} flavours; the largest: {_largest(there)}",
            remedy="Create one, or allow Fairlead to with the VIM's setting create_flavours.",
        )

    def _good_enough(self, found: Flavour, name: str | None, size: Size) -> bool:
        """Where flavours may be made, one that holds more than twice of what is asked is not taken for it."""
        if name is not None or not self._cloud.settings.create_flavours:
            return True
        return found.cores <= 2 * size.cores and found.memory <= 2 * max(size.memory, 64)

    async def _create(self, size: Size) -> Flavour:
        digest = hashlib.sha256(json.dumps(msgspec.to_builtins(size), sort_keys=True).encode()).hexdigest()[:12]
        name = f"fairlead-{digest}"
        body = {"name": name, "vcpus": size.cores, "ram": max(size.memory, 1), "disk": size.disk}
        body["os-flavor-access:is_public"] = False
        what = f"create a flavour of {size.words()}"
        try:
            with suppress(Taken):
                await self._cloud.post("compute", "/flavors", what, {"flavor": body})
            found = named(await self.all(at_once=True), name)
            if found is not None and found.specs != dict(
                size.specs
            ):  # also one whose creation was broken off before this
                specs = {"extra_specs": dict(size.specs)}
                await self._cloud.post("compute", to("flavors", found.id, "os-extra_specs"), what, specs)
                found = named(await self.all(at_once=True), name)
        except Denied as error:
            raise Denied(
                f"Nova does not allow us to {what}.",
                code="flavour-creation-not-allowed",
                cause=error.cause,
                remedy="Turn create_flavours off and create one yourself, or give credentials that may.",
            ) from error
        if found is None:
            raise VimRefused(
                f"The flavour '{name}' was created and is not listed.", code="flavour-missing", cause="not in the list"
            )
        return found


def _flavour(seen: Mapping[str, Any]) -> Flavour:
    return Flavour(
        seen["id"],
        seen["name"],
        int(seen["vcpus"]),
        int(seen["ram"]),
        int(seen["disk"]),
        seen.get("extra_specs") or {},
        bool(seen.get("os-flavor-access:is_public", True)),
    )


def _largest(flavours: Iterable[Flavour]) -> str:
    largest = max(flavours, key=lambda flavour: (flavour.memory, flavour.cores), default=None)
    if largest is None:
        return "none"
    return f"{largest.name}, {largest.cores} cores, {largest.memory} MiB, {largest.disk} GiB"
