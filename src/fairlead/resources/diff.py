"""What to do so that the recorded becomes the desired: the decision for each resource.

Pure. First each resource is judged by itself (`_judge`), then two things spread: a replaced resource takes along
whoever uses it and cannot rebind, and a change of a member is a change of its composite. The order in which the changes
can be made is worked out in `ordering`. The states that a crash may leave behind are ordinary inputs here, which is why
resuming an operation is nothing but diff and apply again.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import msgspec

from fairlead.errors import Unprocessable
from fairlead.resources.names import Name
from fairlead.resources.ordering import dependencies, order_steps
from fairlead.resources.plan import Change, Plan, Verb
from fairlead.resources.records import Ownership, Recorded, Records, Resource, Resources, State
from fairlead.resources.rules import Rulebook
from fairlead.resources.values import carry, references

__all__ = ["diff"]

_replace = msgspec.structs.replace


def diff(recorded: Records, desired: Resources, rules: Rulebook, *, tainted: Set[Name] = frozenset()) -> Plan:
    """The plan that leads from `recorded` to `desired`.

    A resource named in `tainted` is replaced although its spec is unchanged. Raises Unprocessable when the desired
    refers to something that is not desired, or in a circle.
    """
    wanted = {name: _carried(recorded, resource) for name, resource in desired.items()}
    _check(wanted)
    changes = {name: _judge(recorded, resource, rules, tainted) for name, resource in wanted.items()}
    for name, row in recorded.current.items():
        if name not in wanted:
            verb = Verb.RELEASE if row.resource.ownership is Ownership.CLAIMED else Verb.DELETE
            changes[name] = Change(name, verb, "no longer wanted", row, None)
    _spread_replacement(changes, wanted, rules)
    _spread_to_composites(changes, wanted)
    steps = order_steps(changes, recorded.leaving, rules)
    shown = [*changes.values(), *_former(recorded, changes)]
    return Plan(tuple(sorted(shown, key=lambda change: change.name)), steps)


def _carried(recorded: Records, resource: Resource[Any]) -> Resource[Any]:
    """`resource` with undecided fields taken from its row, or from its former life when that is on its way out."""
    row = recorded.current.get(resource.name)
    if row is None:
        row = next((old for old in recorded.leaving if old.name == resource.name), None)
    if row is None:
        return resource
    spec = carry(row.resource.spec, resource.spec)
    return resource if spec is resource.spec else _replace(resource, spec=spec)


def _check(wanted: Mapping[Name, Resource[Any]]) -> None:
    """Every reference must lead to something wanted, and none in a circle."""
    needs = dependencies(wanted)
    for name, used in needs.items():
        for other in used:
            if other not in wanted:
                raise Unprocessable(
                    f"'{name}' refers to '{other}', which is not part of what is wanted.",
                    code="dangling-reference",
                    resource=name,
                )
    settled: set[Name] = set()
    for start in needs:
        path: list[Name] = []
        stack = [(start, False)]
        while stack:
            name, left = stack.pop()
            if left:
                path.pop()
                settled.add(name)
            elif name in path:
                circle = " -> ".join([*path[path.index(name) :], name])
                raise Unprocessable(f"Resources refer to each other in a circle: {circle}.", code="circular-reference")
            elif name not in settled:
                path.append(name)
                stack.append((name, True))
                stack.extend((other, False) for other in needs[name])


def _judge(recorded: Records, new: Resource[Any], rules: Rulebook, tainted: Set[Name]) -> Change:
    """What happens to one resource, looked at by itself."""
    name = new.name
    row = recorded.current.get(name)
    if row is None:
        verb = Verb.CLAIM if new.ownership is Ownership.CLAIMED else Verb.CREATE
        return Change(name, verb, "new", None, new)
    old = row.resource
    if row.state in (State.INTENDED, State.CREATING) and name not in tainted and _same(old, new):
        reason = "accepted before, not seen ready yet" if row.handle else "begun before, its outcome is not known"
        return Change(name, Verb.CREATE, reason, row, new)
    renewal = _replaced(row, new, rules, tainted)
    if renewal:
        return Change(name, Verb.REPLACE, renewal, row, new)
    if row.state is State.UPDATING:
        return Change(name, Verb.UPDATE, "begun before, it may not be complete", row, new)
    if _same(old, new):
        return Change(name, Verb.KEEP, "unchanged", row, new)
    return Change(name, Verb.UPDATE, _difference(old, new), row, new)


def _same(old: Resource[Any], new: Resource[Any]) -> bool:
    return old.spec == new.spec and old.vim == new.vim and old.within == new.within and old.existing == new.existing


def _replaced(row: Recorded[Any], new: Resource[Any], rules: Rulebook, tainted: Set[Name]) -> str | None:
    """Why `row` cannot become `new` in place."""
    old = row.resource
    if row.name in tainted:
        return "to be healed"
    if row.state is State.FAILED:
        return "it failed"
    if old.vim != new.vim:
        return f"moves from VIM {old.vim} to {new.vim}"
    if type(old.spec) is not type(new.spec):
        return f"becomes a {new.spec.sort()}"
    if old.ownership is not new.ownership or old.existing != new.existing:
        return f"from {old.existing or old.ownership} to {new.existing or new.ownership}"
    if old.within != new.within:
        return f"moves from {old.within or 'standing alone'} to {new.within or 'standing alone'}"
    if old.spec == new.spec:
        return "its creation did not finish" if row.state in (State.INTENDED, State.CREATING) else None
    reason = rules.rules(new).replaced_by(old.spec, new.spec)
    if reason is None and row.state in (State.INTENDED, State.CREATING):
        return "wanted otherwise before it was ready"
    return reason


def _difference(old: Resource[Any], new: Resource[Any]) -> str:
    """The fields that differ, in words; long values are only named."""
    if type(old.spec) is not type(new.spec):
        return "changed"
    words = []
    for field in new.spec.__struct_fields__:
        before, after = getattr(old.spec, field), getattr(new.spec, field)
        if before != after:
            words.append(f"{field} {before} -> {after}" if _short(before) and _short(after) else f"{field} changes")
    return ", ".join(words) or "changed"


def _short(value: Any) -> bool:
    return isinstance(value, str | int | float | None) and len(str(value)) <= 40


def _spread_replacement(changes: dict[Name, Change], wanted: Mapping[Name, Resource[Any]], rules: Rulebook) -> None:
    """Whoever uses, or is a member of, what is renewed is rebound or replaced as well."""
    users: dict[Name, set[Name]] = {}
    for name, resource in wanted.items():
        for used in references(resource.spec) | ({resource.within} if resource.within else set()):
            users.setdefault(used, set()).add(name)
    queue = [name for name, change in changes.items() if change.verb is Verb.REPLACE]
    renewed = set(queue)
    while queue:
        source = queue.pop()
        for name in sorted(users.get(source, ())):
            change = changes[name]
            if change.verb not in (Verb.KEEP, Verb.UPDATE):
                continue
            resource = wanted[name]
            if resource.within == source or not (
                source in _members(name, wanted) or rules.rules(resource).rebinds(resource.spec, frozenset({source}))
            ):
                changes[name] = _replace(change, verb=Verb.REPLACE, reason=f"{source} is replaced")
                renewed.add(name)
                queue.append(name)
            elif change.verb is Verb.KEEP:
                changes[name] = _replace(change, verb=Verb.UPDATE, reason=f"{source} is replaced")


def _members(composite: Name, wanted: Mapping[Name, Resource[Any]]) -> set[Name]:
    return {name for name, resource in wanted.items() if resource.within == composite}


def _spread_to_composites(changes: dict[Name, Change], wanted: Mapping[Name, Resource[Any]]) -> None:
    """A change of a member is made by an update of its composite."""
    for change in list(changes.values()):
        within = change.resource.within
        if change.verb is Verb.KEEP or within is None or within not in wanted:
            continue
        composite = changes[within]
        if composite.verb is Verb.KEEP:
            changes[within] = _replace(composite, verb=Verb.UPDATE, reason=f"its member {change.name} changes")


def _former(recorded: Records, changes: Mapping[Name, Change]) -> list[Change]:
    """Former lives that nothing else in the plan speaks of."""
    return [
        Change(row.name, Verb.DELETE, "begun before, not seen gone yet", row, None)
        for row in recorded.leaving
        if row.name not in changes
    ]
