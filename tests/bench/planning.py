"""How long a plan takes for an instance of a thousand resources: pure work, no database and no VIM."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from fairlead.resources import (
    Attachment,
    ComputeSpec,
    Incarnation,
    Name,
    NetworkSpec,
    Plan,
    PortSpec,
    Recorded,
    Records,
    Ref,
    Resource,
    Resources,
    Rules,
    State,
    Subnet,
    VimId,
    VolumeSpec,
    diff,
    plan_digest,
    plan_document,
    render_plan,
)
from fairlead.vims.simulated.rules import RULES
from tests.bench.figures import Figure, median_of

__all__ = ["measure"]

_RESOURCES = 1000
_RUNS = 15
_VIM = VimId("vim")


class _Rulebook:
    def rules(self, resource: Resource[Any]) -> Rules[Any]:
        return RULES[resource.spec.sort()]


def measure() -> list[Figure]:
    """From nothing, to nothing, with nothing to change, and with a tenth of the machines replaced."""
    wanted = _instance(_RESOURCES)
    there = _recorded(wanted)
    tainted = {name for number, name in enumerate(wanted) if name.endswith("machine") and number % 10 == 0}
    cases: dict[str, Callable[[], Plan]] = {
        "instantiate": lambda: diff(Records(), wanted, _Rulebook()),
        "nothing to change": lambda: diff(there, wanted, _Rulebook()),
        "heal a tenth": lambda: diff(there, wanted, _Rulebook(), tainted=tainted),
        "terminate": lambda: diff(there, {}, _Rulebook()),
    }
    figures = [
        median_of(f"plan of 1,000 resources: {name}", _times(case), "ms", target=100.0) for name, case in cases.items()
    ]
    plan = cases["instantiate"]()

    def preview() -> None:
        plan_digest(plan)
        render_plan(plan_document(plan), title="Plan")

    return [*figures, median_of("plan of 1,000 resources: digest and text", _times(preview), "ms")]


def _times(work: Callable[[], object]) -> list[float]:
    """Milliseconds of processor time: pure work takes no other, and other processes do not count in it."""
    times = []
    for _ in range(_RUNS):
        began = time.process_time()
        work()
        times.append((time.process_time() - began) * 1000)
    return times


def _instance(number: int) -> dict[Name, Resource[Any]]:
    """Networks of thirty machines, each with a port and a volume."""
    made: dict[Name, Resource[Any]] = {}
    groups = 0
    while len(made) < number:
        net = Name(f"net/{groups}")
        made[net] = Resource(
            name=net, spec=NetworkSpec(label=net, subnets=(Subnet(cidr=f"10.{groups}.0.0/24"),)), vim=_VIM
        )
        for index in range(min(30, (number - len(made)) // 3) or 1):
            stem = f"group/{groups}/{index}"
            port, disk, machine = Name(f"{stem}/port"), Name(f"{stem}/disk"), Name(f"{stem}/machine")
            volume = Attachment(volume=Ref(disk), at="/data")
            made[port] = Resource(name=port, spec=PortSpec(network=Ref(net)), vim=_VIM)
            made[disk] = Resource(name=disk, spec=VolumeSpec(size=2**30), vim=_VIM)
            spec = ComputeSpec(label=machine, ports=(Ref(port),), volumes=(volume,), environment={"A": "1"})
            made[machine] = Resource(name=machine, spec=spec, vim=_VIM)
        groups += 1
    return made


def _recorded(wanted: Resources) -> Records:
    lives = {name: Incarnation(f"life-{number}") for number, name in enumerate(wanted)}
    rows = {
        name: Recorded(
            resource=msgspec.structs.replace(resource, bound=_bound(resource, lives)),
            incarnation=lives[name],
            state=State.READY,
            outputs={"id": name},
        )
        for name, resource in wanted.items()
    }
    return Records(rows)


def _bound(resource: Resource[Any], lives: dict[Name, Incarnation]) -> tuple[Incarnation, ...]:
    spec = resource.spec
    if isinstance(spec, PortSpec) and isinstance(spec.network, Ref):
        return (lives[spec.network.name],)
    if isinstance(spec, ComputeSpec):
        used = [*spec.ports, *(each.volume for each in spec.volumes)]
        return tuple(sorted(lives[each.name] for each in used if isinstance(each, Ref)))
    return ()
