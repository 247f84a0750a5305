"""Floating IPs, and the routers that they need (SOL001 `floating_ip_activated`). Pure.

SOL001 has no router: a descriptor asks that a connection point be reached at a floating address, and what that needs
follows. A link of the VNF's own gets a router of its own, so that links stay apart; a network that is given has whatever
way out it has. Which external network it is, is the VIM's affair.
"""

from __future__ import annotations

from fairlead.descriptors import ConnectionPoint
from fairlead.resources import FloatingIpSpec, Name, Ref, RouterSpec
from fairlead.vnf.draft import Draft

__all__ = ["routed", "want_floating_ip", "want_routers"]


def routed(draft: Draft) -> frozenset[str]:
    """The links of the VNF's own that need a way out."""
    if not draft.has("router") or not draft.has("floating-ip"):
        return frozenset()
    points = draft.flavour.connection_points.values()
    asking = {point.link for point in points if point.floating_ip and point.external is None and point.link is not None}
    return frozenset(asking - draft.connectivity.managed.keys())


def want_routers(draft: Draft) -> None:
    """Want `router/<link>` for each."""
    for link in sorted(routed(draft)):
        spec = RouterSpec(label=draft.label(link), network=Ref(Name(f"link/{link}")))
        draft.add(_router(link), spec)


def want_floating_ip(draft: Draft, point: ConnectionPoint, port: Name) -> None:
    """Want `floating-ip/<port>`, if `point` asks for one."""
    if not point.floating_ip or not draft.has("floating-ip"):
        return
    router = Ref(_router(point.link)) if point.link is not None and point.link in routed(draft) else None
    draft.add(Name(f"floating-ip/{port}"), FloatingIpSpec(port=Ref(port), router=router))


def _router(link: str) -> Name:
    return Name(f"router/{link}")
