"""In which order changes can be made: from changes to a graph of steps.

A thing is obtained after what it refers to, and relinquished after whoever holds it has let go, by ending or by an
update. Who holds what is known by life, not by name, so former lives that an interrupted plan left are told apart. A
composite stands in for its members: it is obtained or updated after everything that any of them refers to, and they
follow it, in no order among themselves when they end. A replacement is two steps; which comes first is the kind's rule,
except that whoever uses something replaced delete-first has to go first itself. Deletions that lose what nothing can
bring back come after everything that could still fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import msgspec

from fairlead.resources.names import Incarnation, Name
from fairlead.resources.plan import IRREVERSIBLE, Change, Do, Step, StepId, Verb
from fairlead.resources.records import Ownership, Recorded, Resource, State
from fairlead.resources.rules import Order, Rulebook
from fairlead.resources.values import references

__all__ = ["dependencies", "order_steps"]

_replace = msgspec.structs.replace
_OBTAINING = (Verb.CREATE, Verb.CLAIM, Verb.REPLACE)
_ENDING = (Verb.DELETE, Verb.RELEASE, Verb.REPLACE)
_UNREADY = (State.INTENDED, State.CREATING)
"""States of what nobody uses yet. What was begun under a name is ended before anything else is begun under it."""

Needs = Mapping[Name, frozenset[Name]]


def dependencies(resources: Mapping[Name, Resource[Any]]) -> dict[Name, frozenset[Name]]:
    """What each resource needs to be there before it, members counted in with their composite."""
    refers = {name: references(resource.spec) for name, resource in resources.items()}
    members: dict[Name, set[Name]] = {}
    for name, resource in resources.items():
        if resource.within is not None:
            members.setdefault(resource.within, set()).add(name)
    needs: dict[Name, frozenset[Name]] = {}
    for name, resource in resources.items():
        used = refers[name]
        own = members.get(name)
        if own is not None:
            used = used.union(*(refers[member] for member in own)) - own
        if resource.within is not None:
            siblings = members[resource.within]
            used = (used - siblings) | {resource.within}
        needs[name] = used - {name}
    return needs


def order_steps(
    changes: Mapping[Name, Change],
    needs: Needs,
    leaving: Iterable[Recorded[Any]],
    rules: Rulebook,
    delete_first: Set[Name] = frozenset(),
) -> tuple[Step, ...]:
    """The steps of `changes`, and of the former lives in `leaving` that are still on their way out, with their
    order. `needs` are the dependencies of what is wanted; what is named in `delete_first` is replaced in that order."""
    ending: dict[Name, list[Recorded[Any]]] = {}
    for name, change in changes.items():
        if change.verb in _ENDING and change.old is not None:
            ending.setdefault(name, []).append(change.old)
    for row in leaving:
        ending.setdefault(row.name, []).append(row)
    graph = _Graph(changes, needs, ending, rules)
    orders = _orders(changes, needs, ending, rules, delete_first)
    graph.obtain_after_what_is_needed()
    graph.end_members_with_their_composite()
    graph.end_after_holders(orders)
    graph.replace_in(orders)
    graph.leave_the_irreversible_to_the_end()
    return graph.finished()


# -- which way to replace ------------------------------------------------------------------------------------------------


def _orders(
    changes: Mapping[Name, Change],
    needs: Needs,
    ending: Mapping[Name, list[Recorded[Any]]],
    rules: Rulebook,
    delete_first: Set[Name],
) -> dict[Name, Order]:
    """How each name that is wanted and has lives to end gets from one to the other: as its rules say, but delete-first
    spreads to users, and from a member to its composite."""
    orders: dict[Name, Order] = {}
    for name, rows in ending.items():
        change = changes.get(name)
        if change is None or change.new is None:
            continue
        forced = name in delete_first and change.verb in _OBTAINING
        row = next((row for row in rows if row.state not in _UNREADY), rows[0])
        orders[name] = Order.DELETE_FIRST if forced else _order(change, row, change.new, ending, rules)
    users: dict[Name, list[Name]] = {}
    for name in orders:
        for used in needs[name]:
            users.setdefault(used, []).append(name)
        composite = changes[name].resource.within
        if composite in orders:
            users.setdefault(name, []).append(composite)
    queue = [name for name, order in orders.items() if order is Order.DELETE_FIRST]
    while queue:
        for user in users.get(queue.pop(), ()):
            if orders[user] is not Order.DELETE_FIRST and changes[user].verb in _OBTAINING:
                orders[user] = Order.DELETE_FIRST
                queue.append(user)
    return orders


def _order(
    change: Change,
    row: Recorded[Any],
    new: Resource[Any],
    ending: Mapping[Name, list[Recorded[Any]]],
    rules: Rulebook,
) -> Order:
    """How one resource is replaced, looked at by itself."""
    old = row.resource
    if change.verb not in _OBTAINING:
        return Order.CREATE_FIRST
    if new.within is not None and new.within not in ending:
        return Order.DELETE_FIRST
    if type(old.spec) is not type(new.spec) or old.means_the_thing_of(new):
        return Order.DELETE_FIRST
    if old.ownership is Ownership.GIVEN:
        return Order.CREATE_FIRST
    return rules.rules(old).order(old.spec, new.spec)


# -- the graph -----------------------------------------------------------------------------------------------------------


class _Graph:
    """Steps under construction. `forwards` maps a name to the step after which it is as wanted; `backwards` maps a life
    to the step that ends it."""

    def __init__(
        self,
        changes: Mapping[Name, Change],
        needs: Needs,
        ending: Mapping[Name, list[Recorded[Any]]],
        rules: Rulebook,
    ) -> None:
        self._changes = changes
        self._needs = needs
        self._ending = ending
        self._rules = rules
        self._steps: dict[StepId, Step] = {}
        self._after: dict[StepId, set[StepId]] = {}
        self._forwards: dict[Name, StepId] = {}
        self._backwards: dict[Incarnation, StepId] = {}
        for name, change in changes.items():
            if change.new is not None and change.verb is not Verb.KEEP:
                self._forwards[name] = self._add(self._forward(change, change.new))
        for rows in ending.values():
            for row in rows:
                self._backwards[row.incarnation] = self._add(self._backward(row))

    def _add(self, step: Step) -> StepId:
        self._steps[step.id] = step
        self._after[step.id] = set()
        return step.id

    def _forward(self, change: Change, new: Resource[Any]) -> Step:
        rules = self._rules.rules(new)
        if change.verb is Verb.UPDATE:
            patience = rules.patience("update")
            return Step(f"update {new.name}", Do.UPDATE, new=new, old=change.old, patience=patience)
        verb = "claim" if new.ownership is Ownership.CLAIMED else "create"
        return Step(f"{verb} {new.name}", Do.OBTAIN, new=new, patience=rules.patience("create"))

    def _backward(self, row: Recorded[Any]) -> Step:
        verb = "release" if row.resource.ownership is Ownership.CLAIMED else "delete"
        patience = self._rules.rules(row.resource).patience("delete")
        return Step(f"{verb} {row.name}#{row.incarnation}", Do.RELINQUISH, old=row, patience=patience)

    def _wait(self, step: StepId, earlier: StepId | None) -> None:
        if earlier is not None and earlier != step:
            self._after[step].add(earlier)

    def obtain_after_what_is_needed(self) -> None:
        """Obtain and update after what is referred to."""
        for name, step in self._forwards.items():
            for other in self._needs[name]:
                self._wait(step, self._forwards.get(other))

    def end_members_with_their_composite(self) -> None:
        """A member ends when its composite does, or by the composite's update."""
        for rows in self._ending.values():
            for row in rows:
                self._after[self._backwards[row.incarnation]].update(self._ended_by(row))

    def _ended_by(self, row: Recorded[Any]) -> list[StepId]:
        """The steps of its composite by which a member ends."""
        composite, bound = row.resource.within, row.resource.bound
        if composite is None:
            return []
        lives = (end.incarnation for end in self._ending.get(composite, ()))
        ends = [self._backwards[life] for life in lives if bound is None or life in bound]
        change = self._changes.get(composite)
        updated = not ends and change is not None and change.verb is Verb.UPDATE
        return [self._forwards[composite]] if updated else ends

    def end_after_holders(self, orders: Mapping[Name, Order]) -> None:
        """Relinquish after those that hold it have let go: by ending themselves, or by an update."""
        for rows in self._ending.values():
            for row in rows:
                for held in self._held(row):
                    self._let_go(held, self._backwards[row.incarnation], row.resource.within)
                    if orders.get(held.name) is Order.CREATE_FIRST and self._moves_over(row.name, held.name):
                        self._wait(self._backwards[held.incarnation], self._forwards[row.name])
        for name, step in self._forwards.items():
            change = self._changes[name]
            if change.verb is not Verb.UPDATE or change.old is None or change.new is None:
                continue
            wanted = references(change.new.spec)
            for held in self._held(change.old):
                rebound = held.name in wanted and orders.get(held.name) is Order.DELETE_FIRST
                if held.resource.within != name and not (rebound and self._may_go_while_held(held)):
                    self._let_go(held, step, change.new.within)

    def _moves_over(self, user: Name, used: Name) -> bool:
        """Whether a new life of `user` comes to use a new life of what the old one used."""
        obtained = (name in self._forwards and self._changes[name].verb in _OBTAINING for name in (user, used))
        return all(obtained) and used in self._needs[user]

    def _let_go(self, held: Recorded[Any], step: StepId, within: Name | None) -> None:
        """What is held ends after `step`, and so does its composite; but an update of that composite does not wait for one
        of a holder, which may need what the first brings. A holder in the same composite lets go when all of that changes."""
        if held.resource.within is not None and held.resource.within == within:
            return
        self._wait(self._backwards[held.incarnation], step)
        if held.resource.within is not None:
            for end in self._ended_by(held):
                if self._steps[end].do is Do.RELINQUISH or self._steps[step].do is Do.RELINQUISH:
                    self._wait(end, step)

    def _may_go_while_held(self, row: Recorded[Any]) -> bool:
        """Whether its own rules have it replaced delete-first, by what is wanted or by its like, whoever uses it."""
        spec, new = row.resource.spec, self._changes[row.name].new
        likes = [spec] if new is None or type(new.spec) is not type(spec) else [spec, new.spec]
        return any(self._rules.rules(row.resource).order(spec, like) is Order.DELETE_FIRST for like in likes)

    def _held(self, holder: Recorded[Any]) -> list[Recorded[Any]]:
        """The lives to be ended that `holder` may hold on to; all that it refers to by name when that is not known."""
        bound = holder.resource.bound
        within = holder.resource.within
        found = []
        if bound is None or within is not None:
            for name in references(holder.resource.spec):
                rows = self._ending.get(name, ())
                found += [row for row in rows if bound is None or row.resource.within == within]
        for life in bound or ():
            if life in self._backwards:
                found.append(self._life(life))
        return [row for row in found if row.name != within and row.incarnation != holder.incarnation]

    def _life(self, incarnation: Incarnation) -> Recorded[Any]:
        row = self._steps[self._backwards[incarnation]].old
        assert row is not None
        return row

    def replace_in(self, orders: Mapping[Name, Order]) -> None:
        """The new life after the old one, or the old one after the new."""
        for name, order in orders.items():
            if self._changes[name].verb not in _OBTAINING:
                continue
            new = self._forwards[name]
            for row in self._ending[name]:
                old = self._backwards[row.incarnation]
                if order is Order.DELETE_FIRST or row.state in _UNREADY:
                    self._after[new].add(old)
                else:
                    self._after[old].add(new)

    def leave_the_irreversible_to_the_end(self) -> None:
        """Deletions that nothing can bring back, and what must follow them, wait for all the rest."""
        followers: dict[StepId, list[StepId]] = {}
        for step, earlier in self._after.items():
            for other in earlier:
                followers.setdefault(other, []).append(step)
        last: set[StepId] = set()
        for step in self._backwards.values():
            if step not in last and self._irreversible(step):
                reached = _reached(step, followers)
                if all(self._steps[other].do is Do.RELINQUISH for other in reached):
                    last |= reached
        rest = self._steps.keys() - last
        if last and rest:
            barrier = self._add(Step(IRREVERSIBLE, Do.BARRIER))
            self._after[barrier] = set(rest)
            for step in last:
                self._after[step].add(barrier)

    def _irreversible(self, step: StepId) -> bool:
        row = self._steps[step].old
        ours = row is not None and row.resource.ownership in (Ownership.OWNED, Ownership.SHARED)
        return ours and row is not None and self._rules.rules(row.resource).irreversible

    def finished(self) -> tuple[Step, ...]:
        """The steps with their order."""
        return tuple(_replace(step, after=frozenset(self._after[step.id])) for step in self._steps.values())


def _reached(start: StepId, followers: Mapping[StepId, list[StepId]]) -> set[StepId]:
    """`start` and all that comes after it."""
    reached = {start}
    queue = [start]
    while queue:
        for follower in followers.get(queue.pop(), ()):
            if follower not in reached:
                reached.add(follower)
                queue.append(follower)
    return reached
