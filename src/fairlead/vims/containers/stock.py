"""What a container engine has of what a package or a plan takes for granted: images, networks, ranges and addresses that are
free, room, and leave for what machines ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from fairlead.errors import VimError
from fairlead.vims.containers.composition import check_constraints
from fairlead.vims.containers.engine import Engine
from fairlead.vims.needs import Lack, Missing, Need, within

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
        elif need.sort == "link":
            found += await _of_link(engine, number, need)
        elif need.sort == "address":
            found += await _of_address(engine, number, need)
        elif need.sort == "machine":
            found += _of_machine(number, need, info.get("NCPU"), info.get("MemTotal"))
            found += _of_constraints(number, need, engine.settings.allowed_capabilities)
    return Missing(("image", "network", "machine", "link", "address"), tuple(found))


async def _absent(engine: Engine, path: str) -> bool:
    return await engine.look(path, "tell what it has") is None


async def _of_link(engine: Engine, number: int, need: Need) -> list[Lack]:
    """An engine has no two networks with overlapping ranges."""
    found = []
    for seen in await engine.get("/networks", "list networks"):
        for there in _ranges(seen):
            for wanted in need.ranges:
                if _overlap(there, wanted):
                    detail = f"The range {wanted} of '{need.name}' overlaps with {there} of network '{seen['Name']}'."
                    remedy = "Give the link another range, or remove that network."
                    found.append(Lack(need=number, code="subnet-overlaps", detail=detail, remedy=remedy))
    return found


async def _of_address(engine: Engine, number: int, need: Need) -> list[Lack]:
    seen = await engine.look(f"/networks/{need.network}", "show a network") if need.network is not None else None
    if seen is None and need.network is not None:
        return []  # that is told of the network itself
    ranges = need.ranges if seen is None else _ranges(seen)
    if not within(need, ranges):
        detail = f"The address {need.name} is in none of the network's ranges ({', '.join(ranges)})."
        remedy = "Choose an address in one of them."
        return [Lack(need=number, code="address-outside-network", detail=detail, remedy=remedy)]
    for container in ((seen or {}).get("Containers") or {}).values():
        if need.name in {str(container.get(field, "")).split("/")[0] for field in ("IPv4Address", "IPv6Address")}:
            detail = f"The address {need.name} is in use by container '{container.get('Name')}'."
            remedy = "Choose another address, or remove what has it."
            return [Lack(need=number, code="address-in-use", detail=detail, remedy=remedy)]
    return []


def _ranges(seen: Mapping[str, Any]) -> tuple[str, ...]:
    configs = (seen.get("IPAM") or {}).get("Config") or []
    return tuple(config["Subnet"] for config in configs if config.get("Subnet"))


def _overlap(one: str, other: str) -> bool:
    first, second = ip_network(one, strict=False), ip_network(other, strict=False)
    return first.version == second.version and first.overlaps(second)


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
