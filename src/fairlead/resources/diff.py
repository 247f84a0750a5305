"""What to do so that the recorded becomes the desired: the decision for each resource.

Pure. First each resource is judged by itself (`_judge`), then three things spread: whoever uses what gets a new life is
rebound or replaced as well, a change of a member is a change of its composite, and an update that would have to let go
of something before, and take hold of it after, is a replacement. In which order the changes are made is worked out in
`ordering`. The states that a crash may leave behind are ordinary inputs here, which is why resuming an operation is
nothing but diff and apply again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import msgspec

from fairlead.errors import FairleadError, Unprocessable
from fairlead.resources.names import Name
from fairlead.resources.ordering import dependencies, order_steps
from fairlead.resources.plan import Change, Do, Plan, Step, Verb, knot, renews
from fairlead.resources.records import Ownership, Recorded, Records, Resource, Resources, State, composition
from fairlead.resources.rules import Rulebook
from fairlead.resources.values import carry, references

__all__ = ["diff"]

_replace = msgspec.structs.replace
_UNREADY = (State.INTENDED, State.CREATING)


def diff(recorded: Records, desired: Resources, rules: Rulebook, *, tainted: Set[Name] = frozenset()) -> Plan:
    """The plan that leads from `recorded` to `desired`.

    A resource named in `tainted` is replaced although its spec is unchanged. Raises Unprocessable when the desired
    refers to something that is not desired, or in a circle, or has something shared under two names.
    """
    _require_one_name(desired)
    needs = dependencies(desired)
    wanted = _carried(recorded, desired, _in_order(desired, needs), rules)
    changes: dict[Name, Change] = {}
    for name in sorted(wanted.keys() | recorded.current.keys()):
        row, new = recorded.current.get(name), wanted.get(name)
        changes[name] = _judge(row, new, rules, tainted) if new is not None else _unwanted(name, row)
    spreading = _Spreading(recorded, changes, wanted, rules)
    spreading.spread()
    steps = _ordered(spreading, needs, recorded, rules)
    shown = [*_remarked(changes, rules), *_former(recorded, changes)]
    return Plan(tuple(sorted(shown, key=lambda change: change.name)), steps)


def _require_one_name(desired: Resources) -> None:
    """What is shared by its content is one thing, so it has one name."""
    names: dict[tuple[Any, ...], Name] = {}
    for name in sorted(desired):
        resource = desired[name]
        if resource.ownership is not Ownership.SHARED:
            continue
        first = names.setdefault((resource.vim, resource.spec.sort(), getattr(resource.spec, "digest", None)), name)
        if first != name:
            raise Unprocessable(
                f"'{first}' and '{name}' have the same content, so they are one {resource.spec.sort()}.",
                code="shared-twice",
                resource=name,
                remedy=f"Refer to '{first}' in both places.",
            )


def _in_order(desired: Resources, needs: Mapping[Name, frozenset[Name]]) -> list[Name]:
    """The names, each after what it needs: every reference must lead to something wanted, and none in a circle."""
    for name, resource in desired.items():
        for used in _refers(resource):
            if used not in desired:
                raise Unprocessable(
                    f"'{name}' refers to '{used}', which is not part of what is wanted.",
                    code="dangling-reference",
                    resource=name,
                )
            if used == name:
                raise Unprocessable(f"'{name}' refers to itself.", code="circular-reference", resource=name)
    settled: dict[Name, None] = {}
    for start in needs:
        path: dict[Name, None] = {}
        stack = [(start, False)]
        while stack:
            name, left = stack.pop()
            if left:
                del path[name]
                settled[name] = None
            elif name in path:
                circle = [*path][[*path].index(name) :]
                words = " -> ".join([*circle, name])
                raise Unprocessable(f"Resources refer to each other in a circle: {words}.", code="circular-reference")
            elif name not in settled:
                path[name] = None
                stack.append((name, True))
                stack.extend((other, False) for other in needs[name] | _siblings(name, desired))
    return list(settled)


def _siblings(name: Name, desired: Resources) -> set[Name]:
    """What a member refers to within its own composite; no step waits for it, but it ends in order."""
    within = desired[name].within
    if within is None:
        return set()
    return {used for used in references(desired[name].spec) if desired[used].within == within}


def _refers(resource: Resource[Any]) -> frozenset[Name]:
    """What a resource refers to, its composite included."""
    used = references(resource.spec)
    return used | {resource.within} if resource.within is not None else used


# -- each by itself ------------------------------------------------------------------------------------------------------


def _carried(recorded: Records, desired: Resources, order: list[Name], rules: Rulebook) -> dict[Name, Resource[Any]]:
    """The desired with undecided fields taken from its rows, or from former lives when there is none in force."""
    lives = {row.incarnation: row for row in (*recorded.current.values(), *recorded.leaving)}
    former = {row.name: row for row in sorted(recorded.leaving, key=lambda row: row.since)}
    wanted: dict[Name, Resource[Any]] = {}
    for name in order:
        resource = desired[name]
        row = recorded.current.get(name) or former.get(name)
        if row is not None and row.resource.vim == resource.vim:
            moved = set()
            if resource.spec.decided_for:
                held = {**recorded.current, **{lives[x].name: lives[x] for x in row.resource.bound or () if x in lives}}
                used = ((held.get(other), wanted[other]) for other in references(resource.spec))
                moved = {new.name for life, new in used if life and _otherwise(life.resource, new, rules)}
            spec = carry(row.resource.spec, resource.spec, moved)
            resource = resource if spec is resource.spec else _replace(resource, spec=spec)
        wanted[name] = resource
    return wanted


def _judge(row: Recorded[Any] | None, new: Resource[Any], rules: Rulebook, tainted: Set[Name]) -> Change:
    """What happens to one resource that is wanted, looked at by itself."""
    name = new.name
    if row is None:
        verb = Verb.CLAIM if new.ownership is Ownership.CLAIMED else Verb.CREATE
        return Change(name, verb, "new", None, new)
    same = _same(row.resource, new)
    if row.state in _UNREADY and same and name not in tainted:
        reason = "accepted before, not seen ready yet" if row.handle else "begun before, its outcome is not known"
        return Change(name, Verb.CREATE, reason, row, new)
    renewal = "to be healed" if name in tainted else _renewal(row, new, rules)
    if renewal:
        return Change(name, Verb.REPLACE, renewal, row, new)
    if row.state is State.UPDATING:
        return Change(name, Verb.UPDATE, "begun before, it may not be complete", row, new)
    if same:
        return Change(name, Verb.KEEP, "unchanged", row, new)
    return Change(name, Verb.UPDATE, _difference(row.resource, new), row, new)


def _unwanted(name: Name, row: Recorded[Any] | None) -> Change:
    claimed = row is not None and row.resource.ownership is Ownership.CLAIMED
    return Change(name, Verb.RELEASE if claimed else Verb.DELETE, "no longer wanted", row, None)


def _same(old: Resource[Any], new: Resource[Any]) -> bool:
    if (old.ownership, old.vim, old.within, old.existing) != (new.ownership, new.vim, new.within, new.existing):
        return False
    return bool(old.spec == new.spec) or _untouchable(old, new)


def _untouchable(old: Resource[Any], new: Resource[Any]) -> bool:
    """Whether both mean a thing that is not ours to change, whatever is said of it."""
    return new.ownership is not Ownership.CLAIMED and old.means_the_thing_of(new)


def _renewal(row: Recorded[Any], new: Resource[Any], rules: Rulebook) -> str | None:
    """Why `row` cannot become `new` in place."""
    if row.state is State.FAILED:
        return "it failed"
    reason = _otherwise(row.resource, new, rules)
    if reason is None and row.state in _UNREADY:
        return "wanted otherwise before it was ready"
    return reason


def _otherwise(old: Resource[Any], new: Resource[Any], rules: Rulebook) -> str | None:
    """Why the two cannot be one life of a thing."""
    if old.vim != new.vim:
        return f"moves from VIM {old.vim} to {new.vim}"
    if type(old.spec) is not type(new.spec):
        return f"becomes a {new.spec.sort()}"
    if old.ownership is not new.ownership or old.existing != new.existing:
        return f"from {old.existing or old.ownership} to {new.existing or new.ownership}"
    if old.within != new.within:
        return f"moves from {old.within or 'standing alone'} to {new.within or 'standing alone'}"
    if old.spec == new.spec or _untouchable(old, new):
        return None
    if old.ownership is Ownership.SHARED:
        return "its content is another"
    return rules.rules(new).replaced_by(old.spec, new.spec)


def _difference(old: Resource[Any], new: Resource[Any]) -> str:
    """The fields that differ, in words; long values are only named."""
    words = []
    for field in new.spec.__struct_fields__:
        before, after = getattr(old.spec, field), getattr(new.spec, field)
        if before != after:
            words.append(f"{field} {before} -> {after}" if _short(before) and _short(after) else f"{field} changes")
    return ", ".join(words) or "changed"


def _short(value: Any) -> bool:
    return isinstance(value, str | int | float | None) and len(str(value)) <= 40


# -- what spreads --------------------------------------------------------------------------------------------------------


class _Spreading:
    """Carries the judgement of single resources on to those that use them, in `changes`."""

    def __init__(
        self, recorded: Records, changes: dict[Name, Change], wanted: Mapping[Name, Resource[Any]], rules: Rulebook
    ) -> None:
        self.changes = changes
        self._recorded = recorded
        self._wanted = wanted
        self._rules = rules
        self._users: dict[Name, list[Name]] = {}
        for name in sorted(wanted):
            for used in _refers(wanted[name]):
                self._users.setdefault(used, []).append(name)

    def spread(self) -> None:
        """From every new life in the plan, and from those that an interrupted plan made."""
        renewed = (name for name, change in self.changes.items() if renews(change))
        self._spread([*self._pairs(renewed), *self._stale()])
        self._to_composites()

    def replace(self, names: Set[Name], reason: str) -> None:
        """Replace `names` too, and whatever follows from that."""
        for name in sorted(names):
            self._renew(name, reason)
        self._spread(self._pairs(sorted(names)))
        self._to_composites()

    def _pairs(self, names: Iterable[Name]) -> list[tuple[Name, Name]]:
        return [(name, user) for name in names for user in self._users.get(name, ())]

    def _stale(self) -> Iterator[tuple[Name, Name]]:
        """Pairs of a resource and a user of it that still holds a former life."""
        for user, resource in self._wanted.items():
            row = self._recorded.current.get(user)
            if row is None or row.resource.bound is None:
                continue
            for used in sorted(_refers(row.resource) & _refers(resource)):
                life = self._recorded.current.get(used)
                together = resource.within is not None and self._wanted[used].within == resource.within
                if life is not None and not together and life.incarnation not in row.resource.bound:
                    yield used, user

    def _spread(self, pairs: list[tuple[Name, Name]]) -> None:
        queue = deque(pairs)
        while queue or (stranded := self._stranded()):
            if not queue:
                for name in stranded:
                    self._renew(name, "what it was begun with changes")
                queue.extend(self._pairs(stranded))
                continue
            source, name = queue.popleft()
            change, resource = self.changes[name], self._wanted[name]
            if change.old is None or change.verb is Verb.REPLACE or source not in _refers(change.old.resource):
                continue
            if self._wanted[source].within == name:
                continue
            reason = f"{source} {'is' if renews(self.changes[source]) else 'was'} replaced"
            rebound = resource.within != source and change.verb is not Verb.CREATE
            if rebound and self._rules.rules(resource).rebinds(resource.spec, frozenset({source})):
                if change.verb is Verb.KEEP:
                    self.changes[name] = _replace(change, verb=Verb.UPDATE, reason=reason)
            else:
                self._renew(name, reason)
                queue.extend(self._pairs([name]))

    def _stranded(self) -> list[Name]:
        """What was begun with a life that does not stay, of its own or of its members' references, or with other
        members, or with members that get new lives."""
        rows = [(change, change.old) for change in self.changes.values() if change.old is not None]
        begun = [row for change, row in rows if change.verb is Verb.CREATE and row.resource.bound is not None]
        if not begun:
            return []
        staying = {row.incarnation for change, row in rows if _stays(change)}
        members: dict[Name, list[Resource[Any]]] = {}
        for resource in self._wanted.values():
            if resource.within is not None:
                members.setdefault(resource.within, []).append(resource)
        return [
            row.name
            for row in begun
            if not staying.issuperset(row.resource.bound or ())
            or row.resource.composed != composition(members.get(row.name, ()))
            or any(self.changes[member.name].verb is Verb.REPLACE for member in members.get(row.name, ()))
        ]

    def _renew(self, name: Name, reason: str) -> None:
        self.changes[name] = _replace(self.changes[name], verb=Verb.REPLACE, reason=reason)

    def _to_composites(self) -> None:
        """A change of a member is made by an update of its composite; so is its moving out of one."""
        for change in list(self.changes.values()):
            if change.verb is Verb.KEEP:
                continue
            for resource in (change.new, change.old.resource if change.old is not None else None):
                within = resource.within if resource is not None else None
                if within is not None and within in self._wanted and self.changes[within].verb is Verb.KEEP:
                    reason = f"its member {change.name} changes"
                    self.changes[within] = _replace(self.changes[within], verb=Verb.UPDATE, reason=reason)


def _stays(change: Change) -> bool:
    """Whether the life that is in force stays in force."""
    return change.verb in (Verb.KEEP, Verb.UPDATE, Verb.CREATE)


def _ordered(
    spreading: _Spreading, needs: Mapping[Name, frozenset[Name]], recorded: Records, rules: Rulebook
) -> tuple[Step, ...]:
    """The steps of the changes. Where they would wait for each other in a circle, what is made before its former life
    is deleted is made after that, and then updates become replacements."""
    delete_first: set[Name] = set()
    while True:
        steps = order_steps(spreading.changes, needs, recorded.leaving, rules, delete_first)
        tied = knot(steps)
        if not tied:
            return steps
        obtaining = {step.name for step in steps if step.do is Do.OBTAIN}
        obtained = {step.name for step in tied if step.name is not None and step.name in obtaining} - delete_first
        updated = {step.name for step in tied if step.do is Do.UPDATE and step.name is not None}
        if obtained:
            delete_first |= obtained
        elif updated:
            spreading.replace(updated, "one update cannot let go of what is replaced and take hold of it again")
            delete_first |= updated
        else:
            words = ", ".join(sorted(step.id for step in tied))
            raise FairleadError(f"No order could be found for these steps: {words}.", remedy="Report this.")


def _remarked(changes: Mapping[Name, Change], rules: Rulebook) -> Iterator[Change]:
    """The changes, with what their kinds remark on updates."""
    replaced = {name for name, change in changes.items() if renews(change)}
    for change in changes.values():
        remark = None
        if change.verb is Verb.UPDATE and change.old is not None and change.new is not None:
            remark = rules.rules(change.new).remark(change.old.resource.spec, change.new.spec, replaced)
        yield change if remark is None else _replace(change, reason=f"{change.reason}; {remark}")


def _former(recorded: Records, changes: Mapping[Name, Change]) -> list[Change]:
    """Former lives that nothing else in the plan speaks of."""
    return [
        Change(row.name, Verb.DELETE, "begun before, not seen gone yet", row, None)
        for row in recorded.leaving
        if row.name not in changes
    ]
