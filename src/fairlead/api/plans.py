"""Plans and timelines under `/fairlead/v1`: what an operation would do, and what it did when.

A plan's digest can be sent along with the request that it is for (`Fairlead-Plan`), which then does that plan or nothing.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Any

import msgspec
from litestar import Response

from fairlead.api.answers import document
from fairlead.api.endpoints import Call, Endpoint
from fairlead.api.services import Occurrences, Vnfs
from fairlead.errors import BadRequest
from fairlead.identity import Action
from fairlead.sol import VNF_OPERATIONS, decode

__all__ = ["Plans"]

_OCCURRENCE = "/fairlead/v1/vnf_lcm_op_occs/{vnfLcmOpOccId}"
_endpoint = partial(Endpoint, tag="Plans and timelines")


class PlanRequest(msgspec.Struct, frozen=True):
    """`operation` is a name as in `/vnflcm/v2`, or `modify`; `request` is what that would be asked with."""

    operation: str
    request: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class RecoveryAction(StrEnum):
    RETRY = "retry"
    ROLLBACK = "rollback"


class RecoveryPlanRequest(msgspec.Struct, frozen=True):
    """Which way out of a failed operation to look at."""

    action: RecoveryAction


class Plans:
    """Previews of operations, and their timelines."""

    def __init__(self, vnfs: Vnfs, occurrences: Occurrences) -> None:
        self._vnfs = vnfs
        self._occurrences = occurrences

    def endpoints(self) -> list[Endpoint]:
        return [
            _endpoint(
                method="POST",
                path="/fairlead/v1/vnf_instances/{vnfInstanceId}/plans",
                serve=self.preview,
                summary="What an operation would do, without doing it",
                action=Action.READ,
                request=PlanRequest,
                answers={200: dict[str, Any]},
                errors=(409, 422),
            ),
            _endpoint(
                method="GET",
                path="/fairlead/v1/vnf_instances/{vnfInstanceId}/drift",
                serve=self.drift,
                summary="What in the infrastructure is not as recorded, and the plan of its repair",
                answers={200: dict[str, Any]},
                errors=(409, 422),
            ),
            _endpoint(
                method="POST",
                path=f"{_OCCURRENCE}/plans",
                serve=self.preview_recovery,
                summary="What a retry or a rollback would do, without doing it",
                action=Action.READ,
                request=RecoveryPlanRequest,
                answers={200: dict[str, Any]},
                errors=(409, 422),
            ),
            _endpoint(
                method="GET",
                path=f"{_OCCURRENCE}/timeline",
                serve=self.timeline,
                summary="The steps of an operation, with their times",
                answers={200: dict[str, Any]},
            ),
        ]

    async def preview(self, call: Call) -> Response[Any]:
        wanted = await call.body(PlanRequest)
        type_ = VNF_OPERATIONS.get(wanted.operation)
        if type_ is None:
            raise BadRequest(
                f"There is no operation '{wanted.operation}'.",
                code="unknown-operation",
                place="operation",
                remedy=f"Use one of {', '.join(VNF_OPERATIONS)}.",
            )
        asked = b"{}" if isinstance(wanted.request, msgspec.UnsetType) else bytes(wanted.request)
        request = decode(type_, asked, within="request")
        plan = await self._vnfs.plan(call.project, call.path("vnfInstanceId"), wanted.operation, request)
        return document(plan)

    async def drift(self, call: Call) -> Response[Any]:
        return document(await self._vnfs.drift(call.project, call.path("vnfInstanceId")))

    async def preview_recovery(self, call: Call) -> Response[Any]:
        wanted = await call.body(RecoveryPlanRequest)
        return document(await self._occurrences.plan(call.project, call.path("vnfLcmOpOccId"), wanted.action.value))

    async def timeline(self, call: Call) -> Response[Any]:
        return document(await self._occurrences.timeline(call.project, call.path("vnfLcmOpOccId")))
