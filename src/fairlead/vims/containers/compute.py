"""Containers.

A creation is several calls: create, connect, put the files in, start. The first of them sets our labels and our name, so whatever
happens is found; a container counts as made once it has been started, or marked as meant to be off. What is found half made is
removed and not adopted, since nobody knows which of its files are there. A creation that is refused half way takes away what it
had begun.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from fairlead.errors import FairleadError, Unprocessable, VimError, VimRefused, VimUnavailable
from fairlead.resources import (
    Action,
    ComputeSpec,
    Failed,
    Handle,
    Observed,
    Outputs,
    Pending,
    Resource,
    Seen,
    Status,
    Tag,
    known,
)
from fairlead.vims.containers.composition import archive, body, check
from fairlead.vims.containers.engine import Engine
from fairlead.vims.containers.labels import OFF, engine_name, filters_for, tag_of
from fairlead.vims.containers.networks import Networks
from fairlead.vims.containers.nics import Connections, connections_of
from fairlead.vims.containers.refusals import AddressTaken, NotThere, Taken
from fairlead.vims.containers.rules import ComputeRules, Container
from fairlead.vims.containers.views import ENDED, Views, begun_only, compute_status, is_off

__all__ = ["ComputeKind"]

_ATTEMPTS = 5


class ComputeKind(ComputeRules):
    """How a ComputeSpec, folded with its ports into a Container, lives on a container engine."""

    settling = 2.0
    """A call that this process gave up may still be under way in the engine."""

    def __init__(self, engine: Engine, networks: Networks, views: Views) -> None:
        self._engine = engine
        self._networks = networks
        self._views = views
        self._connections = Connections(engine, networks)

    # -- creating ----------------------------------------------------------------------------------------------------

    async def create(self, resource: Resource[Any], tag: Tag) -> Handle:
        container = _folded(resource.spec)
        try:
            check(container)
            await self._require_volumes(container.machine)
            return await self._create(container, tag)
        except FairleadError as error:
            error.resource = error.resource or resource.name
            raise

    async def _create(self, container: Container, tag: Tag) -> Handle:
        """Make it; again, with other addresses, when those that were chosen have been taken meanwhile."""
        for _ in range(_ATTEMPTS - 1):
            decided = await self._decided(container)
            try:
                return await self._attempt(decided, tag)
            except AddressTaken:
                if decided == container:
                    raise
        return await self._attempt(await self._decided(container), tag)

    async def _decided(self, container: Container) -> Container:
        nics = tuple([await self._connections.decided(nic) for nic in container.nics])
        return msgspec.structs.replace(container, nics=nics)

    async def _attempt(self, container: Container, tag: Tag) -> Handle:
        wanted = body(container, tag, self._engine.settings.allowed_capabilities)
        await self._add_network(wanted, container)
        handle, finished = await self._begin(wanted, container, tag)
        if not finished:
            await self._finish_or_remove(handle, container, engine_name(tag))
        return handle

    async def _add_network(self, wanted: dict[str, Any], container: Container) -> None:
        """The first NIC; engines before Docker 25 take only one in a creation, the others are connected before the start."""
        if not container.nics:
            wanted["HostConfig"]["NetworkMode"] = "none"
            return
        facts, words = await self._connections.endpoint(container.nics[0])
        wanted["HostConfig"]["NetworkMode"] = facts.name
        wanted["NetworkingConfig"] = {"EndpointsConfig": {facts.name: words}}
        if "MacAddress" in words:
            wanted["MacAddress"] = words["MacAddress"]  # where Docker before 25 looks for it

    async def _require_volumes(self, machine: ComputeSpec) -> None:
        """An engine would make a missing volume silently."""
        for attached in machine.volumes:
            name = known(attached.volume)
            if await self._engine.look(f"/volumes/{name}", f"show volume '{name}'") is None:
                raise VimRefused(
                    f"The container engine has no volume '{name}'.",
                    code="volume-missing",
                    remedy="Create it first, or name one that exists.",
                )

    async def _begin(self, wanted: dict[str, Any], container: Container, tag: Tag) -> tuple[Handle, bool]:
        """Create it, or take what another attempt under the same incarnation has created, and may have finished."""
        name = engine_name(tag)
        try:
            made = await self._engine.post(
                "/containers/create", f"create container '{container.machine.label}'", wanted, name=name
            )
        except Taken as error:
            seen = await self._views.words(name)
            if seen is None or tag_of(seen["Config"].get("Labels")) != tag:
                raise Taken(
                    f"The container engine has another container '{name}'.", cause=error.cause, remedy=error.remedy
                ) from error
            return Handle(seen["Id"]), not begun_only(seen)
        if container.machine.power == "off":
            earlier = await self._views.words(name + OFF)  # one that is finished has another name
            if earlier is not None and tag_of(earlier["Config"].get("Labels")) == tag:
                await self._remove(made["Id"])
                return Handle(earlier["Id"]), True
        return Handle(made["Id"]), False

    async def _finish_or_remove(self, handle: Handle, container: Container, name: str) -> None:
        try:
            await self._finish(handle, container, name)
        except VimUnavailable:
            raise
        except VimError:
            with suppress(VimError):
                await self._remove(handle)
            raise

    async def _finish(self, handle: Handle, container: Container, name: str) -> None:
        for nic in container.nics[1:]:
            await self._connections.connect(handle, nic)
        files = archive(container.machine)
        if files is not None:
            path = f"/containers/{handle}/archive"
            await self._engine.call("PUT", path, "put files into a container", data=files, params={"path": "/"})
        if container.machine.power == "off":
            await self._rename(handle, name + OFF)
        else:
            await self._start(handle, container)
            await self._verify_macs(handle, container)

    async def _start(self, handle: Handle, container: Container) -> None:
        await self._engine.post(f"/containers/{handle}/start", f"start '{container.machine.label}'")

    async def _verify_macs(self, handle: Handle, container: Container) -> None:
        """Docker before 25 gives a MAC that was asked for to the first NIC only, and says nothing."""
        if not any(nic.mac for nic in container.nics):
            return
        seen = await self._views.words(handle)
        if seen is None or not seen["State"].get("Running"):
            return
        have = await connections_of(seen, self._networks)
        for nic in container.nics:
            connection = have.get((await self._networks.facts(nic.network)).id)
            if nic.mac and connection is not None and connection.mac.lower() != nic.mac.lower():
                raise VimRefused(
                    f"The container engine gave '{nic.port}' the MAC {connection.mac} in place of {nic.mac}.",
                    code="mac-not-supported",
                    resource=nic.port,
                    remedy="Ask for no MAC, or make this the container's first port, or use Docker 25 or Podman.",
                )

    # -- finding and looking -----------------------------------------------------------------------------------------

    async def find(self, tag: Tag, resource: Resource[Any]) -> Handle | None:
        filters = filters_for(tag.deployment, tag.incarnation)
        listed = await self._engine.get("/containers/json", "list containers", all="1", filters=filters)
        for item in listed:
            if tag_of(item.get("Labels")) != tag:
                continue
            seen = await self._views.words(item["Id"])
            if seen is None:
                continue
            if not begun_only(seen):
                return Handle(seen["Id"])
            await self._remove(seen["Id"])
        return None

    async def read(self, handle: Handle) -> Observed | None:
        return await self._views.look(handle)

    def status(self, observed: Observed | None) -> Status:
        return compute_status(observed)

    def settled(self, observed: Observed, spec: Any) -> bool:
        container = _folded(spec)
        on = container.machine.power != "off"
        right_power = on is (observed["state"] == "running") and observed["off"] is not on
        networks: dict[str, Any] = observed["networks"]
        if not right_power or set(networks) != {nic.network for nic in container.nics}:
            return False
        if not on:
            return True
        return all(set(nic.addresses or ()) <= set(networks[nic.network]["addresses"]) for nic in container.nics)

    def seen(self, observed: Observed, spec: ComputeSpec, outputs: Outputs) -> Seen | Pending | Failed:
        state = observed["state"]
        powers = {"running": "on", "paused": "paused"} | dict.fromkeys((*ENDED, "created", "configured"), "off")
        if state not in powers:
            return Pending(str(state))
        amiss = []
        if (spec.power == "off") is not observed["off"]:
            amiss.append(f"its name says that it is meant to be {'off' if observed['off'] else 'on'}")
        ours = {known(port).split("/")[1] for port in spec.ports if isinstance(port, str)}
        amiss += [
            f"it is connected to the network {network} as well"
            for network in sorted(observed["networks"].keys() - ours)
        ]
        return Seen(msgspec.structs.replace(spec, power=powers[state]), tuple(amiss))

    # -- changing ----------------------------------------------------------------------------------------------------

    async def update(self, handle: Handle, old: Any, new: Any) -> None:
        container = _folded(new)
        check(container)
        seen = await self._views.words(handle)
        if seen is None:
            raise NotThere(f"The container '{container.machine.label}' is gone.", remedy="Heal it.")
        on = container.machine.power != "off"
        if seen["State"].get("Paused"):
            await self._engine.post(f"/containers/{handle}/unpause", f"wake '{container.machine.label}'")
            seen = await self._views.words(handle) or seen
        running = bool(seen["State"].get("Running"))
        if not on:
            await self._mark_off(seen)
            if running:
                await self._stop(handle, self._engine.settings.stop_grace)
                seen, running = await self._views.words(handle) or seen, False
        have = await connections_of(seen, self._networks)
        await self._connections.reach(handle, have, container.nics, running=running, starting=on and not running)
        if on:
            if not running:
                await self._start(handle, container)
            await self._unmark(seen)

    async def delete(self, handle: Handle) -> None:
        await self._remove(handle)

    async def perform(self, handle: Handle, action: Action) -> None:
        """`stop`: ask it to end, and kill it after the parameter `grace` (seconds)."""
        if action.kind != "stop":
            raise Unprocessable(f"A container cannot '{action.kind}'.", code="action-not-supported")
        seen = await self._views.words(handle)
        if seen is not None:
            await self._mark_off(seen)
            await self._stop(handle, float(action.parameters.get("grace", self._engine.settings.stop_grace)))

    async def _stop(self, handle: Handle, grace: float) -> None:
        timeout = grace + self._engine.settings.timeout
        params = {"t": round(grace)}
        await self._engine.call(
            "POST", f"/containers/{handle}/stop", "stop a container", params=params, timeout=timeout
        )

    async def _remove(self, handle: str) -> None:
        try:
            await self._engine.delete(f"/containers/{handle}", "delete a container", force="1", v="1")
        except Taken as error:
            if "in progress" not in (error.cause or ""):
                raise

    async def _mark_off(self, seen: dict[str, Any]) -> None:
        if not is_off(seen):
            await self._rename(seen["Id"], seen["Name"].lstrip("/") + OFF)

    async def _unmark(self, seen: dict[str, Any]) -> None:
        if is_off(seen):
            await self._rename(seen["Id"], seen["Name"].lstrip("/").removesuffix(OFF))

    async def _rename(self, container: str, name: str) -> None:
        await self._engine.post(f"/containers/{container}/rename", "rename a container", name=name)


def _folded(spec: Any) -> Container:
    return spec if isinstance(spec, Container) else Container(spec)
