"""Looking at a container from outside of the driver."""

from __future__ import annotations

from typing import Any

from fairlead.resources import Handle
from fairlead.vims import Access
from fairlead.vims.containers.engine import Engine
from fairlead.vims.containers.settings import place_of, settings_of

__all__ = ["UNTIL_TOLD", "engine_of", "inspected", "printed"]

UNTIL_TOLD = "echo done; trap 'exit 0' TERM; sleep 3600 & wait"
"""The end of a shell command whose container is to stay."""


def engine_of(access: Access) -> Engine:
    """The engine itself."""
    return Engine(place_of(access), settings_of(access))


async def printed(access: Access, container: Handle) -> str:
    """What the container has printed, once `done` is among its lines: two streams come in no certain order."""
    engine = engine_of(access)
    try:
        while "done" not in (text := await engine.logs(container, 1000, 2**20)).splitlines():
            pass
        return text
    finally:
        await engine.close()


async def inspected(access: Access, container: Handle) -> dict[str, Any]:
    """All that the engine says of the container."""
    engine = engine_of(access)
    try:
        seen: dict[str, Any] = await engine.get(f"/containers/{container}/json", "show a container")
        return seen
    finally:
        await engine.close()
