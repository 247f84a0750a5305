"""The five shapes that the engine must hold, tried on plans: none may need a branch in `apply` or in the procedures.

A rolling change of package with gates, heal of one VNFC inside a Heat stack, a warm claim, `continue` of a network service
and rollback of a change of connectivity with a dynamic address. Each says what is wanted and perhaps arranges the plan; what
would be applied is read off the plan, and then rehearsed, so that the paper is not patient.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fairlead.resources import (
    UNDECIDED,
    Action,
    DefaultRules,
    Failed,
    Gone,
    Handle,
    Incarnation,
    Member,
    Name,
    Observed,
    OnFailure,
    Ownership,
    Plan,
    Ready,
    Ref,
    Resource,
    Spec,
    State,
    Step,
    Tag,
    Verb,
    VimId,
    diff,
)
from fairlead.resources.concrete import Concrete
from fairlead.resources.plan import knot
from fairlead.vims.simulated.rules import RULES
from tests.resources.making import Recordings, known, verbs, waits
from tests.resources.rehearsal import VIM, Rehearsal, compute, fault, given_network, image, network, port, volume

_replace = msgspec.structs.replace


class Simulated:
    """The rules of the simulated infrastructure."""

    def rules(self, resource: Resource[Any]) -> Any:
        return RULES[resource.spec.sort()]


# -- a rolling change of package, with gates -------------------------------------------------------------------------------


def vnf(digest: str, members: int) -> list[Resource[Any]]:
    """A VNF of one VDU, as its package of that digest has it."""
    made: list[Resource[Any]] = [image("image", digest), network("link")]
    for number in range(members):
        made.append(port(f"vdu/{number}/cp", "link"))
        made.append(compute(f"vdu/{number}", image="image", ports=(Ref(Name(f"vdu/{number}/cp")),)))
    return made


def rolling(plan: Plan, batches: Iterable[Iterable[str]]) -> Plan:
    """`plan` with its replacements in batches: none begins before those of the batch before it are found healthy."""
    gate: str | None = None
    for number, batch in enumerate(batches):
        steps = [step for name in batch for step in plan.steps_of(Name(name))]
        made = [step.id for step in steps if step.new is not None]
        if gate is not None:
            plan = plan.with_barrier(f"batch {number}", after=[gate], before=[step.id for step in steps])
        gates = []
        for name in batch:
            action = Action(id=f"healthy {name}", kind="health", target=Name(name), patience=120.0)
            plan = plan.with_action(action, after=made)
            gates.append(f"act {action.id}")
        plan = plan.with_barrier(f"batch {number} healthy", after=gates, before=[])
        gate = f"barrier batch {number} healthy"
    return plan


def test_a_rolling_change_of_package_replaces_batch_after_batch_with_gates_between() -> None:
    recordings = Recordings(*vnf("sha256:old", 5))
    plan = diff(recordings.records, known(*vnf("sha256:new", 5)), Simulated())
    assert plan.counts() == {"replace": 6, "keep": 6}
    plan = rolling(plan, [["vdu/0"], ["vdu/1", "vdu/2"], ["vdu/3", "vdu/4"]])
    assert not knot(plan.steps)
    for later, earlier in (("vdu/1", "vdu/0"), ("vdu/2", "vdu/0"), ("vdu/3", "vdu/1"), ("vdu/3", "vdu/2")):
        assert waits(plan, f"delete {later}#{later}-1", f"act healthy {earlier}")
    assert not waits(plan, "delete vdu/1#vdu/1-1", "create vdu/2")
    assert waits(plan, "create vdu/0", "create image")
    assert waits(plan, "delete image#image-1", "create vdu/4")


async def test_rehearsed_it_never_has_more_than_a_batch_away() -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(*vnf("sha256:old", 4))
    healthy = []

    async def perform(step: Step) -> None:
        assert step.action is not None
        healthy.append((step.action.id, len(rehearsal.things("compute"))))

    plan = rolling(rehearsal.plan(*vnf("sha256:new", 4)), [["vdu/0"], ["vdu/1", "vdu/2"], ["vdu/3"]])
    plan = _replace(plan, steps=tuple(_rooms(step) for step in plan.steps))
    assert (await rehearsal.apply(plan, perform=perform)).complete
    assert [number for _, number in healthy] == [4, 4, 4, 4]
    assert {thing.spec["digest"] for thing in rehearsal.things("image")} == {"sha256:new"}


def _rooms(step: Step) -> Step:
    """Health is probed by a room, not by the kind of the target."""
    return step if step.action is None else _replace(step, action=_replace(step.action, target=None))


# -- heal of one VNFC inside a Heat stack ----------------------------------------------------------------------------------


class StackSpec(Spec, frozen=True, kw_only=True, tag="paper-stack"):
    """A Heat stack: the digest of its template. `unhealthy` are marked before the update, and so replaced by it."""

    template: str
    unhealthy: tuple[str, ...] = ()


class PieceSpec(Spec, frozen=True, kw_only=True, tag="paper-piece"):
    """A resource of the stack, by its name in the template."""

    logical: str
    uses: tuple[Ref | str, ...] = ()


class StackRules(DefaultRules):
    def replaced_by(self, old: StackSpec, new: StackSpec) -> str | None:
        return None

    def fold(self, spec: StackSpec, members: Mapping[Name, Member]) -> StackSpec:
        marked = sorted(member.resource.spec.logical for member in members.values() if member.renewed)
        return _replace(spec, unhealthy=tuple(marked))


class PieceRules(DefaultRules):
    def rebinds(self, spec: PieceSpec, replaced: object) -> bool:
        return True


class Heat:
    """The rules of stacks."""

    def rules(self, resource: Resource[Any]) -> Any:
        return StackRules() if isinstance(resource.spec, StackSpec) else PieceRules()


def stack() -> list[Resource[Any]]:
    pieces = {"server-1": (), "server-2": (), "port-1": ("server-1",), "balancer": ("server-1", "server-2")}
    whole = Resource(Name("stack"), StackSpec(template="digest of hot.yaml"), VIM)
    members = [
        Resource(
            Name(f"stack/{logical}"),
            PieceSpec(logical=logical, uses=tuple(Ref(Name(f"stack/{use}")) for use in uses)),
            VIM,
            within=Name("stack"),
        )
        for logical, uses in pieces.items()
    ]
    return [whole, *members]


def test_healing_one_vnfc_of_a_heat_stack_is_one_update_of_the_stack() -> None:
    recordings = Recordings(*stack())
    plan = diff(recordings.records, known(*stack()), Heat(), tainted={Name("stack/server-1")})
    assert verbs(plan) == {
        "stack": "update",
        "stack/server-1": "replace",
        "stack/server-2": "keep",
        "stack/port-1": "update",
        "stack/balancer": "update",
    }
    assert waits(plan, "delete stack/server-1#stack/server-1-1", "update stack")
    assert waits(plan, "create stack/server-1", "delete stack/server-1#stack/server-1-1")
    assert [step.id for step in plan.steps if step.name == "stack"] == ["update stack"]


def test_the_update_of_the_stack_marks_exactly_the_one_to_be_healed() -> None:
    recordings = Recordings(*stack())
    plan = diff(recordings.records, known(*stack()), Heat(), tainted={Name("stack/server-1")})
    concrete = Concrete(plan, dict(recordings.records.current), Heat(), lambda _: "")
    (whole,) = (change.new for change in plan.changes if change.name == "stack")
    assert whole is not None
    assert concrete.concrete(whole).spec.unhealthy == ("server-1",)


# -- a warm claim ----------------------------------------------------------------------------------------------------------


def service(existing: str) -> list[Resource[Any]]:
    """A VNF whose machine stands by already, warm; its volume does not."""
    warm = Resource(
        Name("vdu/0"),
        compute("vdu/0", label="ours", ports=(Ref(Name("vdu/0/cp")),)).spec,
        VIM,
        Ownership.CLAIMED,
        existing=existing,
    )
    return [network("link"), port("vdu/0/cp", "link"), volume("store"), warm]


def test_a_warm_machine_is_claimed_after_what_it_is_to_use_and_released_before_that_goes() -> None:
    plan = diff(Recordings().records, known(*service("warm-7")), Simulated())
    assert verbs(plan) == {"link": "create", "store": "create", "vdu/0": "claim", "vdu/0/cp": "create"}
    assert waits(plan, "claim vdu/0", "create vdu/0/cp")
    recordings = Recordings(*service("warm-7"))
    ended = diff(recordings.records, {}, Simulated())
    assert verbs(ended)["vdu/0"] == "release"
    assert waits(ended, "delete vdu/0/cp#vdu/0/cp-1", "release vdu/0#vdu/0-1")


def test_healing_what_was_claimed_gives_it_back_and_claims_another() -> None:
    recordings = Recordings(*service("warm-7"))
    plan = diff(recordings.records, known(*service("warm-8")), Simulated())
    assert verbs(plan) == {"link": "keep", "store": "keep", "vdu/0": "replace", "vdu/0/cp": "keep"}
    assert {"claim vdu/0", "release vdu/0#vdu/0-1"} == {step.id for step in plan.steps}


async def test_rehearsed_the_claimed_machine_becomes_what_is_wanted_and_goes_back() -> None:
    rehearsal = Rehearsal()
    standing = _replace(compute("warm-7"), name=Name("warm-7"))
    await rehearsal.become(standing, owner="pool")
    (row,) = rehearsal.records("pool").current.values()
    rehearsal.ledger.rows.clear()
    rehearsal.ledger.add(_replace(row, incarnation=Incarnation("warm-7")), "pool")
    assert (await rehearsal.become(*service("warm-7"))).complete
    (machine,) = rehearsal.things("compute")
    assert (machine.handle, machine.spec["label"]) == (row.handle, "ours")
    assert rehearsal.plan(*service("warm-7")).empty
    assert (await rehearsal.become()).complete
    assert rehearsal.names() == ["warm-7"]
    assert [back.handle for back in rehearsal.records("pool").current.values()] == [row.handle]


# -- continue of a network service -------------------------------------------------------------------------------------------


SERVICE = VimId("service")


class VnfSpec(Spec, frozen=True, kw_only=True, tag="paper-vnf"):
    """A VNF instance, as a network service has it among its resources."""

    vnfd: str
    links: tuple[str | Ref, ...] = ()


class Service(Rehearsal):
    """A rehearsal in which VNF instances are a kind of the program's own; one of them fails as often as it is told."""

    def __init__(self, failing: dict[str, int]) -> None:
        super().__init__()
        self.vnfs = Children(failing)

    def rules(self, resource: Resource[Any]) -> Any:
        return self.vnfs if resource.vim == SERVICE else super().rules(resource)

    def kind(self, resource: Resource[Any]) -> Any:
        return self.vnfs if resource.vim == SERVICE else super().kind(resource)

    async def wait(self, resource: Resource[Any], handle: Handle, done: Any) -> Any:
        if resource.vim != SERVICE:
            return await super().wait(resource, handle, done)
        status = self.vnfs.status(await self.vnfs.read(handle))
        assert done(status, {})
        return status


