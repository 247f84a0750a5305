"""Every operation of a VNF as a case: the state from which it starts, and its request."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from fairlead.sol import (
    HealVnfRequest,
    OperateVnfRequest,
    ScaleType,
    ScaleVnfRequest,
    ScaleVnfToLevelRequest,
    StopType,
    TerminateVnfRequest,
    TerminationType,
    VnfOperationalState,
)
from tests.support.running import Running, instantiate_request

__all__ = ["CASES", "HEAL_ONE", "SCALE_IN", "SCALE_OUT", "START", "STOP", "TERMINATE", "Case"]

SCALE_OUT = ScaleVnfRequest(type=ScaleType.SCALE_OUT, aspect_id="workers")
SCALE_IN = ScaleVnfRequest(type=ScaleType.SCALE_IN, aspect_id="workers")
STOP = OperateVnfRequest(
    change_state_to=VnfOperationalState.STOPPED, stop_type=StopType.GRACEFUL, graceful_stop_timeout=1
)
START = OperateVnfRequest(change_state_to=VnfOperationalState.STARTED)
TERMINATE = TerminateVnfRequest(termination_type=TerminationType.FORCEFUL)
HEAL_ONE = HealVnfRequest(vnfc_instance_id=("worker-k1",))


@dataclass(frozen=True)
class Case:
    """`before` are operations that are done first, on an instance at the level with two workers unless `bare`."""

    operation: str
    request: msgspec.Struct
    before: tuple[tuple[str, msgspec.Struct], ...] = ()
    bare: bool = False

    async def instance(self, run: Running) -> str:
        """An instance on which the operation can begin."""
        if self.bare:
            return await run.vnf()
        vnf = await run.instantiated(level="more")
        for operation, request in self.before:
            await run.do(vnf, operation, request)
        return vnf


CASES = {
    "instantiate": Case("instantiate", instantiate_request(level="more"), bare=True),
    "scale out": Case("scale", SCALE_OUT),
    "scale in": Case("scale", SCALE_IN),
    "scale to level": Case("scale_to_level", ScaleVnfToLevelRequest(instantiation_level_id="least")),
    "heal one": Case("heal", HEAL_ONE),
    "heal all with their volumes": Case("heal", HealVnfRequest(additional_params={"all": True})),
    "stop": Case("operate", STOP),
    "start": Case("operate", START, (("operate", STOP),)),
    "terminate gracefully": Case(
        "terminate",
        TerminateVnfRequest(termination_type=TerminationType.GRACEFUL, graceful_termination_timeout=1),
    ),
    "terminate forcefully": Case("terminate", TERMINATE),
}
