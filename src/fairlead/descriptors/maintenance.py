"""What is to be watched of a part of a VNF, and what it bears while the platform beneath it is maintained.

SOL001 hangs both on VDUs, storages, links and placement rules alike, so they are types of their own. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fairlead.descriptors.problems import NOWHERE, Mark

__all__ = ["GroupLimit", "Maintenance", "MonitoringParameter"]


@dataclass(frozen=True, slots=True)
class GroupLimit:
    """A number of instances, for groups of `group_size`; None: whatever the size of the group is."""

    number: int
    group_size: int | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """SOL001 NfviMaintenanceInfo: how maintenance of the platform is to be announced, and how much of it is borne."""

    notification_lead_time: float
    mitigation_requested: bool = False
    migration_types: tuple[str, ...] = ()
    max_undetectable_interruption: float | None = None
    min_recovery_time: float | None = None
    max_impacted: tuple[GroupLimit, ...] = ()
    min_preserved: tuple[GroupLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class MonitoringParameter:
    """A measurement that the VNFM collects; `metric` is SOL001's name of it."""

    id: str
    name: str
    metric: str
    collection_period: float | None = None
    mark: Mark = field(default=NOWHERE, compare=False)
