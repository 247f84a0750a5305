"""The names of the rules that say who may do what: one for each action, made of method and path.

`POST /vnflcm/v2/vnf_instances/{vnfInstanceId}/scale` is `vnflcm:vnf_instances:scale`, whatever the version; what is Fairlead's
own begins with `fairlead:`, and Tacker's view of VIMs asks the rules of the same things. Nobody writes a name down, so none
can be forgotten, and an endpoint without a rule is one that is open on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from fairlead.api.endpoints import Endpoint
from fairlead.identity import Action, Rule
from fairlead.identity.policy import BASE_RULES

__all__ = ["ALL_PROJECTS", "HOLD_HOST", "SHARE", "rule_name", "rules_of", "sample"]

SHARE: Final = "fairlead:vims:share"
HOLD_HOST: Final = "fairlead:vims:hold_host"
ALL_PROJECTS: Final = "fairlead:events:all_projects"
_BESIDE: Final = (
    Rule(SHARE, Action.ADMINISTER.default, "Register, change or delete an infrastructure that all projects use."),
    Rule(
        HOLD_HOST,
        Action.ADMINISTER.default,
        "Register or change an infrastructure that gives a hold on Fairlead's own machine, as an engine's socket does.",
    ),
    Rule(ALL_PROJECTS, Action.ADMINISTER.default, "Follow the events of all projects."),
)
"""What is asked for within a request, beside the request's own rule."""
_VERSION = re.compile(r"v\d+(\.\d+)?")
_OF_COLLECTION: Final = {"GET": "list", "POST": "create"}
_OF_MEMBER: Final = {"GET": "show", "PATCH": "update", "PUT": "update", "DELETE": "delete"}


def rule_name(endpoint: Endpoint) -> str | None:
    """The rule that a request to `endpoint` is judged by; None where anybody may."""
    if endpoint.needs is None:
        return None
    words = [word.removesuffix(".json") for word in endpoint.path.split("/") if word]
    interface = words.pop(0) if len(words) > 1 else "fairlead"
    if _VERSION.fullmatch(interface):
        interface = "fairlead"
    words = [word for word in words if not _VERSION.fullmatch(word)]
    things = [word for word in words if not word.startswith("{")]
    if len(things) == 1:
        verb = (_OF_MEMBER if len(words) > 1 else _OF_COLLECTION)[endpoint.method]
    else:
        verb = things[-1] if endpoint.method == "POST" else f"{_OF_MEMBER[endpoint.method]}_{things[-1]}"
    return f"{interface}:{things[0]}:{verb}"


def rules_of(endpoints: Iterable[Endpoint]) -> tuple[Rule, ...]:
    """The rules of `endpoints`, each with the requests that it is of, and those that are asked beside; sorted by name."""
    found: dict[str, Rule] = {rule.name: rule for rule in _BESIDE}
    for endpoint in endpoints:
        name, action = rule_name(endpoint), endpoint.needs
        if name is None or action is None:
            continue
        before = found.get(name)
        assert before is None or before.check == action.default, f"{name} has two defaults"
        requests = (*(before.requests if before else ()), f"{endpoint.method} {endpoint.path}")
        found[name] = Rule(name, action.default, before.description if before else f"{endpoint.summary}.", requests)
    return tuple(found[name] for name in sorted(found))


def sample(rules: Iterable[Rule]) -> str:
    """A `policy.yaml` in which every one of `rules` stands with its default, as a remark."""
    lines = [
        "# Who may do what, by default. To change a rule, take the mark of the remark away from its line, and",
        "# name the file in the setting identity.policy. Rules are those of oslo.policy: role:NAME, rule:NAME,",
        "# user_id:ID, project_id:ID, @ (everybody), ! (nobody), joined by and, or, not.",
        "",
    ]
    for rule in (*BASE_RULES, *rules):
        lines += [f"# {rule.description}", *(f"# {request}" for request in rule.requests)]
        lines += [f'#"{rule.name}": "{rule.check}"', ""]
    return "\n".join(lines)
