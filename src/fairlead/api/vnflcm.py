"""`/vnflcm/v2`: VNF lifecycle management (SOL003 clause 5, with SOL002's attributes).

All operations of an instance have one handler; what differs is the type of their request. Those that change something
answer 202 and the URL of the operation occurrence. `Fairlead-Plan` is our own request header: the digest of a plan that the
caller looked at, which makes the request fail rather than do something else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from litestar import Response

from fairlead.api.answers import accepted, created, document, empty, etag, if_match
from fairlead.api.bodies import JSON, MERGE_PATCH
from fairlead.api.endpoints import Call, Endpoint, Parameter
from fairlead.api.lists import LIST_PARAMETERS, listing
from fairlead.api.services import Occurrences, Vnfs
from fairlead.sol import (
    VNF_INSTANCES,
    VNF_LCM_OP_OCCS,
    VNF_OPERATIONS,
    VNFLCM,
    ApiVersionInformation,
    CancelMode,
    CreateVnfRequest,
    VnfInfoModificationRequest,
    VnfInstance,
    VnfLcmOpOcc,
)

__all__ = ["VnfLifecycle"]

_INSTANCES = f"{VNFLCM.prefix}/vnf_instances"
_INSTANCE = _INSTANCES + "/{vnfInstanceId}"
_OCCURRENCES = f"{VNFLCM.prefix}/vnf_lcm_op_occs"
_OCCURRENCE = _OCCURRENCES + "/{vnfLcmOpOccId}"
_PLAN = Parameter("Fairlead-Plan", "Digest of the plan that was looked at; 409 `plan-moved` when it moved.", "header")
_IF_MATCH = Parameter("If-Match", "Entity tag of the instance as the caller knows it.", "header")
_endpoint = partial(Endpoint, tag="VNF lifecycle management", interface=VNFLCM)


class VnfLifecycle:
    """The interface over VNF instances and their operation occurrences."""

    def __init__(self, vnfs: Vnfs, occurrences: Occurrences) -> None:
        self._vnfs = vnfs
        self._occurrences = occurrences

    def endpoints(self) -> list[Endpoint]:
        versions = partial(
            Endpoint,
            method="GET",
            serve=self.versions,
            tag="VNF lifecycle management",
            summary="The versions of this interface",
            answers={200: ApiVersionInformation},
        )
        return [
            versions(path="/vnflcm/api_versions"),
            versions(path=f"{VNFLCM.prefix}/api_versions"),
            *self._on_instances(),
            *self._on_occurrences(),
        ]

    def _on_instances(self) -> list[Endpoint]:
        return [
            _endpoint(
                method="POST",
                path=_INSTANCES,
                serve=self.create,
                summary="Create a VNF instance",
                request=CreateVnfRequest,
                answers={201: VnfInstance},
                errors=(422,),
            ),
            _endpoint(
                method="GET",
                path=_INSTANCES,
                serve=self.list,
                summary="List VNF instances",
                parameters=LIST_PARAMETERS,
                answers={200: list[VnfInstance]},
            ),
            _endpoint(
                method="GET",
                path=_INSTANCE,
                serve=self.show,
                summary="Show a VNF instance",
                answers={200: VnfInstance},
            ),
            _endpoint(
                method="DELETE",
                path=_INSTANCE,
                serve=self.delete,
                summary="Delete a VNF instance that is not instantiated",
                parameters=(_IF_MATCH,),
                answers={204: None},
                errors=(409, 412),
            ),
            _endpoint(
                method="PATCH",
                path=_INSTANCE,
                serve=self.modify,
                summary="Modify the information of a VNF instance",
                parameters=(_IF_MATCH, _PLAN),
                request=VnfInfoModificationRequest,
                consumes=(MERGE_PATCH, JSON),
                answers={202: None},
                errors=(409, 412, 422),
            ),
            *(
                _endpoint(
                    method="POST",
                    path=f"{_INSTANCE}/{operation}",
                    serve=partial(self.begin, operation),
                    summary=f"Begin the operation {operation.replace('_', ' ')}",
                    parameters=(_PLAN,),
                    request=request,
                    answers={202: None},
                    errors=(409, 422),
                )
                for operation, request in VNF_OPERATIONS.items()
                if operation != "modify"
            ),
        ]

    def _on_occurrences(self) -> list[Endpoint]:
        return [
            _endpoint(
                method="GET",
                path=_OCCURRENCES,
                serve=self.list_occurrences,
                summary="List operation occurrences",
                parameters=LIST_PARAMETERS,
                answers={200: list[VnfLcmOpOcc]},
            ),
            _endpoint(
                method="GET",
                path=_OCCURRENCE,
                serve=self.show_occurrence,
                summary="Show an operation occurrence",
                answers={200: VnfLcmOpOcc},
            ),
            *(
                _endpoint(
                    method="POST",
                    path=f"{_OCCURRENCE}/{task}",
                    serve=serve,
                    summary=summary,
                    answers={202: None},
                    errors=(409,),
                )
                for task, serve, summary in (
                    ("retry", self._task(self._occurrences.retry), "Try a failed operation again"),
                    ("rollback", self._task(self._occurrences.rollback), "Go back to what was before the operation"),
                )
            ),
            _endpoint(
                method="POST",
                path=f"{_OCCURRENCE}/cancel",
                serve=self.cancel,
                summary="Cancel a running operation",
                request=CancelMode,
                answers={202: None},
                errors=(409,),
            ),
            _endpoint(
                method="POST",
                path=f"{_OCCURRENCE}/fail",
                serve=self.fail,
                summary="Give a failed operation up",
                answers={200: VnfLcmOpOcc},
                errors=(409,),
            ),
        ]

    async def versions(self, _call: Call) -> Response[Any]:
        return document(VNFLCM.information())

    async def create(self, call: Call) -> Response[Any]:
        made = await self._vnfs.create(call.project, await call.body(CreateVnfRequest))
        return created(call, made, f"{_INSTANCES}/{made.id}")

    async def list(self, call: Call) -> Response[Any]:
        return await listing(call, VNF_INSTANCES, self._vnfs.page)

    async def show(self, call: Call) -> Response[Any]:
        found, tag = await self._vnfs.show(call.project, call.path("vnfInstanceId"))
        return document(found, headers={"ETag": etag(tag)})

    async def delete(self, call: Call) -> Response[Any]:
        await self._vnfs.delete(call.project, call.path("vnfInstanceId"), if_match(call))
        return empty()

    async def modify(self, call: Call) -> Response[Any]:
        return await self._begin(call, "modify", if_match(call))

    async def begin(self, operation: str, call: Call) -> Response[Any]:
        return await self._begin(call, operation, None)

    async def _begin(self, call: Call, operation: str, tag: str | None) -> Response[Any]:
        request = await call.body(VNF_OPERATIONS[operation])
        begun = await self._vnfs.begin(
            call.project,
            call.path("vnfInstanceId"),
            operation,
            request,
            plan=call.header("fairlead-plan"),
            if_match=tag,
        )
        return accepted(call, f"{_OCCURRENCES}/{begun}")

    async def list_occurrences(self, call: Call) -> Response[Any]:
        return await listing(call, VNF_LCM_OP_OCCS, self._occurrences.page)

    async def show_occurrence(self, call: Call) -> Response[Any]:
        return document(await self._occurrences.show(call.project, call.path("vnfLcmOpOccId")))

    async def cancel(self, call: Call) -> Response[Any]:
        wanted = await call.body(CancelMode)
        await self._occurrences.cancel(call.project, call.path("vnfLcmOpOccId"), wanted.cancel_mode.value)
        return accepted(call)

    async def fail(self, call: Call) -> Response[Any]:
        return document(await self._occurrences.fail(call.project, call.path("vnfLcmOpOccId")))

    @staticmethod
    def _task(act: Callable[[str, str], Awaitable[None]]) -> Callable[[Call], Awaitable[Response[Any]]]:
        async def serve(call: Call) -> Response[Any]:
            await act(call.project, call.path("vnfLcmOpOccId"))
            return accepted(call)

        return serve
