"""The right to work on one package, which ends with its process at the latest.

Whoever takes a package in, reads or deletes it holds its claim, so a row that says UPLOADING or PROCESSING and that
nobody has claimed was left behind. With SQLite, which one process uses, a claim is a locked file; with PostgreSQL it is a
lock there, and the processes of an installation need nothing else in common.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import sqlalchemy as sa
import structlog

from fairlead.errors import StoreUnavailable
from fairlead.packages.locks import FileLock

__all__ = ["Claim", "Claims", "DatabaseClaims", "FileClaims"]

log = structlog.get_logger()
_NOTICING: Final = {"connect_timeout": 5, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
"""Libpq's words for noticing within seconds that the server's machine is gone."""
_BEAT: Final = 1.0
_SILENCE: Final = 10.0
"""Seconds after which the server ends the connection of a process that hangs, and its claims with it."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Claim(Protocol):
    """A claim that is held."""

    def release(self) -> None:
        """Give it up; a second time does nothing."""
        ...


class Claims(Protocol):
    """All calls block and belong into threads."""

    def take(self, package: str) -> Claim | None:
        """The right to work on `package`; None while another has it."""
        ...

    def take_over(self, package: str) -> Claim | None:
        """As `take`, for what seems to have been left: sure that nobody is only cut off from his claim for a moment."""
        ...

    def tidy(self) -> None:
        """Remove what processes that died have left of their claims."""
        ...

    def close(self) -> None: ...


class FileClaims:
    """Claims as locked files in `<data>/packages/.locks`; a file is there only while its package is worked on."""

    def __init__(self, data: Path) -> None:
        self._directory = data / "packages" / ".locks"
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def take(self, package: str) -> Claim | None:
        if not _ID.fullmatch(package):
            raise ValueError(f"{package!r} is no package id")
        lock = FileLock.take(self._directory / package)
        return _FileClaim(lock) if lock is not None else None

    take_over = take

    def tidy(self) -> None:
        for path in self._directory.iterdir():
            lock = FileLock.take(path)
            if lock is not None:
                lock.release(remove=True)

    def close(self) -> None:
        pass


class _FileClaim:
    def __init__(self, lock: FileLock) -> None:
        self._lock = lock

    def release(self) -> None:
        self._lock.release(remove=True)


class DatabaseClaims:
    """Claims as advisory locks of PostgreSQL, all on one connection of this process, for processes that share no disk.

    The connection is looked at each second. When it was lost, as by a restart of the database, the locks are taken again on a
    new one, which is why others take over only what they have found free twice, some seconds apart. A claim that somebody
    else was faster to take is lost: its holder's next change of the package is refused, because the package's key is
    another one then.
    """

    def __init__(self, url: sa.URL, *, settling: float = 3.0) -> None:
        self._engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args=_NOTICING)
        self._settling = settling
        self._guard = threading.Lock()
        self._held: set[str] = set()
        self._released: deque[str] = deque()
        self._wake = threading.Event()
        self._connection: sa.Connection | None = None
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None

    def take(self, package: str) -> Claim | None:
        with self._guard:
            self._unlock()
            if package in self._held:
                return None
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="package-claims", daemon=True)
                self._keeper.start()
            try:
                got = self._locked(package)
            except sa.exc.DBAPIError:
                self._drop()
                got = self._insist(package)
            if not got:
                return None
            self._held.add(package)
            return _DatabaseClaim(self, package)

    def take_over(self, package: str) -> Claim | None:
        seen = self.take(package)
        if seen is None:
            return None
        seen.release()
        self._stopping.wait(self._settling)
        return self.take(package)

    def give_up(self, package: str) -> None:
        """End a claim; does not block, for it is called from the event loop."""
        self._released.append(package)
        self._wake.set()

    def tidy(self) -> None:
        pass

    def close(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._keeper is not None:
            self._keeper.join()
        with self._guard:
            self._drop()
        self._engine.dispose()

    def _insist(self, package: str) -> bool:
        try:
            return self._locked(package)
        except sa.exc.DBAPIError as error:
            self._drop()
            raise StoreUnavailable(
                "The database does not answer.",
                cause=str(error.orig).strip(),
                remedy="Start the database again, and repeat the request.",
            ) from error

    def _locked(self, package: str) -> bool:
        return bool(self._connected().scalar(sa.select(sa.func.pg_try_advisory_lock(_number(package)))))

    def _connected(self) -> sa.Connection:
        """The connection; a new one holds at once what the former one held."""
        if self._connection is None:
            made = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection = made
            if (made.dialect.server_version_info or ()) >= (14,):
                made.exec_driver_sql(f"SET idle_session_timeout = '{_SILENCE:g}s'")
            for package in sorted(self._held):
                if not made.scalar(sa.select(sa.func.pg_try_advisory_lock(_number(package)))):
                    log.warning("package.claim-lost", package=package)
        return self._connection

    def _unlock(self) -> None:
        """Let go of what was given up."""
        while self._released:
            package = self._released.popleft()
            self._held.discard(package)
            if self._connection is not None:
                try:
                    self._connection.execute(sa.select(sa.func.pg_advisory_unlock(_number(package))))
                except sa.exc.DBAPIError:
                    self._drop()

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(_BEAT)
            self._wake.clear()
            with self._guard:
                self._unlock()
                try:
                    self._connected().execute(sa.select(1))
                except sa.exc.DBAPIError as error:
                    log.warning("package.claims-lost", cause=str(error.orig).strip()[:200])
                    self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sa.exc.DBAPIError):
                connection.close()


class _DatabaseClaim:
    def __init__(self, claims: DatabaseClaims, package: str) -> None:
        self._claims: DatabaseClaims | None = claims
        self._package = package

    def release(self) -> None:
        claims, self._claims = self._claims, None
        if claims is not None:
            claims.give_up(self._package)

    def __del__(self) -> None:
        # A claim whose taker was cancelled while a thread took it for him belongs to nobody.
        self.release()


def _number(package: str) -> int:
    """A lock's number, which is of 64 bits: the start of a digest."""
    return int.from_bytes(hashlib.sha256(f"package {package}".encode()).digest()[:8], "big", signed=True)
