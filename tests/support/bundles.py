"""A role for tests of operations: an instance is whatever resources the last request named.

It has no descriptors and no arithmetic, so a test says exactly what is wanted; everything else about an operation is
the real thing. `become` is its one operation type; a request may taint names and ask for isolation of failures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.errors import NotFound, Unprocessable
from fairlead.operations import Desired, Operation, OperationType, Situation
from fairlead.resources import (
    SCHEMA,
    Name,
    OnFailure,
    Plan,
    Records,
    Resource,
    Step,
    VimId,
    decode_resource,
    encode_resource,
)
from fairlead.store import Document, Tx, owned_table

__all__ = ["Become", "BundleRole", "add_bundle", "bundles", "request"]

bundles = owned_table(
    "test_bundles",
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("document", Document, nullable=False),
)


class Become(msgspec.Struct, frozen=True):
    """What the bundle is to be."""

    resources: list[dict[str, Any]] = []
    taint: list[str] = []
    on_failure: str = "stop"


def request(*resources: Resource[Any], taint: tuple[str, ...] = (), on_failure: str = "stop") -> Become:
    """A request for exactly `resources`."""
    return Become([encode_resource(resource) for resource in resources], list(taint), on_failure)


class _BecomeType:
    name = "become"
    request = Become

    def check(self, record: Any, request: Become) -> None:
        """Anything goes."""

    def desired(self, situation: Situation) -> Desired:
        asked: Become = situation.request
        found = (decode_resource(document) for document in asked.resources)
        current = situation.records.current
        return Desired(
            resources={resource.name: resource for resource in found},
            record={**situation.record, "resources": asked.resources},
            tainted=frozenset(current[Name(name)].incarnation for name in asked.taint if Name(name) in current),
            on_failure=OnFailure(asked.on_failure),
        )

    def repairs(self, situation: Situation) -> None:
        return None

    def arrange(self, plan: Plan, situation: Situation) -> Plan:
        return plan

    def arrange_rollback(self, plan: Plan, situation: Situation) -> Plan:
        return plan


class BundleRole:
    """The role `bundle`."""

    name = "bundle"
    types: Mapping[str, OperationType] = {"become": _BecomeType()}

    def load(self, tx: Tx, subject: str) -> dict[str, Any]:
        document = tx.scalar(tx.select(bundles, bundles.c.document).where(bundles.c.id == subject))
        if document is None:
            raise NotFound(f"There is no bundle '{subject}'.", code="bundle-not-found")
        record: dict[str, Any] = document
        return record

    def save(self, tx: Tx, subject: str, record: Any, records: Records) -> None:
        tx.run(tx.update(bundles).where(bundles.c.id == subject).values(document=record))

    def given_up(self, record: Any, target: Any, records: Records) -> Any:
        return record

    def encode_record(self, record: Any) -> dict[str, Any]:
        return {"schema": SCHEMA, "record": record}

    def decode_record(self, document: dict[str, Any]) -> Any:
        return document["record"]

    async def context(self, project: str, record: Any, request: Any) -> None:
        return None

    def vims(self, desired: Mapping[Name, Resource[Any]]) -> frozenset[VimId]:
        return frozenset(resource.vim for resource in desired.values())

    async def perform(self, step: Step, situation: Any) -> None:
        raise Unprocessable("A bundle has no actions.", code="action-not-supported")

    def state_changed(self, tx: Tx, operation: Operation, records: Records) -> tuple[str, str]:
        document = msgspec.json.encode({"id": operation.id, "state": str(operation.state)}).decode()
        return document, document


def add_bundle(tx: Tx, project: str, bundle: str) -> None:
    """A new, empty bundle."""
    tx.insert(bundles, id=bundle, project=project, document={"id": bundle, "resources": []})
