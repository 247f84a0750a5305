"""An endpoint: one method on one path, what it takes and gives, and the function that serves it.

Each interface is a list of these. From the same list come the routes that are served and the OpenAPI document, so the document
cannot promise what is not there. (Litestar's own generator knows neither our problem details nor bodies that are read
by hand, and its reading of bodies turns "5" into 5 where ETSI wants a refusal.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from litestar import Request, Response

from fairlead.api.bodies import JSON, chunks, content_type, read_json
from fairlead.api.services import ApiSettings
from fairlead.errors import BadRequest
from fairlead.identity import Action, Caller, Policy
from fairlead.sol import Interface, decode

__all__ = ["Call", "Endpoint", "Parameter", "authorization", "query_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter, or a request header, for the OpenAPI document."""

    name: str
    description: str
    place: str = "query"
    type: str = "string"
    flag: bool = False


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`path` is written as ETSI does: `/vnflcm/v2/vnf_instances/{vnfInstanceId}`.

    `request` is the type of the JSON body. `answers` maps each good status to the type of its body, None for no body.
    `errors` are the statuses beside those that every endpoint may answer with. `action` is what the caller does, which says who
    may by default; None makes the endpoint public, and by itself GET is reading and everything else is changing.
    """

    method: str
    path: str
    serve: Callable[[Call], Awaitable[Response[Any]]]
    summary: str
    tag: str
    answers: Mapping[int, Any]
    action: Action | EllipsisType | None = ...
    interface: Interface | None = None
    request: Any = None
    consumes: tuple[str, ...] = (JSON,)
    produces: tuple[str, ...] = (JSON,)
    parameters: Sequence[Parameter] = ()
    errors: tuple[int, ...] = ()

    @property
    def needs(self) -> Action | None:
        """What the caller does; None when anybody may call."""
        if isinstance(self.action, EllipsisType):
            return Action.READ if self.method == "GET" else Action.CHANGE
        return self.action


@dataclass(frozen=True)
class Call:
    """A request that may be served: its caller is known, its version agreed on."""

    request: Request[Any, Any, Any]
    endpoint: Endpoint
    settings: ApiSettings
    caller: Caller | None
    policy: Policy
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def project(self) -> str:
        """The caller's project; for endpoints that are not public."""
        assert self.caller is not None
        return self.caller.project

    def require(self, rule: str) -> None:
        """Have the caller be allowed what `rule` is of, too. Raises Forbidden."""
        assert self.caller is not None
        self.policy.require(self.caller, rule)

    def may(self, rule: str) -> bool:
        """Whether the caller is allowed what `rule` is of, too."""
        return self.caller is not None and self.policy.allows(self.caller, rule)

    def path(self, name: str) -> str:
        """The value of a path parameter."""
        return str(self.request.path_params[name])

    def header(self, name: str) -> str | None:
        """The value of a request header."""
        value: str | None = self.request.headers.get(name)
        return value

    @property
    def authorization(self) -> str | None:
        """What the caller showed to say who it is."""
        return authorization(self.request)

    async def body(self, type_: type[T]) -> T:
        """The JSON body, read as `type_`; an empty one counts as `{}`.

        Raises BadRequest, TooLarge, UnsupportedMediaType.
        """
        content_type(self.request, self.endpoint.consumes)
        return decode(type_, await read_json(self.request, self.settings.body_limit))

    def upload(self) -> Any:
        """The body as an iterator over its chunks, none of which is kept. Raises as `body`."""
        content_type(self.request, self.endpoint.consumes)
        return chunks(self.request, self.settings.upload_limit)

    def url(self, path: str) -> str:
        """`path` as an absolute URL of this server."""
        base = self.settings.public_url
        if base is None:
            host = self.request.headers.get("host")
            base = f"{self.request.scope['scheme']}://{host}" if host else ""
        return base.rstrip("/") + path

    def number(self, name: str, default: int, highest: int) -> int:
        """A whole number of a query parameter, from 0 to `highest`. Raises BadRequest."""
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= highest):
            raise BadRequest(
                f"'{text[:40]}' for {name} is not a number from 0 to {highest}.",
                code="bad-parameter",
                place=f"query parameter {name}",
                remedy="Correct it, or leave it out.",
            )
        return int(text)


def authorization(request: Request[Any, Any, Any]) -> str | None:
    """The `Authorization` header; OpenStack's clients send their token in a header of its own."""
    header: str | None = request.headers.get("authorization")
    token = request.headers.get("x-auth-token")
    return f"Bearer {token}" if header is None and token is not None else header


def query_of(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """The query parameters, decoded; one without a value is the empty string.

    Raises BadRequest for a repeated one, and for one with a character that no database stores.
    """
    raw = request.scope["query_string"]
    if not raw:
        return {}
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
    query = dict(pairs)
    if len(query) != len(pairs):
        repeated = next(name for name in query if sum(1 for other, _ in pairs if other == name) > 1)
        raise BadRequest(
            f"The query parameter {repeated} is given more than once.",
            code="repeated-parameter",
            place=f"query parameter {repeated}",
            remedy="Give it once; several filter expressions are joined by ';'.",
        )
    for name, value in query.items():
        if "\x00" in value:
            raise BadRequest(
                f"The query parameter {name.replace(chr(0), '')} holds the character U+0000.",
                code="bad-parameter",
                place=f"query parameter {name.replace(chr(0), '')}",
                remedy="Leave the character out.",
            )
    return query
