"""Events used as a bell: they wake a waiting thread, and what has become of the thing is then read from the thing itself.

Whoever waits needs no knowledge of the event types, and an event that is lost, doubled or late does no harm, because
the document that is read decides. The stream is followed in a thread of its own, so that waiting has an exact deadline
and Ctrl-C ends it at once. A server without the stream, or with a broken one, leaves the feed not `connected`; the
waiting side then asks more often.
"""

from __future__ import annotations

import threading
from types import TracebackType

from fairlead.client.events import Events
from fairlead.errors import FairleadError

__all__ = ["Feed"]


class Feed:
    """Rings when something happens to `operation` or `subject`. Used in a `with`, which ends the thread."""

    def __init__(self, events: Events, *, operation: str | None = None, subject: str | None = None) -> None:
        # The patience is the waiting side's to have: here the stream is tried for as long as somebody waits.
        self._follower = events.follow(after=0, operation=operation, subject=subject, patience=float("inf"))
        self._bell = threading.Event()
        # A broken stream is a reason to look: the server may have gone, and who waits should ask more often until it is back.
        self._follower.lost = self._bell.set
        self._thread = threading.Thread(target=self._listen, name="fairlead-feed", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether news will come by themselves at this moment."""
        return self._follower.connected

    def wait(self, seconds: float) -> bool:
        """Return when something has happened, or after `seconds`; whether something has happened since the last call."""
        rung = self._bell.wait(max(0.0, seconds))
        self._bell.clear()
        return rung

    def _listen(self) -> None:
        try:
            for _ in self._follower:
                self._bell.set()
        except FairleadError:
            # A server that refuses the stream is asked for the thing itself, which says why, if it is worth saying.
            return
        finally:
            self._bell.set()

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._follower.close()
        self._thread.join(timeout=1.0)
