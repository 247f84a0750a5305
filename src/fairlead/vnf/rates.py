"""Bit rates of connection points (SOL001 `LinkBitrateRequirements`, `bitrate_requirement`). Pure.

A link's rate at its leaves is a limit for every connection point on it, what a connection point requires, or else the
link at its leaves at least, is to be guaranteed. A rate of 0 says nothing. All points with the same rates share a policy.
"""

from __future__ import annotations

from fairlead.descriptors import ConnectionPoint
from fairlead.resources import Name, QosSpec, Ref
from fairlead.vnf.draft import Draft

__all__ = ["Rates"]


class Rates:
    """Wants `qos/<connection point>`, called after the first that has these rates."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._first: dict[tuple[int | None, int | None], str] = {}
        for point in draft.flavour.connection_points.values():
            if point.vdus:
                self._first.setdefault(self._rates(point), point.id)

    def want(self, point: ConnectionPoint) -> Ref | None:
        """The policy of `point`; None when it has no rates, or the VIM no policies."""
        rates = self._rates(point)
        if rates == (None, None) or not self._draft.has("qos"):
            return None
        name = Name(f"qos/{self._first.get(rates, point.id)}")
        if name not in self._draft.made:
            most, least = rates
            self._draft.add(name, QosSpec(label=self._draft.label(point.id), max_rate=most, min_rate=least))
        return Ref(name)

    def _rates(self, point: ConnectionPoint) -> tuple[int | None, int | None]:
        link = self._draft.flavour.links.get(point.link or "")
        most = link.max_bitrate[1] if link is not None and link.max_bitrate is not None else None
        least = link.min_bitrate[1] if link is not None and link.min_bitrate is not None else None
        return most or None, point.bandwidth or least or None
