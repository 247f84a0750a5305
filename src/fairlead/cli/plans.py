"""A plan on the terminal: the text that the server made of it, what is not decided yet, and how to apply exactly this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from fairlead.cli.exits import Exit
from fairlead.cli.invocation import Invocation
from fairlead.cli.output import show, table
from fairlead.errors import Unprocessable

__all__ = ["refuse_what_cannot_work", "show_drift", "show_plan"]

_SEVERITIES = {"error": "red", "warning": "yellow"}
_COLOURS = {"+": "green", "~": "yellow", "-": "red", "-/+": "magenta", "<": "cyan", ">": "cyan", "!": "blue"}


def show_plan(invocation: Invocation, document: Mapping[str, Any], *, apply: str | None) -> None:
    """Print a plan and end the command: REFUSED (2) when it has changes, DONE when there is nothing to do.

    `apply` is the command that would do it; the digest is added to it, so that what is done is what was looked at.
    """
    show(invocation, dict(document), lambda: _text(document, apply))
    click.get_current_context().exit(Exit.REFUSED if _has_changes(document) else Exit.DONE)


def show_drift(invocation: Invocation, document: Mapping[str, Any], *, apply: str) -> None:
    """Print what is not as recorded and the plan of its repair, and end the command: REFUSED (2) when there is any."""
    show(invocation, dict(document), lambda: _drift(document, apply))
    click.get_current_context().exit(Exit.REFUSED if document["drifted"] else Exit.DONE)


def _drift(document: Mapping[str, Any], apply: str) -> str:
    findings = document.get("findings") or ()
    lines = []
    if document.get("openOperation"):
        words = f"Operation {document['openOperation']} is open: what differs may be its work in progress."
        lines += [click.style(words, fg="yellow"), ""]
    if not document["drifted"]:
        lines.append("Everything is as recorded.")
    if findings:
        headings = ("RESOURCE", "SORT", "WHAT", "REPAIR")
        rows = [(one["resource"], one.get("sort"), _severe(one), one.get("repair")) for one in findings]
        lines.append(table(headings, rows))
    if _has_changes(document):
        lines += ["", *(_coloured(line) for line in str(document["text"]).splitlines())]
        lines += ["", "Repair exactly this:", f"  {apply} --plan {document['digest']}"]
    elif any(one.get("repair") == "delete" for one in findings):
        lines += ["", "Repair:", f"  {apply}"]
    return "\n".join(lines)


def _severe(finding: Mapping[str, Any]) -> str:
    return click.style(str(finding["detail"]), fg=_SEVERITIES.get(str(finding["severity"])))


def _has_changes(document: Mapping[str, Any]) -> bool:
    return bool(document["plan"]["steps"])


def _text(document: Mapping[str, Any], apply: str | None) -> str:
    lines = [_coloured(line) for line in str(document["text"]).splitlines()]
    undecided = document.get("undecided") or ()
    if undecided:
        open_fields: dict[str, list[str]] = {}
        for item in undecided:
            open_fields.setdefault(item["resource"], []).append(item["field"])
        lines += ["", "Not decided yet (the infrastructure or an orchestrator chooses):"]
        lines += [f"  {name}  {', '.join(names)}" for name, names in open_fields.items()]
    findings = document.get("findings") or ()
    if findings:
        lines += ["", click.style("Worth knowing:", fg="yellow")]
        lines += [f"  {_finding(item)}" for item in findings]
    if apply is not None and _has_changes(document):
        lines += ["", "Apply exactly this plan:", f"  {apply} --plan {document['digest']}"]
    return "\n".join(lines)


def _finding(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    severity = str(item.get("severity") or "")
    marked = click.style(f"{severity}:", fg=_SEVERITIES.get(severity)) if severity else None
    remedy = f"({item['remedy']})" if item.get("remedy") else None
    parts = (marked, item.get("resource"), item.get("place"), item.get("code"), item.get("detail"), remedy)
    return " ".join(str(part) for part in parts if part)


def refuse_what_cannot_work(document: Mapping[str, Any]) -> None:
    """Raises Unprocessable (`plan-cannot-work`) when something in the infrastructure stands in the way of a plan."""
    errors = [item for item in document.get("findings") or () if _stands_in_the_way(item)]
    if errors:
        raise Unprocessable(
            f"{len(errors)} {'thing stands' if len(errors) == 1 else 'things stand'} in the way; nothing was done.",
            code="plan-cannot-work",
            resource=next((item["resource"] for item in errors if item.get("resource")), None),
            remedy="Mend that, or give --no-check to have it tried all the same.",
            more={"problems": [{**item, "place": item.get("resource")} for item in errors]},
        )


def _stands_in_the_way(item: Mapping[str, Any]) -> bool:
    """Errors do, but those of drift, which an operation may be there to mend."""
    return item.get("severity") == "error" and not str(item.get("code")).startswith("drift-")


def _coloured(line: str) -> str:
    sign = line[:4].strip()
    return click.style(line, fg=_COLOURS[sign]) if sign in _COLOURS else line
