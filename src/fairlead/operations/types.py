"""What a role (VNFM, NFVO, a pool) contributes: operation types, all pure, and the way to its records.

`operations/` runs every operation of every role by the same three steps and knows none of them by name. A type says
what is desired; a role loads and saves the records that types compute with, inside the transactions that operations
write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from fairlead.resources import (
    Compared,
    Incarnation,
    Name,
    OnFailure,
    Plan,
    Records,
    Resource,
    SecretRef,
    Step,
    VimId,
)
from fairlead.store import Tx

__all__ = ["Desired", "OperationType", "Repairs", "Role", "Sealer", "Situation"]


class Sealer:
    """Takes secrets out of what is desired: `seal` returns the reference and remembers the value for the vault."""

    def __init__(self, digest: Any) -> None:
        self._digest = digest
        self.values: dict[SecretRef, str] = {}

    def seal(self, value: str) -> SecretRef:
        """The reference to `value`."""
        reference: SecretRef = self._digest(value)
        self.values[reference] = value
        return reference


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation wants. `tainted` are the lives that are to be replaced although their spec is unchanged.

    `record` is the instance's record as it will be once all is done; `packages` are those that must stay until then.
    """

    resources: dict[Name, Resource[Any]]
    record: Any
    tainted: frozenset[Incarnation] = frozenset()
    packages: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.STOP


class Repairs(msgspec.Struct, frozen=True, kw_only=True):
    """That an operation repairs what differs from its record: of which resources, and whether data may be given up."""

    only: Callable[[Name], bool] = lambda _: True
    lossy: bool = False


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What a type computes with: the record, its resources, the request, and whatever the role looked up for them.

    `context` is the role's own (descriptors, traits of the VIMs); `sealer` takes secrets. `compared` is what is
    observed, for an operation that repairs and has not been decided yet.
    """

    record: Any
    records: Records
    request: Any
    context: Any
    sealer: Sealer
    compared: Compared | None = None


class OperationType(Protocol):
    """One sort of operation. All methods are pure."""

    @property
    def name(self) -> str:
        """The name, as `instantiate`."""
        ...

    @property
    def request(self) -> type[msgspec.Struct]:
        """The type of its request."""
        ...

    def check(self, record: Any, request: Any) -> None:
        """Raises a RequestError when the record's state or the request does not allow the operation."""
        ...

    def repairs(self, situation: Situation) -> Repairs | None:
        """What of the infrastructure is looked at and repaired; None for an operation that goes by its record alone."""
        ...

    def desired(self, situation: Situation) -> Desired:
        """What is wanted. Raises a RequestError for a request that cannot be."""
        ...

    def arrange(self, plan: Plan, situation: Situation) -> Plan:
        """`plan` with the actions and barriers that this operation needs."""
        ...

    def arrange_rollback(self, plan: Plan, situation: Situation) -> Plan:
        """The way back, with what it needs."""
        ...


class Role(Protocol):
    """A sort of instance that operations are done to."""

    @property
    def name(self) -> str:
        """The name, as `vnf`."""
        ...

    @property
    def types(self) -> Mapping[str, OperationType]:
        """Its operation types, by name."""
        ...

    def load(self, tx: Tx, subject: str) -> Any:
        """The record of one instance. Raises NotFound, or Quarantined for a row that cannot be read."""
        ...

    def save(self, tx: Tx, subject: str, record: Any, records: Records) -> None:
        """Write the record, and the views that are computed from it and its resources."""
        ...

    def given_up(self, record: Any, target: Any, records: Records) -> Any:
        """The record of an instance whose operation towards `target` is given up, true to what `records` has."""
        ...

    def encode_record(self, record: Any) -> dict[str, Any]:
        """A record as a document, with its schema number."""
        ...

    def decode_record(self, document: dict[str, Any]) -> Any:
        """The record in a document. Raises Quarantined."""
        ...

    async def context(self, project: str, record: Any, request: Any) -> Any:
        """Look up what the types need beside the record: descriptors, VIMs. Makes no call to a VIM."""
        ...

    def vims(self, desired: Mapping[Name, Resource[Any]]) -> frozenset[VimId]:
        """Every VIM that the desired touches."""
        ...

    async def perform(self, step: Step, situation: Situation) -> None:
        """Do an action that is not a kind's own. Raises Unprocessable for one that there is not."""
        ...

    def state_changed(self, tx: Tx, operation: Any, records: Records) -> tuple[str, str]:
        """The public views (default selectors, and full) of an operation whose state has changed, as JSON."""
        ...
