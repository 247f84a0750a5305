"""Tokens of an OpenStack's Keystone: who sends one, for which project, in which roles.

It is done as keystonemiddleware does it (decision 0012): a service user asks Keystone about a token, and the answer, a no
as well, is remembered for `cache` seconds by the token's digest, never beyond the token's own end. So what is revoked in
Keystone works here for that long at most. Requests that come with the same new token ask once. While Keystone does not
answer, what is remembered goes on, and everything else is told to come again: an outage is not a wrong token. Keystone's
projects are Fairlead's, by id; a row is made when one is first seen.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from fairlead.clock import Clock
from fairlead.errors import FairleadError, Forbidden, IdentityUnavailable, RequestError, Unauthenticated
from fairlead.identity.credentials import bearer, digest
from fairlead.identity.policy import Caller

__all__ = ["Keystone", "KeystoneAccess"]

_REMEMBERED: Final = 10_000
_AT_ONCE: Final = 4
"""Threads, and connections to Keystone."""
_LONGEST: Final = 16_384
"""Characters of a token; Fernet's have some 300, signed ones grow with what they say."""
_WAITING: Final = 1000
"""Tokens that Keystone is being asked about, at most: whoever sends more made-up ones is told to come again."""
_REMEDY: Final = "Send a token of Keystone in the header X-Auth-Token, as `openstack token issue` gives one."


@dataclass(frozen=True, kw_only=True)
class KeystoneAccess:
    """Where Keystone is, and the service user who may ask it about tokens. `timeout` in seconds."""

    auth_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    user_domain: str = "Default"
    project: str = "service"
    project_domain: str = "Default"
    application_credential_id: str | None = None
    application_credential_secret: str | None = field(default=None, repr=False)
    ca: Path | None = None
    insecure: bool = False
    timeout: float = 10.0

    @property
    def url(self) -> str:
        """The address of version 3 of the API."""
        plain = self.auth_url.rstrip("/")
        return plain if plain.endswith("/v3") else f"{plain}/v3"


class _Known(NamedTuple):
    answer: Caller | RequestError
    until: float


