"""Removing what is left of packages: files go after the commit that makes them superfluous, and surely at some time.

The transaction writes a removal, whoever made it carries it out, and after a crash the next start does. A key is never used
again, so a removal may come late, twice or from several processes at once.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from fairlead.clock import Clock
from fairlead.errors import StorageUnavailable, StoreUnavailable
from fairlead.packages.extracted import IN_HAND, ExtractedFiles
from fairlead.packages.storage import PackageStorage
from fairlead.packages.tables import removals
from fairlead.packages.threads import to_end
from fairlead.store import Store, Tx

__all__ = ["Removals"]

log = structlog.get_logger()


class Removals:
    """Notes removals and carries them out."""

    def __init__(self, store: Store, clock: Clock, storage: PackageStorage, extracted: ExtractedFiles) -> None:
        self._store = store
        self._clock = clock
        self._storage = storage
        self._extracted = extracted

    def note(self, tx: Tx, key: str, digests: Iterable[str] = ()) -> None:
        """What is stored under `key` is superfluous once `tx` is committed, and so are the files taken out of it."""
        tx.put(removals, key=key, digests=sorted(set(digests)))

    async def carry_out(self, key: str | None) -> None:
        """Remove what was noted under `key`, if anything. What fails here is done by the next `finish`."""
        if key is None:
            return
        try:
            row = await self._store.read(lambda tx: tx.find(removals, removals.c.digests, key=key))
            if row is not None:
                await to_end(self._storage.delete, key)
                await to_end(self._extracted.forget, row.digests, self._clock.now() - IN_HAND)
                await self._store.write(lambda tx: tx.run(tx.delete(removals).where(removals.c.key == key)))
        except (OSError, StorageUnavailable, StoreUnavailable) as error:
            log.warning("package.removal-failed", place=self._storage.place(key), cause=str(error))

    async def finish(self) -> None:
        """Carry out what others noted and did not come to."""
        noted = await self._store.read(lambda tx: [row.key for row in tx.find_all(removals, removals.c.key)])
        for key in noted:
            await self.carry_out(key)
