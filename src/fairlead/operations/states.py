"""The states of an operation, and what leads from one to another, as data.

SOL003 clause 5.6.2.2 for operations of VNFs; SOL005 clause 6.6.2.4 adds PARTIALLY_COMPLETED for network services. An
operation is *open* until it ends: an instance has at most one open operation, and FAILED_TEMP is open.
"""

from __future__ import annotations

from enum import StrEnum

from fairlead.errors import Conflict

__all__ = ["ENDED", "OPEN", "RUNNING", "TRANSITIONS", "OperationState", "require"]


class OperationState(StrEnum):
    """Where an operation is."""

    STARTING = "STARTING"
    """Accepted; what it is going to do is not decided yet."""
    PROCESSING = "PROCESSING"
    """Its plan is being applied."""
    COMPLETED = "COMPLETED"
    """Done; everything has been released."""
    PARTIALLY_COMPLETED = "PARTIALLY_COMPLETED"
    """Done but for parts that failed by themselves."""
    FAILED_TEMP = "FAILED_TEMP"
    """Stopped by a failure or a cancel; waits for retry, rollback or fail."""
    FAILED = "FAILED"
    """Given up; what was done stays, and the record says what."""
    ROLLING_BACK = "ROLLING_BACK"
    """The way back to what was before is being applied."""
    ROLLED_BACK = "ROLLED_BACK"
    """As it was before."""


_S = OperationState

TRANSITIONS: dict[OperationState, frozenset[OperationState]] = {
    _S.STARTING: frozenset({_S.PROCESSING, _S.ROLLED_BACK}),
    _S.PROCESSING: frozenset({_S.COMPLETED, _S.PARTIALLY_COMPLETED, _S.FAILED_TEMP}),
    _S.FAILED_TEMP: frozenset({_S.PROCESSING, _S.ROLLING_BACK, _S.FAILED}),
    _S.ROLLING_BACK: frozenset({_S.ROLLED_BACK, _S.FAILED_TEMP}),
    _S.COMPLETED: frozenset(),
    _S.PARTIALLY_COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.ROLLED_BACK: frozenset(),
}

RUNNING = frozenset({_S.STARTING, _S.PROCESSING, _S.ROLLING_BACK})
"""States in which a worker has, or should have, the operation in hand."""
ENDED = frozenset(state for state, following in TRANSITIONS.items() if not following)
OPEN = frozenset(TRANSITIONS) - ENDED

REQUESTS: dict[str, frozenset[OperationState]] = {
    "retry": frozenset({_S.FAILED_TEMP}),
    "rollback": frozenset({_S.FAILED_TEMP}),
    "fail": frozenset({_S.FAILED_TEMP}),
    "cancel": RUNNING,
}
"""In which states each request of a user is taken."""


def require(request: str, state: OperationState, operation: str) -> None:
    """Raises Conflict (`wrong-operation-state`) unless `request` is taken in `state`."""
    if state not in REQUESTS[request]:
        taken = ", ".join(sorted(REQUESTS[request]))
        raise Conflict(
            f"Operation {operation} is {state}; '{request}' is taken in {taken}.",
            code="wrong-operation-state",
            resource=operation,
        )
