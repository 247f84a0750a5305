"""The record of a VNF instance: everything about it that is not a resource.

What exists in a VIM is in the rows of resources, and ETSI's view is computed from both, so neither can drift from the
other. A VNFC is known by the VDU and a *member key* (`k1`, `k2` ...) that is given once and never reused, so scaling in
renames nobody.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.errors import Quarantined
from fairlead.resources import SCHEMA, Name, VimId, upcast
from fairlead.sol import ExtManagedVirtualLinkData, ExtVirtualLinkData

__all__ = ["Instantiated", "VnfRecord", "compute_name", "decode_record", "encode_record", "vnfc_id"]


class Instantiated(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for and chosen when the VNF was instantiated, and has changed since.

    `members` holds the keys of each VDU's VNFCs in the order of their making, `counters` the number of the last key
    given, `zones` the zone that was decided for a machine, by its name.
    """

    flavour: str
    vim: VimId
    scale: dict[str, int]
    members: dict[str, tuple[str, ...]]
    counters: dict[str, int]
    started: bool = True
    level: str | None = None
    external_links: tuple[ExtVirtualLinkData, ...] = ()
    managed_links: tuple[ExtManagedVirtualLinkData, ...] = ()
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    language: str | None = None
    zones: dict[Name, str] = msgspec.field(default_factory=dict)


class VnfRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A VNF instance. `package` is the id of the package whose descriptor it follows; `vims` its connections by key."""

    id: str
    vnfd_id: str
    package: str
    provider: str
    product_name: str
    software_version: str
    vnfd_version: str
    created: float
    name: str | None = None
    description: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    extensions: dict[str, Any] = msgspec.field(default_factory=dict)
    configurable_properties: dict[str, Any] = msgspec.field(default_factory=dict)
    vnfc_properties: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    vims: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    instantiated: Instantiated | None = None


# Built here, in one thread: msgspec builds what it needs to read a type at first use, and not safely in two threads.
msgspec.json.Decoder(VnfRecord)


def encode_record(record: VnfRecord) -> dict[str, Any]:
    """The record as a document with its schema number."""
    document: dict[str, Any] = msgspec.to_builtins(record)
    return {"schema": SCHEMA, "record": document}


def decode_record(document: dict[str, Any]) -> VnfRecord:
    """The record in a document. Raises Quarantined for one that this version cannot read."""
    lifted = upcast(document, what="record of a VNF instance")
    try:
        return msgspec.convert(lifted["record"], VnfRecord)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise Quarantined(
            f"The record of a VNF instance cannot be read: {error}.",
            code="unreadable-document",
            remedy="Restore the row from a backup.",
        ) from error


def compute_name(vdu: str, key: str) -> Name:
    """The name of a VNFC's machine."""
    return Name(f"{vdu}/{key}")


def vnfc_id(vdu: str, key: str) -> str:
    """The id of a VNFC instance in ETSI's views: the same over heals, for as long as the member exists."""
    return f"{vdu}-{key}"
