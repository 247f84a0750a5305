"""The vault: secrets by owner.

`digest` is pure, so that desired resources can be computed with references before anything is stored; `put` stores the
values in the transaction that stores what refers to them. `open` is called just before an infrastructure is.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from fairlead.errors import Quarantined
from fairlead.resources import SecretRef
from fairlead.secrets.keyring import Keyring
from fairlead.secrets.tables import secrets
from fairlead.store import Store, Tx

__all__ = ["Vault", "any_sealed"]

_RESEALED_AT_ONCE = 200


class Vault:
    """Secrets of one installation; `keyring` holds the keys, `store` the sealed values."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring

    def digest(self, value: str) -> SecretRef:
        """The reference by which `value` is known; equal for equal values."""
        return SecretRef(self._keyring.digest(value.encode()))

    def put(self, tx: Tx, project: str, owner: str, values: Mapping[SecretRef, str]) -> None:
        """Store `values` for `owner`, beside those that it has."""
        for reference, value in values.items():
            tx.put(
                secrets,
                owner=owner,
                digest=reference.digest,
                key=self._keyring.current,
                sealed=self._keyring.seal(value.encode(), _context(owner, reference.digest)),
                project=project,
            )

    async def open(self, owner: str) -> Mapping[SecretRef, str]:
        """All secrets of `owner`. Raises Quarantined (code `secret-unreadable`) when one of them cannot be read."""

        def work(tx: Tx) -> list[tuple[str, str]]:
            return tx.all(tx.select(secrets, secrets.c.digest, secrets.c.sealed).where(secrets.c.owner == owner))

        rows = await self._store.read(work)
        return {SecretRef(digest): self._opened(owner, digest, sealed) for digest, sealed in rows}

    def forget(self, tx: Tx, owner: str) -> None:
        """Delete all secrets of `owner`."""
        tx.run(tx.delete(secrets).where(secrets.c.owner == owner))

    async def unreadable(self) -> list[str]:
        """The owners of secrets whose master key is not here: to be told at start."""
        statement = sa.select(secrets.c.owner).where(secrets.c.key.not_in(self._keyring.ids)).distinct()
        rows = await self._store.read(lambda tx: tx.all(statement.order_by(secrets.c.owner)))
        return [row.owner for row in rows]

    async def reseal(self) -> int:
        """Seal anew, under the newest key, what older keys here have sealed; how many secrets those were.

        What is damaged is left as it is. After it, older keys but the oldest may go.
        """
        older = self._keyring.ids - {self._keyring.current}
        place = sa.tuple_(secrets.c.owner, secrets.c.digest)
        due = sa.select(secrets).where(secrets.c.key.in_(older)).order_by(secrets.c.owner, secrets.c.digest)
        last, number = ("", ""), 0

        def work(tx: Tx) -> tuple[tuple[str, str] | None, int]:
            rows, resealed = tx.all(due.where(place > last).limit(_RESEALED_AT_ONCE)), 0
            for row in rows:
                try:
                    value = self._opened(row.owner, row.digest, row.sealed)
                except Quarantined:
                    continue
                self.put(tx, row.project, row.owner, {SecretRef(row.digest): value})
                resealed += 1
            return (rows[-1].owner, rows[-1].digest) if rows else None, resealed

        while older:
            reached, resealed = await self._store.write(work)
            number += resealed
            if reached is None:
                break
            last = reached
        return number

    def _opened(self, owner: str, digest: str, sealed: str) -> str:
        return self._keyring.unseal(sealed, _context(owner, digest)).decode()


def _context(owner: str, digest: str) -> str:
    return f"{owner} {digest}"


def any_sealed(tx: Tx) -> bool:
    """Whether anything is sealed under a master key."""
    return tx.first(tx.select(secrets, secrets.c.owner).limit(1)) is not None
