"""How our tag is written on things in an engine, and read from them.

Containers, networks and volumes carry it as labels, which the engine sets with the creation itself: there is no moment at which a
thing of ours is not to be found. Their engine names end in the incarnation, so a second creation of one incarnation meets
the first. An image cannot be labelled without becoming another image, so its tag is a name of its own,
`localhost/fairlead/<deployment>/<owner>/<name>:<incarnation>`, which costs nothing and is deleted without touching other names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fairlead.resources import Incarnation, Name, Owner, Tag

__all__ = [
    "ADDRESSES",
    "OFF",
    "POOLS",
    "engine_name",
    "filters_for",
    "image_pattern",
    "image_reference",
    "labels_of",
    "tag_of",
    "tag_of_image",
]

_PREFIX = "fairlead."
_IMAGES = "localhost/fairlead"
POOLS = "fairlead.pools"
"""On a network: the ranges that addresses on it are chosen from, `first-last,first-last`."""
ADDRESSES = "fairlead.addresses"
"""On a container: the addresses that it was made with, by commas. They stay its own while it is stopped, of which an engine knows
nothing."""
OFF = ".off"
"""The end of the name of a container that is meant to be off: an engine cannot say why a container has ended."""


def labels_of(tag: Tag) -> dict[str, str]:
    """The labels that carry `tag`."""
    return {f"{_PREFIX}{field}": getattr(tag, field) for field in tag.__struct_fields__}


def tag_of(labels: Mapping[str, str] | None) -> Tag | None:
    """The tag in `labels`; None when they do not hold a whole one."""
    values = [(labels or {}).get(f"{_PREFIX}{field}") for field in Tag.__struct_fields__]
    deployment, owner, name, incarnation = values
    if deployment is None or owner is None or name is None or incarnation is None:
        return None
    return Tag(deployment, Owner(owner), Name(name), Incarnation(incarnation))


def filters_for(deployment: str, incarnation: str | None = None) -> dict[str, list[str]]:
    """The list filter for everything of `deployment`, or for one incarnation in it."""
    wanted = [f"{_PREFIX}deployment={deployment}"]
    if incarnation is not None:
        wanted.append(f"{_PREFIX}incarnation={incarnation}")
    return {"label": wanted}


def engine_name(tag: Tag) -> str:
    """The name under which the engine knows a thing: readable first, then the incarnation."""
    readable = re.sub(r"[^a-z0-9]+", "-", tag.name.lower()).strip("-")[:40].strip("-")
    return f"{readable or 'fairlead'}-{tag.incarnation}"


def image_reference(tag: Tag) -> str:
    """The name that carries `tag` on an image."""
    return f"{_IMAGES}/{_escaped(tag.deployment)}/{_escaped(tag.owner)}/{_escaped(tag.name)}:{tag.incarnation}"


def image_pattern(deployment: str) -> str:
    """What matches the names of all images of `deployment`."""
    return f"{_IMAGES}/{_escaped(deployment)}/*/*"


def tag_of_image(reference: str) -> Tag | None:
    """The tag in an image's name; None when it is not one of ours."""
    path, _, incarnation = reference.rpartition(":")
    parts = path.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != _IMAGES or not incarnation:
        return None
    deployment, owner, name = (_unescaped(part) for part in parts[2:])
    return Tag(deployment, Owner(owner), Name(name), Incarnation(incarnation))


def _escaped(text: str) -> str:
    """`text` as one part of an image's name: lower-case letters and digits stay, each other byte becomes `-xx`."""
    kept = "".join(c if c.isascii() and (c.islower() or c.isdigit()) else _hexed(c) for c in text)
    return f"n{kept}"


def _hexed(character: str) -> str:
    return "".join(f"-{byte:02x}" for byte in character.encode())


def _unescaped(part: str) -> str:
    raw = re.sub(rb"-([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), part[1:].encode())
    return raw.decode(errors="replace")
