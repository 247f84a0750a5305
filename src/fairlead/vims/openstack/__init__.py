"""OpenStack: Keystone, Nova, Neutron, Cinder and Glance, called directly and in parallel.

A VDU becomes a server, its connection points ports, its storages volumes, its software images images in Glance.
`interface` says where Keystone is, `credentials` who we are (a password, an application credential or a token),
`settings` what may be asked for (see `Settings`).

    interface: {auth_url: https://cloud:5000/v3, region: RegionOne}
    credentials: {username: demo, password: ..., project_name: demo}

Read in the order `rules`, `tags`, `settings`, `cloud`, `refusals`, `answers`, then the kinds: `networks`, `ports`,
`groups`, `volumes`, `images`, and `compute` with `composition`, `userdata`, `flavours` and `servers`; `driver` puts
them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.clock import Clock
from fairlead.resources import Rules
from fairlead.vims.openstack.cloud import Cloud
from fairlead.vims.openstack.driver import OpenStackDriver
from fairlead.vims.openstack.notifications import Notifications, notifications_host, notifications_of
from fairlead.vims.openstack.rules import RULES
from fairlead.vims.openstack.settings import Place, Settings, Way, on_host, place_of, settings_of, way_of
from fairlead.vims.openstack.stack_rules import STACK_RULES
from fairlead.vims.seam import MEMBER, Access, Artifacts, Driver, Traits

__all__ = ["OpenStackDriverType", "Place", "Settings", "Way", "driver"]


class OpenStackDriverType:
    """The type `openstack`."""

    name = "openstack"
    traits = Traits(sorts=frozenset({*RULES, *(sort for sort in STACK_RULES if not sort.startswith(MEMBER))}))

    @property
    def rules(self) -> Mapping[str, Rules[Any]]:
        return {**RULES, **STACK_RULES}

    def validate(self, access: Access) -> None:
        """Raises Unprocessable (`bad-vim-settings`, `bad-vim-credentials`) with the field at fault."""
        place_of(access)
        settings_of(access)
        way_of(access)
        notifications_of(access)

    def hold_on_host(self, access: Access) -> str | None:
        urls = (place_of(access).auth_url, *settings_of(access).endpoints.values())
        held = next((f"what answers on it at {url}" for url in urls if on_host(url)), None)
        if held is None and (host := notifications_host(access)) is not None:
            return f"the RabbitMQ on it at {host}"
        return held

    def open(self, access: Access, artifacts: Artifacts, clock: Clock) -> Driver:
        place, settings, url = place_of(access), settings_of(access), notifications_of(access)
        told = None if url is None else Notifications(url, place, insecure=settings.insecure)
        return OpenStackDriver(access.deployment, Cloud(place, way_of(access), settings), artifacts, told)


driver = OpenStackDriverType()
