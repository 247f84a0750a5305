"""How our tag is written on things in an OpenStack, and read from them.

Each service keeps something else with the call that creates, and nothing else is ever used: there is no moment at which
a thing of ours is not to be found. Nova and Cinder have metadata, Glance properties, Neutron a description, which is
one line with the name last and cut if need be, Heat tags. A server group has nothing but its name. Nova can also be asked by its
own tags, so a server carries two: its incarnation and its deployment. An image has an id of our choice, made of the
incarnation, so a second creation of one incarnation meets the first.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Collection, Mapping

from fairlead.resources import Incarnation, Name, Owner, Tag

__all__ = [
    "BOOT",
    "POWER",
    "deployment_word",
    "image_id",
    "incarnation_word",
    "line_of",
    "metadata_filter",
    "metadata_of",
    "others_in",
    "readable",
    "same",
    "stack_words",
    "tag_in",
    "tag_of_line",
    "tag_of_stack",
]

_PREFIX = "fairlead_"
_LINE = "fairlead"
_LONGEST = 255
_LONGEST_WORD = 60
_LONGEST_TAG = 80
_LIFE, _OWNER, _NAME = "fairlead-i-", "fairlead-o-", "fairlead-n-"
_NAMESPACE = uuid.UUID("6b1f9c1e-58a4-5d0e-9b7d-2f4c6f3a7a10")
BOOT = "fairlead_boot"
"""In a server's metadata: a digest of what it was last built from, for Nova shows no user data."""
POWER = "fairlead_power"
"""In a server's metadata: `off` while it is meant to be off, for Nova keeps no reason for an end."""


def metadata_of(tag: Tag) -> dict[str, str]:
    """The metadata, or properties, that carry `tag`."""
    return {f"{_PREFIX}{field}": getattr(tag, field)[:_LONGEST] for field in tag.__struct_fields__}


def tag_in(metadata: Mapping[str, object] | None) -> Tag | None:
    """The tag in metadata; None when it does not hold a whole one."""
    values = [(metadata or {}).get(f"{_PREFIX}{field}") for field in Tag.__struct_fields__]
    deployment, owner, name, incarnation = (value if isinstance(value, str) else None for value in values)
    if deployment is None or owner is None or name is None or incarnation is None:
        return None
    return Tag(deployment, Owner(owner), Name(name), Incarnation(incarnation))


def others_in(metadata: Mapping[str, object] | None) -> dict[str, str]:
    """What metadata hold beside our own words."""
    return {key: str(value) for key, value in (metadata or {}).items() if not key.startswith(_PREFIX)}


def metadata_filter(deployment: str, incarnation: str | None = None) -> str:
    """What Cinder's `metadata` filter takes: a Python dictionary as text."""
    wanted = {f"{_PREFIX}deployment": deployment[:_LONGEST]}
    if incarnation is not None:
        wanted[f"{_PREFIX}incarnation"] = incarnation
    return repr(wanted)


def same(tag: Tag, metadata: Mapping[str, object] | None) -> bool:
    """Whether metadata carries exactly `tag`, as far as there was room for it."""
    return tag_in(metadata) == tag_in(metadata_of(tag))


def line_of(tag: Tag) -> str:
    """`tag` as one line of at most 255 characters."""
    return f"{_LINE} {tag.deployment} {tag.incarnation} {tag.owner} {tag.name}"[:_LONGEST]


def tag_of_line(text: str | None) -> Tag | None:
    """The tag in a line; None when it is not one of ours. A name that was cut stays cut."""
    parts = (text or "").split(" ", 4)
    if len(parts) != 5 or parts[0] != _LINE:
        return None
    _, deployment, incarnation, owner, name = parts
    return Tag(deployment, Owner(owner), Name(name), Incarnation(incarnation))


def deployment_word(deployment: str) -> str:
    """The Nova tag of all servers of `deployment`: at most 60 characters, without slashes and commas."""
    word = f"fairlead-d-{deployment}"
    if len(word) <= _LONGEST_WORD and re.fullmatch(r"[A-Za-z0-9._-]+", word):
        return word
    return f"fairlead-d-{hashlib.sha256(deployment.encode()).hexdigest()[:40]}"


def incarnation_word(incarnation: str) -> str:
    """The Nova tag of the one server of an incarnation."""
    return f"{_LIFE}{incarnation}"


def image_id(tag: Tag) -> str:
    """The id that an image with this tag has."""
    return str(uuid.uuid5(_NAMESPACE, f"{tag.deployment} {tag.incarnation}"))


def stack_words(tag: Tag) -> list[str]:
    """The tags of a stack: words of at most 80 characters without commas, of which it can have many."""
    words = [deployment_word(tag.deployment), incarnation_word(tag.incarnation)]
    return [*words, f"{_OWNER}{tag.owner}"[:_LONGEST_TAG], f"{_NAME}{tag.name}".replace(",", " ")[:_LONGEST_TAG]]


def tag_of_stack(words: Collection[str], deployment: str) -> Tag | None:
    """The tag in a stack's tags; None when it is not one of this deployment's."""
    found = {
        prefix: word.removeprefix(prefix)
        for word in words
        for prefix in (_LIFE, _OWNER, _NAME)
        if word.startswith(prefix)
    }
    if len(found) != 3 or deployment_word(deployment) not in words:
        return None
    return Tag(deployment, Owner(found[_OWNER]), Name(found[_NAME]), Incarnation(found[_LIFE]))


def readable(text: str) -> str:
    """`text` as a name for people: no longer than names may be."""
    return re.sub(r"[^A-Za-z0-9._ -]+", "-", text).strip("-. ")[:_LONGEST] or "fairlead"
