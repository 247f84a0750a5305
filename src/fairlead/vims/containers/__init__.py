"""Container engines: Podman or Docker through the Docker-compatible API.

A VDU becomes a container, its connection points NICs on bridges, its storages named volumes, its software images images of the
engine. `interface.url` says where the engine listens; `settings` has what may be asked for (see `Settings`).

    url: unix:///run/podman/podman.sock        or  tcp://host:port, https://host:port with `ca`, `certificate`, `key`
    settings: {allowed_capabilities: [NET_ADMIN, NET_RAW]}

Read in the order `rules`, `labels`, `engine`, `refusals`, then the kinds: `networks`, `volumes`, `images`, `compute` with
`composition` and `nics`, `ports`, `views`; `driver` puts them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.clock import Clock
from fairlead.resources import Rules
from fairlead.vims.containers.driver import ContainersDriver
from fairlead.vims.containers.engine import Engine
from fairlead.vims.containers.rules import RULES, Container, Nic
from fairlead.vims.containers.settings import Settings, place_of, settings_of, tls_context
from fairlead.vims.seam import Access, Artifacts, Driver, Traits

__all__ = ["Container", "ContainersDriverType", "Nic", "Settings", "driver"]


class ContainersDriverType:
    """The type `containers`."""

    name = "containers"
    traits = Traits(sorts=frozenset(RULES), within={"port": "compute"})

    @property
    def rules(self) -> Mapping[str, Rules[Any]]:
        return RULES

    def validate(self, access: Access) -> None:
        """Raises Unprocessable (`bad-vim-settings`, `bad-vim-credentials`) with the field at fault."""
        place_of(access)
        settings_of(access)
        tls_context(access)

    def hold_on_host(self, access: Access) -> str | None:
        place = place_of(access)
        return f"a container engine on it, {place.socket or place.address}" if place.on_host else None

    def open(self, access: Access, artifacts: Artifacts, clock: Clock) -> Driver:
        engine = Engine(place_of(access), settings_of(access), tls_context(access))
        return ContainersDriver(access.deployment, engine, artifacts)


driver = ContainersDriverType()
