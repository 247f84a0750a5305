"""What a container engine has of what a package takes for granted: images, networks, room, and leave for what machines ask."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.errors import VimError
from fairlead.vims.containers.composition import check_constraints
from fairlead.vims.containers.engine import Engine
from fairlead.vims.needs import Lack, Missing, Need

__all__ = ["missing_on"]


async def missing_on(engine: Engine, needs: Sequence[Need]) -> Missing:
    """What of `needs` is not there. Engines know neither flavours nor zones. Raises VimError."""
    info = await engine.get("/info", "tell about itself")
    found: list[Lack] = []
    for number, need in enumerate(needs):
        if need.sort == "image" and await _absent(engine, f"/images/{need.name}/json"):
            remedy = f"Load it, for instance with: podman pull {need.name}; or ship it in the package."
            detail = f"The container engine has no image '{need.name}'."
            found.append(Lack(need=number, code="vim-lacks-image", detail=detail, remedy=remedy))
        elif need.sort == "network" and await _absent(engine, f"/networks/{need.name}"):
            remedy = f"Create it, for instance with: podman network create {need.name}"
            detail = f"The container engine has no network '{need.name}'."
            found.append(Lack(need=number, code="vim-lacks-network", detail=detail, remedy=remedy))
        elif need.sort == "machine":
            found += _of_machine(number, need, info.get("NCPU"), info.get("MemTotal"))
            found += _of_constraints(number, need, engine.settings.allowed_capabilities)
    return Missing(("image", "network", "machine"), tuple(found))


async def _absent(engine: Engine, path: str) -> bool:
    return await engine.look(path, "tell what it has") is None


def _of_machine(number: int, need: Need, cpus: int | None, memory: int | None) -> list[Lack]:
    found = []
    if cpus is not None and (need.cpus or 0) > cpus:
        found.append(f"'{need.name}' asks for {need.cpus:g} cores, and the engine's host has {cpus}.")
    if memory is not None and (need.memory or 0) > memory:
        mebibytes = (need.memory or 0) // 2**20, memory // 2**20
        found.append(f"'{need.name}' asks for {mebibytes[0]} MiB of memory, and the engine's host has {mebibytes[1]}.")
    return [Lack(need=number, code="vim-lacks-room", detail=detail) for detail in found]


def _of_constraints(number: int, need: Need, allowed: Sequence[str]) -> list[Lack]:
    """The driver would refuse the machine with these words."""
    try:
        check_constraints(need.constraints, allowed)
    except VimError as error:
        return [Lack(need=number, code=error.code, detail=error.detail, remedy=error.remedy)]
    return []
