"""What a client shows the server to say who it is: a bearer token, or OAuth2 client credentials.

A token is sent as it is. Client credentials are exchanged for a token at the server's own token endpoint when the first
request needs one; it is renewed a little before it runs out, and once when the server refuses it (the server may have
been restarted with other keys). Neither ever appears in an error or a representation.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from fairlead.errors import Unauthenticated, UnexpectedAnswer

if TYPE_CHECKING:
    import httpx

__all__ = ["BearerToken", "ClientCredentials", "Credentials"]

_EARLY = 30.0
"""Seconds before its end at which a token is renewed: longer than a request takes to arrive."""


class Credentials(Protocol):
    """Who the caller is, as an `Authorization` header."""

    def authorization(self, http: httpx.Client) -> str | None:
        """The value of the header, fetched through `http` where it has to be; None to send none."""
        ...

    def refused(self) -> bool:
        """The server did not accept it: True when asking for the header again may give another one."""
        ...


class BearerToken:
    """A token as `fairlead serve` prints or `fairlead token create` returns it."""

    def __init__(self, token: str) -> None:
        self._token = token.strip()

    def authorization(self, _http: httpx.Client) -> str | None:
        return f"Bearer {self._token}"

    def refused(self) -> bool:
        return False


class ClientCredentials:
    """An OAuth2 client (RFC 6749, section 4.4) that fetches its own tokens.

    `token_url` is absolute, or relative to the server's address.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        token_url: str = "/oauth2/token",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._id = client_id
        self._secret = client_secret
        self._url = token_url
        self._now = now
        self._lock = threading.Lock()
        self._token: str | None = None
        self._ends = 0.0

    def authorization(self, http: httpx.Client) -> str | None:
        """Raises Unauthenticated (`client-refused`) when the server does not know the client or its secret."""
        with self._lock:
            if self._token is None or self._now() >= self._ends - _EARLY:
                self._fetch(http)
            return f"Bearer {self._token}"

    def refused(self) -> bool:
        with self._lock:
            had_one, self._token = self._token is not None, None
        return had_one

    def _fetch(self, http: httpx.Client) -> None:
        answer = http.post(self._url, data={"grant_type": "client_credentials"}, auth=(self._id, self._secret))
        if answer.status_code in (400, 401, 403):
            raise Unauthenticated(
                f"The server gave the client {self._id!r} no token.",
                code="client-refused",
                cause=answer.text[:500] or None,
                remedy="Check the client's id and secret.",
            )
        try:
            document = answer.json()
            self._token = str(document["access_token"])
            self._ends = self._now() + float(document.get("expires_in", 300))
        except (ValueError, KeyError, TypeError) as error:
            raise UnexpectedAnswer(
                f"The token endpoint answered {answer.status_code} with something that is not a token.",
                cause=answer.text[:200] or None,
                remedy="Check the address of the server.",
            ) from error
