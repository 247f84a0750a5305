"""What a role may do, as data.

A project's own things are the member's to change and the reader's to look at; what concerns all projects is the
admin's. An admin's own instances and packages lie in the admin's project like anyone's: being admin shows nobody
else's. The table is small on purpose: whoever needs finer rules gives out tokens of more projects.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from fairlead.errors import Forbidden

__all__ = ["POLICY", "Action", "Caller", "Role", "allows", "require"]


class Role(StrEnum):
    """What a token was given; it may hold several."""

    ADMIN = "admin"
    MEMBER = "member"
    READER = "reader"


class Action(StrEnum):
    """What a request does, as far as access is concerned."""

    READ = "read"
    """Look at the project's instances, packages, operations, VIMs and events."""
    CHANGE = "change"
    """Create, change, operate and delete them."""
    SHARE = "share"
    """Register, change or delete a VIM that all projects use."""
    HOLD_HOST = "hold-host"
    """Register or change a VIM that gives a hold on Fairlead's own machine, as the socket of a container engine does."""
    ADMINISTER = "administer"
    """Projects, tokens and OAuth2 clients."""


POLICY: Mapping[Action, frozenset[Role]] = {
    Action.READ: frozenset({Role.READER, Role.MEMBER, Role.ADMIN}),
    Action.CHANGE: frozenset({Role.MEMBER, Role.ADMIN}),
    Action.SHARE: frozenset({Role.ADMIN}),
    Action.HOLD_HOST: frozenset({Role.ADMIN}),
    Action.ADMINISTER: frozenset({Role.ADMIN}),
}


class Caller(msgspec.Struct, frozen=True):
    """Who calls. `name` is that of the token or client, for events and logs; it is no secret."""

    project: str
    roles: frozenset[str]
    name: str


def allows(caller: Caller, action: Action) -> bool:
    """Whether `caller` may do `action`."""
    return not caller.roles.isdisjoint(POLICY[action])


def require(caller: Caller, action: Action) -> None:
    """Return when `caller` may do `action`.

    Raises Forbidden (code `role-missing`).
    """
    allowed = POLICY[action]
    if not allows(caller, action):
        held = ", ".join(sorted(caller.roles)) or "no role"
        raise Forbidden(
            f"'{caller.name}' has {held} in project '{caller.project}', which is not enough to {action}.",
            code="role-missing",
            remedy=f"Use a token with one of the roles {', '.join(sorted(allowed))}.",
        )
