"""Drift: what is observed against what is recorded. Pure.

A kind says what it sees in the terms of the spec (`Compares.seen`), and that takes the place of what was recorded. From
there on nothing is special about a repair: `diff` of what is observed against what was recorded says what is updated,
what is replaced and why, by the same rules as for every other change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

import msgspec

from fairlead.resources.kinds import Failed, Gone, Kind, Observed, Pending
from fairlead.resources.names import Name, Outputs
from fairlead.resources.plan import Change, Plan, Verb
from fairlead.resources.records import Ownership, Recorded, Records, Resource, State
from fairlead.resources.specs import Spec
from fairlead.resources.values import Ref, Undecided, resolve

__all__ = ["Compared", "Compares", "Deviation", "Seen", "compare", "explained"]

_replace = msgspec.structs.replace
_SHORT = 200


class Seen(msgspec.Struct, frozen=True):
    """What there is: `spec` is the recorded one, resolved, with what is observed in place of what differs.

    `amiss` are differences that no field of the spec has and an update sets right; `strange` are those that nobody does
    anything about, which are told only.
    """

    spec: Any
    amiss: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()


@runtime_checkable
class Compares(Protocol):
    """A kind that can tell in what a thing differs from its record; of others it is only asked whether they are well."""

    def seen(self, observed: Observed, spec: Any, outputs: Outputs) -> Seen | Pending | Failed:
        """What is observed of a thing recorded with `spec` and `outputs`; pure.

        Pending while it is at something, Failed when no update can bring it back.
        """
        ...


class Deviation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is not as recorded. `severity` is `error`, `warning` or `info`; `repair` says what would be done."""

    resource: str
    code: str
    severity: str
    detail: str
    sort: str | None = None
    handle: str | None = None
    field: str | None = None
    recorded: Any = None
    observed: Any = None
    repair: str | None = None


class Compared(msgspec.Struct, frozen=True):
    """`records` with what is observed in them, and how they differ from what was recorded."""

    records: Records
    deviations: tuple[Deviation, ...]


def compare(
    records: Records,
    observed: Mapping[Name, Observed | None],
    kind: Callable[[Resource[Any]], Kind[Any]],
    *,
    lossy: bool = False,
    only: Callable[[Name], bool] = lambda _: True,
) -> Compared:
    """What is observed, as records, of the resources that `only` holds of; the others stay as they are recorded.

    `lossy` allows to give up what holds data and has failed. What is not in `observed` was not looked at.
    """
    found: list[Deviation] = []
    current = dict(records.current)
    for name, row in sorted(records.current.items()):
        if only(name):
            current[name] = _Comparison(row, records, found, lossy).judge(observed, kind(row.resource))
    for row in records.leaving:
        if only(row.name):
            words = "its end was begun, and has not been seen"
            found.append(_deviation(row, "drift-unfinished", "warning", words))
    return Compared(Records(current, records.leaving), tuple(found))


def explained(plan: Plan, deviations: tuple[Deviation, ...]) -> Plan:
    """`plan` with the deviations as reasons of the changes that repair them."""
    words: dict[str, list[str]] = {}
    for deviation in deviations:
        words.setdefault(deviation.resource, []).append(deviation.detail)

    def reasoned(change: Change) -> Change:
        if change.name not in words or change.verb is Verb.KEEP:
            return change
        return _replace(change, reason="; ".join(words[change.name])[:_SHORT])

    return _replace(plan, changes=tuple(reasoned(change) for change in plan.changes))


def _deviation(row: Recorded[Any], code: str, severity: str, detail: str, **more: Any) -> Deviation:
    return Deviation(
        resource=row.name,
        code=code,
        severity=severity,
        detail=detail,
        sort=row.resource.spec.sort(),
        handle=row.handle,
        **more,
    )


