"""Every error that Fairlead raises on purpose, in one tree, named by its consequence.

FairleadError
├── RequestError                 the caller's request cannot be honoured as it stands; nothing was written
│   ├── BadRequest               400  the request is not well-formed
│   ├── Unauthenticated          401  no credentials, or not valid ones
│   ├── Forbidden                403  the project may not do this
│   ├── NotFound                 404  no such thing, for this project
│   ├── NotAcceptable            406  a version or media type that is not served
│   ├── Conflict                 409  the state of the thing does not allow it
│   ├── PreconditionFailed       412  it has changed since the caller looked
│   ├── TooLarge                 413  a body or upload above its limit
│   ├── UnsupportedMediaType     415  a body of a type that is not read
│   ├── RangeNotSatisfiable      416  a byte range outside the content
│   └── Unprocessable            422  well-formed, but it cannot be done
├── VimError                     an infrastructure refused or failed
│   ├── VimUnavailable           not reachable, or answering 5xx: may be tried again as it is
│   ├── VimFull                  out of quota or capacity: may be tried again once there is room
│   ├── VimRefused               the infrastructure says the request is wrong: repeating it does not help
│   └── ResourceFailed           accepted, and then the resource did not become ready
├── OperationStopped             the work on an operation ends here, and says why
│   ├── Superseded               another worker has taken the operation over: make no further call
│   ├── Cancelled                the user asked for it
│   ├── DeadlineExceeded         a wait lasted longer than it may
│   └── OutcomeUnknown           something that must happen at most once may have happened
├── ClientError                  raised on the caller's side of the API, never by the server
│   ├── ServerUnreachable        the server cannot be reached, or did not answer: the outcome may be unknown
│   ├── UnexpectedAnswer         what answered does not speak Fairlead's API
│   └── StillRunning             a wait for something is over, and the thing goes on
├── Quarantined                  a stored thing cannot be read: its own instance stands still, the rest serves
├── StoreUnavailable             503  the database does not answer
├── IdentityUnavailable          503  whoever issues the tokens does not answer
└── StorageFull                  507  there is no room left for packages

An error has a stable `code` (lower-case words joined by hyphens), a `detail` for the reader, and where they are known
the `resource` it concerns, the `place` of the mistake (`file:line:column`, or a path into a request body), the `cause`
(the infrastructure's own words), what was `left` behind, and the `remedy`. Codes are part of the interface: they
are listed in docs/errors.md, and a test keeps that page complete.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "BadRequest",
    "Cancelled",
    "ClientError",
    "Conflict",
    "DeadlineExceeded",
    "FairleadError",
    "Forbidden",
    "IdentityUnavailable",
    "NotAcceptable",
    "NotFound",
    "OperationStopped",
    "OutcomeUnknown",
    "PreconditionFailed",
    "Quarantined",
    "RangeNotSatisfiable",
    "RequestError",
    "ResourceFailed",
    "ServerUnreachable",
    "StillRunning",
    "StorageFull",
    "StorageUnavailable",
    "StoreUnavailable",
    "Superseded",
    "TooLarge",
    "Unauthenticated",
    "UnexpectedAnswer",
    "Unprocessable",
    "UnsupportedMediaType",
    "VimError",
    "VimFull",
    "VimRefused",
    "VimUnavailable",
]


class FairleadError(Exception):
    """The root; raised itself only for what has no better name.

    `status` is the HTTP status under which the API shows the error; `retryable` says whether the same call may succeed
    later without anybody changing anything.
    """

    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    default_code: ClassVar[str] = "internal-error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        resource: str | None = None,
        place: str | None = None,
        cause: str | None = None,
        left: str | None = None,
        remedy: str | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.resource = resource
        self.place = place
        self.cause = cause
        self.left = left
        self.remedy = remedy
        self.more = more or {}
        if cause:
            self.add_note(cause)  # tracebacks then tell it too

    def card(self) -> dict[str, Any]:
        """The error as a plain document: `code`, `detail` and whichever of the other fields are known."""
        fields = ("resource", "place", "cause", "left", "remedy")
        known = {field: value for field in fields if (value := getattr(self, field)) is not None}
        return {"code": self.code, "detail": self.detail, **known, **self.more}


class RequestError(FairleadError):
    """The caller's request cannot be honoured as it stands; nothing was written."""

    status = 400
    default_code = "bad-request"


