"""The `Version` header of SOL013 and the `api_versions` documents.

A client says which version of an interface it speaks, as `2.3.0` or with a suffix of an implementation (`2.3.0-impl:...`),
which is read over. Within one major version a newer server serves older clients, so every minor version up to ours
is accepted. python-tackerclient sends 2.0.0 to the lifecycle interface and nothing at all to the package interface.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fairlead.errors import BadRequest, NotAcceptable
from fairlead.sol.wire import Sol

__all__ = [
    "VNFLCM",
    "VNFLCM_V1",
    "VNFPKGM",
    "VNFPKGM_V1",
    "ApiVersion",
    "ApiVersionInformation",
    "Interface",
    "both_versions",
]

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})(-impl:[\w.:~-]+)?", re.ASCII)


class ApiVersion(Sol, frozen=True, kw_only=True):
    """`retirement_date` is RFC 3339."""

    version: str
    is_deprecated: bool | None = None
    retirement_date: str | None = None


class ApiVersionInformation(Sol, frozen=True, kw_only=True):
    uri_prefix: str
    api_versions: tuple[ApiVersion, ...]


@dataclass(frozen=True, slots=True)
class Interface:
    """One ETSI interface at one major version. `versions` in rising order; `lenient` when the header may be missing."""

    name: str
    major: int
    versions: tuple[str, ...]
    lenient: bool = False

    @property
    def newest(self) -> str:
        """The version that is served."""
        return self.versions[-1]

    @property
    def prefix(self) -> str:
        """The path under which it is served: `/vnflcm/v2`."""
        return f"/{self.name}/v{self.major}"

    def negotiate(self, header: str | None) -> str:
        """The version to answer with, given the request's `Version` header.

        Raises BadRequest when it is missing (and may not be) or is no version, NotAcceptable when it is not supported.
        """
        offered = ", ".join(self.versions)
        if header is None:
            if self.lenient:
                return self.newest
            raise BadRequest(
                "The request has no Version header.",
                code="version-missing",
                remedy=f"Send a Version header with one of {offered}.",
            )
        found = _VERSION.fullmatch(header.strip())
        if found is None:
            raise BadRequest(
                f"'{header}' in the Version header is not a version.",
                code="version-malformed",
                remedy=f"Send a Version header with one of {offered}.",
            )
        major, minor, patch = int(found[1]), int(found[2]), int(found[3])
        oldest, newest = self._numbers(self.versions[0]), self._numbers(self.newest)
        if not oldest[:2] <= (major, minor) <= newest[:2]:
            raise NotAcceptable(
                f"Version {major}.{minor}.{patch} of the {self.name} interface is not supported.",
                code="version-not-supported",
                remedy=f"Send a Version header with one of {offered}.",
            )
        return f"{major}.{minor}.{patch}"

    def information(self) -> ApiVersionInformation:
        """The `api_versions` document."""
        versions = tuple(ApiVersion(version=version, is_deprecated=False) for version in self.versions)
        return ApiVersionInformation(uri_prefix=self.prefix, api_versions=versions)

    @staticmethod
    def _numbers(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version.split("."))


def both_versions(*interfaces: Interface) -> ApiVersionInformation:
    """The `api_versions` document of an interface that is served in several major versions."""
    versions = tuple(one for interface in interfaces for one in interface.information().api_versions)
    return ApiVersionInformation(uri_prefix=f"/{interfaces[0].name}", api_versions=versions)


VNFLCM_V1 = Interface("vnflcm", 1, ("1.0.0", "1.1.0", "1.2.0", "1.3.0"), lenient=True)
VNFLCM = Interface("vnflcm", 2, ("2.0.0", "2.1.0", "2.2.0", "2.3.0"))
VNFPKGM_V1 = Interface("vnfpkgm", 1, ("1.0.0", "1.1.0", "1.2.0", "1.3.0"), lenient=True)
VNFPKGM = Interface("vnfpkgm", 2, ("2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0"), lenient=True)
