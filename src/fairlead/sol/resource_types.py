"""The small types that ETSI's documents share: links, handles of things in a VIM, VIM connections, scale levels, checksums."""

from __future__ import annotations

from msgspec import field

from fairlead.sol.wire import KeyValuePairs, Sol

__all__ = ["Checksum", "Link", "MonitoringParameter", "ResourceHandle", "ScaleInfo", "VimConnectionInfo"]


class Link(Sol, frozen=True, kw_only=True):
    """A link to a resource; `href` may be relative to the API root."""

    href: str


class Checksum(Sol, frozen=True, kw_only=True):
    """A digest: `algorithm` is a name from the IANA hash registry (`SHA-256`), `hash` is hexadecimal."""

    algorithm: str
    hash: str


class ResourceHandle(Sol, frozen=True, kw_only=True):
    """Where a resource is found in its VIM. `containerNamespace` is Release 4."""

    vim_connection_id: str | None = None
    resource_provider_id: str | None = None
    resource_id: str
    vim_level_resource_type: str | None = None
    container_namespace: str | None = None


class VimConnectionInfo(Sol, frozen=True, kw_only=True):
    """How a VIM is reached. `access_info` holds credentials and never leaves Fairlead again."""

    vim_id: str | None = None
    vim_type: str | None = None
    interface_info: KeyValuePairs = field(default_factory=dict)
    access_info: KeyValuePairs = field(default_factory=dict)
    extra: KeyValuePairs = field(default_factory=dict)


class ScaleInfo(Sol, frozen=True, kw_only=True):
    """The scale level of one aspect, counted in steps from 0."""

    aspect_id: str
    vnfd_id: str | None = None
    scale_level: int


class MonitoringParameter(Sol, frozen=True, kw_only=True):
    """A parameter that the VNFD names for monitoring."""

    id: str
    vnfd_id: str | None = None
    name: str | None = None
    performance_metric: str
