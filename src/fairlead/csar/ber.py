"""ASN.1 in BER, as far as signatures need it: elements with their bytes, read and written, without a schema.

Signatures come in BER, not only in DER: Java's libraries write indefinite lengths. What is read here comes from strangers,
so nesting is bounded, lengths are compared with what is there, and every mistake is a `Malformed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["Element", "Malformed", "element", "octets", "oid", "read_element", "read_oid"]

_DEEPEST: Final = 24
_LONGEST_LENGTH: Final = 4
_CONSTRUCTED: Final = 0x20
_HIGH_TAG: Final = 0x1F
_END_OF_CONTENTS: Final = b"\0\0"
OCTET_STRING: Final = 0x04
OBJECT_IDENTIFIER: Final = 0x06
_LONGEST_OID: Final = 32


class Malformed(ValueError):
    """These bytes are not what they are read as."""


class Element(NamedTuple):
    """One element: its identifier octet, its contents, and all of its bytes."""

    tag: int
    content: bytes
    encoded: bytes

    def children(self) -> list[Element]:
        """The elements that it is made of. Raises Malformed."""
        if not self.tag & _CONSTRUCTED:
            raise Malformed(f"the element of tag {self.tag:#x} is not constructed")
        return list(_elements(self.content))


def read_element(data: bytes) -> Element:
    """The one element that `data` is. Raises Malformed."""
    element, end = _element(data, 0, _DEEPEST)
    if end != len(data):
        raise Malformed("something follows the end")
    return element


def octets(element: Element) -> bytes:
    """The value of an OCTET STRING, whole or in parts. Raises Malformed."""
    if element.tag == OCTET_STRING:
        return element.content
    if element.tag == OCTET_STRING | _CONSTRUCTED:
        parts = element.children()
        if all(part.tag == OCTET_STRING for part in parts):
            return b"".join(part.content for part in parts)
    raise Malformed("an octet string is expected")


def read_oid(element: Element) -> str:
    """The value of an OBJECT IDENTIFIER, as numbers and dots. Raises Malformed."""
    content = element.content
    if element.tag != OBJECT_IDENTIFIER or not 0 < len(content) <= _LONGEST_OID or content[-1] & 0x80:
        raise Malformed("an object identifier is expected")
    numbers, number = [], 0
    for octet in content:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def element(tag: int, content: bytes) -> bytes:
    """The bytes of an element, as DER wants them."""
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octet_count = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | octet_count]) + length.to_bytes(octet_count, "big") + content


def oid(name: str) -> bytes:
    """The bytes of an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, name.split("."))
    content = b""
    for number in (40 * first + second, *rest):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.insert(0, 0x80 | number & 0x7F)
        content += bytes(septets)
    return element(OBJECT_IDENTIFIER, content)


def _elements(data: bytes) -> Iterator[Element]:
    at = 0
    while at < len(data):
        element, at = _element(data, at, _DEEPEST)
        yield element


def _element(data: bytes, start: int, depth: int) -> tuple[Element, int]:
    """The element at `start`, and where it ends."""
    if depth == 0:
        raise Malformed("it is nested too deeply")
    if len(data) < start + 2:
        raise Malformed("it ends too early")
    tag, first, at = data[start], data[start + 1], start + 2
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise Malformed("it has a tag that signatures do not use")
    if first == 0x80:
        return _indefinite(data, start, depth)
    length = first
    if first > 0x80:
        octet_count = first & 0x7F
        if octet_count > _LONGEST_LENGTH or len(data) < at + octet_count:
            raise Malformed("a length is not readable")
        length, at = int.from_bytes(data[at : at + octet_count], "big"), at + octet_count
    end = at + length
    if end > len(data):
        raise Malformed("it ends too early")
    return Element(tag, data[at:end], data[start:end]), end


def _indefinite(data: bytes, start: int, depth: int) -> tuple[Element, int]:
    if not data[start] & _CONSTRUCTED:
        raise Malformed("a length is not readable")
    at = start + 2
    while data[at : at + 2] != _END_OF_CONTENTS:
        _, at = _element(data, at, depth - 1)
    return Element(data[start], data[start + 2 : at], data[start : at + 2]), at + 2
