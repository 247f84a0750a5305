"""What an entry of the event log says."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Event"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened.

    `type` is dotted words (`operation.state`), `subject` the id of what it is about, `resource` the name of a resource
    of the subject; `time` is seconds since the epoch.
    """

    id: int
    time: float
    project: str
    type: str
    subject: str
    operation: str | None = None
    resource: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)
