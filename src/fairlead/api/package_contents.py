"""What is in onboarded packages, over HTTP: SOL003 clauses 10.4.4 to 10.4.6, SOL005 clauses 9.4.4 to 9.4.8.

The same resources are there below `/vnf_packages/{vnfPkgId}` and below `/onboarded_vnf_packages/{vnfdId}`; which package is
meant is the only difference. Bodies are streams, so a package of any size costs a mebibyte.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response

from fairlead.api.bodies import TEXT, ZIP, media_accepted
from fairlead.api.endpoints import Call, Endpoint, Parameter
from fairlead.api.ranges import RANGE_PARAMETERS, sent
from fairlead.api.services import Catalogue
from fairlead.packages import Selection

__all__ = ["PackageContents"]

_SIGNATURES = Parameter("include_signatures", "Add the signatures and certificates that are files.", flag=True)
_SELECTING = (
    Parameter("exclude_all_mano_artifacts", "Leave out the files that are MANO's.", flag=True),
    Parameter("exclude_all_non_mano_artifacts", "Leave out the files that are not MANO's.", flag=True),
    Parameter(
        "include_external_artifacts",
        "Add what the manifest has elsewhere and Fairlead has fetched, which is nothing.",
        flag=True,
    ),
    Parameter("select_non_mano_artifact_sets", "Of the files that are not MANO's, those of these sets."),
    _SIGNATURES,
)


class PackageContents:
    """The resources below one package; `package_of` says which package a call means."""

    def __init__(self, catalogue: Catalogue, package_of: Callable[[Call], Awaitable[str]]) -> None:
        self._catalogue = catalogue
        self._package_of = package_of

    def endpoints(self, endpoint: Callable[..., Endpoint], below: str) -> list[Endpoint]:
        """The endpoints, made by `endpoint`, below the path of a package."""
        made = {
            "vnfd": (self.vnfd, "The VNFD of a package, as text or as an archive", (TEXT, ZIP), (_SIGNATURES,)),
            "manifest": (self.manifest, "The manifest of a package", (TEXT, ZIP), (_SIGNATURES,)),
            "package_content": (self.content, "Download a package", (ZIP,), RANGE_PARAMETERS),
            "artifacts": (
                self.artifacts,
                "Files of a package that are no images, as an archive",
                (ZIP,),
                (*RANGE_PARAMETERS, *_SELECTING),
            ),
            "artifacts/{artifactPath}": (
                self.artifact,
                "A file of a package",
                ("*/*",),
                (*RANGE_PARAMETERS, _SIGNATURES),
            ),
        }
        ranged = {name: name not in ("vnfd", "manifest") for name in made}
        return [
            endpoint(
                method="GET",
                path=f"{below}/{name}",
                serve=serve,
                summary=summary,
                produces=produces,
                parameters=parameters,
                answers={200: bytes} | ({206: bytes} if ranged[name] else {}),
                errors=(409, 416) if ranged[name] else (409,),
            )
            for name, (serve, summary, produces, parameters) in made.items()
        ]

    async def vnfd(self, call: Call) -> Response[Any]:
        package = await self._package_of(call)
        accepted = media_accepted(call.request, (TEXT, ZIP))
        found = await self._catalogue.descriptor(call.project, package, accepted, signatures=_signatures(call))
        return await sent(call, found, ranges=False)

    async def manifest(self, call: Call) -> Response[Any]:
        package = await self._package_of(call)
        accepted = media_accepted(call.request, (TEXT, ZIP))
        found = await self._catalogue.manifest(call.project, package, accepted, signatures=_signatures(call))
        return await sent(call, found, ranges=False)

    async def content(self, call: Call) -> Response[Any]:
        package = await self._package_of(call)
        return await sent(call, await self._catalogue.content(call.project, package))

    async def artifacts(self, call: Call) -> Response[Any]:
        package = await self._package_of(call)
        sets = call.query.get("select_non_mano_artifact_sets")
        selection = Selection(
            mano="exclude_all_mano_artifacts" not in call.query,
            non_mano="exclude_all_non_mano_artifacts" not in call.query,
            sets=frozenset(part.strip() for part in sets.split(",")) if sets is not None else None,
            signatures=_signatures(call),
        )
        return await sent(call, await self._catalogue.artifacts(call.project, package, selection))

    async def artifact(self, call: Call) -> Response[Any]:
        package = await self._package_of(call)
        path = call.path("artifactPath").removeprefix("/")
        found = await self._catalogue.artifact(call.project, package, path, signatures=_signatures(call))
        return await sent(call, found)


def _signatures(call: Call) -> bool:
    return "include_signatures" in call.query
