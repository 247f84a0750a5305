"""The calls to one OpenStack: one session for each VIM, so one token and one pool of connections.

keystoneauth gets the token, renews it before it ends and after it was revoked, and knows the service catalogue. It is
synchronous, so calls run in a few threads of the driver's own, as many as there are connections. Everything goes
through `call`, which puts a limit on the time and turns what goes wrong into errors of ours. Endpoints are looked up
once: no call needs a second one to find out where to go. A service that says when to ask again is not asked before.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from fairlead.errors import VimError, VimRefused, VimUnavailable
from fairlead.vims.openstack.refusals import Answer, Denied, NotThere, error_of, words_of
from fairlead.vims.openstack.settings import Place, Settings, Way, leads_home

if TYPE_CHECKING:
    from keystoneauth1.session import Session

__all__ = ["SETTLING", "Cloud", "is_id", "pause_of", "to"]

T = TypeVar("T")
SETTLING = 30.0
"""Seconds for which a call that was given up may still be under way in the service: Nova has needed 15 on a busy machine."""
_THREADS = 16
_NEXT_SECOND = 1.1
"""Seconds after which a token is of another second than one before: Keystone's times have no parts of seconds."""
_LONGEST_PAUSE = 60.0
_MICROVERSIONS = {"compute": "compute 2.64", "block-storage": "volume 3.42"}
"""Nova as of Rocky (policies of server groups), Cinder as of Ocata (volumes grow in use): as new as is needed, and no newer."""
_SUFFIXES = {"network": "/v2.0", "image": "/v2", "compute": "/v2.1", "block-storage": "", "orchestration": ""}
"""What an endpoint ends in where the catalogue has it without a version."""
_PATCHES = {"image": "application/openstack-images-v2.1-json-patch"}
"""What a patch's body is called where that is not JSON."""
_VERSION = re.compile(r"v\d+(\.\d+)?")
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def is_id(handle: str) -> bool:
    """Whether `handle` can be an id; what can not may be a name."""
    return _UUID.fullmatch(handle) is not None


def to(*parts: str) -> str:
    """The path of `parts`: none of them can lead to another call than the one that is meant."""
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


