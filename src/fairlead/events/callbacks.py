"""Calling subscribers: the test of a callback, the notifications, and showing who calls (SOL013 clause 8.3.4).

A callback is an address that a client named, so it is judged as those are from which packages are fetched
(`fairlead.outgoing`). No redirect is followed: a notification goes to where it was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import hdrs
from msgspec.structs import replace

from fairlead.errors import BadRequest, FairleadError, Quarantined, Unprocessable
from fairlead.outgoing import access_token, basic, guarded_session, reason_against, shown
from fairlead.resources import SecretRef
from fairlead.sol import ParamsBasic, ParamsOauth2, SubscriptionAuthentication
from fairlead.targets import Network

__all__ = ["Callbacks", "Credentials", "credentials_of", "opened", "sealed", "secret_of"]

_TIMES: Final = aiohttp.ClientTimeout(total=30.0, sock_connect=10.0)


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """How Fairlead shows a subscriber who it is: by `basic`, or by a token that it is given for `oauth2`."""

    basic: ParamsBasic | None = None
    oauth2: ParamsOauth2 | None = None


class Callbacks:
    """Calls subscribers. `allowed` are networks that are called although they would be refused; `tests` says whether a
    callback is tried before its subscription is made."""

    def __init__(self, allowed: Sequence[Network] = (), *, tests: bool = True) -> None:
        self._allowed = tuple(allowed)
        self._tests = tests

    def check(self, uri: str, credentials: Credentials) -> None:
        """Whether it can be tried. Raises BadRequest (`bad-callback`), Unprocessable (`callback-refused`)."""
        self._judge(uri, "callbackUri")
        if credentials.oauth2 is not None:
            endpoint = credentials.oauth2.token_endpoint or ""
            self._judge(endpoint, "authentication.paramsOauth2ClientCredentials.tokenEndpoint")

    async def test(self, uri: str, credentials: Credentials) -> None:
        """SOL003 clause 10.4.7.3.1: a GET of the callback, which is to answer 204. Raises Unprocessable."""
        if self._tests:
            status = await self._call(hdrs.METH_GET, uri, credentials, {}, None)
            if status != 204:
                raise _failed(uri, f"it answers {status} where 204 is expected")

    async def send(self, uri: str, credentials: Credentials, version: str, body: bytes) -> None:
        """One notification. Raises Unprocessable (`callback-failed`, `callback-refused`) unless it was taken."""
        headers = {hdrs.CONTENT_TYPE: "application/json", "Version": version}
        status = await self._call(hdrs.METH_POST, uri, credentials, headers, body)
        if not 200 <= status < 300:
            raise _failed(uri, f"it answers {status}")

    async def _call(
        self, method: str, uri: str, credentials: Credentials, headers: Mapping[str, str], body: bytes | None
    ) -> int:
        self.check(uri, credentials)
        try:
            async with guarded_session(self._allowed, _refused, _TIMES) as session:
                shows = await _authorization(session, credentials)
                sent = dict(headers) if shows is None else {**headers, "Authorization": shows}
                async with session.request(method, uri, data=body, headers=sent, allow_redirects=False) as answer:
                    return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            # Not the error's own words: they may hold the address with its query.
            raise _failed(uri, type(error).__name__) from error

    def _judge(self, uri: str, place: str) -> None:
        try:
            reason = reason_against(uri, self._allowed)
        except ValueError:
            raise BadRequest(
                "This is no address that notifications can be sent to.",
                code="bad-callback",
                place=place,
                remedy="Give an http or https URI with a host; credentials have attributes of their own.",
            ) from None
        if reason is not None:
            raise _refused(reason)


def credentials_of(authentication: SubscriptionAuthentication | None) -> Credentials:
    """What of the request's authentication is done.

    Raises Unprocessable: `authentication-unsupported` when the subscriber takes nothing that Fairlead can show, such as TLS
    certificates only, or gives no parameters; `exclusive-attributes` for parameters of a sort that he does not take.
    """
    if authentication is None:
        return Credentials()
    taken = authentication.auth_type
    oauth2, of_basic = authentication.params_oauth2_client_credentials, authentication.params_basic
    if (oauth2 is not None and "OAUTH2_CLIENT_CREDENTIALS" not in taken) or (
        of_basic is not None and "BASIC" not in taken
    ):
        raise Unprocessable(
            "There are parameters of a sort of authentication that authType does not name.",
            code="exclusive-attributes",
            place="authentication",
            remedy="Name the sort in authType, or leave its parameters out.",
        )
    if oauth2 is not None and oauth2.client_id and oauth2.client_password and oauth2.token_endpoint:
        return Credentials(oauth2=oauth2)
    if of_basic is not None and of_basic.user_name and of_basic.password is not None:
        return Credentials(basic=of_basic)
    raise Unprocessable(
        f"Fairlead cannot show who it is by {', '.join(taken) or 'nothing'} as it is given here.",
        code="authentication-unsupported",
        place="authentication",
        remedy="Give BASIC or OAUTH2_CLIENT_CREDENTIALS in authType, with all of its parameters.",
    )


def sealed(credentials: Credentials, reference: SecretRef | None) -> dict[str, Any] | None:
    """What is stored of `credentials` beside the vault: `reference` in the place of the secret."""
    if reference is None:
        return None
    if credentials.oauth2 is not None:
        told = Credentials(oauth2=replace(credentials.oauth2, client_password=reference.digest))
    else:
        assert credentials.basic is not None
        told = Credentials(basic=replace(credentials.basic, password=reference.digest))
    document: dict[str, Any] = msgspec.to_builtins(told)
    return document


def opened(stored: Mapping[str, Any] | None, secrets: Mapping[SecretRef, str]) -> Credentials:
    """The credentials again, with what the vault keeps. Raises Quarantined (`secret-unreadable`) when it is gone."""
    credentials = msgspec.convert(stored or {}, Credentials)
    try:
        if credentials.oauth2 is not None:
            secret = secrets[SecretRef(credentials.oauth2.client_password or "")]
            return Credentials(oauth2=replace(credentials.oauth2, client_password=secret))
        if credentials.basic is not None:
            secret = secrets[SecretRef(credentials.basic.password or "")]
            return Credentials(basic=replace(credentials.basic, password=secret))
    except KeyError:
        raise Quarantined("A secret of the subscription is gone from the vault.", code="secret-unreadable") from None
    return credentials


def secret_of(credentials: Credentials) -> str | None:
    """What of `credentials` nobody may see."""
    if credentials.oauth2 is not None:
        return credentials.oauth2.client_password
    return credentials.basic.password if credentials.basic is not None else None


async def _authorization(session: aiohttp.ClientSession, credentials: Credentials) -> str | None:
    oauth2, of_basic = credentials.oauth2, credentials.basic
    if oauth2 is not None:
        endpoint, client, password = oauth2.token_endpoint or "", oauth2.client_id or "", oauth2.client_password or ""
        return f"Bearer {await access_token(session, endpoint, client, password)}"
    return basic(of_basic.user_name or "", of_basic.password or "") if of_basic is not None else None


def _failed(uri: str, cause: str) -> FairleadError:
    return Unprocessable(
        f"The subscriber at {shown(uri)} does not take what it is sent.",
        code="callback-failed",
        cause=cause,
        place="callbackUri",
        remedy="See that it is there, answers a GET with 204, and takes the credentials; then ask again.",
    )


def _refused(cause: str) -> FairleadError:
    return Unprocessable(
        "No notifications are sent to such an address.",
        code="callback-refused",
        cause=cause,
        place="callbackUri",
        remedy="Name another one; or have the operator allow the network with events.callback_allow.",
    )
