"""What Prometheus is told of operations: how many stopped in which state, how long they took, how many are in hand.

Labels are the names of roles and types, and states, never ids: their number stays small whatever is running.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from fairlead.operations.occurrence import Operation
from fairlead.operations.states import RUNNING

__all__ = ["OperationMetrics"]

_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


class OperationMetrics:
    """The metrics of one worker's operations; `in_hand` tells how many it has now."""

    def __init__(self, registry: CollectorRegistry, in_hand: Callable[[], int]) -> None:
        labels = ("role", "type")
        self._stopped = Counter(
            "fairlead_operations_stopped",
            "Times that an operation stopped, by the state in which it did.",
            (*labels, "state"),
            registry=registry,
        )
        self._duration = Histogram(
            "fairlead_operation_duration_seconds",
            "Time from accepting an operation to the state in which it stopped.",
            labels,
            buckets=_BUCKETS,
            registry=registry,
        )
        gauge = Gauge("fairlead_operations_in_hand", "Operations that this worker is running.", registry=registry)
        gauge.set_function(in_hand)

    def moved(self, operation: Operation) -> None:
        """An operation has moved to its present state."""
        if operation.state not in RUNNING:
            self._stopped.labels(operation.role, operation.type, str(operation.state)).inc()
            self._duration.labels(operation.role, operation.type).observe(operation.entered - operation.started)
