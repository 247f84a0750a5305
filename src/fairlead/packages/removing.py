"""Removing what is left of packages: files go after the commit that makes them superfluous, and surely at some time.

The transaction writes a removal, whoever made it carries it out, and after a crash the next start does. While somebody
works on the package, who may be putting a new file there, its removal waits.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from fairlead.clock import Clock
from fairlead.errors import StoreUnavailable
from fairlead.packages.extracted import ExtractedFiles
from fairlead.packages.storage import Claim, PackageStorage
from fairlead.packages.tables import packages, removals
from fairlead.packages.threads import to_end
from fairlead.sol import PackageOnboardingState
from fairlead.store import Store, Tx

__all__ = ["Removals"]

log = structlog.get_logger()
_IN_HAND = 3600.0
"""Seconds for which a file that somebody asked for is taken to be in use: loading an image into a VIM takes minutes."""
_WITHOUT_FILE = (PackageOnboardingState.CREATED, PackageOnboardingState.ERROR)


class Removals:
    """Notes removals and carries them out."""

    def __init__(self, store: Store, clock: Clock, storage: PackageStorage, extracted: ExtractedFiles) -> None:
        self._store = store
        self._clock = clock
        self._storage = storage
        self._extracted = extracted

    def note(self, tx: Tx, package: str, digests: Iterable[str] = ()) -> None:
        """The file of `package` is superfluous once `tx` is committed, and so are those taken out of it."""
        tx.put(removals, package=package, digests=sorted(set(digests)))

    async def carry_out(self, package: str, claim: Claim) -> None:
        """Remove the files of a package, if that was noted; ends the claim. What fails here is done at the next start."""
        gone = False
        try:
            state, digests = await self._store.read(lambda tx: self._noted(tx, package))
            gone = state is None
            if digests is not None and (gone or state in _WITHOUT_FILE):
                await to_end(self._storage.delete, package)
                await to_end(self._extracted.forget, digests, self._clock.now() - _IN_HAND)
                await self._store.write(
                    lambda tx: tx.run(tx.delete(removals).where(removals.c.package == package)),
                )
        except (OSError, StoreUnavailable) as error:
            log.warning("package.removal-failed", package=package, cause=str(error))
            gone = False
        finally:
            claim.release(remove=gone)

    async def finish(self) -> None:
        """Carry out what others noted and did not come to."""
        noted = await self._store.read(lambda tx: [row.package for row in tx.all(tx.select(removals))])
        for package in noted:
            claim = await to_end(self._storage.claim, package)
            if claim is not None:
                await self.carry_out(package, claim)

    @staticmethod
    def _noted(tx: Tx, package: str) -> tuple[str | None, list[str] | None]:
        state = tx.scalar(tx.select(packages, packages.c.onboarding).where(packages.c.id == package))
        digests = tx.scalar(tx.select(removals, removals.c.digests).where(removals.c.package == package))
        return state, digests