class Cloud:
    """One cloud. Nothing is opened before the first call."""

    def __init__(self, place: Place, way: Way, settings: Settings) -> None:
        self._place = place
        self._way = way
        self.settings = settings
        self._turns = asyncio.Semaphore(_THREADS)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="openstack")
        self._opening = threading.Lock()
        self._session: Session | None = None
        self._authority: str | None = None
        self._endpoints: dict[str, str | None] = dict(settings.endpoints)
        self._silent_until: dict[str, float] = {}

    # -- calls -------------------------------------------------------------------------------------------------------

    async def get(self, service: str, path: str, what: str, **query: Any) -> Any:
        """Read `path`. Raises VimError; `what` completes the sentence 'the cloud refused to ...'."""
        return (await self.request("GET", service, path, what, query=query)).body

    async def look(self, service: str, path: str, what: str, **query: Any) -> Any:
        """Read `path`; None when there is no such thing."""
        try:
            return await self.get(service, path, what, **query)
        except NotThere:
            return None

    async def patch(self, service: str, path: str, what: str, body: Any) -> Any:
        """Patch with `body` as JSON."""
        return (await self.request("PATCH", service, path, what, body=body)).body

    async def post(self, service: str, path: str, what: str, body: Any = None) -> Any:
        """Post `body` as JSON."""
        return (await self.request("POST", service, path, what, body=body)).body

    async def put(self, service: str, path: str, what: str, body: Any) -> Any:
        """Put `body` as JSON."""
        return (await self.request("PUT", service, path, what, body=body)).body

    async def delete(self, service: str, path: str, what: str) -> None:
        """Delete `path`; what is gone already is fine."""
        with contextlib.suppress(NotThere):
            await self.request("DELETE", service, path, what)

    async def all(self, service: str, path: str, key: str, what: str, **query: Any) -> list[dict[str, Any]]:
        """Everything of a list; see `paged`."""
        return (await self.paged(service, path, key, what, query))[1]

    async def paged(
        self, service: str, path: str, key: str, what: str, query: Mapping[str, Any]
    ) -> tuple[str | None, list[dict[str, Any]]]:
        """Everything of a list, which a service may give in pages, each with a link to the next; and the `Date` of the first.

        Raises VimUnavailable (`vim-unreadable`) when the pages do not end.
        """
        answer = await self.request("GET", service, path, what, query=query)
        date, found = answer.date, {thing["id"]: thing for thing in answer.body[key]}
        while answer.body[key] and _has_next(answer.body, key):
            asked = {**query, "marker": answer.body[key][-1]["id"]}
            answer = await self.request("GET", service, path, what, query=asked)
            more = {thing["id"]: thing for thing in answer.body[key]}
            if more and more.keys() <= found.keys():
                raise _unreadable(what, "what follows in the list is what was in it before")
            found |= more
        return date, list(found.values())

    async def request(
        self,
        method: str,
        service: str,
        path: str,
        what: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        file: Path | None = None,
        sent: Callable[[int], None] | None = None,
    ) -> Answer:
        """One call. `file` is sent as it is, and `sent` called in another thread with how many of its bytes have gone; `body`
        is sent as JSON.

        Raises VimUnavailable when the cloud does not answer, or not in time; another VimError when it refuses.
        """
        await self._keep_silent(service)
        limit = self.settings.timeout if file is None else self.settings.upload_timeout
        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path

        def send() -> Answer:
            return self._send(method, service, asked, body, file, limit, sent)

        answer = await self.call(what, send, limit)
        if answer.status == 401:
            # The session has got a new token already, but for a file, which it cannot read twice; and one of the second in
            # which others were revoked counts as revoked.
            if file is not None:
                await self.call(what, lambda: self._open().invalidate())
            await asyncio.sleep(_NEXT_SECOND)
            answer = await self.call(what, send, limit)
        if answer.status >= 400:
            if answer.pause is not None and answer.status in (413, 429, 503):
                self._silent_until[service] = time.monotonic() + min(answer.pause, _LONGEST_PAUSE)
            raise error_of(answer, what)
        said_nothing = method != "GET" and answer.text in ("", "null")
        if answer.status in (200, 201) and not said_nothing and not isinstance(answer.body, dict):
            raise _unreadable(what, f"{answer.status} {words_of(answer)}")
        return answer

    async def call(self, what: str, function: Callable[[], T], limit: float | None = None) -> T:
        """Run `function` in a thread of the driver's own, for at most `limit` seconds from when there is one. Raises VimError."""
        seconds = limit or self.settings.timeout
        try:
            async with self._turns, asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(self._pool, function)
        except TimeoutError as error:
            raise VimUnavailable(
                f"The cloud did not {what} within {seconds:g} s.", code="vim-timeout", cause="no answer in time"
            ) from error
        except VimError:
            raise
        except RuntimeError as error:
            raise VimUnavailable(f"The cloud could not be asked to {what}.", cause=str(error)) from error
        except Exception as error:
            raise _error_of_session(error, what) from error

    async def about(self) -> tuple[str, Mapping[str, str | None]]:
        """The id of the project that we are in, and the endpoints of the services that are used. Raises VimError."""

        def ask() -> tuple[str, dict[str, str | None]]:
            session = self._open()
            project = session.get_project_id()
            return str(project), {service: self._endpoint(service) for service in _SUFFIXES}

        return await self.call("tell about itself", ask)

    async def version(self, service: str) -> str:
        """The newest version of its API that a service speaks. Raises VimError."""
        return await self.call("tell its version", lambda: self._version(service))

    async def _keep_silent(self, service: str) -> None:
        pause = self._silent_until.get(service, 0.0) - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)

    # -- in a thread ---------------------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        service: str,
        path: str,
        body: Any,
        file: Path | None,
        limit: float,
        sent: Callable[[int], None] | None = None,
    ) -> Answer:
        session = self._open()
        endpoint = self._endpoint(service)
        if endpoint is None:
            raise VimRefused(
                f"The cloud has no service '{service}' for us.",
                code="service-missing",
                cause=f"the service catalogue has no {self._place.interface} endpoint of it",
                remedy="Correct region and interface of the VIM, or give settings.endpoints.",
            )
        headers = {"Accept": "application/json"}
        if service in _MICROVERSIONS:
            headers["OpenStack-API-Version"] = _MICROVERSIONS[service]
        if method == "PATCH" and service in _PATCHES:
            headers["Content-Type"] = _PATCHES[service]
        with contextlib.ExitStack() as stack:
            more: dict[str, Any] = {}
            if file is not None:
                headers["Content-Type"] = "application/octet-stream"
                opened = stack.enter_context(file.open("rb"))
                data = opened if sent is None else _Counted(opened, file.stat().st_size, sent)
                more = {"data": data, "allow_reauth": False}
            elif body is not None:
                more = {"json": body}
            answer = session.request(
                endpoint + path,
                method,
                headers=headers,
                authenticated=True,
                raise_exc=False,
                connect_retries=1 if method == "GET" else 0,  # a pooled connection may have ended since its last use
                connect_retry_delay=0.05,
                log=False,  # bodies hold what nobody else is to read
                timeout=limit,
                **more,
            )
        document = _json(answer)
        return Answer(
            service,
            answer.status_code,
            document,
            "" if isinstance(document, dict) else answer.text[:4000],
            answer.headers.get("x-openstack-request-id") or answer.headers.get("x-compute-request-id"),
            pause_of(answer.headers.get("Retry-After"), answer.headers.get("Date")),
            answer.headers.get("Date"),
        )

    def _version(self, service: str) -> str:
        """The version document is where an endpoint's path ends in its version."""
        url = urlsplit(self._endpoint(service) or "")
        parts = url.path.split("/")
        number = next((i for i, part in enumerate(parts) if _VERSION.fullmatch(part)), len(parts) - 1)
        root = f"{url.scheme}://{url.netloc}{'/'.join(parts[:number])}/"
        headers = {"Accept": "application/json"}
        answer = self._open().request(
            root, "GET", headers=headers, authenticated=False, raise_exc=False, log=False, connect_retries=1
        )
        document = _json(answer)
        if document is None or answer.status_code >= 400:
            raise error_of(Answer(service, answer.status_code, document, answer.text[:4000]), "tell its version")
        found = document.get("versions") or [document.get("version") or {}]
        newest = max((one.get("version") or one.get("id") or "" for one in found), key=_numbers)
        return str(newest).lstrip("v")

    def _endpoint(self, service: str) -> str | None:
        if service not in self._endpoints:
            from keystoneauth1 import exceptions

            place = self._place
            try:
                url = self._open().get_endpoint(
                    service_type=service, interface=place.interface, region_name=place.region
                )
            except exceptions.CatalogException:
                url = None
            if url is not None and leads_home(url, place):
                raise VimRefused(
                    f"The cloud's catalogue says that '{service}' is on the machine that Fairlead runs on.",
                    code="endpoint-on-host",
                    cause=url,
                    remedy="Correct the catalogue, or have an administrator give settings.endpoints.",
                )
            self._endpoints[service] = None if url is None else _versioned(service, url)
        return self._endpoints[service]

    def _open(self) -> Session:
        with self._opening:
            if self._session is None:
                self._session = self._opened()
            return self._session

    def _opened(self) -> Session:
        """A session; the libraries are loaded here, for whoever has no OpenStack does without them."""
        import requests
        from keystoneauth1.session import Session, TCPKeepAliveAdapter

        http = requests.Session()
        for scheme in ("http://", "https://"):
            http.mount(scheme, TCPKeepAliveAdapter(pool_connections=8, pool_maxsize=_THREADS))
        verify: bool | str = not self.settings.insecure
        if self._place.ca is not None and verify:
            with tempfile.NamedTemporaryFile(
                "w", suffix=".pem", delete=False
            ) as file:  # requests reads it from a file only
                file.write(self._place.ca)
            verify = self._authority = file.name
        return Session(
            auth=_plugin(self._place.auth_url, self._way),
            session=http,
            verify=verify,
            timeout=self.settings.timeout,
            app_name="fairlead",
        )

    async def close(self) -> None:
        """Let go of connections; calls under way in threads end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._session is not None:
            self._session.session.close()
        if self._authority is not None:
            await asyncio.to_thread(Path(self._authority).unlink, missing_ok=True)


class _Counted:
    """A file to be sent, as the HTTP library reads one, which tells how far it is."""

    def __init__(self, file: BinaryIO, size: int, sent: Callable[[int], None]) -> None:
        self._file = file
        self._size = size
        self._sent = sent

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._sent(self._file.tell())
        return piece


def _plugin(auth_url: str, way: Way) -> Any:
    from keystoneauth1.identity import generic, v3

    url = auth_url.rstrip("/")
    values: dict[str, Any] = dict(way.values)
    if way.method == "application-credential":
        return v3.ApplicationCredential(url if url.endswith("/v3") else f"{url}/v3", **values)
    if way.method == "token":
        return generic.Token(url, **values)
    return generic.Password(url, **values)


def _error_of_session(error: Exception, what: str) -> VimError:
    """What keystoneauth raises: it could not connect, or Keystone did not give a token."""
    from keystoneauth1 import exceptions

    words = str(error) or type(error).__name__
    if isinstance(error, exceptions.HttpError) and error.http_status < 500:
        remedy = "Correct the credentials by an update of the VIM; `fairlead vim check` tries them."
        cause = f"{error.http_status} {words}" + (f" ({error.request_id})" if error.request_id else "")
        return Denied(
            f"Keystone gave us no token to {what} with.", code="vim-credentials-refused", cause=cause, remedy=remedy
        )
    if isinstance(error, exceptions.SSLError):
        remedy = "Give the authority of its certificate as interface.ca."
        return VimUnavailable(
            "The cloud's certificate is not trusted.", code="vim-not-trusted", cause=words, remedy=remedy
        )
    if isinstance(error, exceptions.ConnectTimeout):
        return VimUnavailable(f"The cloud did not {what} in time.", code="vim-timeout", cause=words)
    if isinstance(error, exceptions.ClientException | OSError):
        unreachable = VimUnavailable(f"The cloud cannot be reached to {what}.", cause=words)
        unreachable.over = _never_sent(error)
        return unreachable
    return VimUnavailable(f"The cloud could not {what}.", cause=repr(error))


def _has_next(page: Mapping[str, Any], key: str) -> bool:
    """Glance has one link in its own words."""
    return bool(page.get("next")) or any(link.get("rel") == "next" for link in page.get(f"{key}_links") or ())


def _unreadable(what: str, cause: str) -> VimUnavailable:
    """For an answer that means nothing, which is what a proxy's own pages do; whether the service was asked is not known."""
    return VimUnavailable(
        f"The cloud's answer cannot be read, when asked to {what}.",
        code="vim-unreadable",
        cause=cause,
        remedy="See what answers in place of the service: a proxy before it, or a wrong endpoint.",
    )


