"""One file for packages with the same content, counted in the transactions that begin and end their use of it.

The count and the removal of a file that has come to zero stand in one transaction with the package's own change, and a
content's row is locked while it is counted; so neither a crash nor two processes at once can lose a file that somebody
uses, or keep one that nobody does.
"""

from __future__ import annotations

from fairlead.packages.tables import contents
from fairlead.store import Tx

__all__ = ["Moved", "key_of", "leave", "share"]


class Moved(Exception):
    """The content is not where it was looked for: look again, and run the transaction again."""


def share(tx: Tx, digest: str, key: str, *, found: str | None, sound: bool) -> str | None:
    """One more package has the content with this SHA-256, which has just been stored under `key`.

    `found` is the key under which the same content was looked for before, and `sound` whether it was whole there. Returns
    the key that nobody needs now. Raises Moved when the content is under another key by now, IntegrityError when another
    transaction has been first to store such a content.
    """
    row = tx.find(contents, contents.c.key, contents.c.users, lock=True, digest=digest)
    if row is None:
        tx.insert(contents, digest=digest, key=key, users=1)
        return None
    if row.key != found:
        raise Moved
    kept, superfluous = (row.key, key) if sound else (key, row.key)
    tx.change(contents, {"digest": digest}, key=kept, users=row.users + 1)
    return str(superfluous)


def leave(tx: Tx, digest: str) -> str | None:
    """One package less has this content. Returns the key that nobody needs now, if it was the last one."""
    row = tx.find(contents, contents.c.key, contents.c.users, lock=True, digest=digest)
    if row is None:
        return None
    if row.users > 1:
        tx.change(contents, {"digest": digest}, users=row.users - 1)
        return None
    tx.run(tx.delete(contents).where(contents.c.digest == digest))
    return str(row.key)


def key_of(tx: Tx, digest: str) -> str | None:
    """Where the content is."""
    row = tx.find(contents, contents.c.key, digest=digest)
    return str(row.key) if row is not None else None
