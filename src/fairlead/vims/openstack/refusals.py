"""What an OpenStack's words mean: from an answer that is not a success to an error of ours.

The services are of one family and do not agree: a quota is 403 from Nova, 413 from Cinder and Glance, and 409 from
Neutron. So the words decide first, then the status. What nobody knows is taken for a passing fault when it is a 5xx,
which is the safe side: the call is repeated for a while, and then fails with the service's own words and the id of the
request, by which an operator finds it in the service's log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from fairlead.errors import FairleadError, VimError, VimFull, VimRefused, VimUnavailable

__all__ = ["CODES", "Answer", "Denied", "InUse", "NotThere", "Taken", "concerning", "error_of", "hopeless", "words_of"]


class NotThere(VimRefused):
    """404 or 410: the cloud has no such thing, or none any more."""

    default_code = "not-in-vim"


class Taken(VimRefused):
    """409: something stands in the way."""

    default_code = "name-taken"


class InUse(VimRefused):
    """It cannot be deleted or changed while others use it."""

    default_code = "in-use"


class Denied(VimRefused):
    """401 or 403: the cloud does not know us, or does not let us."""

    default_code = "vim-denied"


class Answer(msgspec.Struct, frozen=True):
    """One answer. `body` is its JSON, or None; `pause` the seconds after which we may ask again, where it says."""

    service: str
    status: int
    body: Any = None
    text: str = ""
    request: str | None = None
    pause: float | None = None
    date: str | None = None


_MAKE_ROOM = "Raise the quota, or free some, then retry."
_WORDS: tuple[tuple[str, type[VimError], str, str], ...] = (
    (
        r"quota exceeded|exceeds (the )?(allowed |available )?.*quota|exceeded for quota|maximum number of .* exceeded|over ?quota"
        r"|(volume|gigabytes)\w*limitexceeded",
        VimFull,
        "quota-exceeded",
        _MAKE_ROOM,
    ),
    (
        r"no more ip addresses available|ipaddressgenerationfailure",
        VimFull,
        "no-free-address",
        "Make the pools larger.",
    ),
    (
        r"no valid host|exhausted all hosts|exceeded maximum number of retries",
        VimFull,
        "no-valid-host",
        "Add hosts, or ask for a smaller or other machine.",
    ),
    (
        r"ip address .* (already (allocated|in use)|in use)|ipaddressinuse|ipaddressalreadyallocated",
        Taken,
        "address-in-use",
        "Choose another address, or remove what has it.",
    ),
    (
        r"is not a valid ip for|invalid ip for (network|subnet)|not within any of the subnets",
        VimRefused,
        "address-outside-network",
        "Choose an address in one of the network's subnets.",
    ),
    (
        r"overlaps with another subnet",
        VimRefused,
        "subnet-overlaps",
        "Give each subnet of the link a range of its own.",
    ),
    (
        r"gateway.* (is not valid|conflicts)|allocation ?pool.*(spans|invalid|overlap)|invalid input for.*(cidr|pools)",
        VimRefused,
        "bad-subnet",
        "Correct the virtual link's address data.",
    ),
    (
        r"ports? still in use|networkinuse|subnet(pool)? .*in use|one or more ports have an ip allocation",
        InUse,
        "network-in-use",
        "Disconnect what uses it, then retry.",
    ),
    (
        r"(securitygroup|router|trunk|parentport)inuse|qospolicyinuse|routerinterfaceinuse|portinuseastrunkparent"
        r"|portinuseassubport",
        InUse,
        "in-use",
        "Remove what uses it, then retry.",
    ),
    (
        r"port .* is (still|already) in use|portinuse\b|port already has an attached device",
        InUse,
        "port-in-use",
        "Retry: what an interrupted call has made is removed by then.",
    ),
    (
        r"task_state|while it is in vm_state|instance .* is not ready",
        VimUnavailable,
        "server-busy",
        "Wait until the server has done what it is at, then retry.",
    ),
    (
        r"already has an action .* in progress|stack .* is (already )?(being|in progress)",
        VimUnavailable,
        "stack-busy",
        "Wait until Heat has done what it is at, then retry.",
    ),
    (
        r"volume status must be|status must be available|is (currently )?(attaching|detaching)|invalid volume: volume .* status",
        VimUnavailable,
        "volume-busy",
        "Wait until nothing uses the volume, then retry.",
    ),
    (
        r"can ?not find requested image|invalid image(ref| identifier)"
        r"|image .* (could not be found|not found|is not active)|no image found",
        VimRefused,
        "image-missing",
        "Upload the image, or ship it in the package.",
    ),
    (
        r"flavor .* could not be found|invalid flavorref",
        VimRefused,
        "flavour-missing",
        "Create the flavour, or let the request name another.",
    ),
    (
        r"availability zone.* (not available|is invalid|does not exist)|requested availability zone",
        VimRefused,
        "zone-missing",
        "Name a zone that `fairlead vim check` lists.",
    ),
    (
        r"network .* could not be found|networknotfound",
        NotThere,
        "network-missing",
        "Create it first, or name another.",
    ),
    (
        r"flavor'?s (disk|memory) is too small|flavor(disk|memory) ?too ?small",
        VimRefused,
        "flavour-too-small",
        "Ask for more memory or disk in the VDU, or correct the image's minimum.",
    ),
    (r"image .* (is )?in use", InUse, "image-in-use", "Delete what was made from it, then retry."),
)
_TABLE = tuple(
    (re.compile(words, re.IGNORECASE | re.DOTALL), kind, code, remedy) for words, kind, code, remedy in _WORDS
)


@contextmanager
def concerning(resource: str) -> Iterator[None]:
    """An error that comes out of it says that it concerns `resource`, unless it knows better."""
    try:
        yield
    except FairleadError as error:
        error.resource = error.resource or resource
        raise


CODES = frozenset({code for _, _, code, _ in _WORDS} | {"vim-rate-limit", "vim-conflict"})
"""The codes that are read from words or statuses."""


def hopeless(words: str) -> str | None:
    """The code of what is said to have gone wrong, where another try would not mend it; None for all else."""
    for pattern, kind, code, _ in _TABLE:
        if pattern.search(words) and kind not in (VimUnavailable, InUse):
            return code
    return None


def error_of(answer: Answer, what: str) -> VimError:
    """The error for an answer that is none of success, when asked to `what`."""
    words = words_of(answer)
    cause = f"{answer.status} {words}".strip() + (f" ({answer.request})" if answer.request else "")
    service = _SERVICE.get(answer.service, answer.service)
    busy = answer.status in (429, 503) or (answer.status == 413 and answer.pause is not None)
    if answer.status in (404, 410):
        code, remedy = next(
            ((code, remedy) for pattern, kind, code, remedy in _TABLE if kind is NotThere and pattern.search(words)),
            (None, None),
        )
        return NotThere(f"{service} could not {what}: there is no such thing.", code=code, cause=cause, remedy=remedy)
    if not busy:
        for pattern, kind, code, remedy in _TABLE:
            if pattern.search(words) and (answer.status < 500 or kind is not VimUnavailable):
                return kind(_sentence(kind, service, what), code=code, cause=cause, remedy=remedy)
    if answer.status in (401, 403):
        remedy = "Give credentials with the roles that the cloud's policy asks for, by an update of the VIM."
        return Denied(f"{service} does not allow us to {what}.", cause=cause, remedy=remedy)
    if answer.status in (413, 507):
        return VimFull(_sentence(VimFull, service, what), code="quota-exceeded", cause=cause, remedy=_MAKE_ROOM)
    if answer.status >= 500 or answer.status in (408, 429):
        code = "vim-rate-limit" if answer.status == 429 else None
        failed = VimUnavailable(f"{service} failed to {what}.", code=code, cause=cause)
        failed.over = answer.status not in (
            408,
            502,
            504,
        )  # which come from before the service, that may still be at it
        return failed
    if answer.status == 409:
        remedy = "Remove what stands in the way, then retry."
        return Taken(_sentence(Taken, service, what), code="vim-conflict", cause=cause, remedy=remedy)
    return VimRefused(_sentence(VimRefused, service, what), cause=cause, remedy="Correct what the cloud names.")


_SERVICE = {
    "compute": "Nova",
    "network": "Neutron",
    "block-storage": "Cinder",
    "image": "Glance",
    "orchestration": "Heat",
    "identity": "Keystone",
}


def _sentence(kind: type[VimError], service: str, what: str) -> str:
    if kind is VimFull:
        return f"{service} has no room to {what}."
    if kind is VimUnavailable:
        return f"{service} could not {what} just now."
    return f"{service} refused to {what}."


def words_of(answer: Answer) -> str:
    """The service's own words, wherever it puts them, without markup."""
    found = _message(answer.body)
    text = found if found is not None else answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip()[:1000]


def _message(body: Any) -> str | None:
    """`{"badRequest": {"message": ...}}` and the like; Neutron's `type` says more than its status."""
    if not isinstance(body, dict):
        return None
    inner = next((value for value in body.values() if isinstance(value, dict)), body)
    message = inner.get("message")
    if message is None:
        return json.dumps(body)
    kind = inner.get("type")
    return f"{kind}: {message}" if isinstance(kind, str) and kind else str(message)