class Children(DefaultRules):
    """VNF instances whose operations are children of the service's."""

    settling = 0.0

    def __init__(self, failing: dict[str, int]) -> None:
        self.failing = failing
        self.begun: list[str] = []
        self.alive: dict[str, str] = {}

    async def create(self, resource: Resource[Any], tag: Tag) -> Handle:
        self.begun.append(resource.name)
        self.alive[tag.incarnation] = resource.name
        return Handle(tag.incarnation)

    async def find(self, tag: Tag, resource: Resource[Any]) -> Handle | None:
        return Handle(tag.incarnation) if tag.incarnation in self.alive else None

    async def read(self, handle: Handle) -> Observed | None:
        return {"name": self.alive[handle]} if handle in self.alive else None

    def status(self, observed: Observed | None) -> Any:
        if observed is None:
            return Gone()
        if self.failing.get(observed["name"], 0) > 0:
            self.failing[observed["name"]] -= 1
            return Failed("the child operation is in FAILED_TEMP")
        return Ready({"id": observed["name"]})

    async def delete(self, handle: Handle) -> None:
        self.alive.pop(handle, None)


def network_service() -> list[Resource[Any]]:
    def member(name: str, *links: str) -> Resource[Any]:
        return Resource(Name(name), VnfSpec(vnfd=name, links=tuple(Ref(Name(link)) for link in links)), SERVICE)

    return [
        network("left"),
        network("right", "10.1.0.0/24"),
        member("router", "left", "right"),
        member("firewall", "left"),
        member("cache", "right"),
        Resource(Name("path"), VnfSpec(vnfd="path", links=(Ref(Name("firewall")), Ref(Name("cache")))), SERVICE),
    ]


