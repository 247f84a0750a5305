"""The VNFM role: what operations need of VNF instances.

Loads and saves records inside the transactions of operations, looks up descriptors and VIMs before a plan is made, and
turns rows into ETSI's views. Business rules are in the types.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from fairlead.clock import Clock
from fairlead.descriptors import Vnfd
from fairlead.errors import FairleadError, NotFound, Quarantined, Unprocessable, VimError
from fairlead.hot import paths_of
from fairlead.operations import Operation, OperationType
from fairlead.packages import Catalogue
from fairlead.resources import Name, Records, Resource, Step, VimId
from fairlead.sol import VNF_INSTANCES, VNF_LCM_OP_OCCS, InstantiateVnfRequest, document, encode
from fairlead.sol.vim_types import names_vim_type, shown_vim_type
from fairlead.store import Tx
from fairlead.vims import TellsZones, VimRegistry
from fairlead.vnf.context import VnfContext, Where
from fairlead.vnf.occurrence_view import occurrence_view
from fairlead.vnf.record import VnfRecord, compute_name, decode_record, encode_record
from fairlead.vnf.tables import vnf_instances
from fairlead.vnf.types import TYPES
from fairlead.vnf.views import instance_view
from fairlead.vnf.zones import over_zones

__all__ = ["VnfRole", "columns_of", "record_in"]

replace = msgspec.structs.replace
_SOON = 15.0
"""Seconds within which a VIM has to tell its zones: whoever asks for an operation is waiting."""


class VnfRole:
    """The role `vnf`."""

    name = "vnf"

    def __init__(self, catalogue: Catalogue, vims: VimRegistry, clock: Clock) -> None:
        self._catalogue = catalogue
        self._vims = vims
        self._clock = clock

    @property
    def types(self) -> Mapping[str, OperationType]:
        return TYPES

    # -- records -----------------------------------------------------------------------------------------------------

    def load(self, tx: Tx, subject: str) -> VnfRecord:
        columns = (vnf_instances.c.id, vnf_instances.c.document)
        row = tx.first(tx.select(vnf_instances, *columns).where(vnf_instances.c.id == subject))
        if row is None:
            raise NotFound(f"There is no VNF instance '{subject}'.", code="vnf-not-found", resource=subject)
        return record_in(row)

    def save(self, tx: Tx, subject: str, record: VnfRecord, records: Records) -> None:
        values = {**columns_of(record, records), "version": vnf_instances.c.version + 1}
        tx.run(tx.update(vnf_instances).where(vnf_instances.c.id == subject).values(**values))

    def encode_record(self, record: VnfRecord) -> dict[str, Any]:
        return encode_record(record)

    def decode_record(self, document: dict[str, Any]) -> VnfRecord:
        return decode_record(document)

    def given_up(self, record: VnfRecord, target: VnfRecord, records: Records) -> VnfRecord:
        """What is true of an instance whose operation is given up: the members that it was not about, whose machines the
        next operation makes anew if need be, and of the others those that have one."""
        if record.instantiated is None or target.instantiated is None:
            return record
        old, new = record.instantiated.members, target.instantiated.members
        there = {
            vdu: tuple(
                key
                for key in keys
                if (key in old.get(vdu, ()) and key in new.get(vdu, ())) or compute_name(vdu, key) in records.current
            )
            for vdu, keys in _members(record, target).items()
        }
        zones = {**record.instantiated.zones, **target.instantiated.zones}
        state = replace(record.instantiated, members=there, counters=target.instantiated.counters, zones=zones)
        return replace(record, instantiated=state)

    # -- looking up ----------------------------------------------------------------------------------------------------

    async def context(self, project: str, record: VnfRecord, request: Any) -> VnfContext:
        vnfd = await self._catalogue.vnfd(record.package)
        digests = await self._catalogue.digests(record.package)
        place = await self._place(project, record, request, vnfd)
        stacks = place is not None and "stack" in place.traits.sorts
        templates = paths_of(digests) if stacks else ()
        return VnfContext(
            vnfd=vnfd,
            package=record.package,
            files=await self._catalogue.contents(record.package, _boot_files(vnfd)),
            digests=digests,
            templates=await self._catalogue.contents(record.package, templates),
            place=place,
        )

    async def _place(self, project: str, record: VnfRecord, request: Any, vnfd: Vnfd) -> Where | None:
        if record.instantiated is not None:
            vim, connection, flavour = record.instantiated.vim, record.vims, record.instantiated.flavour
        elif isinstance(request, InstantiateVnfRequest):
            (vim, connection), flavour = await self._connection(project, request), request.flavour_id
        else:
            return None
        await self._vims.prepare([vim])
        asked = flavour in vnfd.flavours and over_zones(vnfd.flavours[flavour])
        zones = await self._zones(vim) if asked else ()
        return Where(vim=vim, traits=self._vims.traits(vim), connection=connection, zones=zones)

    async def _zones(self, vim: VimId) -> tuple[str, ...] | None:
        """The zones of a VIM; None when it does not tell them soon."""
        driver = self._vims.driver(vim)
        if not isinstance(driver, TellsZones):
            return ()
        try:
            async with asyncio.timeout(_SOON):
                return await driver.zones()
        except (TimeoutError, VimError):
            return None

    async def _connection(
        self, project: str, request: InstantiateVnfRequest
    ) -> tuple[VimId, dict[str, dict[str, Any]]]:
        """The VIM that a request names, or the default one, and the connection by which the instance will know it."""
        asked = request.vim_connection_info
        if len(asked) > 1:
            raise Unprocessable(
                "More than one VIM connection is named; a VNF goes to one VIM.",
                code="several-vims",
                place="vimConnectionInfo",
                remedy="Name one.",
            )
        key, info = next(iter(asked.items()), ("default", None))
        if info is not None and info.vim_id is None:
            raise Unprocessable(
                "A VIM is named by the vimId of a registered one.",
                code="unregistered-vim",
                place=f"vimConnectionInfo/{key}",
                remedy="Register the VIM, and give its id or name as vimId.",
            )
        vim = await self._vims.choose(project, info.vim_id if info is not None else None)
        shown = await self._vims.show(project, vim)
        if info is not None and not names_vim_type(info.vim_type, shown["type"]):
            raise Unprocessable(
                f"VIM '{shown['name']}' is of the type '{shown['type']}', not '{info.vim_type}'.",
                code="vim-type-differs",
                place=f"vimConnectionInfo/{key}/vimType",
                remedy=f"Name another VIM, or give '{shown_vim_type(shown['type'])}'.",
            )
        return vim, {key: {"vimId": vim, "vimType": shown_vim_type(shown["type"])}}

    def vims(self, desired: Mapping[Name, Resource[Any]]) -> frozenset[VimId]:
        return frozenset(resource.vim for resource in desired.values())

    async def perform(self, step: Step, situation: Any) -> None:
        kind = step.action.kind if step.action else step.id
        raise Unprocessable(f"No action '{kind}' is known.", code="action-not-supported")

    # -- views -------------------------------------------------------------------------------------------------------

    def state_changed(self, tx: Tx, operation: Operation, records: Records) -> tuple[str, str]:
        before = after = None
        if operation.before is not None:
            before = _before(operation)
            try:
                after = self.load(tx, operation.subject)
            except FairleadError:
                after = before
        full = document(occurrence_view(operation, records, before, after))
        return encode(VNF_LCM_OP_OCCS.default_view(full)).decode(), encode(full).decode()


def record_in(row: Any) -> VnfRecord:
    """The record in a row of `vnf_instances`. Raises Quarantined, with the id of the instance."""
    try:
        return decode_record(row.document)
    except Quarantined as error:
        detail = f"VNF instance {row.id}: {error.detail}"
        raise Quarantined(detail, code=error.code, resource=row.id, remedy=error.remedy) from error


def _before(operation: Operation) -> VnfRecord:
    try:
        return decode_record((operation.before or {})["record"])
    except KeyError as error:
        raise Quarantined("An operation has no record of what was before it.", code="unreadable-document") from error


def columns_of(record: VnfRecord, records: Records) -> dict[str, Any]:
    """The columns that a record determines, with its views."""
    full = document(instance_view(record, records))
    return {
        "name": record.name,
        "vnfd_id": record.vnfd_id,
        "package": record.package,
        "state": full["instantiationState"],
        "document": encode_record(record),
        "view": encode(VNF_INSTANCES.default_view(full)).decode(),
        "full": encode(full).decode(),
    }


def _members(record: VnfRecord, target: VnfRecord) -> dict[str, tuple[str, ...]]:
    """The members of either record, each once, in order."""
    assert record.instantiated is not None
    assert target.instantiated is not None
    old, new = record.instantiated.members, target.instantiated.members
    return {vdu: tuple(dict.fromkeys((*old.get(vdu, ()), *new.get(vdu, ())))) for vdu in {**old, **new}}


def _boot_files(vnfd: Vnfd) -> tuple[str, ...]:
    """The files of the package that boot data names."""
    paths = {
        vdu.boot_data.source_path
        for flavour in vnfd.flavours.values()
        for vdu in flavour.vdus.values()
        if vdu.boot_data is not None and vdu.boot_data.source_path is not None
    }
    return tuple(sorted(paths))
