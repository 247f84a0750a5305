"""Bringing an upload into the storage: in bounded memory, up to a limit, and not for ever.

What comes over the network in small pieces is written a mebibyte at a time, because each write is a trip to a thread. A
sender that falls silent without going away would hold the package's claim as long as it likes; so silence has a limit too.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, NamedTuple

from fairlead.clock import Clock
from fairlead.errors import BadRequest, FairleadError, StorageUnavailable, TooLarge
from fairlead.packages.storage import PackageStorage, Upload
from fairlead.packages.threads import to_end

__all__ = ["Received", "receive", "storage_failed"]

_PART = 2**20


class Received(NamedTuple):
    """An upload that is complete and durable: its size in bytes, its SHA-256 in hexadecimal."""

    size: int
    checksum: str


async def receive(
    storage: PackageStorage, key: str, chunks: AsyncIterator[bytes], clock: Clock, *, limit: int, patience: float
) -> Received:
    """Store what `chunks` bring under `key`; nothing is left of it unless it is all there.

    Raises TooLarge beyond `limit` bytes, BadRequest (`upload-stalled`) when nothing has come for `patience` seconds,
    StorageFull, StorageUnavailable, FairleadError (`package-storage-failed`), and what `chunks` raises.
    """
    receiving = asyncio.current_task()
    assert receiving is not None
    taking = _Taking(limit)
    stalled = False

    async def watch() -> None:
        nonlocal stalled
        seen = -1
        while seen != taking.size or not taking.waiting:
            seen = taking.size
            await clock.sleep(patience)
        stalled = True
        receiving.cancel()

    watching = asyncio.create_task(watch())
    try:
        return await taking.all(storage, key, chunks)
    except asyncio.CancelledError:
        if not stalled or receiving.uncancel() > 0:
            raise
        raise BadRequest(
            f"Nothing has come for {patience:g} s after {taking.size} bytes of the package.",
            code="upload-stalled",
            remedy="Upload the package again.",
        ) from None
    except OSError as error:
        raise storage_failed(error) from error
    finally:
        watching.cancel()


def storage_failed(error: OSError) -> FairleadError:
    """The disk, or what is in its place, did not do what it was asked to."""
    return FairleadError(
        "The package's file cannot be written or read.",
        code="package-storage-failed",
        cause=str(error),
        remedy="Look at the disk of the data directory, or at the object store, and upload the package again.",
    )


class _Taking:
    """One upload on its way; `size` is how much has come, `waiting` whether it is the sender's turn."""

    def __init__(self, limit: int) -> None:
        self.size = 0
        self.waiting = False
        self._limit = limit
        self._state = hashlib.sha256()

    async def all(self, storage: PackageStorage, key: str, chunks: AsyncIterator[bytes]) -> Received:
        upload = await to_end(storage.open_upload, key)
        try:
            held: list[bytes] = []
            unwritten = 0
            while (chunk := await self._next(chunks)) is not None:
                held.append(chunk)
                unwritten += len(chunk)
                if unwritten >= _PART:
                    await to_end(_write, upload, self._state, held)
                    held, unwritten = [], 0
            await to_end(_write, upload, self._state, held)
            await to_end(upload.commit)
        except BaseException:
            with suppress(StorageUnavailable, OSError):
                await to_end(upload.abort)
            raise
        return Received(self.size, self._state.hexdigest())

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        self.waiting = True
        try:
            chunk = await anext(chunks, None)
        finally:
            self.waiting = False
        self.size += len(chunk or b"")
        if self.size > self._limit:
            raise TooLarge(f"The package is larger than {self._limit} bytes.", remedy="Upload a smaller package.")
        return chunk


def _write(upload: Upload, state: Any, parts: list[bytes]) -> None:
    joined = b"".join(parts)
    state.update(joined)
    upload.write(joined)