async def test_a_service_goes_on_without_the_member_that_failed_and_continues_with_it_later() -> None:
    service = Service({"firewall": 1})
    plan = service.plan(*network_service())
    applied = await service.apply(plan, on_failure=OnFailure.ISOLATE)
    assert [failure.step.id for failure in applied.failures] == ["create firewall"]
    assert applied.left_out == {"create path"}
    assert service.states() == {
        "left": "ready",
        "right": "ready",
        "router": "ready",
        "cache": "ready",
        "firewall": "failed",
    }
    rest = service.plan(*network_service())
    assert {change.name: change.verb for change in rest.changes if change.verb is not Verb.KEEP} == {
        "firewall": Verb.REPLACE,
        "path": Verb.CREATE,
    }
    assert waits(rest, "create path", "create firewall")
    assert (await service.apply(rest, on_failure=OnFailure.ISOLATE)).complete
    assert sorted(service.vnfs.alive.values()) == ["cache", "firewall", "path", "router"]
    assert service.vnfs.begun.count("router") == 1


# -- rollback of a change of connectivity, with a dynamic address ------------------------------------------------------------


def connected(link: str, *, address: Any = UNDECIDED) -> list[Resource[Any]]:
    """A machine whose port is on an external link, with an address that the network chooses."""
    return [
        given_network("external/one", "one"),
        given_network("external/two", "two"),
        port("vm/cp", f"external/{link}", addresses=address),
        compute("vm", ports=(Ref(Name("vm/cp")),)),
    ]


