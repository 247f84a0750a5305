"""The token endpoint of OAuth2 (RFC 6749, client-credentials grant), as SOL013 asks.

Its errors have the form that OAuth2 clients read (`error`, `error_description`), with our code and detail beside it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import msgspec
from litestar import Response

from fairlead.api.answers import document
from fairlead.api.bodies import FORM, content_type, read_raw
from fairlead.api.endpoints import Call, Endpoint
from fairlead.errors import BadRequest, FairleadError, Unauthenticated
from fairlead.identity import Identity

__all__ = ["OAuth2"]

_NOT_STORED = {"Cache-Control": "no-store"}
_BODY_LIMIT = 16 * 1024
_ERRORS = {
    "invalid-client": "invalid_client",
    "invalid-scope": "invalid_scope",
    "unsupported-grant": "unsupported_grant_type",
}


class GrantedToken(msgspec.Struct, frozen=True):
    """RFC 6749 section 5.1; `expires_in` in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenForm(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 6749 section 4.4.2; the client's credentials here, or better in HTTP Basic authentication."""

    grant_type: str
    scope: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


class OAuth2:
    """The token endpoint."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST",
                path="/oauth2/token",
                serve=self.grant,
                tag="Projects and credentials",
                summary="A token for client credentials",
                action=None,
                request=TokenForm,
                consumes=(FORM,),
                answers={200: GrantedToken},
                errors=(401,),
            )
        ]

    async def grant(self, call: Call) -> Response[Any]:
        try:
            content_type(call.request, (FORM,))
            form = dict(parse_qsl((await read_raw(call.request, _BODY_LIMIT)).decode("latin-1")))
            if form.get("grant_type") != "client_credentials":
                raise BadRequest("The only grant_type here is client_credentials.", code="unsupported-grant")
            client, secret = _client(call.header("authorization"), form)
            granted = await self._identity.token_by_client_credentials(client, secret, form.get("scope"))
        except FairleadError as error:
            if error.status >= 500:
                raise
            return _refused(error)
        body = GrantedToken(granted.token, "Bearer", int(granted.lifetime), " ".join(granted.roles))
        return document(body, headers=_NOT_STORED)


def _client(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """The client's id and secret, from HTTP Basic authentication or the form. Raises Unauthenticated."""
    if authorization is not None:
        scheme, _, encoded = authorization.partition(" ")
        try:
            client, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            client = ""
        if scheme.lower() != "basic" or not client:
            raise Unauthenticated("The Authorization header is not HTTP Basic authentication.", code="invalid-client")
        return unquote_plus(client), unquote_plus(secret)
    if "client_id" not in form or "client_secret" not in form:
        raise Unauthenticated("The request names no client.", code="invalid-client")
    return form["client_id"], form["client_secret"]


def _refused(error: FairleadError) -> Response[Any]:
    body = {
        "error": _ERRORS.get(error.code, "invalid_request"),
        "error_description": error.detail,
        "status": error.status,
        **error.card(),
    }
    headers = _NOT_STORED | ({"WWW-Authenticate": "Basic"} if error.status == 401 else {})
    return document(body, error.status, headers)
