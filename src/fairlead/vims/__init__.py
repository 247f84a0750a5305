"""Infrastructures: the seam, the registry of VIMs, one watcher for each, and the drivers.

A driver is a set of small kinds (`resources.Kind`), found by an entry point of the group `fairlead.vims`. Drivers do
not know each other, and nothing above this floor knows how any of them works.
"""

from fairlead.vims.needs import Lack, Missing, Need, NeedSort, TellsLacks
from fairlead.vims.planned import needs_of_plan
from fairlead.vims.registrations import Registrations
from fairlead.vims.registry import VimRegistry
from fairlead.vims.seam import (
    Access,
    Artifacts,
    Capacity,
    Check,
    Driver,
    DriverType,
    Finding,
    Surveys,
    Tagged,
    TellsZones,
    Traits,
)
from fairlead.vims.watcher import Watcher

__all__ = [
    "Access",
    "Artifacts",
    "Capacity",
    "Check",
    "Driver",
    "DriverType",
    "Finding",
    "Lack",
    "Missing",
    "Need",
    "NeedSort",
    "Registrations",
    "Surveys",
    "Tagged",
    "TellsLacks",
    "TellsZones",
    "Traits",
    "VimRegistry",
    "Watcher",
    "needs_of_plan",
]
