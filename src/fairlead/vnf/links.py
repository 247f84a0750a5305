"""The networks of a VNF: its own links, those managed for it, and those outside. Pure."""

from __future__ import annotations

from fairlead.descriptors import VirtualLink
from fairlead.resources import Name, NetworkSpec, Ownership, Subnet
from fairlead.vnf.draft import Draft
from fairlead.vnf.ways_out import routed

__all__ = ["want_external_links", "want_links", "want_managed_link"]


def want_links(draft: Draft) -> None:
    """Want `link/<link>` for each link of the flavour, and `external/<link>` for each of the request's."""
    for link in draft.flavour.links.values():
        _link(draft, link)
    want_external_links(draft)


def want_external_links(draft: Draft) -> None:
    """Want `external/<link>` for each of the request's."""
    for external in draft.state.external_links:
        name, label = Name(f"external/{external.id}"), external.resource_id
        draft.add(name, NetworkSpec(label=label, internal=False), Ownership.GIVEN, existing=external.resource_id)


def want_managed_link(draft: Draft, link: str) -> None:
    """Want `link/<link>`, which somebody else manages."""
    managed = draft.connectivity.managed[link]
    spec = NetworkSpec(label=managed.resource_id)
    draft.add(Name(f"link/{link}"), spec, Ownership.GIVEN, existing=managed.resource_id)


def _link(draft: Draft, link: VirtualLink) -> None:
    name = Name(f"link/{link.id}")
    if link.id in draft.connectivity.managed:
        want_managed_link(draft, link.id)
        return
    subnets = tuple(
        Subnet(
            cidr=protocol.cidr,
            gateway=protocol.gateway_ip,
            pools=tuple((pool.start, pool.end) for pool in protocol.allocation_pools),
            dhcp=protocol.dhcp_enabled is not False,
        )
        for protocol in link.l3_protocol_data
    )
    mtu = next((protocol.mtu for protocol in link.l2_protocol_data if protocol.mtu), None)
    spec = NetworkSpec(label=draft.label(link.id), subnets=subnets, mtu=mtu, internal=link.id not in routed(draft))
    draft.add(name, spec)