def _never_sent(error: BaseException) -> bool:
    """Whether there was no connection to send the call over. keystoneauth and requests put it into errors of their own."""
    from urllib3.exceptions import NewConnectionError

    seen: BaseException | None = error
    while seen is not None:
        inner = seen.args[0] if seen.args else None
        if isinstance(seen, NewConnectionError) or isinstance(getattr(inner, "reason", None), NewConnectionError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _versioned(service: str, url: str) -> str:
    """An endpoint as calls are made to it: `https://host/image` becomes `https://host/image/v2`."""
    plain = url.rstrip("/")
    if any(_VERSION.fullmatch(part) for part in urlsplit(plain).path.split("/")):
        return plain
    return plain + _SUFFIXES[service]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.lstrip("v").split(".") if part.isdigit())


def _json(answer: Any) -> Any:
    if not answer.content or "json" not in answer.headers.get("Content-Type", ""):
        return None
    try:
        return answer.json()
    except ValueError:
        return None


def pause_of(text: str | None, date: str | None) -> float | None:
    """The seconds in a `Retry-After` (RFC 9110), or until the date in it by the clock of who answers; None for what is neither."""
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        return max(float(text), 0.0)
    with contextlib.suppress(ValueError, TypeError):
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return max((parsedate_to_datetime(text) - now).total_seconds(), 0.0)
    return None
