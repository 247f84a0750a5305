"""`/vnfpkgm/v2`: VNF package management (SOL005 clause 9).

The version header may be missing here, because python-tackerclient sends none. An upload is handed on chunk by chunk; 202 says
that it has been stored, and what comes of it is seen in `onboardingState`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Response

from fairlead.api.answers import accepted, created, document, empty
from fairlead.api.bodies import JSON, MERGE_PATCH, ZIP
from fairlead.api.endpoints import Call, Endpoint
from fairlead.api.lists import LIST_PARAMETERS, listing
from fairlead.api.services import Catalogue
from fairlead.sol import (
    VNF_PACKAGES,
    VNFPKGM,
    ApiVersionInformation,
    CreateVnfPkgInfoRequest,
    VnfPkgInfo,
    VnfPkgInfoModifications,
)

__all__ = ["VnfPackages"]

_PACKAGES = f"{VNFPKGM.prefix}/vnf_packages"
_PACKAGE = _PACKAGES + "/{vnfPkgId}"
_TAG = "VNF package management"
_endpoint = partial(Endpoint, tag=_TAG, interface=VNFPKGM)


class VnfPackages:
    """The interface over the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def endpoints(self) -> list[Endpoint]:
        return [
            *(
                Endpoint(
                    method="GET",
                    path=path,
                    serve=self.versions,
                    tag=_TAG,
                    summary="The versions of this interface",
                    answers={200: ApiVersionInformation},
                )
                for path in ("/vnfpkgm/api_versions", f"{VNFPKGM.prefix}/api_versions")
            ),
            _endpoint(
                method="POST",
                path=_PACKAGES,
                serve=self.create,
                summary="Create a package resource, to upload a package to",
                request=CreateVnfPkgInfoRequest,
                answers={201: VnfPkgInfo},
            ),
            _endpoint(
                method="GET",
                path=_PACKAGES,
                serve=self.list,
                summary="List packages",
                parameters=LIST_PARAMETERS,
                answers={200: list[VnfPkgInfo]},
            ),
            _endpoint(
                method="GET", path=_PACKAGE, serve=self.show, summary="Show a package", answers={200: VnfPkgInfo}
            ),
            _endpoint(
                method="PATCH",
                path=_PACKAGE,
                serve=self.modify,
                summary="Enable or disable a package, or change its user-defined data",
                request=VnfPkgInfoModifications,
                consumes=(MERGE_PATCH, JSON),
                answers={200: VnfPkgInfoModifications},
                errors=(409,),
            ),
            _endpoint(
                method="DELETE",
                path=_PACKAGE,
                serve=self.delete,
                summary="Delete a package that is disabled and not in use",
                answers={204: None},
                errors=(409,),
            ),
            _endpoint(
                method="PUT",
                path=f"{_PACKAGE}/package_content",
                serve=self.upload,
                summary="Upload a package",
                consumes=(ZIP,),
                request=bytes,
                answers={202: None},
                errors=(409,),
            ),
        ]

    async def versions(self, _call: Call) -> Response[Any]:
        return document(VNFPKGM.information())

    async def create(self, call: Call) -> Response[Any]:
        request = await call.body(CreateVnfPkgInfoRequest)
        made = await self._catalogue.create(call.project, request.user_defined_data)
        return created(call, made, f"{_PACKAGES}/{made.id}")

    async def list(self, call: Call) -> Response[Any]:
        return await listing(call, VNF_PACKAGES, self._catalogue.page)

    async def show(self, call: Call) -> Response[Any]:
        return document(await self._catalogue.show(call.project, call.path("vnfPkgId")))

    async def modify(self, call: Call) -> Response[Any]:
        wanted = await call.body(VnfPkgInfoModifications)
        return document(await self._catalogue.modify(call.project, call.path("vnfPkgId"), wanted))

    async def delete(self, call: Call) -> Response[Any]:
        await self._catalogue.delete(call.project, call.path("vnfPkgId"))
        return empty()

    async def upload(self, call: Call) -> Response[Any]:
        await self._catalogue.upload(call.project, call.path("vnfPkgId"), call.upload())
        return accepted(call)
