"""Making credentials and recognising them.

A credential says by its first letters what it is, so that scanners for leaked secrets can be taught to find it. Only its
SHA-256 is ever stored or compared: looking it up by that in an index reveals nothing through time, since nobody can
choose a digest's beginning without 2^n attempts at values they do not know.
"""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256

from fairlead.errors import Unauthenticated

__all__ = ["bearer", "digest", "matches", "new_access_token", "new_client_secret", "new_id", "new_token"]

_NONE = "0" * 64


def new_id() -> str:
    """An id that may be shown."""
    return secrets.token_hex(8)


def new_token() -> str:
    return f"flt_{secrets.token_urlsafe(32)}"


def new_access_token() -> str:
    return f"fla_{secrets.token_urlsafe(32)}"


def new_client_secret() -> str:
    return f"fls_{secrets.token_urlsafe(32)}"


def digest(credential: str) -> str:
    """What is stored of `credential`."""
    return sha256(credential.encode(errors="surrogateescape")).hexdigest()


def matches(credential: str, stored: str | None) -> bool:
    """Whether `stored` is the digest of `credential`; takes as long when nothing is stored."""
    return hmac.compare_digest(digest(credential), stored or _NONE) and stored is not None


def bearer(authorization: str | None, remedy: str = "Send the header 'Authorization: Bearer <token>'.") -> str:
    """The token in an `Authorization` header.

    Raises Unauthenticated (code `no-credentials` when there is none, `credentials-malformed` for another scheme).
    """
    if not authorization or not authorization.strip():
        raise Unauthenticated(
            "The request carries no credentials.",
            code="no-credentials",
            remedy=remedy,
        )
    match = re.fullmatch(r"(?i:bearer) +(\S+)", authorization.strip())
    if match is None:
        raise Unauthenticated(
            "The Authorization header is not of the form 'Bearer <token>'.",
            code="credentials-malformed",
            remedy=remedy,
        )
    return match[1]
