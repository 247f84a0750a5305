"""Calling an address that a client named, with what a stranger may make a server do kept small.

Only HTTP, only to addresses that are allowed (`targets.py`): judged is the very address that a socket is about to be
connected to, after the name was looked up, so a name that answers otherwise the second time gains nothing. No proxy, cookie
or content coding comes into it. Packages are fetched through it and notifications are sent through it.
"""

from __future__ import annotations

import base64
import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import DummyCookieJar, hdrs
from yarl import URL

from fairlead import __version__
from fairlead.targets import Network, refusal

__all__ = ["access_token", "basic", "guarded_session", "reason_against", "shown"]

_LONGEST_TOKEN_ANSWER: Final = 2**16


def guarded_session(
    allowed: Sequence[Network], refused: Callable[[str], Exception], timeout: aiohttp.ClientTimeout
) -> aiohttp.ClientSession:
    """A session that connects only to what may be called; `refused` makes the error of a reason."""

    def connected(info: Any) -> socket.socket:
        """The socket for a connection to the address in `info`, which is looked at here and nowhere else."""
        family, kind, protocol, _, address = info
        reason = refusal(address[0], allowed)
        if reason is not None:
            raise refused(f"{address[0]} {reason}")
        return socket.socket(family=family, type=kind, proto=protocol)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(socket_factory=connected, use_dns_cache=False),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": f"fairlead/{__version__}", "Accept-Encoding": "identity"},
        timeout=timeout,
        trust_env=False,
    )


def reason_against(text: str, allowed: Sequence[Network]) -> str | None:
    """Why `text` is not called, as far as it can be seen without asking anybody; None if nothing speaks against it.

    Raises ValueError when it is no http or https URI with a host and without credentials.
    """
    parts = urlsplit(text)
    host, _ = parts.hostname, parts.port
    url = URL(text)
    if host is None or url.scheme not in ("http", "https") or url.user is not None or url.password is not None:
        raise ValueError("no http or https URI with a host and without credentials")
    with suppress(ValueError):
        ipaddress.ip_address(host)
        reason = refusal(host, allowed)
        return f"{host} {reason}" if reason is not None else None
    return None


async def access_token(session: aiohttp.ClientSession, endpoint: str, client: str, password: str) -> str:
    """An access token by RFC 6749, section 4.4, the client shown by HTTP's basic authentication.

    Raises ValueError when none is given, and what aiohttp raises.
    """
    form = {"grant_type": "client_credentials"}
    headers = {hdrs.AUTHORIZATION: basic(client, password)}
    async with session.post(URL(endpoint), data=form, headers=headers, allow_redirects=False) as answer:
        if answer.status != 200:
            raise ValueError(f"it answers {answer.status}")
        body = await answer.content.read(_LONGEST_TOKEN_ANSWER)
    token = None
    with suppress(ValueError):
        token = msgspec.json.decode(body, type=dict[str, Any]).get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise ValueError("its answer holds no access token")
    return token


def basic(user: str, password: str) -> str:
    """The Authorization header of HTTP's basic authentication."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def shown(url: URL | str) -> str:
    """An address without its query, which may hold a signature."""
    return str(URL(url).with_query(None).with_fragment(None))