class Keystone:
    """The answer to who is calling, of one Keystone.

    `seen` is told each project's id and name before somebody of it is let in. `cache` in seconds.
    """

    def __init__(
        self, access: KeystoneAccess, clock: Clock, seen: Callable[[str, str], Awaitable[None]], *, cache: float = 300.0
    ) -> None:
        self._access = access
        self._clock = clock
        self._seen = seen
        self._cache = cache
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Caller]] = {}
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="keystone")
        self._session: Any = None
        self.trouble: str | None = None
        """Why Keystone could not be asked the last time; None when it could."""

    async def authenticate(self, authorization: str | None) -> Caller:
        """Who sends the token in `authorization` (`Bearer <token>`).

        Raises Unauthenticated (`no-credentials`, `credentials-malformed`, `token-invalid`, `token-expired`), Forbidden
        (`token-without-project`), IdentityUnavailable.
        """
        token = bearer(authorization, _REMEDY)
        if len(token) > _LONGEST or not (token.isascii() and token.isprintable()):
            raise Unauthenticated("What was sent cannot be a token.", code="token-invalid", remedy=_REMEDY)
        key = digest(token)
        known = self._known.get(key)
        if known is not None and known.until > self._clock.now():
            self._known.move_to_end(key)
            if isinstance(known.answer, Caller):
                return known.answer
            raise known.answer.with_traceback(None)
        task = self._asking.get(key)
        if task is None:
            if len(self._asking) >= _WAITING:
                raise IdentityUnavailable(
                    "Keystone is being asked about too many tokens at once.", remedy="Send again."
                )
            task = asyncio.get_running_loop().create_task(self._ask(key, token), name="keystone")
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        # Who goes away takes the answer away from nobody else.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Let go of connections."""
        for task in tuple(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._session is not None:
            self._session.session.close()

    def _asked(self, key: str, done: asyncio.Task[Caller]) -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waited has been told

    async def _ask(self, key: str, token: str) -> Caller:
        now = self._clock.now()
        status, body = await self._call(token)
        if status == 404:
            self._remember(
                key,
                Unauthenticated(
                    "Keystone does not know the token, or it has ended or been revoked.",
                    code="token-invalid",
                    remedy=_REMEDY,
                ),
                now + self._cache,
            )
        found, ends = _read(status, body)
        if ends <= now:
            self._remember(
                key,
                Unauthenticated("The token has expired.", code="token-expired", remedy="Get a new one from Keystone."),
                now + self._cache,
            )
        if isinstance(found, Caller):
            await self._seen(found.project, f"{body['token']['project']['name']} in Keystone")
        return self._remember(key, found, min(now + self._cache, ends))

    def _remember(self, key: str, answer: Caller | RequestError, until: float) -> Caller:
        self._known[key] = _Known(answer, until)
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        if isinstance(answer, Caller):
            return answer
        raise answer

    async def _call(self, token: str) -> tuple[int, Any]:
        """Status and body of Keystone's answer about `token`. Raises IdentityUnavailable."""
        loop = asyncio.get_running_loop()
        try:
            # The session has a limit of its own for each step; this one is for all, and for waiting for a thread.
            async with asyncio.timeout(self._access.timeout * 3):
                answer = await loop.run_in_executor(self._threads, self._send, token)
        except TimeoutError as error:
            self.trouble = "no answer in time"
            raise _silent(self.trouble) from error
        except IdentityUnavailable as error:
            self.trouble = f"{error.detail} {error.cause}"
            raise
        self.trouble = None
        return answer

    # -- in a thread -----------------------------------------------------------------------------------------------------

    def _send(self, token: str) -> tuple[int, Any]:
        from keystoneauth1 import exceptions

        try:
            answer = self._open().get(
                f"{self._access.url}/auth/tokens?nocatalog",
                headers={"X-Subject-Token": token, "Accept": "application/json"},
                authenticated=True,
                raise_exc=False,
                log=False,  # the token is nobody else's to read
                connect_retries=1,
                connect_retry_delay=0.05,
            )
        except exceptions.HttpError as error:
            if error.http_status >= 500:
                raise _silent(f"{error.http_status} {error.message}") from error
            raise _refused(f"{error.http_status} {error.message}") from error
        except exceptions.ClientException as error:
            raise _silent(str(error) or type(error).__name__) from error
        if answer.status_code in (401, 403):
            raise _refused(f"{answer.status_code} {_words(answer)}")
        if answer.status_code not in (200, 404):
            raise _silent(f"{answer.status_code} {_words(answer)}")
        with suppress(ValueError):
            return answer.status_code, answer.json()
        raise _silent("its answer is not JSON")

    def _open(self) -> Any:
        # Loaded with the first token: who has no Keystone does without it.
        import requests
        from keystoneauth1.session import Session, TCPKeepAliveAdapter

        if self._session is None:
            http = requests.Session()
            for scheme in ("http://", "https://"):
                http.mount(scheme, TCPKeepAliveAdapter(pool_connections=1, pool_maxsize=_AT_ONCE))
            verify: bool | str = not self._access.insecure
            if self._access.ca is not None and verify:
                verify = str(self._access.ca)
            self._session = Session(
                auth=self._user(), session=http, verify=verify, timeout=self._access.timeout, app_name="fairlead"
            )
        return self._session

    def _user(self) -> Any:
        from keystoneauth1.identity import v3

        access = self._access
        if access.application_credential_id is not None:
            return v3.ApplicationCredential(
                access.url,
                application_credential_id=access.application_credential_id,
                application_credential_secret=access.application_credential_secret or "",
            )
        return v3.Password(
            access.url,
            username=access.username,
            password=access.password or "",
            user_domain_name=access.user_domain,
            project_name=access.project,
            project_domain_name=access.project_domain,
        )


def _read(status: int, body: Any) -> tuple[Caller | RequestError, float]:
    """Who Keystone says it is, or why that is not enough here; and when the token ends. Raises IdentityUnavailable."""
    try:
        token = body["token"]
        ends = datetime.fromisoformat(token["expires_at"]).timestamp()
        user = token["user"]
        project = token.get("project")
        if project is None:
            return _without_project(token), ends
        caller = Caller(
            project["id"],
            frozenset(role["name"] for role in token.get("roles", ())),
            user["name"],
            user["id"],
            user["domain"]["id"],
            project["domain"]["id"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _silent(f"its answer {status} is not about a token") from error
    return caller, ends


def _without_project(token: dict[str, Any]) -> Forbidden:
    scope = "the whole system" if "system" in token else "a domain" if "domain" in token else "nothing"
    return Forbidden(
        f"The token of '{token['user']['name']}' is scoped to {scope}, and everything here belongs to a project.",
        code="token-without-project",
        remedy="Ask Keystone for a token of a project: --os-project-name, without a system or domain scope.",
    )


def _words(answer: Any) -> str:
    """Keystone's own words in an answer that is no success."""
    with suppress(ValueError, KeyError, TypeError):
        return str(answer.json()["error"]["message"])
    return str(answer.reason)


def _silent(cause: str) -> IdentityUnavailable:
    return IdentityUnavailable(
        "Keystone cannot be asked about the token.", cause=cause, remedy="Send the request again later."
    )


def _refused(cause: str) -> FairleadError:
    return IdentityUnavailable(
        "Keystone does not let Fairlead's own user ask about tokens.",
        code="keystone-user-refused",
        cause=cause,
        remedy="Have the operator correct the settings of [keystone]; `fairlead keystone register` makes such a user.",
    )
