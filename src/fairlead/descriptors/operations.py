"""What a descriptor says of the operations on its VNF, and of how many instances of it a service may have.

These are the parts of a deployment flavour that only managers read: no resource follows from them. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["OperationsConfiguration", "Timeouts", "VersionDependency", "VnfProfile"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The least time that a graceful end needs, and the most that is sensible."""

    least: float
    recommended_most: float | None = None


@dataclass(frozen=True, slots=True)
class OperationsConfiguration:
    """SOL001 VnfLcmOperationsConfiguration; `own` are properties that a vendor's types add, by operation."""

    instantiate_to_scale_levels: bool = False
    scale_by_several_steps: bool = False
    scale_to_arbitrary_levels: bool = False
    heal_causes: tuple[str, ...] = ()
    graceful_termination: Timeouts | None = None
    graceful_stop: Timeouts | None = None
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VersionDependency:
    """`constituent` works with these descriptors; each statement is one set of alternatives."""

    constituent: str
    statements: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class VnfProfile:
    """SOL001 VnfProfile: how a network service may use the flavour."""

    min_instances: int
    max_instances: int
    level: str | None = None
    scale_levels: Mapping[str, int] = field(default_factory=dict)
    service_availability_level: int | None = None
    version_dependencies: tuple[VersionDependency, ...] = ()
