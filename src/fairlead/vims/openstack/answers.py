"""What the answer to a call has told already, so that nobody has to ask again.

Neutron's answer to a creation is the whole port or network as it is, and after its answer to a deletion there is none:
whoever waits for that has waited long enough. Each such answer serves the one look that follows it within a moment, and
is forgotten then; all later looks ask the cloud.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from fairlead.resources import Handle, Observed

__all__ = ["Answers"]

_MOMENT = 2.0
"""Seconds for which an answer counts."""


class Answers:
    """The last answers about things of a cloud, by sort and handle."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, Handle], tuple[float, Observed | None]] = {}

    def note(self, sort: str, handle: Handle, view: Observed | None) -> None:
        """An answer has told this; None: it is gone."""
        now = time.monotonic()
        self._told = {key: answer for key, answer in self._told.items() if now - answer[0] < _MOMENT}
        self._told[sort, handle] = (now, view)

    def forget(self, sort: str, handle: Handle) -> None:
        """It is about to change."""
        self._told.pop((sort, handle), None)

    def take(self, sort: str, handles: Collection[Handle]) -> dict[Handle, Observed | None]:
        """What has just been told about some of `handles`; it is told once."""
        found: dict[Handle, Observed | None] = {}
        for handle in handles:
            at, view = self._told.pop((sort, handle), (0.0, None))
            if time.monotonic() - at < _MOMENT and at:
                found[handle] = view
        return found