class _Comparison:
    """Of one resource."""

    def __init__(self, row: Recorded[Any], records: Records, found: list[Deviation], lossy: bool) -> None:
        self._row = row
        self._records = records
        self._found = found
        self._lossy = lossy
        self._ours = row.resource.ownership in (Ownership.OWNED, Ownership.CLAIMED)

    def judge(self, observed: Mapping[Name, Observed | None], kind: Kind[Any]) -> Recorded[Any]:
        """The row as it would be had it been recorded now."""
        row = self._row
        if row.handle is None or row.state in (State.INTENDED, State.CREATING):
            self._tell("drift-unfinished", "warning", "its creation was begun, and its outcome is not known")
            return row
        if row.name not in observed:
            return row
        seen = observed[row.name]
        if seen is None or isinstance(kind.status(seen), Gone):
            return self._gone()
        concrete = _concrete(row, self._records)
        answer = _look(kind, seen, concrete, row.outputs if self._ours else None)
        if isinstance(answer, Pending):
            self._tell("drift-busy", "warning", f"the infrastructure is at work on it: {answer.detail}")
            return row
        if isinstance(answer, Failed):
            return self._failed(answer, irreversible=kind.irreversible)
        return self._there(answer, concrete)

    def _gone(self) -> Recorded[Any]:
        ownership = self._row.resource.ownership
        if ownership in (Ownership.GIVEN, Ownership.SHARED):
            words = {
                Ownership.GIVEN: "it is gone, and was not ours to make",
                Ownership.SHARED: "it is gone; what runs does without, what is made anew needs it",
            }
            self._tell("drift-gone", "error", words[ownership], repair="nothing")
            return self._row
        self._tell("drift-gone", "error", "it is gone")
        return _replace(self._row, state=State.FAILED)

    def _failed(self, failed: Failed, *, irreversible: bool) -> Recorded[Any]:
        if failed.mendable and self._ours:
            self._tell("drift-failed", "error", f"it has failed, and can be mended: {failed.reason}")
            return _replace(self._row, state=State.UPDATING)
        kept = not self._ours or (irreversible and not self._lossy)
        words = f"it has failed: {failed.reason}"
        if kept and self._ours:
            words += " (it is left alone, for its data would be lost)"
        self._tell("drift-failed", "error", words, repair="nothing" if kept else None)
        return self._row if kept else _replace(self._row, state=State.FAILED)

    def _there(self, seen: Seen, concrete: Spec) -> Recorded[Any]:
        """It is there, and may be otherwise than recorded."""
        row = self._row
        for field in concrete.__struct_fields__:
            was, now = getattr(concrete, field), getattr(seen.spec, field)
            if was != now:
                known = row.outputs.get(field) if was is None else was
                severity = "error" if field == "power" else "warning"
                detail = f"its {field} is {_words(now)}, recorded is {_words(known)}"
                more = {"field": field, "recorded": _plain(known), "observed": _plain(now)}
                self._tell("drift-differs", severity, detail, **more)
        for words in seen.amiss:
            self._tell("drift-differs", "warning", words)
        for words in seen.strange:
            self._tell("drift-strange", "info", words, repair="nothing")
        if row.state is not State.READY:
            self._tell("drift-unfinished", "warning", f"it was left {row.state} by an operation")
        spec = _in_recorded_words(row.resource.spec, concrete, seen.spec)
        known_well = row.state is State.FAILED and bool(row.outputs)
        state = State.UPDATING if seen.amiss or known_well else row.state
        return _replace(row, resource=_replace(row.resource, spec=spec), state=state)

    def _tell(self, code: str, severity: str, detail: str, **more: Any) -> None:
        self._found.append(_deviation(self._row, code, severity, detail, **more))


def _look(kind: Kind[Any], observed: Observed, spec: Spec, outputs: Outputs | None) -> Seen | Pending | Failed:
    """`outputs` is None for what is not ours to change: that it is there is enough."""
    if outputs is not None and isinstance(kind, Compares):
        return kind.seen(observed, spec, outputs)
    status = kind.status(observed)
    return status if isinstance(status, Pending | Failed) else Seen(spec)


def _concrete(row: Recorded[Any], records: Records) -> Spec:
    """The recorded spec with its references resolved; secrets stay references, for nobody can see them anyway."""

    def look_up(ref: Ref) -> Any:
        other = records.current.get(ref.name)
        return other.outputs.get(ref.output, ref) if other is not None else ref

    def veiled(secret: Any) -> Any:
        return secret

    spec: Spec = resolve(row.resource.spec, look_up, veiled)
    return spec


S = TypeVar("S", bound=Spec)


def _in_recorded_words(recorded: S, concrete: S, seen: S) -> S:
    """`seen` with references where `recorded` has them, as far as they lead to the same."""
    changed = {}
    for field in concrete.__struct_fields__:
        was, now, words = getattr(concrete, field), getattr(seen, field), getattr(recorded, field)
        if now == was or isinstance(was, Undecided):
            continue
        if isinstance(now, tuple) and isinstance(was, tuple):
            pairs = list(zip(was, words, strict=True))
            now = tuple(next((word for value, word in pairs if value == item), item) for item in now)
        changed[field] = now
    return _replace(recorded, **changed) if changed else recorded


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _words(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(_words(item) for item in value)[:_SHORT] or "none"
    if isinstance(value, msgspec.Struct):
        shown = (getattr(value, field) for field in value.__struct_fields__)
        return " ".join(str(item) for item in shown if item not in (None, (), ""))
    return "none" if value is None else str(value)
