"""From an accepted operation to an exit code: wait, show, and tell how it ended.

From the moment a request is sent, nothing here may lose the operation for its user: whatever ends the wait (Ctrl-C, the
time that was given, a server that went away) leaves the operation alone, names its id, and says how to look again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from fairlead.cli.cards import show_card
from fairlead.cli.exits import Exit
from fairlead.cli.invocation import Invocation
from fairlead.cli.output import moment, show
from fairlead.errors import ServerUnreachable, StillRunning

__all__ = ["accept", "asking", "next_steps", "settle", "wait_options", "waiting"]

DEFAULT_TIMEOUT = 3600.0

_NEXT = {
    "FAILED_TEMP": (
        "See what a retry would do:  fairlead operation plan {id} retry",
        "Try again where it failed:  fairlead operation retry {id}",
        "Undo what it did:           fairlead operation rollback {id}",
        "Give it up as it is:        fairlead operation fail {id}",
    ),
    "FAILED": ("See what is there:  fairlead vnf show {vnf}",),
}


def wait_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that starts an operation."""
    wait = click.option("--wait/--no-wait", default=True, help="Wait until it has ended (the default), or go at once.")
    timeout = click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        default=DEFAULT_TIMEOUT,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait; the operation goes on afterwards.",
    )
    return wait(timeout(command))


@contextmanager
def asking(invocation: Invocation, look: str) -> Iterator[None]:
    """Around the request itself: when its answer is lost, nobody knows whether it was accepted, and `look` tells how to see.

    A request that was never sent raises ServerUnreachable as ever.
    """
    try:
        yield
        return
    except KeyboardInterrupt:
        invocation.note(f"\nInterrupted. If the request has arrived it goes on; look with:\n  {look}")
    except ServerUnreachable as error:
        if error.code == "cannot-reach-server":
            raise
        card = error.card() | {"remedy": "The request may have been accepted. Look with:"}
        show_card(invocation, card, more_next=[look])
    click.get_current_context().exit(Exit.STILL_RUNNING)


@contextmanager
def waiting(invocation: Invocation, look: str) -> Iterator[None]:
    """Around a wait for what was accepted: Ctrl-C, the end of its time and a lost server end the command and nothing else."""
    try:
        yield
        return
    except KeyboardInterrupt:
        invocation.note(f"\nDetached; what was accepted goes on. Look again with:\n  {look}")
    except (StillRunning, ServerUnreachable) as error:
        card = error.card() | {"remedy": "What was accepted goes on. Look again with:"}
        show_card(invocation, card, more_next=[look])
    click.get_current_context().exit(Exit.STILL_RUNNING)


def accept(invocation: Invocation, vnf: Mapping[str, Any], begin: Callable[[], str]) -> str:
    """The id of the operation that `begin` starts."""
    with asking(invocation, f"fairlead operation list --vnf {vnf['id']}"):
        return begin()
    raise AssertionError("not reached: what does not return ends the command")


def settle(
    invocation: Invocation,
    operation: str,
    *,
    wait: bool,
    timeout: float,
    good: frozenset[str] = frozenset({"COMPLETED"}),
) -> None:
    """Wait for an operation that was accepted, show how it ended, and end the command with its exit code.

    `good` are the states in which it has done what the user asked for.
    """
    if not wait:
        invocation.note("Accepted. Wait for it with:  fairlead operation wait " + operation)
        document = invocation.client.operations.show(operation) if invocation.output != "table" else {}
        show(invocation, document, lambda: operation)
        click.get_current_context().exit(Exit.DONE)
    with waiting(invocation, f"fairlead operation wait {operation}"):
        from fairlead.cli.progress import Progress

        with Progress(invocation, operation) as progress:
            done = invocation.client.operations.wait(operation, timeout=timeout, watching=progress)
    show(invocation, done, lambda: _summary(done))
    if done["operationState"] in good:
        click.get_current_context().exit(Exit.DONE)
    if done.get("error"):
        show_card(invocation, done["error"], more_next=next_steps(done))
    else:
        for line in next_steps(done):
            invocation.note(line)
    click.get_current_context().exit(Exit.ERROR)


def next_steps(operation: Mapping[str, Any]) -> list[str]:
    """What a user can do about an operation in this state."""
    lines = _NEXT.get(str(operation["operationState"]), ())
    return [line.format(id=operation["id"], vnf=operation["vnfInstanceId"]) for line in lines]


def _summary(operation: Mapping[str, Any]) -> str:
    state = str(operation["operationState"])
    good = state in ("COMPLETED", "ROLLED_BACK")
    words = click.style(state, fg="green" if good else "red", bold=True)
    ended = moment(operation.get("stateEnteredTime"))
    return f"{operation['operation']} {words} at {ended}  operation {operation['id']}  VNF {operation['vnfInstanceId']}"
