"""What the API needs of the rest of the program, and the bundle in which `main` hands it over.

The API holds no business rules: every handler is a call of one of these. The roles and the catalogue are protocols, which say
exactly what of them the API uses. All calls are coroutines; `project` is the caller's, and what another project owns does
not exist for them (NotFound).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec
from prometheus_client import CollectorRegistry

from fairlead.clock import Clock
from fairlead.events import EventLog, Subscriptions
from fairlead.identity import Caller, Identity, Keystone
from fairlead.packages import Download, Selection
from fairlead.secrets import Vault
from fairlead.sol import (
    CreateVnfRequest,
    Filter,
    KeyValuePairs,
    UploadVnfPackageFromUriRequest,
    VnfInstance,
    VnfLcmOpOcc,
    VnfPkgInfo,
    VnfPkgInfoModifications,
)
from fairlead.store import Store
from fairlead.store.listing import Page
from fairlead.vims import Need

__all__ = [
    "ApiSettings",
    "Authenticator",
    "Catalogue",
    "Check",
    "Health",
    "Occurrences",
    "Services",
    "Vims",
    "Vnfs",
]

Document = dict[str, Any]


class Vnfs(Protocol):
    """VNF instances and their operations."""

    async def create(self, project: str, request: CreateVnfRequest, /) -> VnfInstance: ...
    async def show(self, project: str, vnf: str, /) -> tuple[VnfInstance, str]: ...
    async def page(self, project: str, filter: Filter | None, marker: str | None, limit: int, /) -> Page: ...
    async def delete(self, project: str, vnf: str, if_match: str | None, /) -> None: ...
    async def begin(
        self,
        project: str,
        vnf: str,
        operation: str,
        request: msgspec.Struct,
        *,
        plan: str | None = None,
        if_match: str | None = None,
    ) -> str: ...
    async def plan(self, project: str, vnf: str, operation: str, request: msgspec.Struct, /) -> Document: ...
    async def drift(self, project: str, vnf: str, /) -> Document: ...


class Occurrences(Protocol):
    """Operation occurrences."""

    async def show(self, project: str, operation: str, /) -> VnfLcmOpOcc: ...
    async def page(self, project: str, filter: Filter | None, marker: str | None, limit: int, /) -> Page: ...
    async def retry(self, project: str, operation: str, /) -> None: ...
    async def rollback(self, project: str, operation: str, /) -> None: ...
    async def cancel(self, project: str, operation: str, mode: str, /) -> None: ...
    async def fail(self, project: str, operation: str, /) -> VnfLcmOpOcc: ...
    async def timeline(self, project: str, operation: str, /) -> Document: ...
    async def plan(self, project: str, operation: str, action: str, /) -> Document: ...


class Catalogue(Protocol):
    """VNF packages."""

    async def create(self, project: str, user_defined_data: KeyValuePairs, /) -> VnfPkgInfo: ...
    async def show(self, project: str, package: str, /) -> VnfPkgInfo: ...
    async def page(self, project: str, filter: Filter | None, marker: str | None, limit: int, /) -> Page: ...
    async def modify(
        self, project: str, package: str, modifications: VnfPkgInfoModifications, /, *, if_match: str | None
    ) -> VnfPkgInfoModifications: ...
    async def delete(self, project: str, package: str, /, *, if_match: str | None) -> None: ...
    async def upload(self, project: str, package: str, chunks: AsyncIterator[bytes], /) -> None: ...
    async def upload_from_uri(self, project: str, package: str, request: UploadVnfPackageFromUriRequest, /) -> None: ...
    async def by_vnfd(self, project: str, vnfd_id: str, /) -> str: ...
    async def content(self, project: str, package: str, /) -> Download: ...
    async def descriptor(
        self, project: str, package: str, accepted: Sequence[str], /, *, signatures: bool
    ) -> Download: ...
    async def manifest(
        self, project: str, package: str, accepted: Sequence[str], /, *, signatures: bool
    ) -> Download: ...
    async def artifact(self, project: str, package: str, path: str, /, *, signatures: bool) -> Download: ...
    async def artifacts(self, project: str, package: str, selection: Selection, /) -> Download: ...


class Vims(Protocol):
    """Registered infrastructures; a VIM is named by id or name."""

    async def register(self, project: str, document: Document, /, *, trusted: bool) -> Document: ...
    async def list(self, project: str, /) -> Sequence[Document]: ...
    async def show(self, project: str, vim: str, /) -> Document: ...
    async def update(
        self, project: str, vim: str, document: Document, /, *, trusted: bool, merge: bool = False
    ) -> Document: ...
    async def reveal(self, project: str, vim: str, names: Collection[str], /) -> Mapping[str, str]: ...
    async def delete(self, project: str, vim: str, /) -> None: ...
    async def check(self, project: str, vim: str, /) -> Document: ...
    async def lint(self, project: str, vim: str, needs: Sequence[Need], /) -> Document: ...


class Authenticator(Protocol):
    """Who is calling."""

    async def authenticate(self, authorization: str | None, /) -> Caller: ...


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that must be well for Fairlead to take work."""

    name: str
    ok: bool
    detail: str | None = None


class Health(Protocol):
    """Whether this process can do its work."""

    async def checks(self) -> Sequence[Check]:
        """Look now; answers soon, whatever is broken."""
        ...


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """The API's own settings."""

    body_limit: int = 4 * 1024 * 1024
    """Bytes of a JSON body; a request to instantiate with long user data for each VDU fits well."""
    upload_limit: int = 64 * 1024**3
    """Bytes of a package. The disk is the true limit; this one ends an upload that was never meant to end."""
    page_size: int = 100
    """Resources in one page of a list."""
    heartbeat: float = 15.0
    """Seconds of silence after which an event stream sends a comment; proxies close what is silent for 30 to 60."""
    public_url: str | None = None
    """What URLs in answers begin with; None takes the scheme and host of each request."""
    public_metrics: bool = True
    """Whether `/metrics` answers without a token."""
    challenge: str = "Bearer"
    """What a request without a valid token is told in WWW-Authenticate."""
    policy: Path | None = None
    """The operator's own rules of who may do what."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """All that the API calls. `stopping` is set before the server waits for its connections, to end event streams."""

    store: Store
    identity: Identity
    events: EventLog
    subscriptions: Subscriptions
    vault: Vault
    catalogue: Catalogue
    vims: Vims
    vnfs: Vnfs
    occurrences: Occurrences
    settings: ApiSettings
    clock: Clock
    metrics: CollectorRegistry
    health: Health
    keystone: Keystone | None = None
    """Whose tokens are taken in place of those of `identity`."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def authenticator(self) -> Authenticator:
        """Who says who is calling."""
        return self.keystone or self.identity
