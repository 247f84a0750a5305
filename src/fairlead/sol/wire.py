"""Between our structs and JSON: the base of every ETSI data type, and the one way in and out.

Names are snake_case here and camelCase on the wire; attributes that are absent are left out, as ETSI's schemas want it.
SOL013 asks a receiver to ignore what it does not know, so unknown attributes pass; a value of the wrong type is refused
with its path, since guessing there would change what somebody asked for. Structs are frozen: use `msgspec.structs.replace`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from fairlead.errors import BadRequest

__all__ = ["KeyValuePairs", "Sol", "camel", "decode", "document", "encode"]

T = TypeVar("T")

KeyValuePairs = dict[str, Any]
"""ETSI's free-form map: any JSON value under string keys."""

_AT = re.compile(r"^(?P<what>.*) - at `\$\.?(?P<path>.*)`$", re.DOTALL)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_POSITION = re.compile(r"\(byte (?P<byte>\d+)\)")


class Sol(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The base of ETSI's data types."""


def encode(value: Any) -> bytes:
    """`value` (a struct, or plain values) as JSON."""
    return msgspec.json.encode(value)


def document(value: Any) -> Any:
    """`value` as plain dictionaries and lists with the names of the wire."""
    return msgspec.to_builtins(value)


def decode(type_: type[T], data: bytes | str, *, within: str = "") -> T:
    """Read the JSON `data` as `type_`.

    `within` is put before the path of a mistake, for a document that was taken out of another one.
    Raises BadRequest: `malformed-json` when it is not JSON, `wrong-body` with the path as `place` when it does not fit.
    """
    raw = data.encode() if isinstance(data, str) else data
    if _NUL.search(raw):
        raise BadRequest(
            "A string in the body holds the character U+0000, which cannot be stored.",
            code="malformed-json",
            remedy="Leave the character out.",
        )
    try:
        return cast(T, _decoders(cast(Hashable, type_)).decode(raw))
    except msgspec.ValidationError as error:
        what, path = _located(str(error))
        place = ".".join(part for part in (within, path) if part) or "the body itself"
        raise BadRequest(
            f"The body does not fit {_named(type_)}: {what} at {place}.",
            code="wrong-body",
            place=place,
            remedy="Correct the value at this path; the schema is in the OpenAPI document.",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = _POSITION.search(str(error))
        raise BadRequest(
            f"The body is not JSON: {error}.",
            code="malformed-json",
            place=f"byte {found['byte']}" if found else None,
            remedy="Send one JSON document, encoded in UTF-8.",
        ) from None


def camel(name: str) -> str:
    """The wire's spelling of a snake_case name."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


@cache
def _decoders(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


def _named(type_: Any) -> str:
    struct = isinstance(type_, type) and issubclass(type_, msgspec.Struct)
    return str(type_.__name__) if struct else "what is expected"


def _located(message: str) -> tuple[str, str]:
    """msgspec's message as what is wrong, in lower case, and the path without its root."""
    found = _AT.match(message)
    what, path = (found["what"], found["path"]) if found else (message, "")
    return what[:1].lower() + what[1:], path
