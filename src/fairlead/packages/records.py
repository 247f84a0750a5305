"""One package as it is stored: its row, and the texts that ETSI's interface is answered with.

`full` is the whole VnfPkgInfo and `view` its default view, both as JSON and both without `usageState`, which is not the
catalogue's to know: it changes with instances, so it is put in whenever a text is sent, without decoding the rest.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.errors import Conflict, NotFound, PreconditionFailed, Quarantined
from fairlead.packages.describing import Described
from fairlead.packages.tables import packages
from fairlead.sol import (
    VNF_PACKAGES,
    VNFPKGM,
    Checksum,
    KeyValuePairs,
    Link,
    PackageOnboardingState,
    PackageOperationalState,
    PackageUsageState,
    ProblemDetails,
    VnfPkgInfo,
    VnfPkgInfoLinks,
    document,
    encode,
    package_tag,
)
from fairlead.store import Tx

__all__ = [
    "SCHEMA",
    "PackageRecord",
    "find",
    "in_state",
    "info_of",
    "load",
    "locked",
    "not_found",
    "require_match",
    "save",
    "with_usage",
]

SCHEMA = 1
_USAGE = "usageState"


class PackageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A package. Points in time are seconds since the epoch; `checksum` is the SHA-256 of the file, in hexadecimal.

    `failure` says why onboarding failed last, and is kept while the next upload is under way. `incoming` is the key of that
    upload, and `fetching` says that Fairlead itself fetches it.
    """

    id: str
    project: str
    onboarding: PackageOnboardingState
    operational: PackageOperationalState
    created: float
    vnfd_id: str | None = None
    attempts: int = 0
    incoming: str | None = None
    fetching: bool = False
    uploaded: float | None = None
    size: int | None = None
    checksum: str | None = None
    failure: ProblemDetails | None = None
    user_data: KeyValuePairs = msgspec.field(default_factory=dict)
    described: Described | None = None


_NAMES = (*PackageRecord.__struct_fields__, "schema")
_COLUMNS = tuple(packages.c[name] for name in _NAMES)


# Built here, in one thread: msgspec builds what it needs to read a type at first use, and not safely in two threads.
msgspec.json.Decoder(PackageRecord)


def load(row: Any) -> PackageRecord:
    """The package in a row. Raises Quarantined (`unknown-schema`, `unreadable-document`)."""
    values = dict(zip(_NAMES, row, strict=True))
    schema = values.pop("schema")
    if schema != SCHEMA:
        raise Quarantined(
            f"Package {values['id']} has schema {schema!r}; this version reads {SCHEMA}.",
            code="unknown-schema",
            resource=values["id"],
            remedy="Run the version of Fairlead that wrote it, or restore the row from a backup.",
        )
    try:
        return msgspec.convert(values, PackageRecord)
    except msgspec.ValidationError as error:
        raise Quarantined(
            f"Package {values['id']} cannot be read: {error}.", code="unreadable-document", resource=values["id"]
        ) from error


def find(tx: Tx, package: str) -> PackageRecord:
    """The package, if `tx` may see it. Raises NotFound."""
    row = tx.first(tx.select(packages, *_COLUMNS).where(packages.c.id == package))
    if row is None:
        raise not_found(package)
    return load(row)


def locked(tx: Tx, package: str) -> PackageRecord:
    """As `find`; nobody else changes it until `tx` ends."""
    row = tx.lock(tx.select(packages, *_COLUMNS).where(packages.c.id == package))
    if row is None:
        raise not_found(package)
    return load(row)


def save(tx: Tx, record: PackageRecord, *, new: bool = False, **more: Any) -> None:
    """Write the row and its texts; `more` are columns that a record does not carry (`digests`)."""
    shown = document(info_of(record))
    del shown[_USAGE]
    values = msgspec.to_builtins(record) | {
        "schema": SCHEMA,
        "full": encode(shown).decode(),
        "view": encode(VNF_PACKAGES.default_view(shown)).decode(),
        **more,
    }
    if new:
        tx.insert(packages, **values)
    else:
        tx.run(tx.update(packages).where(packages.c.id == record.id).values(**values))


def info_of(record: PackageRecord, *, used: bool = False) -> VnfPkgInfo:
    """The package as ETSI shows it. What comes from its content is there once it is onboarded, and not before."""
    onboarded = record.onboarding is PackageOnboardingState.ONBOARDED
    href = f"{VNFPKGM.prefix}/vnf_packages/{record.id}"
    described = record.described if onboarded else None
    content = {name: getattr(described, name) for name in Described.__struct_fields__} if described else {}
    return VnfPkgInfo(
        id=record.id,
        checksum=Checksum(algorithm="SHA-256", hash=record.checksum) if onboarded and record.checksum else None,
        onboarding_state=record.onboarding,
        operational_state=record.operational,
        usage_state=PackageUsageState.IN_USE if used else PackageUsageState.NOT_IN_USE,
        user_defined_data=record.user_data,
        onboarding_failure_details=record.failure if record.onboarding is PackageOnboardingState.ERROR else None,
        links=VnfPkgInfoLinks(
            self_=Link(href=href), vnfd=Link(href=f"{href}/vnfd"), package_content=Link(href=f"{href}/package_content")
        ),
        **content,
    )


def require_match(record: PackageRecord, tag: str | None) -> None:
    """Raises PreconditionFailed unless the package has the entity tag; None asks for none."""
    if tag is not None and tag != package_tag(info_of(record)):
        raise PreconditionFailed(
            f"Package {record.id} has changed since it was looked at.",
            resource=record.id,
            remedy="Look at it again, and send its present ETag.",
        )


def with_usage(text: str, *, used: bool) -> str:
    """A stored text with `usageState` in it."""
    state = PackageUsageState.IN_USE if used else PackageUsageState.NOT_IN_USE
    return f'{text[:-1]},"{_USAGE}":"{state}"}}'


def not_found(package: str) -> NotFound:
    return NotFound(
        f"There is no VNF package '{package}'.",
        code="package-not-found",
        resource=package,
        remedy="List the packages of the project to see which there are.",
    )


def in_state(record: PackageRecord, what: str, remedy: str) -> Conflict:
    """The refusal of a request that the package's state does not allow; `what` goes on after the package's name."""
    return Conflict(f"Package {record.id} {what}.", code="package-state", resource=record.id, remedy=remedy)
