"""Fetching a package from the URI that a client names, with what a stranger may make a server do kept small.

Only to addresses that are allowed, each judged as it is connected to (`fairlead.outgoing`), so a redirect gains nothing.
Credentials go to the origin that they were given for and to no other. Size and time are limited by whoever reads the
stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

import aiohttp
from aiohttp import hdrs
from yarl import URL

from fairlead.errors import BadRequest, FairleadError, Unprocessable
from fairlead.outgoing import access_token, basic, guarded_session, reason_against, shown
from fairlead.sol import ParamsOauth2ClientCredentials, UploadVnfPackageFromUriRequest
from fairlead.targets import Network

__all__ = ["Fetcher"]

_REDIRECTS: Final = 5
_PART: Final = 2**16
_TIMES: Final = aiohttp.ClientTimeout(total=None, connect=30.0, sock_connect=10.0, sock_read=60.0)


class Fetcher:
    """Fetches packages. `allowed` are networks that are fetched from although they would be refused."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def check(self, request: UploadVnfPackageFromUriRequest) -> None:
        """Whether the request can be tried. Raises BadRequest (`bad-uri`), Unprocessable (`exclusive-attributes`,
        `fetch-refused`)."""
        self._address(request.address_information, "addressInformation")
        oauth2 = request.params_oauth2_client_credentials
        if (oauth2 is None) != (request.auth_type is None):
            raise _exclusive("authType and paramsOauth2ClientCredentials go together.", "Give both or none.")
        if oauth2 is not None:
            self._address(oauth2.token_endpoint, "paramsOauth2ClientCredentials.tokenEndpoint")
            if request.user_name is not None:
                raise _exclusive("There are two sorts of credentials.", "Give one.")
        if request.password is not None and request.user_name is None:
            raise _exclusive("There is a password and no userName.", "Give both or none.")

    async def chunks(self, request: UploadVnfPackageFromUriRequest) -> AsyncIterator[bytes]:
        """What is at the URI, in small parts. Raises as `check`, and Unprocessable (`fetch-failed`)."""
        self.check(request)
        url = URL(request.address_information)
        try:
            async with self._session() as session:
                authorization = await self._authorization(session, request)
                for _ in range(_REDIRECTS + 1):
                    headers = {hdrs.AUTHORIZATION: authorization} if authorization is not None else {}
                    async with session.get(url, headers=headers, allow_redirects=False) as answer:
                        if not 300 <= answer.status < 400:
                            _require_ok(answer)
                            async for part in answer.content.iter_chunked(_PART):
                                yield part
                            return
                        following = self._following(url, answer)
                    if following.origin() != url.origin():
                        authorization = None
                    url = following
                raise _failed(url, f"there were more than {_REDIRECTS} redirects")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _failed(url, f"{type(error).__name__}: {error}"[:300]) from error

    def _session(self) -> aiohttp.ClientSession:
        return guarded_session(self._allowed, _refused, _TIMES)

    async def _authorization(
        self, session: aiohttp.ClientSession, request: UploadVnfPackageFromUriRequest
    ) -> str | None:
        if request.params_oauth2_client_credentials is not None:
            return f"Bearer {await self._token(session, request.params_oauth2_client_credentials)}"
        if request.user_name is not None:
            return basic(request.user_name, request.password or "")
        return None

    async def _token(self, session: aiohttp.ClientSession, params: ParamsOauth2ClientCredentials) -> str:
        try:
            return await access_token(session, params.token_endpoint, params.client_id, params.client_password)
        except aiohttp.ClientError:
            raise
        except ValueError as error:
            raise _failed(URL(params.token_endpoint), str(error)) from error

    def _following(self, url: URL, answer: aiohttp.ClientResponse) -> URL:
        location = answer.headers.get(hdrs.LOCATION)
        if answer.status not in (301, 302, 303, 307, 308) or location is None:
            raise _failed(url, f"it answers {answer.status}")
        following = url.join(URL(location))
        self._address(str(following), "addressInformation")
        if url.scheme == "https" and following.scheme != "https":
            raise _refused(f"{shown(url)} leads from https to {following.scheme}")
        return following

    def _address(self, text: str, place: str) -> None:
        """Refuse what is no address to fetch from, as far as it can be seen without asking anybody."""
        try:
            reason = reason_against(text, self._allowed)
        except ValueError:
            raise BadRequest(
                "This is no address that a package can be fetched from.",
                code="bad-uri",
                place=place,
                remedy="Give an http or https URI with a host; credentials have attributes of their own.",
            ) from None
        if reason is not None:
            raise _refused(reason)


def _require_ok(answer: aiohttp.ClientResponse) -> None:
    if answer.status != 200:
        raise _failed(answer.url, f"it answers {answer.status}")


def _failed(url: URL, cause: str) -> FairleadError:
    return Unprocessable(
        f"The package cannot be fetched from {shown(url)}.",
        code="fetch-failed",
        cause=cause,
        remedy="See whether it is there and the credentials are right, then ask again.",
    )


def _refused(cause: str) -> FairleadError:
    return Unprocessable(
        "Packages are not fetched from such an address.",
        code="fetch-refused",
        cause=cause,
        remedy="Upload the package itself; or have the operator allow the network with packages.fetch_allow.",
    )


def _exclusive(detail: str, remedy: str) -> FairleadError:
    return Unprocessable(detail, code="exclusive-attributes", remedy=remedy)