def test_a_change_of_connectivity_chooses_anew_and_its_rollback_brings_the_old_address_back() -> None:
    recordings = Recordings(*connected("one", address=("192.0.2.5",)))
    before = recordings.records.resources()
    there = diff(recordings.records, known(*connected("two")), Simulated())
    assert verbs(there) == {"external/one": "keep", "external/two": "keep", "vm/cp": "replace", "vm": "update"}
    assert there.target()[Name("vm/cp")].spec.addresses == UNDECIDED
    for state in State:
        moved = Recordings(*connected("one", address=("192.0.2.5",)))
        moved.mark("vm/cp-1", State.DELETING)
        moved.add(connected("two")[2], state)
        back = diff(moved.records, before, Simulated())
        assert back.target()[Name("vm/cp")].spec.addresses == ("192.0.2.5",)
        assert verbs(back)["vm"] in ("update", "replace", "keep")


async def test_rehearsed_the_address_comes_back_from_wherever_the_change_had_got_to() -> None:
    for faults in ((), (fault("create", "refused", "vm/cp"),), (fault("update", "refused", "vm"),)):
        rehearsal = Rehearsal(networks={"one": "192.0.2.0/24", "two": "203.0.113.0/24"})
        await rehearsal.become(*connected("one"))
        before = rehearsal.records().resources()
        (address,) = rehearsal.things("port")[0].outputs["addresses"]
        rehearsal.behave(*faults)
        applied = await rehearsal.become(*connected("two"))
        assert applied.complete is not bool(faults)
        rehearsal.behave()
        assert (await rehearsal.become(*before.values())).complete
        (thing,), (machine,) = rehearsal.things("port"), rehearsal.things("compute")
        assert thing.outputs["addresses"] == [address]
        assert machine.spec["ports"] == [thing.handle]


# -- the promise -------------------------------------------------------------------------------------------------------------


def test_none_of_it_is_known_to_the_engine_by_name() -> None:
    """What moves a plan along knows steps and nothing of operations, packages, stacks, pools or services."""
    words = ("package", "stack", "heat", "pool", "service", "rollback", "heal", "scale", "batch", "rolling")
    for name in ("apply", "calls", "concrete", "procedures"):
        code = inspect.getsource(importlib.import_module(f"fairlead.resources.{name}")).split('"""', 2)[2].lower()
        assert not [word for word in words if f" {word} " in code], name
