"""Servers.

A creation is one call, which sets everything by which the server is found. Nova makes no server that is off, so one
that is to be off is stopped as soon as it is up, and counts as made once that was asked for; what was found before that
is finished.

Changes are made one after the other on a server at rest: Nova refuses the second while it is at the first. Stopping and
starting, plugs and names are asked for and then waited for by whoever changed them; a resize has to be confirmed in the
middle, so it is gone through here. Whether a server is meant to be off stands in its metadata.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from fairlead.errors import Unprocessable, VimRefused, VimUnavailable
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
from fairlead.vims.openstack.cloud import SETTLING, Cloud, to
from fairlead.vims.openstack.composition import (
    boot_mark,
    check,
    data_volumes,
    flavour_name,
    rebuild_body,
    server_body,
    size_of,
)
from fairlead.vims.openstack.flavours import Flavours
from fairlead.vims.openstack.refusals import NotThere, concerning
from fairlead.vims.openstack.rules import ComputeRules
from fairlead.vims.openstack.servers import WAKING, Servers, server_seen, server_status
from fairlead.vims.openstack.tags import BOOT, POWER, incarnation_word, others_in, readable, same

__all__ = ["ComputeKind"]

_LOOK_AGAIN = 0.5
_REST = 300.0
"""Seconds within which a server is done with what it is at; a stop may take the minute that its guest is given, a resize more."""
_SIZE = ("cpus", "memory", "disk", "flavour")


class ComputeKind(ComputeRules):
    """How a ComputeSpec lives on Nova."""

    settling = SETTLING

    def __init__(self, cloud: Cloud, servers: Servers, flavours: Flavours) -> None:
        self._cloud = cloud
        self._servers = servers
        self._flavours = flavours

    # -- creating ----------------------------------------------------------------------------------------------------

    async def create(self, resource: Resource[ComputeSpec], tag: Tag) -> Handle:
        spec = resource.spec
        with concerning(resource.name):
            check(spec)
            made = await self._flavours.heeding(lambda: self._build(spec, tag))
            handle = Handle(made["server"]["id"])
            self._servers.underway.built(handle)
            if spec.power == "off":
                await self._stop(handle)
        return handle

    async def _build(self, spec: ComputeSpec, tag: Tag) -> Any:
        flavour = await self._flavours.choose(flavour_name(spec), size_of(spec))
        body = server_body(spec, tag, flavour.id, self._cloud.settings)
        return await self._cloud.post("compute", "/servers", f"create server '{spec.label}'", body)

    async def find(self, tag: Tag, resource: Resource[ComputeSpec]) -> Handle | None:
        query = {"tags": incarnation_word(tag.incarnation)}
        found = (await self._cloud.get("compute", "/servers/detail", "list servers", **query))["servers"]
        exact = sorted(seen["id"] for seen in found if same(tag, seen.get("metadata")))
        if not exact:
            return None
        handle = Handle(exact[0])
        if resource.spec.power == "off":
            await self._stop(handle)
        return handle

    async def read(self, handle: Handle) -> Observed | None:
        return await self._servers.look(handle)

    def status(self, observed: Observed | None) -> Status:
        return server_status(observed)

    def settled(self, observed: Observed, spec: ComputeSpec) -> bool:
        off = spec.power == "off"
        right_power = observed["off"] is off and observed["status"] == ("SHUTOFF" if off else "ACTIVE")
        ports = {known(port) for port in spec.ports}
        right_ports = "ports" not in observed or set(observed["ports"]) == ports
        volumes = {known(attached.volume) for attached in spec.volumes}
        size = size_of(spec)
        large = observed["cores"] is None or (observed["cores"] >= size.cores and observed["memory"] >= size.memory)
        right_name = observed["name"] == readable(spec.label) and spec.metadata.items() <= observed["metadata"].items()
        built = observed["boot"] in (None, boot_mark(spec)) or spec.image is None
        return right_power and right_ports and set(observed["volumes"]) == volumes and large and right_name and built

    def seen(self, observed: Observed, spec: ComputeSpec, outputs: Outputs) -> Seen | Pending | Failed:
        return server_seen(observed, spec, outputs)

    # -- changing ----------------------------------------------------------------------------------------------------

    async def update(self, handle: Handle, old: ComputeSpec, new: ComputeSpec) -> None:
        check(new)
        server = await self._woken(handle)
        if server["name"] != readable(new.label):
            body = {"server": {"name": readable(new.label)}}
            await self._cloud.put("compute", to("servers", handle), f"rename server '{new.label}'", body)
        await self._describe(handle, server, old, new)
        await self._resize(handle, server, old, new)
        await self._rebuild(handle, old, new)
        await self._replug(handle, new)
        await self._reattach(handle, server, new)
        await (self._stop(handle) if new.power == "off" else self._start(handle))

    async def delete(self, handle: Handle) -> None:
        self._servers.replugged.discard(handle)
        self._servers.underway.deleted(handle)
        await self._cloud.delete("compute", to("servers", handle), "delete a server")

    async def perform(self, handle: Handle, action: Action) -> None:
        """`stop`: ask the guest to end; Nova kills it after the time that the image or the cloud's settings give it."""
        if action.kind != "stop":
            raise Unprocessable(f"A server cannot '{action.kind}'.", code="action-not-supported")
        with suppress(NotThere):
            await self._stop(handle)
            await self._at_rest(handle)

    async def _at_rest(
        self, handle: Handle, until: Callable[[Mapping[str, Any]], bool] | None = None
    ) -> dict[str, Any]:
        """The server once it is at nothing, or in ERROR. Raises NotThere; VimUnavailable (`server-busy`) when it takes too long."""
        deadline = time.monotonic() + _REST
        while True:
            server = await self._servers.words(handle)
            if server is None or server["status"] in ("DELETED", "SOFT_DELETED"):
                raise NotThere("The server is gone.", cause="404", remedy="Heal it.")
            task = server.get("OS-EXT-STS:task_state")
            resting = task is None and server["status"] not in ("BUILD", "REBUILD", "RESIZE", "REBOOT", "REVERT_RESIZE")
            if server["status"] == "ERROR" or (resting and (until is None or until(server))):
                return server
            if time.monotonic() > deadline:
                cause = f"{server['status']}, {task}"
                raise VimUnavailable("The server is busy for too long.", code="server-busy", cause=cause)
            await asyncio.sleep(_LOOK_AGAIN)

    async def _act(self, handle: Handle, what: str, body: Mapping[str, Any]) -> None:
        await self._cloud.post("compute", to("servers", handle, "action"), what, body)

    async def _describe(self, handle: Handle, server: Mapping[str, Any], old: ComputeSpec, new: ComputeSpec) -> None:
        """Have the metadata of `new`; what nobody of ours has put there stays."""
        there = others_in(server.get("metadata"))
        if missing := {key: value for key, value in new.metadata.items() if there.get(key) != value}:
            path = to("servers", handle, "metadata")
            await self._cloud.post("compute", path, "describe a server", {"metadata": missing})
        for key in sorted(old.metadata.keys() & there.keys() - new.metadata.keys()):
            await self._cloud.delete("compute", to("servers", handle, "metadata", key), "describe a server")

    async def _rebuild(self, handle: Handle, old: ComputeSpec, new: ComputeSpec) -> None:
        """Have it built from what `new` says: what it was last built from stands in its metadata, set by the same call."""
        if new.image is None:
            return
        server = await self._at_rest(handle)
        metadata = server.get("metadata") or {}
        if BOOT in metadata:
            stale = metadata[BOOT] != boot_mark(new)
        else:  # made before there were such marks
            stale = (server.get("image") or {}).get("id") != known(new.image) or old.user_data != new.user_data
        if not stale:
            return
        body = rebuild_body(new, metadata, self._cloud.settings)
        await self._act(handle, f"rebuild server '{new.label}'", body)
        done = await self._at_rest(handle)
        if done["status"] == "ERROR":
            words = (done.get("fault") or {}).get("message") or "it is in the status ERROR"
            raise VimRefused(
                f"Nova did not rebuild '{new.label}'.",
                code="rebuild-failed",
                cause=words,
                remedy="Correct the cause, then heal it.",
            )

    # -- power -------------------------------------------------------------------------------------------------------

    async def _woken(self, handle: Handle) -> dict[str, Any]:
        """The server at rest, out of whatever status only somebody else can have brought it into."""
        server = await self._at_rest(handle)
        action = WAKING.get(server["status"])
        if action is None:
            return server
        was = server["status"]
        await self._act(handle, f"{action} a server", {action: None})
        return await self._at_rest(handle, lambda seen: seen["status"] != was)

    async def set_power(self, handle: Handle, power: str) -> None:
        """Have it started (`on`) or stopped (`off`), and meant to be, whatever somebody else has done to it."""
        await self._woken(handle)
        await (self._stop(handle) if power == "off" else self._start(handle))

    async def _stop(self, handle: Handle) -> None:
        """Have it stopped, and meant to be; one that failed to come up stays as it is."""
        server = await self._at_rest(handle)
        if (server.get("metadata") or {}).get(POWER) != "off":
            body = {"metadata": {POWER: "off"}}
            await self._cloud.post("compute", to("servers", handle, "metadata"), "mark a server as off", body)
        if server["status"] == "ACTIVE":
            await self._act(handle, "stop a server", {"os-stop": None})

    async def _start(self, handle: Handle) -> None:
        server = await self._at_rest(handle)
        if server["status"] == "SHUTOFF":
            await self._act(handle, "start a server", {"os-start": None})
        if POWER in (server.get("metadata") or {}):
            await self._cloud.delete("compute", to("servers", handle, "metadata", POWER), "unmark a server")

    # -- size --------------------------------------------------------------------------------------------------------

    async def _resize(self, handle: Handle, server: Mapping[str, Any], old: ComputeSpec, new: ComputeSpec) -> None:
        """Bring it to the flavour for `new`; one that an earlier attempt has resized is confirmed."""
        if server["status"] == "VERIFY_RESIZE":
            await self._confirm(handle)
        if all(getattr(old, field) == getattr(new, field) for field in _SIZE):
            return
        if not await self._flavours.heeding(lambda: self._begin_resize(handle, new)):
            return
        done = await self._at_rest(handle)
        if done["status"] != "VERIFY_RESIZE":
            words = (done.get("fault") or {}).get("message") or f"it is {done['status']} again"
            raise VimRefused(
                f"Nova did not resize '{new.label}'.",
                code="no-valid-host" if "No valid host" in words else "resize-failed",
                cause=words,
                remedy="Ask for another size, or add hosts.",
            )
        await self._confirm(handle)

    async def _begin_resize(self, handle: Handle, new: ComputeSpec) -> bool:
        """Whether it is not of the flavour for `new` already."""
        flavour = await self._flavours.choose(flavour_name(new), size_of(new))
        seen = await self._at_rest(handle)
        if (seen.get("flavor") or {}).get("original_name") == flavour.name:
            return False
        await self._act(handle, f"resize a server to '{flavour.name}'", {"resize": {"flavorRef": flavour.id}})
        return True

    async def _confirm(self, handle: Handle) -> None:
        await self._act(handle, "confirm a resize", {"confirmResize": None})
        await self._at_rest(handle, lambda server: server["status"] != "VERIFY_RESIZE")

    # -- plugs -------------------------------------------------------------------------------------------------------

    async def _replug(self, handle: Handle, new: ComputeSpec) -> None:
        """Have exactly the ports of `new`, the new ones in their order."""
        have = set(await self._servers.ports_of(handle))
        wanted = [known(port) for port in new.ports]
        if have == set(wanted):
            return
        self._servers.replugged.add(handle)
        for port in sorted(have - set(wanted)):
            await self._cloud.delete("compute", to("servers", handle, "os-interface", port), "unplug a port")
        for port in wanted:
            if port not in have:
                body = {"interfaceAttachment": {"port_id": port}}
                await self._cloud.post("compute", to("servers", handle, "os-interface"), "plug a port", body)

    async def _reattach(self, handle: Handle, server: Mapping[str, Any], new: ComputeSpec) -> None:
        have = {one["id"] for one in server.get("os-extended-volumes:volumes_attached") or ()}
        wanted = {known(attached.volume) for attached in new.volumes}
        for volume in sorted(have - wanted):
            path = to("servers", handle, "os-volume_attachments", volume)
            await self._cloud.delete("compute", path, "detach a volume")
        for attached in data_volumes(new):
            if (volume := known(attached.volume)) not in have:
                body = {"volumeAttachment": {"volumeId": volume}}
                path = to("servers", handle, "os-volume_attachments")
                await self._cloud.post("compute", path, f"attach volume '{volume}'", body)
                await self._attached(handle, volume)

    async def _attached(self, handle: Handle, volume: str) -> None:
        """Until Cinder says that the server has it: Nova counts it among the server's own as soon as it is asked for."""
        deadline = time.monotonic() + _REST
        while time.monotonic() < deadline:
            seen = await self._cloud.look("block-storage", to("volumes", volume), "show a volume")
            servers = [one["server_id"] for one in seen["volume"].get("attachments") or ()] if seen else []
            if handle in servers:
                return
            if seen is None or seen["volume"]["status"] in ("available", "error"):
                break
            await asyncio.sleep(_LOOK_AGAIN)
        status = seen["volume"]["status"] if seen else "gone"
        raise VimRefused(
            f"Nova did not attach volume '{volume}'.",
            code="volume-not-attached",
            cause=f"the volume is {status}",
            remedy="Look into the log of nova-compute on the server's host, then retry.",
        )
