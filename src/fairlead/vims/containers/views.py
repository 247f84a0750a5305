"""What an engine says of a container, in the few words that matter here, and what they mean.

One look at a container serves itself and its ports. It is one call for each container, not one list for all: Podman's list
looks at each container anyway and costs as much, and a list lacks the exit code.

Whether a container that does not run is meant to be off stands in its name (`labels.OFF`): engines keep no reason for an end, and
labels cannot be changed. One that has ended by itself has failed, with its exit code and the last lines that it printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import VimError
from fairlead.resources import Failed, Gone, Handle, Observed, Pending, Ready, Status
from fairlead.vims.containers.engine import Engine
from fairlead.vims.containers.labels import OFF
from fairlead.vims.containers.networks import Networks
from fairlead.vims.containers.nics import connections_of

__all__ = ["ENDED", "Views", "begun_only", "compute_status", "is_off", "port_status", "port_view"]

_CONSOLE_LINES = 20
_CONSOLE_BYTES = 16 * 1024
ENDED = ("exited", "dead", "stopped")


class Views:
    """Looks at containers."""

    def __init__(self, engine: Engine, networks: Networks) -> None:
        self._engine = engine
        self._networks = networks

    async def words(self, container: str) -> dict[str, Any] | None:
        """All that the engine says of a container; None when it has none such."""
        seen: dict[str, Any] | None = await self._engine.look(f"/containers/{container}/json", "show a container")
        return seen

    async def look(self, container: str) -> Observed | None:
        """What is kept of it."""
        seen = await self.words(container)
        if seen is None:
            return None
        state = seen["State"]
        connections = await connections_of(seen, self._networks)
        view: Observed = {
            "id": seen["Id"],
            "name": seen["Name"].lstrip("/"),
            "state": state["Status"],
            "off": is_off(seen),
            "labels": (seen.get("Config") or {}).get("Labels") or {},
            "networks": {
                connection.network: {"addresses": list(connection.addresses or connection.fixed), "mac": connection.mac}
                for connection in connections.values()
            },
        }
        if state["Status"] in ENDED:
            view |= {
                "exit_code": state.get("ExitCode"),
                "error": state.get("Error") or "",
                "out_of_memory": bool(state.get("OOMKilled")),
            }
            if not view["off"]:
                view["console"] = await self._console(seen["Id"])
        return view

    async def _console(self, container: str) -> str:
        """The last lines that it printed; what they are is never worth failing a look."""
        try:
            return await self._engine.logs(container, _CONSOLE_LINES, _CONSOLE_BYTES)
        except VimError as error:
            return f"(the engine does not show its log: {error.cause})"


def is_off(seen: Mapping[str, Any]) -> bool:
    """Whether a container is meant to be off."""
    return str(seen["Name"]).endswith(OFF)


def begun_only(seen: Mapping[str, Any]) -> bool:
    """Whether its creation was begun and not finished: it was never started, and not marked as meant to be off."""
    return bool(seen["State"]["Status"] in ("created", "configured", "initialized")) and not is_off(seen)


def compute_status(view: Observed | None) -> Status:
    """The status of a container."""
    if view is None:
        return Gone()
    if view["state"] == "running" or (view["off"] and view["state"] in (*ENDED, "created", "configured")):
        return Ready({"id": view["id"]})
    if view["state"] in ENDED:
        return Failed(_ended(view), view.get("console") or None)
    return Pending(view["state"])


def _ended(view: Observed) -> str:
    words = [f"the container ended by itself with exit code {view['exit_code']}"]
    words += ["it was out of memory"] if view["out_of_memory"] else []
    words += [view["error"]] if view["error"] else []
    return ": ".join(words)


def port_view(handle: Handle, view: Observed | None) -> Observed | None:
    """What is kept of one of a container's ports; None when it is not connected (any more)."""
    network = handle.split("/")[1] if handle.count("/") == 2 else ""
    if view is None or network not in view["networks"]:
        return None
    return {"handle": str(handle), "container": compute_status(view), **view["networks"][network]}


def port_status(view: Observed | None) -> Status:
    """The status of a port: it is ready when its container is, and has failed with it."""
    if view is None:
        return Gone()
    container = view["container"]
    if not isinstance(container, Ready):
        return container if isinstance(container, Failed) else Pending("its container is not ready")
    known = {"addresses": tuple(view["addresses"]), "mac": view["mac"]}
    return Ready({"id": view["handle"], **{name: value for name, value in known.items() if value}})
