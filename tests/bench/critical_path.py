"""How long an instantiation takes, over the time that its VIM needs at least.

The least is computed from the plan: along the longest chain of references, for each resource the call that creates it, the time
until it is ready, and one call that sees so; what is given costs one look. All else is ours: accepting, planning, writing
down, noticing.
"""

from __future__ import annotations

from fairlead.resources import Ownership, Plan, Step
from fairlead.sol import InstantiateVnfRequest, TerminateVnfRequest, TerminationType
from tests.bench.figures import Figure, median_of
from tests.bench.running import program, until_at_rest
from tests.support.running import PROJECT, Running, instantiate_request

__all__ = ["critical_path", "measure"]

READY = 1.0
_RUNS = 5


async def measure() -> list[Figure]:
    """With calls that take no time and calls of 0.2 s, with polling and with push, in turns."""
    ways = [(call, push) for call in (0.0, 0.2) for push in (False, True)]
    ratios: dict[tuple[float, bool], list[float]] = {way: [] for way in ways}
    async with program() as on:
        await on.package()
        await _ratio(on, 0.0, push=False)
        for _ in range(_RUNS):
            for call, push in ways:
                ratios[call, push].append(await _ratio(on, call, push=push))
    return [
        median_of(
            f"instantiate over critical path, {'push' if push else 'polling'}, calls of {call:g} s",
            ratios[call, push],
            target=1.05,
        )
        for call, push in ways
    ]


async def _ratio(on: Running, call: float, *, push: bool) -> float:
    await on.behave(latency={"call": call, "ready": READY}, push=push)
    vnf = await on.vnf()
    asked = instantiate_request(level="more")
    least = critical_path(await _plan(on, vnf, asked), call)
    took, state = await until_at_rest(on.program.events, lambda: on.begin(vnf, "instantiate", asked))
    if state != "COMPLETED":
        raise RuntimeError(f"the instantiation ended in {state}")
    await on.behave()
    await on.do(vnf, "terminate", TerminateVnfRequest(termination_type=TerminationType.FORCEFUL))
    return took / least


async def _plan(on: Running, vnf: str, asked: InstantiateVnfRequest) -> Plan:
    role = on.program.roles["vnf"]
    return (await on.program.operations.preview(PROJECT, role, vnf, "instantiate", asked)).plan


def critical_path(plan: Plan, call: float) -> float:
    """The least seconds that a VIM needs for `plan` when every call takes `call` and every resource READY."""
    steps = {step.id: step for step in plan.steps}
    ends: dict[str, float] = {}

    def end(step: Step) -> float:
        if step.id not in ends:
            ends[step.id] = _cost(step, call) + max(
                (end(steps[one]) for one in step.after if one in steps), default=0.0
            )
        return ends[step.id]

    return max(end(step) for step in steps.values())


def _cost(step: Step, call: float) -> float:
    given = step.new is not None and step.new.ownership is Ownership.GIVEN
    return call if given else call + READY + call
