"""The simulated infrastructure: a full peer of the real ones, with settable latency, quota, faults and crash points.

It ships with the product: operators rehearse on it, and every test of the engine runs on it first. Its world is a small file
of its own (`interface.state`), which survives a restart of Fairlead and is shared by all processes that open it; without a
file the world lives as long as the process. It is strict where real infrastructures are: what is in use cannot be deleted, what
does not exist cannot be referred to, and an address is given out once.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import msgspec

from fairlead.clock import Clock
from fairlead.errors import Unprocessable
from fairlead.resources import Rules
from fairlead.vims.seam import Access, Artifacts, Driver, Traits
from fairlead.vims.simulated.behaviour import Behaviour
from fairlead.vims.simulated.driver import SimulatedDriver
from fairlead.vims.simulated.rules import RULES
from fairlead.vims.simulated.world import World

__all__ = ["Behaviour", "SimulatedDriverType", "World", "driver"]


class SimulatedDriverType:
    """The type `simulated`."""

    name = "simulated"
    traits = Traits(sorts=frozenset(RULES))

    @property
    def rules(self) -> Mapping[str, Rules[Any]]:
        return RULES

    def validate(self, access: Access) -> None:
        """Raises Unprocessable (`bad-vim-settings`) for settings that are not `Behaviour`."""
        try:
            behaviour = msgspec.convert(access.settings, Behaviour)
            for cidr in behaviour.networks.values():
                ip_network(cidr)
        except ValueError as error:
            raise Unprocessable(
                f"The settings of a simulated VIM are not right: {error}.", code="bad-vim-settings", place="settings"
            ) from error

    def hold_on_host(self, access: Access) -> str | None:
        if access.interface.get("state"):
            return "a file of it (interface.state)"
        behaviour = msgspec.convert(access.settings, Behaviour)
        crashes = any(fault.effect.startswith("crash") for fault in behaviour.faults)
        return "Fairlead's own process (a fault that crashes it)" if crashes else None

    def open(self, access: Access, artifacts: Artifacts, clock: Clock) -> Driver:
        self.validate(access)
        state = access.interface.get("state")
        world = World.at(str(state) if state else None, access.id)
        return SimulatedDriver(access.deployment, world, msgspec.convert(access.settings, Behaviour), clock)


driver = SimulatedDriverType()
