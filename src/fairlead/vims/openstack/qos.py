"""QoS policies: rates that ports are held to, or promised.

Neutron lets only administrators make policies, unless its own policy says otherwise. Rates are in kbit/s there, and
rounded up. A limit holds both ways; a guarantee is one that Placement finds room for, so only the VIM's setting
`bit_rates` = `guarantee` asks for it: where hosts report no bandwidth, no host would be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from fairlead.errors import VimError, VimUnavailable
from fairlead.resources import Failed, Handle, Observed, Outputs, Pending, QosSpec, Resource, Seen, Tag
from fairlead.vims.openstack.cloud import to
from fairlead.vims.openstack.neutron import Described
from fairlead.vims.openstack.refusals import Denied, concerning
from fairlead.vims.openstack.rules import QosRules
from fairlead.vims.openstack.tags import readable

__all__ = ["QosKind"]

_LIMIT, _GUARANTEE = "bandwidth_limit", "minimum_bandwidth"
_RATE = {_LIMIT: "max_kbps", _GUARANTEE: "min_kbps"}
_DIRECTIONS = ("egress", "ingress")

Rate = tuple[str, str, int]
"""A rule: its type, its direction, kbit/s."""


class QosKind(Described, QosRules):
    """How a QosSpec lives on Neutron."""

    sort, collection, member, noun = "qos", "/qos/policies", "policy", "QoS policy"
    extension = "qos"

    async def create(self, resource: Resource[QosSpec], tag: Tag) -> Handle:
        spec = resource.spec
        with concerning(resource.name):
            try:
                made = await self._make({"name": readable(spec.label)}, tag, f"create QoS policy '{spec.label}'")
            except Denied as error:
                raise Denied(
                    "Neutron does not allow us to make QoS policies.",
                    code="qos-not-allowed",
                    cause=error.cause,
                    remedy="Give credentials that may, or set the VIM's setting bit_rates to ignore.",
                ) from error
            handle = Handle(made["id"])
            try:
                await self._reconcile(handle, (), spec)
            except VimUnavailable:
                raise
            except VimError:
                with suppress(VimError):
                    await self.delete(handle)
                raise
        return handle

    async def find(self, tag: Tag, resource: Resource[QosSpec]) -> Handle | None:
        handle = await super().find(tag, resource)
        if handle is not None:
            await self._reconcile(handle, await self._rules(handle), resource.spec)
        return handle

    def view(self, seen: Mapping[str, Any]) -> Observed:
        return {"id": seen["id"], "name": seen["name"], "rates": sorted(list(_rate(rule)) for rule in seen["rules"])}

    def settled(self, observed: Observed, spec: QosSpec) -> bool:
        there = {tuple(rate) for rate in observed["rates"]}
        return observed["name"] == readable(spec.label) and there == self._asked(spec)

    def seen(self, observed: Observed, spec: QosSpec, outputs: Outputs) -> Seen | Pending | Failed:
        label = spec.label if observed["name"] == readable(spec.label) else observed["name"]
        rates = [f"{direction} {kind} {rate} kbit/s" for kind, direction, rate in observed["rates"]]
        right = {tuple(rate) for rate in observed["rates"]} == self._asked(spec)
        amiss = () if right else (f"its rates are {', '.join(rates) or 'none'}",)
        return Seen(msgspec.structs.replace(spec, label=label), amiss)

    async def update(self, handle: Handle, old: QosSpec, new: QosSpec) -> None:
        await self._change(handle, {"name": readable(new.label)}, f"change QoS policy '{new.label}'")
        await self._reconcile(handle, await self._rules(handle), new)

    def _asked(self, spec: QosSpec) -> set[Rate]:
        rates: set[Rate] = set()
        if spec.max_rate is not None:
            rates |= {(_LIMIT, direction, _kilobits(spec.max_rate)) for direction in _DIRECTIONS}
        if spec.min_rate is not None and self._cloud.settings.bit_rates == "guarantee":
            rates |= {(_GUARANTEE, direction, _kilobits(spec.min_rate)) for direction in _DIRECTIONS}
        return rates

    async def _rules(self, handle: Handle) -> list[dict[str, Any]]:
        path = f"{self.collection}{to(handle)}"
        seen: list[dict[str, Any]] = (await self._cloud.get("network", path, "show a QoS policy"))[self.member]["rules"]
        return seen

    async def _reconcile(self, policy: Handle, there: Any, spec: QosSpec) -> None:
        """Bring the rules from `there` to those of `spec`: what goes first, for there is one of a type and direction."""
        wanted, what = self._asked(spec), f"give QoS policy '{spec.label}' its rules"
        for rule in there:
            if _rate(rule) not in wanted:
                kind = f"{rule['type']}_rules"
                await self._cloud.delete("network", f"{self.collection}{to(policy, kind, rule['id'])}", what)
        for kind, direction, rate in sorted(wanted - {_rate(rule) for rule in there}):
            body = {f"{kind}_rule": {_RATE[kind]: rate, "direction": direction}}
            await self._cloud.post("network", f"{self.collection}{to(policy, f'{kind}_rules')}", what, body)


def _rate(seen: Mapping[str, Any]) -> Rate:
    kind = str(seen["type"])
    return kind, str(seen.get("direction")), int(seen.get(_RATE.get(kind, ""), 0) or 0)


def _kilobits(rate: int) -> int:
    return max(-(-rate // 1000), 1)
