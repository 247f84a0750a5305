"""Waiting until a thing has come to rest, for at most so long.

The thing is read, and read again when the feed rings. Without a feed that stands, it is asked for at growing intervals
between 0.2 and 2 seconds; with one, every ten seconds all the same, because a stream can be silently dead. A server
that goes away while somebody waits is normal (it is being restarted, and goes on with the operation): the wait goes on
too, and says so, until its patience is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from fairlead.client.feed import Feed
from fairlead.client.transport import Document
from fairlead.errors import FairleadError, StillRunning

__all__ = ["Watching", "wait_until"]

_SHORTEST, _LONGEST = 0.2, 2.0
_WITH_FEED = 10.0
_SPACING = 0.1
"""Seconds between two reads, however often the feed rings: a burst of events costs one read."""
_PATIENCE = 120.0


class Watching(Protocol):
    """Whoever wants to see how a wait goes on."""

    def read(self, document: Document) -> None:
        """The thing as it stands now."""
        ...

    def trouble(self, error: FairleadError | None) -> None:
        """The server does not answer; None when it does again."""
        ...


def wait_until(
    read: Callable[[], Document],
    rests: Callable[[Document], bool],
    feed: Feed,
    *,
    what: str,
    timeout: float | None = None,
    watching: Watching | None = None,
    patience: float = _PATIENCE,
    with_feed: float = _WITH_FEED,
    now: Callable[[], float] = time.monotonic,
) -> Document:
    """The document of the thing once `rests` holds of it; `what` names it in errors. Times in seconds;
    `with_feed` is how often to look although the feed stands.

    Raises StillRunning after `timeout`, ServerUnreachable when the server has been away for `patience`, and whatever
    else reading raises.
    """
    ends = None if timeout is None else now() + timeout
    interval, before, away = _SHORTEST, None, None
    while True:
        started = now()
        document, trouble = _attempt(read)
        if trouble is not None:
            away = started if away is None else away
            if started - away >= patience:
                raise trouble
        if watching is not None and (trouble is not None or away is not None):
            watching.trouble(trouble)
        if document is not None:
            away = None
            if watching is not None:
                watching.read(document)
            if rests(document):
                return document
        interval = _SHORTEST if document is not None and document != before else min(interval * 1.5, _LONGEST)
        before = document or before
        left = float("inf") if ends is None else ends - now()
        if left <= 0:
            raise StillRunning(
                f"{what} has not come to rest within {timeout:g} s; it goes on.",
                remedy="Wait for it again, or look at it later.",
            )
        feed.wait(min(with_feed if feed.connected and away is None else interval, left))
        time.sleep(max(0.0, started + _SPACING - now()))


def _attempt(read: Callable[[], Document]) -> tuple[Document | None, FairleadError | None]:
    """What was read, or why the server cannot be read at the moment; any other error is raised."""
    try:
        return read(), None
    except FairleadError as error:
        if not error.retryable:
            raise
        return None, error
