"""Looking through all that is stored, once after the start and then from time to time, for what cannot be read.

It runs beside everything else and hurries nobody: what is broken is told to its project as an event, before anybody
runs into it. The rooms know what their rows should be; here is only who is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import structlog

from fairlead.clock import Clock
from fairlead.events import EventLog
from fairlead.operations import Role
from fairlead.operations.quarantine import Finding, enter, unreadable_operations, unreadable_resources
from fairlead.packages import Catalogue
from fairlead.store import Store
from fairlead.vims import VimRegistry
from fairlead.vnf import unreadable_vnfs

__all__ = ["Inspection"]

log = structlog.get_logger()
_INTERVAL = 3600.0


class Inspection:
    """Finds what is stored and cannot be read."""

    def __init__(
        self,
        store: Store,
        events: EventLog,
        clock: Clock,
        catalogue: Catalogue,
        vims: VimRegistry,
        roles: Mapping[str, Role],
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._catalogue = catalogue
        self._vims = vims
        self._roles = roles

    async def follow(self) -> None:
        """Look now, and again every hour, for as long as the program runs."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the next look may go well
                log.warning("inspection.failed", error=repr(error))
            await self._clock.sleep(_INTERVAL)

    async def look(self) -> int:
        """Tell of everything that cannot be read; how much that is, told before or not."""
        found = [
            *await unreadable_vnfs(self._store, self._catalogue),
            *await unreadable_resources(self._store),
            *await unreadable_operations(self._store, self._roles),
            *await self._vims_found(),
        ]
        for finding in found:
            await self._store.write(partial(enter, log_of_events=self._events, finding=finding))
        return len(found)

    async def _vims_found(self) -> list[Finding]:
        remedy = {"remedy": "Correct the registration by an update of the VIM."}
        unreadable = await self._vims.unreadable()
        return [Finding(project=project, subject=vim, card=remedy | error.card()) for project, vim, error in unreadable]
