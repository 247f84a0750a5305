"""`fairlead operation`: what was done and is being done, and what to do when it failed for now."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from fairlead.cli.cards import show_card
from fairlead.cli.chart import render_chart
from fairlead.cli.invocation import Invocation, Object, pass_invocation
from fairlead.cli.output import fields, moment, show, styled_state, table
from fairlead.cli.plans import show_plan
from fairlead.cli.settling import asking, next_steps, settle, wait_options
from fairlead.errors import NotFound

__all__ = ["group"]

Document = dict[str, Any]

_AFFECTED = {
    "affectedVnfcs": ("VNFC", "vduId", "computeResource"),
    "affectedVirtualLinks": ("link", "vnfVirtualLinkDescId", "networkResource"),
    "affectedVirtualStorages": ("storage", "virtualStorageDescId", "storageResource"),
    "affectedExtLinkPorts": ("external port", "extCpInstanceId", "resourceHandle"),
}


@click.group("operation", cls=Object)
def group() -> None:
    """Operations: look at them, wait for them, retry, roll back.

    OPERATION is the id of one, or the id or name of a VNF for its newest operation.
    """


@group.command("list")
@click.option("--vnf", metavar="VNF", help="Only those of this VNF.")
@click.option("--open", "open_", is_flag=True, help="Only those that have not come to an end.")
@click.option("--filter", metavar="EXPRESSION", help="A filter of SOL013, such as (eq,operation,HEAL).")
@pass_invocation
def list_(invocation: Invocation, vnf: str | None, open_: bool, filter: str | None) -> None:
    """List operations, the newest last."""
    terms = [filter] if filter else []
    if vnf:
        terms.append(f"(eq,vnfInstanceId,{invocation.client.vnfs.find(vnf)['id']})")
    if open_:
        terms.append("(in,operationState,STARTING,PROCESSING,FAILED_TEMP,ROLLING_BACK)")
    found = sorted(invocation.client.operations.list(filter=";".join(terms) or None), key=_started)
    rows = [
        (
            one["id"],
            one["operation"],
            styled_state(one["operationState"]),
            one["vnfInstanceId"],
            moment(one["startTime"]),
        )
        for one in found
    ]
    headings = ("ID", "OPERATION", "STATE", "VNF", "STARTED")
    show(invocation, found, lambda: table(headings, rows, nothing="There are no operations."))


@group.command("show")
@click.argument("operation")
@click.option("--timeline", is_flag=True, help="When each step started, was accepted and was ready, as a chart.")
@pass_invocation
def show_(invocation: Invocation, operation: str, timeline: bool) -> None:
    """Show an operation: its state, what it changed, why it failed.

    \b
    Examples:
      fairlead operation show gw
      fairlead operation show gw --timeline
    """
    found = _found(invocation, operation)
    if timeline:
        document = invocation.client.operations.timeline(found["id"])
        width = shutil.get_terminal_size((100, 24)).columns
        encoding = (sys.stdout.encoding or "").lower()
        plain = not encoding.startswith("utf")
        show(invocation, document, lambda: render_chart(document, width=width, now=time.time(), plain=plain))
        return
    show(invocation, found, lambda: _details(found))
    if invocation.output == "table" and found.get("error"):
        show_card(invocation, found["error"], more_next=next_steps(found))


@group.command("wait")
@click.argument("operation")
@wait_options
@pass_invocation
def wait_(invocation: Invocation, operation: str, wait: bool, timeout: float) -> None:
    """Wait until an operation has come to rest; 0 when it is done, 1 when it failed, 3 when it still runs."""
    settle(invocation, _found(invocation, operation)["id"], wait=wait, timeout=timeout)


@group.command("retry")
@click.argument("operation")
@wait_options
@pass_invocation
def retry(invocation: Invocation, operation: str, wait: bool, timeout: float) -> None:
    """Go on with a failed operation where it failed."""
    found = _found(invocation, operation)
    _ask(invocation, found, lambda: invocation.client.operations.retry(found["id"]))
    settle(invocation, found["id"], wait=wait, timeout=timeout)


@group.command("rollback")
@click.argument("operation")
@wait_options
@pass_invocation
def rollback(invocation: Invocation, operation: str, wait: bool, timeout: float) -> None:
    """Bring back what was before a failed operation."""
    found = _found(invocation, operation)
    _ask(invocation, found, lambda: invocation.client.operations.rollback(found["id"]))
    settle(invocation, found["id"], wait=wait, timeout=timeout, good=frozenset({"ROLLED_BACK"}))


@group.command("cancel")
@click.argument("operation")
@click.option(
    "--graceful/--forceful", default=True, help="Let what is under way finish (the default), or stop at once."
)
@wait_options
@pass_invocation
def cancel(invocation: Invocation, operation: str, graceful: bool, wait: bool, timeout: float) -> None:
    """Stop a running operation; it can be retried or rolled back afterwards."""
    found = _found(invocation, operation)
    _ask(invocation, found, lambda: invocation.client.operations.cancel(found["id"], forceful=not graceful))
    stopped = frozenset({"FAILED_TEMP", "FAILED", "ROLLED_BACK"})
    settle(invocation, found["id"], wait=wait, timeout=timeout, good=stopped)


@group.command("fail")
@click.argument("operation")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_invocation
def fail(invocation: Invocation, operation: str, yes: bool) -> None:
    """Give a failed operation up: it cannot be retried or rolled back any more, and the VNF can be worked on."""
    found = _found(invocation, operation)
    invocation.confirm(f"Give up {found['operation']} {found['id']}?", yes=yes)
    done = invocation.client.operations.fail(found["id"])
    show(invocation, done, lambda: _details(done))


@group.command("plan")
@click.argument("operation")
@click.argument("action", type=click.Choice(["retry", "rollback"]))
@pass_invocation
def plan(invocation: Invocation, operation: str, action: str) -> None:
    """Show what a retry or rollback would do. Exit code 2 when there is something to do, 0 when there is not."""
    found = _found(invocation, operation)
    show_plan(invocation, invocation.client.operations.plan(found["id"], action), apply=None)


def _found(invocation: Invocation, text: str) -> Document:
    operations = invocation.client.operations
    from fairlead.client import looks_like_id

    if looks_like_id(text):
        try:
            return operations.show(text)
        except NotFound as missing:
            try:
                vnf = invocation.client.vnfs.show(text)
            except NotFound:
                raise missing from None
    else:
        vnf = invocation.client.vnfs.find(text)
    found = max(operations.list(filter=f"(eq,vnfInstanceId,{vnf['id']})"), key=_started, default=None)
    if found is None:
        raise NotFound(f"The VNF {text!r} has had no operation.", code="no-operation")
    return operations.show(found["id"])


def _ask(invocation: Invocation, operation: Mapping[str, Any], ask: Any) -> None:
    with asking(invocation, f"fairlead operation show {operation['id']}"):
        ask()


def _started(operation: Mapping[str, Any]) -> str:
    return str(operation.get("startTime", ""))


def _details(operation: Mapping[str, Any]) -> str:
    changes = operation.get("resourceChanges") or {}
    rows = [
        (words, one.get(field), one["changeType"], (one.get(handle) or {}).get("resourceId"))
        for key, (words, field, handle) in _AFFECTED.items()
        for one in changes.get(key) or ()
    ]
    pending = "  (cancel asked for)" if operation.get("isCancelPending") else ""
    head = fields(
        [
            ("id", operation["id"]),
            ("operation", operation["operation"]),
            ("state", styled_state(operation["operationState"]) + pending),
            ("VNF", operation["vnfInstanceId"]),
            ("started", moment(operation.get("startTime"))),
            ("in this state since", moment(operation.get("stateEnteredTime"))),
            ("parameters", operation.get("operationParams")),
            ("changed", operation.get("changedInfo")),
            ("warnings", operation.get("warnings")),
        ]
    )
    affected = table(("AFFECTED", "OF", "CHANGE", "RESOURCE"), rows)
    return head + (f"\n\n{affected}" if affected else "")
