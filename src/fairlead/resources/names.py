"""The identities of the engine: what a resource is called, which of its lives is meant, and how a VIM knows it.

A *name* is a path that stays the same over an instance's life (`VDU1/k3/CP1`). Each time that something is created
under a name it gets a new *incarnation*, a random id that is written down before the call that creates and that is part
of the *tag* on the VIM's side. A *handle* is what the VIM calls the thing once it has accepted it.
"""

from __future__ import annotations

import secrets
from typing import Any, NewType

import msgspec

__all__ = ["Handle", "Incarnation", "Name", "Outputs", "Owner", "Tag", "VimId", "new_incarnation"]

Name = NewType("Name", str)
Owner = NewType("Owner", str)
VimId = NewType("VimId", str)
Incarnation = NewType("Incarnation", str)
Handle = NewType("Handle", str)
Outputs = dict[str, Any]


class Tag(msgspec.Struct, frozen=True):
    """What is written on a thing in a VIM, so that it can be found again and never taken for another's.

    `deployment` is this installation's id, `owner` the id of the instance, and a thing is ours to adopt only when the
    `incarnation` is the very one that was recorded.
    """

    deployment: str
    owner: Owner
    name: Name
    incarnation: Incarnation


def new_incarnation() -> Incarnation:
    """A fresh id: 16 lower-case hexadecimal digits."""
    return Incarnation(secrets.token_hex(8))