class BadRequest(RequestError):
    """The request is not well-formed."""


class Unauthenticated(RequestError):
    """No credentials were sent, or they are not valid."""

    status = 401
    default_code = "unauthenticated"


class Forbidden(RequestError):
    """The caller is known and may not do this."""

    status = 403
    default_code = "forbidden"


class NotFound(RequestError):
    """There is no such thing that this project can see."""

    status = 404
    default_code = "not-found"


class NotAcceptable(RequestError):
    """An API version or media type was asked for that is not served."""

    status = 406
    default_code = "not-acceptable"


class Conflict(RequestError):
    """The state of the thing does not allow the request."""

    status = 409
    default_code = "conflict"


class PreconditionFailed(RequestError):
    """The thing has changed since the caller looked at it."""

    status = 412
    default_code = "precondition-failed"


class TooLarge(RequestError):
    """A body or upload is above its limit."""

    status = 413
    default_code = "too-large"


class UnsupportedMediaType(RequestError):
    """A body came in a media type that is not read here."""

    status = 415
    default_code = "unsupported-media-type"


class RangeNotSatisfiable(RequestError):
    """A byte range lies outside the content."""

    status = 416
    default_code = "range-not-satisfiable"


class Unprocessable(RequestError):
    """The request is well-formed and cannot be done as it stands."""

    status = 422
    default_code = "unprocessable"


class VimError(FairleadError):
    """An infrastructure refused or failed; `cause` carries its own words."""

    status = 502
    default_code = "vim-error"


class VimUnavailable(VimError):
    """The infrastructure cannot be reached or answers 5xx; the same call may be repeated."""

    status = 503
    retryable = True
    default_code = "vim-unavailable"
    over = False
    """Whether nothing of the call can still be under way: it was never sent, or the infrastructure has answered it."""


class VimFull(VimError):
    """The infrastructure has no quota or capacity left for this."""

    status = 503
    default_code = "vim-full"


class VimRefused(VimError):
    """The infrastructure says that the request is wrong; repeating it does not help."""

    default_code = "vim-refused"


class ResourceFailed(VimError):
    """The infrastructure accepted the resource, and it did not become ready."""

    default_code = "resource-failed"


class OperationStopped(FairleadError):
    """The work on an operation ends here."""

    default_code = "operation-stopped"


class Superseded(OperationStopped):
    """Another worker has taken the operation over; this one makes no further call."""

    default_code = "superseded"


class Cancelled(OperationStopped):
    """The user cancelled the operation."""

    default_code = "cancelled"


class DeadlineExceeded(OperationStopped):
    """A wait lasted longer than its deadline."""

    default_code = "deadline-exceeded"


class OutcomeUnknown(OperationStopped):
    """An action that must happen at most once may have happened, and its receiver cannot say."""

    default_code = "outcome-unknown"


class ClientError(FairleadError):
    """Something went wrong between a caller and the server that it talks to."""

    status = 502
    default_code = "client-error"


class ServerUnreachable(ClientError):
    """The server cannot be reached, or took the request and did not answer."""

    status = 503
    retryable = True
    default_code = "cannot-reach-server"


class UnexpectedAnswer(ClientError):
    """What answered does not speak Fairlead's API."""

    default_code = "unexpected-answer"


class StillRunning(ClientError):
    """A wait for something is over, and the thing itself goes on."""

    status = 504
    default_code = "still-running"


class Quarantined(FairleadError):
    """A stored thing cannot be read; what it belongs to stands still until somebody repairs it."""

    status = 409
    default_code = "quarantined"


class StoreUnavailable(FairleadError):
    """The database does not answer."""

    status = 503
    retryable = True
    default_code = "store-unavailable"


class IdentityUnavailable(FairleadError):
    """Who sends a token cannot be found out now."""

    status = 503
    retryable = True
    default_code = "keystone-unavailable"


class StorageUnavailable(FairleadError):
    """The storage of packages does not answer, or not as it should."""

    status = 503
    retryable = True
    default_code = "package-storage-unavailable"


class StorageFull(FairleadError):
    """There is no room left for packages."""

    status = 507
    default_code = "storage-full"
