"""A plan as text: one line for each change, its reason, and the totals.

The signs are those that operators know from other planning tools: `+` create, `~` update, `-/+` replace, `-` delete;
`<` and `>` stand for claiming from a pool and releasing to it, `!` for an action. What is kept is only counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["render_plan"]

_SIGNS = {
    "create": "  +",
    "update": "  ~",
    "replace": "-/+",
    "delete": "  -",
    "claim": "  <",
    "release": "  >",
    "keep": "   ",
}
_PAST = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "delete": "to delete",
    "claim": "to claim",
    "release": "to release",
    "keep": "unchanged",
}


def render_plan(plan: Mapping[str, Any], *, title: str = "Plan") -> str:
    """The text of a plan document (see `plan_document`)."""
    lines = [title]
    shown = [change for change in plan["changes"] if change["verb"] != "keep"]
    widths = (max((len(c["sort"]) for c in shown), default=0), max((len(c["name"]) for c in shown), default=0))
    for change in shown:
        owner = "" if change["ownership"] == "owned" else f"[{change['ownership']}] "
        sort, name = change["sort"].ljust(widths[0]), change["name"].ljust(widths[1])
        lines.append(f"{_SIGNS[change['verb']]} {sort}  {name}  {owner}{change['reason']}".rstrip())
    for step in plan["steps"]:
        action = step.get("action")
        if action:
            target = f" on {action['target']}" if action.get("target") else ""
            reason = f"  {action['reason']}" if action.get("reason") else ""
            lines.append(f"  ! {action['kind']}{target}{reason}")
    lines.append(totals(plan))
    return "\n".join(lines)


def totals(plan: Mapping[str, Any]) -> str:
    """The last line of a plan: how many changes of each sort there are."""
    counts: Mapping[str, int] = plan["totals"]
    words = [f"{counts[verb]} {_PAST[verb]}" for verb in _PAST if counts.get(verb)]
    return ", ".join(words) + "." if words else "Nothing to do."
