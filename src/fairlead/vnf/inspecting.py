"""Looking through the stored VNF instances: which of them cannot be read, and views that are not JSON any more.

A view is computed from the record and the rows, so a damaged one is computed again. That matters beyond its own
instance: lists are put together from views that nobody decodes, and one that is not JSON would break the whole list.
"""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from fairlead.errors import FairleadError, Quarantined
from fairlead.operations import read_records
from fairlead.operations.quarantine import Finding, pages
from fairlead.packages import Catalogue
from fairlead.resources import Records
from fairlead.sol import document, encode
from fairlead.store import Store, Tx
from fairlead.vnf.record import VnfRecord
from fairlead.vnf.role import columns_of, record_in
from fairlead.vnf.tables import vnf_instances
from fairlead.vnf.views import instance_view

__all__ = ["unreadable_vnfs"]

log = structlog.get_logger()


async def unreadable_vnfs(store: Store, catalogue: Catalogue) -> list[Finding]:
    """Instances whose record or package cannot be read. Damaged views are mended on the way."""
    found = []
    packages: dict[str, FairleadError | None] = {}
    async for row in pages(store, vnf_instances, (vnf_instances.c.id,)):
        if not (_is_json(row.view) and _is_json(row.full)):
            await _mend(store, row)
        try:
            package = record_in(row).package
        except Quarantined as error:
            found.append(_finding(row, error))
            continue
        if package not in packages:
            packages[package] = await _trouble(catalogue, package)
        trouble = packages[package]
        if trouble is not None:
            found.append(_finding(row, trouble))
    return found


def _finding(row: Any, error: FairleadError) -> Finding:
    return Finding(project=row.project, subject=row.id, card=error.card())


async def _trouble(catalogue: Catalogue, package: str) -> FairleadError | None:
    """Why the package cannot be read; None when it can."""
    try:
        await catalogue.vnfd(package)
    except FairleadError as error:
        return error
    return None


def _bare(row: Any) -> VnfRecord:
    """As much of a record as stands in columns."""
    unknown = ("provider", "product_name", "software_version", "vnfd_version")
    known: dict[str, Any] = {
        "id": row.id,
        "vnfd_id": row.vnfd_id,
        "package": row.package,
        "created": row.created,
        "name": row.name,
    }
    return VnfRecord(**known | dict.fromkeys(unknown, "unknown"))


def _is_json(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, TypeError):
        return False


async def _mend(store: Store, row: Any) -> None:
    """Compute the views again; where that cannot be, show what the row's columns say."""

    def write(tx: Tx) -> None:
        try:
            views = columns_of(record_in(row), read_records(tx, row.id))
        except Quarantined:
            bare = document(instance_view(_bare(row), Records()))
            text = encode({**bare, "instantiationState": row.state}).decode()
            views = {"view": text, "full": text}
        values = {"view": views["view"], "full": views["full"]}
        tx.run(tx.update(vnf_instances).where(vnf_instances.c.id == row.id).values(**values))

    await store.write(write)
    log.warning("vnf.view-mended", subject=row.id)
