"""Resources, records and plans as documents, and back.

Stored documents carry a schema number; `UPCASTERS` lifts one schema to the next, so a document of any earlier release
can be read. Spec fields are only ever added with defaults, which needs no upcaster. What cannot be read raises
Quarantined: the caller sets its instance aside and serves the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from fairlead.errors import Quarantined
from fairlead.resources.names import Handle, Incarnation, Name, VimId
from fairlead.resources.plan import Change, Plan, Verb
from fairlead.resources.records import Ownership, Recorded, Resource, State
from fairlead.resources.specs import spec_type

__all__ = [
    "SCHEMA",
    "decode_recorded",
    "decode_resource",
    "decode_resources",
    "encode_recorded",
    "encode_resource",
    "encode_resources",
    "plan_digest",
    "plan_document",
    "upcast",
]

SCHEMA = 1
UPCASTERS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From each earlier schema to the next."""
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, msgspec.ValidationError)
"""What reading a document of the wrong shape raises."""


def upcast(document: dict[str, Any], *, what: str) -> dict[str, Any]:
    """`document` lifted to the present schema.

    Raises Quarantined (`unknown-schema`) for one that a later release wrote, or that has no schema number.
    """
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, int) or schema > SCHEMA or schema < 1:
        raise Quarantined(
            f"The stored {what} has schema {schema!r}; this version reads 1 to {SCHEMA}.",
            code="unknown-schema",
            remedy="Run the version of Fairlead that wrote it, or restore the row from a backup.",
        )
    while schema < SCHEMA:
        document = UPCASTERS[schema](document)
        schema += 1
    return document


def encode_resource(resource: Resource[Any]) -> dict[str, Any]:
    """A resource as a plain document."""
    document: dict[str, Any] = {
        "name": resource.name,
        "vim": resource.vim,
        "ownership": str(resource.ownership),
        "spec": msgspec.to_builtins(resource.spec),
    }
    if resource.within is not None:
        document["within"] = resource.within
    if resource.existing is not None:
        document["existing"] = resource.existing
    if resource.bound is not None:
        document["bound"] = list(resource.bound)
    if resource.composed is not None:
        document["composed"] = resource.composed
    return document


def decode_resource(document: dict[str, Any]) -> Resource[Any]:
    """The resource in a document.

    Raises Quarantined when it is not one that this version can read.
    """
    try:
        spec, bound = document["spec"], document.get("bound")
        return Resource(
            name=Name(document["name"]),
            spec=msgspec.convert(spec, spec_type(spec["type"])),
            vim=VimId(document["vim"]),
            ownership=Ownership(document["ownership"]),
            within=Name(document["within"]) if document.get("within") else None,
            existing=document.get("existing"),
            bound=tuple(Incarnation(life) for life in bound) if bound is not None else None,
            composed=document.get("composed"),
        )
    except _UNREADABLE as error:
        raise _unreadable("resource", error) from error


def _unreadable(what: str, error: Exception) -> Quarantined:
    words = f"it has no '{error.args[0]}'" if isinstance(error, KeyError) else str(error)
    return Quarantined(
        f"A stored {what} cannot be read: {words}.",
        code="unreadable-document",
        remedy="Restore the row from a backup.",
    )


def encode_resources(resources: dict[Name, Resource[Any]]) -> dict[str, Any]:
    """A set of resources as one document with its schema number."""
    return {"schema": SCHEMA, "resources": [encode_resource(resource) for resource in resources.values()]}


def decode_resources(document: dict[str, Any], *, what: str) -> dict[Name, Resource[Any]]:
    """The resources of such a document, by name. Raises Quarantined."""
    try:
        found = [decode_resource(item) for item in upcast(document, what=what)["resources"]]
    except _UNREADABLE as error:
        raise _unreadable(what, error) from error
    return {resource.name: resource for resource in found}


def encode_recorded(row: Recorded[Any]) -> dict[str, Any]:
    """A recorded resource as a plain document."""
    return {
        "resource": encode_resource(row.resource),
        "incarnation": row.incarnation,
        "state": str(row.state),
        "handle": row.handle,
        "outputs": row.outputs,
        "since": row.since,
    }


def decode_recorded(document: dict[str, Any]) -> Recorded[Any]:
    """The recorded resource in a document. Raises Quarantined."""
    try:
        handle = document["handle"]
        return Recorded(
            resource=decode_resource(document["resource"]),
            incarnation=Incarnation(document["incarnation"]),
            state=State(document["state"]),
            handle=Handle(handle) if handle is not None else None,
            outputs=document["outputs"],
            since=document["since"],
        )
    except _UNREADABLE as error:
        raise _unreadable("record of a resource", error) from error


def plan_document(plan: Plan) -> dict[str, Any]:
    """A plan for the API: `changes`, `steps`, `totals`. Secrets appear as their keyed digests only."""
    return {
        "changes": [_change_document(change) for change in plan.changes],
        "steps": [
            {
                "id": step.id,
                "does": str(step.do),
                "after": sorted(step.after),
                "patience": step.patience,
                **({"action": msgspec.to_builtins(step.action)} if step.action else {}),
            }
            for step in plan.steps
        ],
        "totals": plan.counts(),
    }


def plan_digest(plan: Plan) -> str:
    """A digest of what a plan would do, equal for equal plans; a request may carry it."""
    text = msgspec.json.encode(plan_document(plan), order="deterministic")
    return "sha256:" + hashlib.sha256(text).hexdigest()


def _change_document(change: Change) -> dict[str, Any]:
    resource = change.resource
    document: dict[str, Any] = {
        "name": change.name,
        "verb": str(change.verb),
        "sort": resource.spec.sort(),
        "vim": resource.vim,
        "ownership": str(resource.ownership),
        "reason": change.reason,
    }
    for field in ("within", "existing"):
        if getattr(resource, field) is not None:
            document[field] = getattr(resource, field)
    if change.verb is not Verb.KEEP:
        if change.old is not None:
            document["old"] = msgspec.to_builtins(change.old.resource.spec)
        if change.new is not None:
            document["new"] = msgspec.to_builtins(change.new.spec)
    return document
