"""What Prometheus is told of operations: how many began and how each ended, how long they took, how many are in hand.

Labels are the role's and type's names and states, never ids: their number stays small whatever is running.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["OperationMetrics"]

_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


class OperationMetrics:
    """The metrics of one worker's operations."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("role", "type")
        self.stopped = Counter(
            "fairlead_operations",
            "Operations that stopped, by the state in which they did.",
            (*labels, "state"),
            registry=registry,
        )
        self.duration = Histogram(
            "fairlead_operation_duration_seconds",
            "Time from accepting an operation to its end in COMPLETED.",
            labels,
            buckets=_BUCKETS,
            registry=registry,
        )
        self.in_hand = Gauge(
            "fairlead_operations_in_hand", "Operations that this worker is running.", registry=registry
        )
        self.taken_over = Counter(
            "fairlead_operations_taken_over", "Operations taken over from lost workers.", registry=registry
        )
        self.leftovers = Counter("fairlead_leftovers", "Things found in VIMs that no record knew.", registry=registry)
