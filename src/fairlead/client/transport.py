"""The one place where a client talks HTTP.

Everything that all requests share is here: who is asking, which API version, what a failure becomes, how a list is
paged. Each ETSI interface is asked for in one version; a server that does not serve it says so with 406 and is then
asked which it does serve, once. Only the query of a `next` link is followed, never its address: behind a proxy the
server may not know its own address, and a token must not go to another host because an answer says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from fairlead import __version__
from fairlead.client.credentials import Credentials
from fairlead.client.problems import error_of
from fairlead.errors import BadRequest, ServerUnreachable, UnexpectedAnswer

__all__ = ["Document", "Transport"]

Document = dict[str, Any]
"""A JSON object as the server sent it."""

_VERSIONS = {"/vnflcm/v2": "2.0.0", "/vnfpkgm/v2": "2.1.0"}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')


class Transport:
    """HTTP to one server. `timeout` in seconds is for connecting and for each read; `verify` is a CA file or False."""

    def __init__(
        self, url: str, *, credentials: Credentials | None, timeout: float, ca_file: str | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadRequest(
                f"{url!r} is not the address of a server.",
                code="bad-url",
                remedy="Give it with its scheme, such as http://127.0.0.1:9890.",
            )
        self.url = url.rstrip("/")
        self._credentials = credentials
        self._versions = dict(_VERSIONS)
        try:
            self._http = httpx.Client(
                base_url=self.url,
                timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
                verify=_trust(ca_file),
                # A proxy set for the outside world is not meant for a server on this very machine.
                trust_env=parts.hostname not in _LOOPBACK,
                headers={"User-Agent": f"fairlead/{__version__}", "Accept": "application/json"},
            )
        except (OSError, ValueError) as error:
            raise BadRequest(f"The connection cannot be set up: {error}.", code="bad-connection-settings") from error

    def close(self) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: Iterator[bytes] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """The answer, when it is a good one; otherwise the error that it stands for.

        Raises the errors of `fairlead.errors`; ServerUnreachable with the code `cannot-reach-server` when the request
        was never sent, and `no-answer` when it was and what became of it is not known.
        """
        extra: dict[str, Any] = {} if body is None else {"json": body}
        if content is not None:
            extra["content"] = content
        if timeout is not None:
            extra["timeout"] = timeout
        for last in (False, True):
            answer = self._send(method, path, params=params, headers=headers, extra=extra)
            # Content that is streamed is gone after the first try.
            if last or content is not None or not self._worth_repeating(answer, path):
                break
        if answer.is_success:
            return answer
        raise error_of(answer.status_code, _problem(answer), at=f"{method} {path}")

    def document(self, method: str, path: str, **more: Any) -> Document:
        """The JSON object in an answer."""
        found = _json(self.request(method, path, **more))
        if not isinstance(found, dict):
            raise _unexpected(f"{method} {path}", "an object was expected")
        return found

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Document]:
        """The objects of a list, page after page, as they are asked for."""
        query: Mapping[str, str] | None = params
        while True:
            answer = self.request("GET", path, params=query)
            items = _json(answer)
            if not isinstance(items, list):
                raise _unexpected(f"GET {path}", "a list was expected")
            yield from items
            following = _NEXT.search(answer.headers.get("Link", ""))
            if following is None:
                return
            query = dict(parse_qsl(urlsplit(following.group(1)).query, keep_blank_values=True))

    @contextmanager
    def stream(
        self, path: str, *, params: Mapping[str, str], headers: Mapping[str, str], silence: float
    ) -> Iterator[httpx.Response]:
        """An answer that is read while it comes; `silence` in seconds is how long nothing at all may come."""
        sent = self._headers(path, headers)
        with (
            _told(self.url),
            self._http.stream(
                "GET", path, params=params, headers=sent, timeout=httpx.Timeout(10.0, read=silence)
            ) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise error_of(answer.status_code, _problem(answer), at=f"GET {path}")
            yield answer

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        extra: Document,
    ) -> httpx.Response:
        with _told(self.url):
            return self._http.request(method, path, params=params, headers=self._headers(path, headers), **extra)

    def _headers(self, path: str, headers: Mapping[str, str] | None) -> dict[str, str]:
        sent = dict(headers or {})
        prefix = self._interface(path)
        if prefix is not None:
            sent["Version"] = self._versions[prefix]
        authorization = self._credentials.authorization(self._http) if self._credentials else None
        if authorization is not None:
            sent["Authorization"] = authorization
        return sent

    def _interface(self, path: str) -> str | None:
        return next((prefix for prefix in self._versions if path.startswith(prefix + "/")), None)

    def _worth_repeating(self, answer: httpx.Response, path: str) -> bool:
        if answer.status_code == 401:
            return self._credentials is not None and self._credentials.refused()
        prefix = self._interface(path)
        if answer.status_code != 406 or prefix is None:
            return False
        newest = self._newest(prefix)
        if newest is None or newest == self._versions[prefix]:
            return False
        self._versions[prefix] = newest
        return True

    def _newest(self, prefix: str) -> str | None:
        """The newest version of an interface that the server serves under `prefix` (SOL013, section 9.3)."""
        with _told(self.url):
            answer = self._http.get(f"{prefix}/api_versions", headers=self._headers("", None))
        if not answer.is_success:
            return None
        major = prefix.rsplit("/v", 1)[1]
        found: list[tuple[int, ...]] = []
        for entry in _json(answer).get("apiVersions", []):
            numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", entry.get("version", ""))
            if numbers and numbers.group(1) == major:
                found.append(tuple(int(part) for part in numbers.groups()))
        return ".".join(map(str, max(found))) if found else None


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Failures of the connection as ServerUnreachable."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise ServerUnreachable(
            f"The server at {url} cannot be reached.",
            cause=str(error) or type(error).__name__,
            remedy="Start it with `fairlead serve`, or say where it is with --url or FAIRLEAD_URL.",
        ) from error
    except httpx.TransportError as error:
        raise ServerUnreachable(
            f"The connection to {url} broke before the answer was complete.",
            code="no-answer",
            cause=str(error) or type(error).__name__,
            remedy="Look at what became of the request before you repeat it.",
        ) from error


def _trust(ca_file: str | None) -> Any:
    if ca_file is None:
        return True
    import ssl

    return ssl.create_default_context(cafile=ca_file)


def _problem(answer: httpx.Response) -> Document | None:
    try:
        found = answer.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        at = f"{answer.request.method} {answer.request.url.path}"
        raise _unexpected(at, "JSON was expected", answer.text[:120]) from error


def _unexpected(at: str, expected: str, words: str | None = None) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"The answer to {at} is not one of Fairlead's: {expected}.",
        cause=words or None,
        remedy="Check that the address is that of a Fairlead server.",
    )
