"""What a caller may do: every action of the API is a rule with a name, in the language of oslo.policy.

The defaults follow OpenStack's: a project's own things are the member's to change and the reader's to look at, what concerns
all projects is the admin's. An admin's own instances and packages lie in the admin's project like anyone's: being admin shows
nobody else's, and no rule can, for what another project owns is not found. An operator's file puts other rules over these, and
is read again when it has changed. A file that is wrong is refused at start; later, the rules stay as they were, and the log
says why. Whoever issues the tokens, Fairlead or Keystone, there is this one policy.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from fairlead.errors import FairleadError, Forbidden
from fairlead.identity.policy_file import read_policy

__all__ = ["BASE_RULES", "Action", "Caller", "Policy", "Role", "Rule"]

log = structlog.get_logger()
_LOOKING: Final = 1.0
"""Seconds between two looks at whether the file has changed."""
_REMEMBERED: Final = 10_000


class Role(StrEnum):
    """What a token of Fairlead's own is given; it may hold several. Keystone's have any."""

    ADMIN = "admin"
    MEMBER = "member"
    READER = "reader"


class Action(StrEnum):
    """What a request does, as far as access is concerned, from which follows who may by default."""

    READ = "read"
    """Look at the project's instances, packages, operations, VIMs and events."""
    CHANGE = "change"
    """Create, change, operate and delete them."""
    ADMINISTER = "administer"
    """What concerns all projects, or the machine that Fairlead runs on."""

    @property
    def default(self) -> str:
        """The rule that says who may."""
        return _DEFAULTS[self]


_DEFAULTS: Final[Mapping[str, str]] = {
    "read": "rule:project_reader_or_admin",
    "change": "rule:project_member_or_admin",
    "administer": "rule:admin_api",
}


class Rule(msgspec.Struct, frozen=True):
    """A rule: its name, by default whom it lets, and the requests that it is asked for, as `GET /path`."""

    name: str
    check: str
    description: str
    requests: tuple[str, ...] = ()


BASE_RULES: Final = (
    Rule("admin_api", "role:admin", "Who administers Fairlead."),
    Rule("project_member_or_admin", "role:member or rule:admin_api", "Who changes what is the project's."),
    Rule(
        "project_reader_or_admin", "role:reader or rule:project_member_or_admin", "Who looks at what is the project's."
    ),
)


class Caller(msgspec.Struct, frozen=True):
    """Who calls. `name` is that of the token, client or user, for events and logs; it is no secret.

    `user`, `user_domain` and `project_domain` are Keystone's ids; empty for credentials of Fairlead's own.
    """

    project: str
    roles: frozenset[str]
    name: str
    user: str = ""
    user_domain: str = ""
    project_domain: str = ""


class Policy:
    """The rules in force: `rules`, with those of the operator's `file` over them.

    Raises FairleadError (`policy-invalid`) with the line of the file that is wrong.
    """

    def __init__(self, rules: Iterable[Rule], file: Path | None = None) -> None:
        self._rules = {rule.name: rule for rule in (*BASE_RULES, *rules)}
        self._file = file
        self._seen = _state(file)
        self._checks: dict[str, str] = {}
        self._decided: dict[tuple[Caller, str], bool] = {}
        self._enforcer: Any = None
        self._look_again = time.monotonic() + _LOOKING
        self._take(read_policy(file, {name: rule.check for name, rule in self._rules.items()}) if file else {})

    def allows(self, caller: Caller, rule: str) -> bool:
        """Whether `caller` may do what `rule` is of."""
        self._refresh()
        assert rule in self._checks, f"there is no rule {rule}"
        key = (caller, rule)
        decided = self._decided.get(key)
        if decided is None:
            target = {"project_id": caller.project, "user_id": caller.user}
            claimed = {
                **target,
                "roles": sorted(caller.roles),
                "user_domain_id": caller.user_domain,
                "project_domain_id": caller.project_domain,
            }
            decided = bool(self._enforcer.enforce(rule, target, claimed))
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            self._decided[key] = decided
        return decided

    def require(self, caller: Caller, rule: str) -> None:
        """Return when `caller` may do what `rule` is of.

        Raises Forbidden (code `role-missing`).
        """
        if not self.allows(caller, rule):
            held = ", ".join(sorted(caller.roles)) or "no role"
            enough = " or ".join(self.roles(rule))
            raise Forbidden(
                f"'{caller.name}' has {held} in project '{caller.project}', which is not enough for {rule}.",
                code="role-missing",
                remedy=f"Use a token with the role {enough}." if enough else f"The policy is: {self._checks[rule]}.",
            )

    def roles(self, rule: str) -> list[str]:
        """Those of the usual roles that are enough for `rule` by themselves."""
        return sorted(role for role in Role if self.allows(Caller("", frozenset({role.value}), ""), rule))

    def _refresh(self) -> None:
        if self._file is None or time.monotonic() < self._look_again:
            return
        self._look_again = time.monotonic() + _LOOKING
        state = _state(self._file)
        if state == self._seen:
            return
        self._seen = state
        try:
            self._take(read_policy(self._file, {name: rule.check for name, rule in self._rules.items()}))
        except FairleadError as error:
            log.error("policy.not-reread", detail=error.detail, place=error.place, remedy="The former rules stay.")
        else:
            log.info("policy.reread", file=str(self._file))

    def _take(self, over: Mapping[str, str]) -> None:
        # Loaded here: only a process that serves the API needs it.
        from oslo_config.cfg import ConfigOpts
        from oslo_policy.policy import Enforcer, Rules

        checks = {name: rule.check for name, rule in self._rules.items()} | dict(over)
        if self._enforcer is None:
            self._enforcer = Enforcer(ConfigOpts(), use_conf=False)
        self._enforcer.set_rules(Rules.from_dict(checks), overwrite=True, use_conf=False)
        self._checks = checks
        self._decided.clear()


def _state(file: Path | None) -> tuple[float, int] | None:
    """What changes when the file does; None when there is none."""
    try:
        found = file.stat() if file is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found is not None else None
