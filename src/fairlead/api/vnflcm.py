"""`/vnflcm/v2` and `/vnflcm/v1`: VNF lifecycle management (SOL003 clause 5, with SOL002's attributes).

All operations of an instance have one handler; what differs is the type of their request. Those that change something
answer 202 and the URL of the operation occurrence. `Fairlead-Plan` is our own request header: the digest of a plan that the
caller looked at, which makes the request fail rather than do something else. Version 1 is another view of the same: its
requests are put into today's words, and what is shown into its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

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
    VNFLCM_V1,
    ApiVersionInformation,
    CancelMode,
    CreateVnfRequest,
    Interface,
    VnfInfoModificationRequest,
    VnfInstance,
    VnfLcmOpOcc,
    both_versions,
    decode,
    encode,
)
from fairlead.sol import document as plain
from fairlead.sol.vnf_lcm_v1 import request_from_v1, vnf_instance_v1, vnf_lcm_op_occ_v1

__all__ = ["VnfLifecycle"]

_PLAN = Parameter("Fairlead-Plan", "Digest of the plan that was looked at; 409 `plan-moved` when it moved.", "header")
_IF_MATCH = Parameter("If-Match", "Entity tag of the instance as the caller knows it.", "header")
_TAG = "VNF lifecycle management"
T = TypeVar("T")


class VnfLifecycle:
    """The interface over VNF instances and their operation occurrences, in one of its versions."""

    def __init__(self, vnfs: Vnfs, occurrences: Occurrences, interface: Interface = VNFLCM) -> None:
        self._vnfs = vnfs
        self._occurrences = occurrences
        self._interface = interface
        self._older = interface is VNFLCM_V1
        self._instances = f"{interface.prefix}/vnf_instances"
        self._operations = f"{interface.prefix}/vnf_lcm_op_occs"

    def endpoints(self) -> list[Endpoint]:
        return [*self._versions(), *self._on_instances(), *self._on_occurrences()]

    def _versions(self) -> list[Endpoint]:
        versions = partial(
            Endpoint,
            method="GET",
            tag=_TAG,
            summary="The versions of this interface",
            answers={200: ApiVersionInformation},
        )
        own = versions(path=f"{self._interface.prefix}/api_versions", serve=self.versions)
        if self._older:
            return [own]
        return [own, versions(path=f"/{self._interface.name}/api_versions", serve=self.all_versions)]

    def _on_instances(self) -> list[Endpoint]:
        endpoint = partial(Endpoint, tag=_TAG, interface=self._interface)
        instance = self._instances + "/{vnfInstanceId}"
        return [
            endpoint(
                method="POST",
                path=self._instances,
                serve=self.create,
                summary="Create a VNF instance",
                request=CreateVnfRequest,
                answers={201: VnfInstance},
                errors=(422,),
            ),
            endpoint(
                method="GET",
                path=self._instances,
                serve=self.list,
                summary="List VNF instances",
                parameters=LIST_PARAMETERS,
                answers={200: list[VnfInstance]},
            ),
            endpoint(
                method="GET",
                path=instance,
                serve=self.show,
                summary="Show a VNF instance",
                answers={200: VnfInstance},
            ),
            endpoint(
                method="DELETE",
                path=instance,
                serve=self.delete,
                summary="Delete a VNF instance that is not instantiated",
                parameters=(_IF_MATCH,),
                answers={204: None},
                errors=(409, 412),
            ),
            endpoint(
                method="PATCH",
                path=instance,
                serve=self.modify,
                summary="Modify the information of a VNF instance",
                parameters=(_IF_MATCH, _PLAN),
                request=VnfInfoModificationRequest,
                consumes=(MERGE_PATCH, JSON),
                answers={202: None},
                errors=(409, 412, 422),
            ),
            *(
                endpoint(
                    method="POST",
                    path=f"{instance}/{operation}",
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
        endpoint = partial(Endpoint, tag=_TAG, interface=self._interface)
        occurrence = self._operations + "/{vnfLcmOpOccId}"
        return [
            endpoint(
                method="GET",
                path=self._operations,
                serve=self.list_occurrences,
                summary="List operation occurrences",
                parameters=LIST_PARAMETERS,
                answers={200: list[VnfLcmOpOcc]},
            ),
            endpoint(
                method="GET",
                path=occurrence,
                serve=self.show_occurrence,
                summary="Show an operation occurrence",
                answers={200: VnfLcmOpOcc},
            ),
            *(
                endpoint(
                    method="POST",
                    path=f"{occurrence}/{task}",
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
            endpoint(
                method="POST",
                path=f"{occurrence}/cancel",
                serve=self.cancel,
                summary="Cancel a running operation",
                request=CancelMode,
                answers={202: None},
                errors=(409,),
            ),
            endpoint(
                method="POST",
                path=f"{occurrence}/fail",
                serve=self.fail,
                summary="Give a failed operation up",
                answers={200: VnfLcmOpOcc},
                errors=(409,),
            ),
        ]

    async def versions(self, _call: Call) -> Response[Any]:
        return document(self._interface.information())

    async def all_versions(self, _call: Call) -> Response[Any]:
        return document(both_versions(VNFLCM_V1, VNFLCM))

    async def create(self, call: Call) -> Response[Any]:
        made = await self._vnfs.create(call.project, await self._body(call, CreateVnfRequest))
        return created(call, self._shown(made, vnf_instance_v1), f"{self._instances}/{made.id}")

    async def list(self, call: Call) -> Response[Any]:
        return await listing(call, VNF_INSTANCES, self._vnfs.page, view=vnf_instance_v1 if self._older else None)

    async def show(self, call: Call) -> Response[Any]:
        found, tag = await self._vnfs.show(call.project, call.path("vnfInstanceId"))
        return document(self._shown(found, vnf_instance_v1), headers={"ETag": etag(tag)})

    async def delete(self, call: Call) -> Response[Any]:
        await self._vnfs.delete(call.project, call.path("vnfInstanceId"), if_match(call))
        return empty()

    async def modify(self, call: Call) -> Response[Any]:
        return await self._begin(call, "modify", if_match(call))

    async def begin(self, operation: str, call: Call) -> Response[Any]:
        return await self._begin(call, operation, None)

    async def _begin(self, call: Call, operation: str, tag: str | None) -> Response[Any]:
        request = await self._body(call, VNF_OPERATIONS[operation])
        begun = await self._vnfs.begin(
            call.project,
            call.path("vnfInstanceId"),
            operation,
            request,
            plan=call.header("fairlead-plan"),
            if_match=tag,
        )
        return accepted(call, f"{self._operations}/{begun}")

    async def list_occurrences(self, call: Call) -> Response[Any]:
        view = vnf_lcm_op_occ_v1 if self._older else None
        return await listing(call, VNF_LCM_OP_OCCS, self._occurrences.page, view=view)

    async def show_occurrence(self, call: Call) -> Response[Any]:
        found = await self._occurrences.show(call.project, call.path("vnfLcmOpOccId"))
        return document(self._shown(found, vnf_lcm_op_occ_v1))

    async def cancel(self, call: Call) -> Response[Any]:
        wanted = await call.body(CancelMode)
        await self._occurrences.cancel(call.project, call.path("vnfLcmOpOccId"), wanted.cancel_mode.value)
        return accepted(call)

    async def fail(self, call: Call) -> Response[Any]:
        given_up = await self._occurrences.fail(call.project, call.path("vnfLcmOpOccId"))
        return document(self._shown(given_up, vnf_lcm_op_occ_v1))

    async def _body(self, call: Call, type_: type[T]) -> T:
        """The body, as `type_` has it today, whatever version it came in."""
        if not self._older:
            return await call.body(type_)
        return decode(type_, encode(request_from_v1(await call.body(dict[str, Any]))))

    def _shown(self, value: Any, older: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
        """`value` as this version shows it; `older` is version 1's way."""
        return older(plain(value)) if self._older else value

    @staticmethod
    def _task(act: Callable[[str, str], Awaitable[None]]) -> Callable[[Call], Awaitable[Response[Any]]]:
        async def serve(call: Call) -> Response[Any]:
            await act(call.project, call.path("vnfLcmOpOccId"))
            return accepted(call)

        return serve
