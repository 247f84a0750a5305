"""One connected container engine: its kinds, and what concerns all of them.

Reading is one call for each container that somebody waits for (it serves its ports too) and one list for each other sort. The
engine's own event stream says when to look; it names containers, so the ports that were asked about before are told of with
them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from fairlead.errors import VimError
from fairlead.resources import Handle, Kind, Observed
from fairlead.vims.containers.compute import ComputeKind
from fairlead.vims.containers.engine import API_VERSION, Engine
from fairlead.vims.containers.images import ImageKind
from fairlead.vims.containers.labels import filters_for, image_pattern, tag_of, tag_of_image
from fairlead.vims.containers.networks import NetworkKind, Networks, observed_network
from fairlead.vims.containers.ports import PortKind
from fairlead.vims.containers.stock import missing_on
from fairlead.vims.containers.views import Views
from fairlead.vims.containers.volumes import VolumeKind, observed_volume
from fairlead.vims.needs import Missing, Need
from fairlead.vims.seam import Artifacts, Capacity, Check, Finding, Tagged

__all__ = ["ContainersDriver"]

Seen = dict[tuple[str, Handle], Observed | None]
_AT_ONCE = 8
"""Looks at containers under way at a time: an engine on two cores is not faster with more."""


class ContainersDriver:
    """See `Driver`."""

    def __init__(self, deployment: str, engine: Engine, artifacts: Artifacts) -> None:
        self._deployment = deployment
        self._engine = engine
        networks = Networks(engine)
        self._views = Views(engine, networks)
        self._ports = PortKind(self._views, networks)
        self._kinds: dict[str, Kind[Any]] = {
            "image": ImageKind(engine, artifacts),
            "network": NetworkKind(engine, networks),
            "volume": VolumeKind(engine),
            "compute": ComputeKind(engine, networks, self._views),
            "port": self._ports,
        }
        self._ports_of: dict[str, set[Handle]] = {}

    @property
    def kinds(self) -> Mapping[str, Kind[Any]]:
        return self._kinds

    @property
    def withheld(self) -> Set[str]:
        return frozenset()

    async def check(self) -> Check:
        try:
            version = await self._engine.get("/version", "tell its version")
            info = await self._engine.get("/info", "tell about itself")
        except VimError as error:
            return Check(reachable=False, findings=(Finding("error", error.code, error.cause or error.detail),))
        components = version.get("Components") or [{}]
        name = components[0].get("Name", "Engine")
        return Check(
            reachable=True,
            version=f"{name} {version.get('Version')}, API {version.get('ApiVersion')}",
            findings=tuple(_findings(name, version, info)),
        )

    async def capacity(self) -> Capacity:
        info = await self._engine.get("/info", "tell about itself")
        return Capacity(cpus=info.get("NCPU"), memory=info.get("MemTotal"), instances=info.get("ContainersRunning"))

    async def observe(self, wanted: Mapping[str, Set[Handle]]) -> dict[tuple[str, Handle], Observed | None]:
        parts = await asyncio.gather(
            self._observe_containers(wanted.get("compute", set()), wanted.get("port", set())),
            self._observe_networks(wanted.get("network", set())),
            self._observe_volumes(wanted.get("volume", set())),
            *(self._observe_image(handle) for handle in sorted(wanted.get("image", ()))),
        )
        return {key: view for part in parts for key, view in part.items()}

    async def _observe_containers(self, computes: Set[Handle], ports: Set[Handle]) -> Seen:
        for port in ports:
            self._ports_of.setdefault(port.split("/")[0], set()).add(port)
        views = await self._look_at({str(c) for c in computes} | {port.split("/")[0] for port in ports})
        found: Seen = {("compute", handle): views[handle] for handle in computes}
        return found | {("port", handle): self._ports.view(handle, views[handle.split("/")[0]]) for handle in ports}

    async def _observe_networks(self, networks: Set[Handle]) -> Seen:
        if not networks:
            return {}
        listed = [observed_network(seen) for seen in await self._engine.get("/networks", "list networks")]
        named = {key: seen for seen in listed if seen for key in (seen["id"], seen["name"])}
        return {("network", handle): named.get(handle) for handle in networks}

    async def _observe_volumes(self, volumes: Set[Handle]) -> Seen:
        if not volumes:
            return {}
        seen = (await self._engine.get("/volumes", "list volumes")).get("Volumes") or ()
        by_name = {volume["Name"]: observed_volume(volume) for volume in seen}
        return {("volume", handle): by_name.get(handle) for handle in volumes}

    async def _observe_image(self, image: Handle) -> Seen:
        return {("image", image): await self._kinds["image"].read(image)}

    async def _look_at(self, containers: Set[str]) -> dict[str, Observed | None]:
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def look(container: str) -> tuple[str, Observed | None]:
            async with at_once:
                return container, await self._views.look(container)

        views = dict(await asyncio.gather(*(look(container) for container in sorted(containers))))
        for container, view in views.items():
            if view is None:
                self._ports_of.pop(container, None)
        return views

    def changes(self) -> AsyncIterator[tuple[str, Handle]] | None:
        return self._changes()

    async def _changes(self) -> AsyncIterator[tuple[str, Handle]]:
        async for event in self._engine.events({"type": ["container", "network", "volume"]}):
            actor = event.get("Actor") or {}
            sort, subject = event.get("Type"), str(actor.get("ID", ""))
            container = (actor.get("Attributes") or {}).get("container") if sort == "network" else None
            if sort in ("network", "volume"):
                yield sort, Handle(subject)
            if sort == "container" or container:
                yield "compute", Handle(container or subject)
                for port in tuple(self._ports_of.get(container or subject, ())):
                    yield "port", port

    async def tagged(self) -> list[Tagged]:
        filters = filters_for(self._deployment)
        containers = await self._engine.get("/containers/json", "list containers", all="1", filters=filters)
        networks = await self._engine.get("/networks", "list networks", filters=filters)
        volumes = (await self._engine.get("/volumes", "list volumes", filters=filters)).get("Volumes") or ()
        pattern = {"reference": [image_pattern(self._deployment)]}
        images = await self._engine.get("/images/json", "list images", filters=pattern)
        found = [_tagged("compute", seen["Id"], seen, float(seen["Created"])) for seen in containers]
        found += [_tagged("network", seen["Id"], seen, _seconds(seen.get("Created"))) for seen in networks]
        found += [_tagged("volume", seen["Name"], seen, _seconds(seen.get("CreatedAt"))) for seen in volumes]
        references = {reference for seen in images for reference in seen.get("RepoTags") or ()}
        for reference in sorted(references):
            if (tag := tag_of_image(reference)) is not None:
                found.append(Tagged("image", Handle(reference), tag))
        return [thing for thing in found if thing is not None and thing.tag.deployment == self._deployment]

    async def lacks(self, needs: Sequence[Need]) -> Missing:
        return await missing_on(self._engine, needs)

    async def close(self) -> None:
        await self._engine.close()


def _tagged(sort: str, handle: str, seen: Mapping[str, Any], created: float | None) -> Tagged | None:
    tag = tag_of(seen.get("Labels"))
    return None if tag is None else Tagged(sort, Handle(handle), tag, created)


def _seconds(text: str | None) -> float | None:
    """The time in `text`; engines write nanoseconds, which Python does not read, and some leave the time out."""
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return None


def _findings(name: str, version: Mapping[str, Any], info: Mapping[str, Any]) -> list[Finding]:
    findings = []
    api = str(version.get("ApiVersion") or "0")
    if _numbers(api) < _numbers(API_VERSION):
        detail = f"The engine speaks API {api}; Fairlead needs {API_VERSION} (Docker 20.10, Podman 4)."
        findings.append(Finding("error", "engine-too-old", detail))
    for key, what in (("MemoryLimit", "memory"), ("CpuCfsQuota", "cores"), ("PidsLimit", "processes")):
        if info.get(key) is False:
            findings.append(Finding("warning", "limits-not-enforced", f"The engine cannot limit {what}."))
    if info.get("Rootless") or "name=rootless" in (info.get("SecurityOptions") or ()):
        detail = "The engine runs without root: limits may not be enforced, and networks are slower."
        findings.append(Finding("warning", "engine-rootless", detail))
    findings += [Finding("warning", "engine-warning", str(words)) for words in info.get("Warnings") or ()]
    findings.append(Finding("info", "cgroup-version", f"cgroup version {info.get('CgroupVersion') or 'unknown'}."))
    findings.append(Finding("info", "volumes-unlimited", "The size of a volume is not enforced."))
    if "podman" not in name.lower():
        detail = (
            "Docker before 28 names a container's interfaces in no certain order: tell them apart by their subnets."
        )
        findings.append(Finding("info", "interface-order", detail))
    return findings


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
