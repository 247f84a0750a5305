"""Exit codes, and which failure ends in which.

A script must be able to tell four things apart without reading text. Refused (2) is told from failed (1) because it
means that nothing was done and that a decision is needed: the state of the thing, or a plan that has moved, stands
against it. Mistakes in the command itself are 1, though other programs give 2 for them: a typing error must not look
like a plan with changes.
"""

from __future__ import annotations

from enum import IntEnum

from fairlead.errors import Conflict, FairleadError, PreconditionFailed, StillRunning, Unprocessable

__all__ = ["EXIT_CODES", "Exit", "exit_of"]


class Exit(IntEnum):
    """What the command returns to the shell."""

    DONE = 0
    ERROR = 1
    REFUSED = 2
    """Also: a plan has changes."""
    STILL_RUNNING = 3


EXIT_CODES = """\b
Exit codes:
  0  done; for a plan: there is nothing to do
  1  an error, or an operation that was waited for failed
  2  a plan has changes; or the server refused the request as things stand
     (409, 412, 422), and nothing was done
  3  accepted and still running: detached with Ctrl-C, the time of --timeout
     is over, or the server went away meanwhile
"""


def exit_of(error: FairleadError) -> Exit:
    """The exit code for an error that ended a command."""
    if isinstance(error, Conflict | PreconditionFailed | Unprocessable):
        return Exit.REFUSED
    return Exit.STILL_RUNNING if isinstance(error, StillRunning) else Exit.ERROR
