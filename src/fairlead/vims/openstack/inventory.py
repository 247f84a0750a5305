"""What a cloud says of itself: services and versions, zones, quotas, and what of that stands in the way of working with
it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from fairlead.errors import VimError, VimUnavailable
from fairlead.vims.openstack.cloud import Cloud
from fairlead.vims.openstack.flavours import Flavours
from fairlead.vims.openstack.settings import on_host
from fairlead.vims.seam import Capacity, Check, Finding

__all__ = ["capacity_of", "check_of", "zones_of"]

_NEEDED = {"compute": (2, 64), "network": None, "image": None, "block-storage": (3, 42), "orchestration": None}
_NAMES = {
    "compute": "Nova",
    "network": "Neutron",
    "image": "Glance",
    "block-storage": "Cinder",
    "orchestration": "Heat",
}
_OPTIONAL = {"block-storage": "warning", "orchestration": "info"}
"""What a VNF may do without, and how its absence is told."""


async def check_of(cloud: Cloud, flavours: Flavours) -> Check:
    """How it is; never raises for what is wrong with it."""
    try:
        project, endpoints = await cloud.about()
    except VimError as error:
        remedy = f" {error.remedy}" if error.remedy else ""
        return Check(
            reachable=False, findings=(Finding("error", error.code, f"{error.cause or error.detail}{remedy}"),)
        )
    there = [service for service in _NEEDED if endpoints.get(service) is not None]
    findings = [
        Finding(
            _OPTIONAL.get(service, "error"),
            "service-missing",
            f"The service catalogue has no {_NAMES[service]} for project {project} in this region and interface.",
        )
        for service in _NEEDED
        if service not in there
    ]
    if cloud.settings.insecure:
        findings.append(Finding("warning", "vim-insecure", "Any certificate is trusted: the setting insecure is on."))
    if any(url is not None and on_host(url) for url in endpoints.values()):
        findings.append(
            Finding("info", "vim-on-host", "The cloud's endpoints are on the machine that Fairlead runs on.")
        )
    parts = await asyncio.gather(
        *(_version(cloud, service) for service in there),
        _zones(cloud),
        _quotas(cloud, there),
        _flavours(cloud, flavours),
    )
    versions = [part for part in parts if isinstance(part, str)]
    for part in parts:
        if not isinstance(part, str):
            findings += part
    answers = "compute" in there and isinstance(parts[there.index("compute")], str)
    return Check(reachable=answers, version=", ".join(versions) or None, findings=tuple(findings))


async def _version(cloud: Cloud, service: str) -> str | list[Finding]:
    """The version of a service, or what is wrong with it."""
    try:
        highest = await cloud.version(service)
    except VimError as error:
        return [Finding("error", error.code, f"{_NAMES[service]}: {error.cause or error.detail}")]
    needed = _NEEDED[service]
    if needed is not None and _numbers(highest) < needed:
        words = ".".join(str(number) for number in needed)
        return [Finding("error", "service-too-old", f"{_NAMES[service]} speaks API {highest}; Fairlead needs {words}.")]
    return f"{_NAMES[service]} {highest}"


async def zones_of(cloud: Cloud) -> tuple[str, ...]:
    """The availability zones that servers can be put in. Raises VimError."""
    seen = await cloud.get("compute", "/os-availability-zone", "list zones")
    zones = (zone for zone in seen["availabilityZoneInfo"] if zone["zoneState"]["available"])
    return tuple(sorted(zone["zoneName"] for zone in zones))


async def _zones(cloud: Cloud) -> list[Finding]:
    try:
        zones = await zones_of(cloud)
    except VimError as error:
        return [Finding("warning", error.code, f"Zones are not known: {error.cause or error.detail}")]
    found = [Finding("info", "zones", f"Zones: {', '.join(zones) or 'none'}.")]
    if cloud.settings.zone is not None and cloud.settings.zone not in zones:
        found.append(
            Finding("error", "zone-missing", f"The setting zone names '{cloud.settings.zone}', which is not there.")
        )
    return found


async def _flavours(cloud: Cloud, flavours: Flavours) -> list[Finding]:
    try:
        there = await flavours.all(at_once=True)
    except VimError as error:
        return [Finding("warning", error.code, f"Flavours are not known: {error.cause or error.detail}")]
    if not there and not cloud.settings.create_flavours:
        return [Finding("error", "no-flavours", "There is no flavour, and none may be created (create_flavours).")]
    return [Finding("info", "flavours", f"{len(there)} flavours.")]


async def _quotas(cloud: Cloud, there: Iterable[str]) -> list[Finding]:
    """What is left of the quotas that are asked about first; one that is used up is worth a warning."""
    found = []
    limits: list[tuple[str, int, int]] = []
    try:
        seen = await _limits(cloud, "compute")
        for what, limit, in_use in (
            ("instances", "maxTotalInstances", "totalInstancesUsed"),
            ("cores", "maxTotalCores", "totalCoresUsed"),
            ("MiB of memory", "maxTotalRAMSize", "totalRAMUsed"),
        ):
            limits.append((what, int(seen.get(limit, -1)), int(seen.get(in_use, 0))))
        if "block-storage" in there:
            seen = await _limits(cloud, "block-storage")
            limits.append(("volumes", int(seen.get("maxTotalVolumes", -1)), int(seen.get("totalVolumesUsed", 0))))
            gigabytes = int(seen.get("maxTotalVolumeGigabytes", -1)), int(seen.get("totalGigabytesUsed", 0))
            limits.append(("GiB of volumes", *gigabytes))
    except VimError as error:
        found.append(Finding("warning", error.code, f"Quotas are not known: {error.cause or error.detail}"))
    words = [f"{used} of {most if most >= 0 else 'any number of'} {what}" for what, most, used in limits]
    if words:
        found.append(Finding("info", "quotas", f"In use: {', '.join(words)}."))
    found += [
        Finding("warning", "quota-exceeded", f"The quota of {what} is used up: {used} of {most}.")
        for what, most, used in limits
        if 0 <= most <= used
    ]
    return found


async def _limits(cloud: Cloud, service: str) -> Mapping[str, Any]:
    seen: Mapping[str, Any] = (await cloud.get(service, "/limits", "tell the limits"))["limits"]["absolute"]
    return seen


async def capacity_of(cloud: Cloud) -> Capacity:
    """The project's quota and what is used of it; where there is none, what the hypervisors have. Raises VimError."""
    seen = await _limits(cloud, "compute")
    cores, memory = int(seen.get("maxTotalCores", -1)), int(seen.get("maxTotalRAMSize", -1))
    whole: Mapping[str, Any] = {}
    if cores < 0 or memory < 0:
        try:
            answer = await cloud.get("compute", "/os-hypervisors/statistics", "tell what hypervisors have")
            whole = answer["hypervisor_statistics"]
        except VimUnavailable:
            raise
        except VimError:
            whole = {}  # for administrators only
    return Capacity(
        cpus=float(cores) if cores >= 0 else whole.get("vcpus"),
        memory=(memory if memory >= 0 else whole["memory_mb"]) * 2**20 if memory >= 0 or whole else None,
        used_cpus=float(seen.get("totalCoresUsed", 0)),
        used_memory=int(seen.get("totalRAMUsed", 0)) * 2**20,
        instances=int(seen.get("totalInstancesUsed", 0)),
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.lstrip("v").split(".") if part.isdigit())
