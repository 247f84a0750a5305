"""`/vnfpkgm/v2` and `/vnfpkgm/v1`: VNF package management, both SOL005's side (clause 9) and SOL003's (clause 10).

The two standards share their paths, and what they do not share (`onboarded_vnf_packages` is SOL003's, everything that changes
a package SOL005's) is served beside each other. Version 1 is a view: python-tackerclient speaks it, without a version header,
which may therefore be missing. An upload is handed on chunk by chunk; 202 says that it has been stored, and what comes of it
is seen in `onboardingState`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Response

from fairlead.api.answers import accepted, created, document, empty, etag, if_match
from fairlead.api.bodies import JSON, MERGE_PATCH, ZIP
from fairlead.api.endpoints import Call, Endpoint, Parameter
from fairlead.api.lists import LIST_PARAMETERS, listing
from fairlead.api.package_contents import PackageContents
from fairlead.api.services import Catalogue
from fairlead.api.subscriptions import SubscriptionResources
from fairlead.events import Subscriptions
from fairlead.sol import (
    PKGM_SUBSCRIPTIONS,
    VNF_PACKAGES,
    VNFPKGM,
    VNFPKGM_V1,
    ApiVersionInformation,
    CreateVnfPkgInfoRequest,
    Interface,
    PkgmSubscriptionRequest,
    UploadVnfPackageFromUriRequest,
    VnfPkgInfo,
    VnfPkgInfoModifications,
    both_versions,
    package_tag,
    vnf_package_v1,
)
from fairlead.sol import document as plain

__all__ = ["VnfPackages"]

_TAG = "VNF package management"
_IF_MATCH = Parameter("If-Match", "The entity tag that the package must have.", place="header")
_ONBOARDED = "(eq,onboardingState,ONBOARDED)"


class VnfPackages:
    """The interface over the catalogue, in one of its versions."""

    def __init__(self, catalogue: Catalogue, subscriptions: Subscriptions, interface: Interface = VNFPKGM) -> None:
        self._catalogue = catalogue
        self._subscriptions = SubscriptionResources(
            subscriptions, interface, PkgmSubscriptionRequest, PKGM_SUBSCRIPTIONS
        )
        self._interface = interface
        self._view = vnf_package_v1 if interface is VNFPKGM_V1 else None
        self._packages = f"{interface.prefix}/vnf_packages"

    def endpoints(self) -> list[Endpoint]:
        endpoint = partial(Endpoint, tag=_TAG, interface=self._interface)
        package, onboarded = f"{self._packages}/{{vnfPkgId}}", f"{self._interface.prefix}/onboarded_vnf_packages"
        return [
            *self._versions(),
            endpoint(
                method="POST",
                path=self._packages,
                serve=self.create,
                summary="Create a package resource, to upload a package to",
                request=CreateVnfPkgInfoRequest,
                answers={201: VnfPkgInfo},
            ),
            endpoint(
                method="GET",
                path=self._packages,
                serve=self.list,
                summary="List packages",
                parameters=LIST_PARAMETERS,
                answers={200: list[VnfPkgInfo]},
            ),
            endpoint(method="GET", path=package, serve=self.show, summary="Show a package", answers={200: VnfPkgInfo}),
            endpoint(
                method="PATCH",
                path=package,
                serve=self.modify,
                summary="Enable or disable a package, or change its user-defined data",
                request=VnfPkgInfoModifications,
                parameters=(_IF_MATCH,),
                consumes=(MERGE_PATCH, JSON),
                answers={200: VnfPkgInfoModifications},
                errors=(409, 412),
            ),
            endpoint(
                method="DELETE",
                path=package,
                serve=self.delete,
                summary="Delete a package that is disabled and not in use",
                parameters=(_IF_MATCH,),
                answers={204: None},
                errors=(409, 412),
            ),
            endpoint(
                method="PUT",
                path=f"{package}/package_content",
                serve=self.upload,
                summary="Upload a package",
                consumes=(ZIP,),
                request=bytes,
                answers={202: None},
                errors=(409,),
            ),
            endpoint(
                method="POST",
                path=f"{package}/package_content/upload_from_uri",
                serve=self.upload_from_uri,
                summary="Have a package fetched from a URI",
                request=UploadVnfPackageFromUriRequest,
                answers={202: None},
                errors=(409, 422),
            ),
            *PackageContents(self._catalogue, self._named).endpoints(endpoint, package),
            endpoint(
                method="GET",
                path=onboarded,
                serve=self.list_onboarded,
                summary="List the packages that are onboarded",
                parameters=LIST_PARAMETERS,
                answers={200: list[VnfPkgInfo]},
            ),
            endpoint(
                method="GET",
                path=f"{onboarded}/{{vnfdId}}",
                serve=self.show_onboarded,
                summary="Show the onboarded package of a VNFD",
                answers={200: VnfPkgInfo},
            ),
            *PackageContents(self._catalogue, self._of_vnfd).endpoints(endpoint, f"{onboarded}/{{vnfdId}}"),
            *self._subscriptions.endpoints(endpoint),
        ]

    def _versions(self) -> list[Endpoint]:
        versions = partial(
            Endpoint,
            method="GET",
            tag=_TAG,
            summary="The versions of this interface",
            answers={200: ApiVersionInformation},
        )
        own = versions(path=f"{self._interface.prefix}/api_versions", serve=self.versions)
        return [own, versions(path="/vnfpkgm/api_versions", serve=self.all_versions)] if self._view is None else [own]

    async def versions(self, _call: Call) -> Response[Any]:
        return document(self._interface.information())

    async def all_versions(self, _call: Call) -> Response[Any]:
        return document(both_versions(VNFPKGM_V1, VNFPKGM))

    async def create(self, call: Call) -> Response[Any]:
        request = await call.body(CreateVnfPkgInfoRequest)
        made = await self._catalogue.create(call.project, request.user_defined_data)
        return created(call, self._shown(made), f"{self._packages}/{made.id}")

    async def list(self, call: Call) -> Response[Any]:
        return await listing(call, VNF_PACKAGES, self._catalogue.page, view=self._view)

    async def list_onboarded(self, call: Call) -> Response[Any]:
        return await listing(call, VNF_PACKAGES, self._catalogue.page, view=self._view, always=_ONBOARDED)

    async def show(self, call: Call) -> Response[Any]:
        return await self._show(call, await self._named(call))

    async def show_onboarded(self, call: Call) -> Response[Any]:
        return await self._show(call, await self._of_vnfd(call))

    async def modify(self, call: Call) -> Response[Any]:
        wanted = await call.body(VnfPkgInfoModifications)
        changed = await self._catalogue.modify(call.project, call.path("vnfPkgId"), wanted, if_match=if_match(call))
        return document(changed)

    async def delete(self, call: Call) -> Response[Any]:
        await self._catalogue.delete(call.project, call.path("vnfPkgId"), if_match=if_match(call))
        return empty()

    async def upload(self, call: Call) -> Response[Any]:
        await self._catalogue.upload(call.project, call.path("vnfPkgId"), call.upload())
        return accepted(call)

    async def upload_from_uri(self, call: Call) -> Response[Any]:
        request = await call.body(UploadVnfPackageFromUriRequest)
        await self._catalogue.upload_from_uri(call.project, call.path("vnfPkgId"), request)
        return accepted(call)

    async def _show(self, call: Call, package: str) -> Response[Any]:
        found = await self._catalogue.show(call.project, package)
        return document(self._shown(found), headers={"ETag": etag(package_tag(found))})

    def _shown(self, info: VnfPkgInfo) -> Any:
        return info if self._view is None else self._view(plain(info))

    async def _named(self, call: Call) -> str:
        return call.path("vnfPkgId")

    async def _of_vnfd(self, call: Call) -> str:
        return await self._catalogue.by_vnfd(call.project, call.path("vnfdId"))
