"""Operations (`vnf_lcm_op_occs`): looked at, waited for, and, when they failed for now, retried, rolled back or given up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.client.events import Events
from fairlead.client.feed import Feed
from fairlead.client.transport import Document, Transport
from fairlead.client.waiting import Watching, wait_until

__all__ = ["AT_REST", "GOOD", "Operations", "at_rest"]

_PATH = "/vnflcm/v2/vnf_lcm_op_occs"
_OWN = "/fairlead/v1/vnf_lcm_op_occs"

AT_REST = frozenset({"COMPLETED", "PARTIALLY_COMPLETED", "FAILED_TEMP", "FAILED", "ROLLED_BACK"})
"""The states in which an operation does nothing more by itself."""

GOOD = frozenset({"COMPLETED"})
"""The states in which an operation has done what was asked."""


def at_rest(operation: Mapping[str, Any]) -> bool:
    """Whether the operation in a document does nothing more by itself."""
    return operation.get("operationState") in AT_REST


class Operations:
    """Occurrences of lifecycle operations."""

    def __init__(self, transport: Transport, events: Events) -> None:
        self._transport = transport
        self._events = events

    def list(self, *, filter: str | None = None) -> Iterator[Document]:
        return self._transport.pages(_PATH, {"filter": filter} if filter else None)

    def show(self, operation: str) -> Document:
        return self._transport.document("GET", f"{_PATH}/{operation}")

    def retry(self, operation: str) -> None:
        """Go on with one in FAILED_TEMP where it failed."""
        self._transport.request("POST", f"{_PATH}/{operation}/retry")

    def rollback(self, operation: str) -> None:
        """Bring back what was before one in FAILED_TEMP."""
        self._transport.request("POST", f"{_PATH}/{operation}/rollback")

    def fail(self, operation: str) -> Document:
        """Give one in FAILED_TEMP up: it becomes FAILED, and the instance can be worked on again."""
        return self._transport.document("POST", f"{_PATH}/{operation}/fail")

    def cancel(self, operation: str, *, forceful: bool = False) -> None:
        """Ask a running one to stop: gracefully after what is under way, forcefully at once."""
        mode = "FORCEFUL" if forceful else "GRACEFUL"
        self._transport.request("POST", f"{_PATH}/{operation}/cancel", body={"cancelMode": mode})

    def timeline(self, operation: str) -> Document:
        """When each step started, was accepted and ended: `steps`, times in seconds since the epoch."""
        return self._transport.document("GET", f"{_OWN}/{operation}/timeline")

    def plan(self, operation: str, action: str) -> Document:
        """What `action` (`retry` or `rollback`) would do; the same document as that of `vnfs.plan`."""
        return self._transport.document("POST", f"{_OWN}/{operation}/plans", body={"action": action})

    def wait(self, operation: str, *, timeout: float | None = None, watching: Watching | None = None) -> Document:
        """The occurrence once it is at rest, however it ended: look at its `operationState`. `timeout` in seconds.

        Raises StillRunning after `timeout`, and ServerUnreachable when the server stays away for two minutes.
        """
        with Feed(self._events, operation=operation) as feed:
            return wait_until(
                lambda: self.show(operation),
                at_rest,
                feed,
                what=f"Operation {operation}",
                timeout=timeout,
                watching=watching,
            )
