"""How this process is, for `/ready` and for whoever asks at three in the morning.

Each check looks now and answers soon; none raises. What is broken is named with what to do about it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import sqlalchemy as sa

from fairlead.api.services import Check
from fairlead.errors import FairleadError
from fairlead.identity import Keystone
from fairlead.main.program import Program
from fairlead.vnf import vnf_instances

__all__ = ["ProgramHealth"]

_PATIENCE = 3.0
"""Seconds that a check may take."""


class ProgramHealth:
    """The checks of one process."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def checks(self) -> Sequence[Check]:
        """The database, the worker's own lock, the secrets that cannot be read, and Keystone where its tokens are taken."""
        keystone = [] if self._program.keystone is None else [self._keystone(self._program.keystone)]
        return [await self._database(), await self._worker(), await self._secrets(), *keystone]

    @staticmethod
    def _keystone(keystone: Keystone) -> Check:
        """How it was the last time; whoever is remembered is served without it, so the process is ready anyway."""
        return Check(name="keystone", ok=True, detail=keystone.trouble)

    async def _database(self) -> Check:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._program.store.read(lambda tx: tx.scalar(tx.select(vnf_instances, sa.literal(1)).limit(1)))
        except (FairleadError, TimeoutError, sa.exc.SQLAlchemyError) as error:
            return Check(name="database", ok=False, detail=f"It does not answer: {error or 'no answer in time'}")
        return Check(name="database", ok=True)

    async def _worker(self) -> Check:
        if not self._program.works:
            return Check(name="worker", ok=True, detail="This process accepts operations and leaves them to workers.")
        if self._program.liveness.held:
            return Check(name="worker", ok=True)
        return Check(
            name="worker", ok=False, detail="Its lock in the database is lost; it begins no call until it has it again."
        )

    async def _secrets(self) -> Check:
        try:
            async with asyncio.timeout(_PATIENCE):
                owners = await self._program.vault.unreadable()
        except (FairleadError, TimeoutError) as error:
            return Check(name="secrets", ok=False, detail=str(error) or "no answer in time")
        if owners:
            words = ", ".join(owners[:5])
            count = "one owner" if len(owners) == 1 else f"{len(owners)} owners"
            return Check(
                name="secrets",
                ok=True,
                detail=f"The secrets of {count} were sealed under a key that is not here: {words}.",
            )
        return Check(name="secrets", ok=True)
