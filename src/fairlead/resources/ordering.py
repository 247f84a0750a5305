"""In which order changes can be made: from changes to a graph of steps.

A thing is obtained after what it refers to and relinquished before it. A composite stands in for its members: it is
obtained or updated after everything that any of them refers to, and they follow it. A replacement is two steps; which
comes first is the kind's rule, except that whoever uses something replaced delete-first has to go first itself.
Deletions that lose what nothing can bring back come after everything that could still fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fairlead.resources.names import Name
from fairlead.resources.plan import Change, Do, Step, StepId, Verb
from fairlead.resources.records import Ownership, Recorded, Resource
from fairlead.resources.rules import Order, Rulebook
from fairlead.resources.values import references

__all__ = ["dependencies", "order_steps"]

_replace = msgspec.structs.replace
_OBTAINING = (Verb.CREATE, Verb.CLAIM, Verb.REPLACE)
_ENDING = (Verb.DELETE, Verb.RELEASE, Verb.REPLACE)


def dependencies(resources: Mapping[Name, Resource[Any]]) -> dict[Name, frozenset[Name]]:
    """What each resource needs to be there before it, members counted in with their composite."""
    members: dict[Name, set[Name]] = {}
    for name, resource in resources.items():
        if resource.within is not None:
            members.setdefault(resource.within, set()).add(name)
    needs: dict[Name, frozenset[Name]] = {}
    for name, resource in resources.items():
        own = members.get(name, set())
        used = set(references(resource.spec))
        for member in own:
            used |= references(resources[member].spec)
        used -= own | {name}
        if resource.within is not None:
            used = {other for other in used if resources.get(other, resource).within != resource.within}
            used.add(resource.within)
        needs[name] = frozenset(used)
    return needs


def order_steps(changes: Mapping[Name, Change], leaving: Iterable[Recorded[Any]], rules: Rulebook) -> tuple[Step, ...]:
    """The steps of `changes`, and of the former lives in `leaving` that are still on their way out, with their
    order."""
    wanted = {name: change.new for name, change in changes.items() if change.new is not None}
    orders = _orders(changes, wanted, rules)
    ending: dict[Name, list[Recorded[Any]]] = {}
    for name, change in changes.items():
        if change.verb in _ENDING and change.old is not None:
            ending.setdefault(name, []).append(change.old)
    for row in leaving:
        ending.setdefault(row.name, []).append(row)
    graph = _Graph(rules)
    for name, change in changes.items():
        if change.new is not None and (change.verb in _OBTAINING or change.verb is Verb.UPDATE):
            graph.forward(name, change)
    for rows in ending.values():
        for row in rows:
            graph.backward(row)
    _order_forward(graph, wanted)
    _order_backward(graph, ending, wanted)
    for name, rows in ending.items():
        if name in graph.obtaining:
            first = orders.get(name) or _leaving_order(rows[0], wanted[name], rules)
            _order_replacement(graph, name, first, wanted)
    _order_irreversible(graph, rules)
    return tuple(graph.steps.values())


class _Graph:
    """Steps under construction. `forwards` maps a name to the step after which it is as wanted; `backwards` to those
    that end its former lives; `obtaining` has the names that get a new life."""

    def __init__(self, rules: Rulebook) -> None:
        self.steps: dict[StepId, Step] = {}
        self.forwards: dict[Name, StepId] = {}
        self.backwards: dict[Name, list[StepId]] = {}
        self.obtaining: set[Name] = set()
        self._rules = rules

    def forward(self, name: Name, change: Change) -> None:
        assert change.new is not None
        rules = self._rules.rules(change.new)
        if change.verb is Verb.UPDATE:
            step = Step(f"update {name}", Do.UPDATE, new=change.new, old=change.old, patience=rules.patience("update"))
        else:
            verb = "claim" if change.new.ownership is Ownership.CLAIMED else "create"
            step = Step(f"{verb} {name}", Do.OBTAIN, new=change.new, patience=rules.patience("create"))
            self.obtaining.add(name)
        self.steps[step.id] = step
        self.forwards[name] = step.id

    def backward(self, row: Recorded[Any]) -> None:
        verb = "release" if row.resource.ownership is Ownership.CLAIMED else "delete"
        patience = self._rules.rules(row.resource).patience("delete")
        step = Step(f"{verb} {row.name}#{row.incarnation}", Do.RELINQUISH, old=row, patience=patience)
        self.steps[step.id] = step
        self.backwards.setdefault(row.name, []).append(step.id)

    def after(self, step: StepId | None, *earlier: StepId | None) -> None:
        """`step` waits for those of `earlier` that are in the plan."""
        if step is not None:
            found = {other for other in earlier if other is not None and other != step}
            self.steps[step] = _replace(self.steps[step], after=self.steps[step].after | found)

    def steps_after_all(self, steps: Iterable[StepId], earlier: Iterable[StepId | None]) -> None:
        """Each of `steps` waits for all of `earlier`."""
        waited = tuple(earlier)
        for step in steps:
            self.after(step, *waited)


def _orders(changes: Mapping[Name, Change], wanted: Mapping[Name, Resource[Any]], rules: Rulebook) -> dict[Name, Order]:
    """How each replacement is done: as its rules say, but delete-first spreads to users, and a member goes with its
    composite."""
    replaced = [name for name, change in changes.items() if change.verb is Verb.REPLACE]
    orders: dict[Name, Order] = {}
    for name in replaced:
        change = changes[name]
        assert change.old is not None
        assert change.new is not None
        old = change.old.resource
        same_sort = type(old.spec) is type(change.new.spec)
        orders[name] = rules.rules(old).order(old.spec, change.new.spec) if same_sort else Order.DELETE_FIRST
    users = _users({name: wanted[name] for name in replaced})
    queue = [name for name, order in orders.items() if order is Order.DELETE_FIRST]
    while queue:
        for user in users.get(queue.pop(), ()):
            if orders[user] is not Order.DELETE_FIRST:
                orders[user] = Order.DELETE_FIRST
                queue.append(user)
    for name in replaced:
        within = wanted[name].within
        if within is not None:
            orders[name] = orders.get(within, Order.DELETE_FIRST)
    return orders


def _users(resources: Mapping[Name, Resource[Any]]) -> dict[Name, set[Name]]:
    users: dict[Name, set[Name]] = {}
    for name, needed in dependencies(resources).items():
        for other in needed:
            users.setdefault(other, set()).add(name)
    return users


def _leaving_order(row: Recorded[Any], new: Resource[Any], rules: Rulebook) -> Order:
    """For a former life that an interrupted replacement left: the same rule that the replacement followed."""
    if type(row.resource.spec) is not type(new.spec) or row.resource.within is not None:
        return Order.DELETE_FIRST
    return rules.rules(row.resource).order(row.resource.spec, new.spec)


def _order_forward(graph: _Graph, wanted: Mapping[Name, Resource[Any]]) -> None:
    """Obtain and update after what is referred to."""
    for name, needed in dependencies(wanted).items():
        graph.after(graph.forwards.get(name), *(graph.forwards.get(other) for other in needed))


def _order_backward(
    graph: _Graph, ending: Mapping[Name, list[Recorded[Any]]], wanted: Mapping[Name, Resource[Any]]
) -> None:
    """Relinquish after the users have let go: by ending themselves, or by an update that drops the reference."""
    former = {name: rows[0].resource for name, rows in ending.items()}
    for name, row in former.items():
        composite = row.within
        if composite is not None:
            ends = graph.backwards.get(composite)
            graph.steps_after_all(graph.backwards[name], ends or [graph.forwards.get(composite)])
    for name, needed in dependencies(former).items():
        for other in needed:
            if other != former[name].within:
                graph.steps_after_all(graph.backwards.get(other, []), graph.backwards[name])
    for name in wanted:
        update = graph.forwards.get(name)
        if update is None or graph.steps[update].do is not Do.UPDATE:
            continue
        old = graph.steps[update].old
        if old is not None:
            for used in references(old.resource.spec) - references(wanted[name].spec):
                if former.get(used) is not None and former[used].within != name:
                    graph.steps_after_all(graph.backwards.get(used, []), [update])


def _order_replacement(graph: _Graph, name: Name, order: Order, wanted: Mapping[Name, Resource[Any]]) -> None:
    """One after the other; when created first, the old one goes after every user has moved over."""
    create = graph.forwards[name]
    if order is Order.DELETE_FIRST:
        graph.after(create, *graph.backwards[name])
        return
    movers = [create]
    for user, resource in wanted.items():
        if name in references(resource.spec) and user in graph.forwards:
            movers.append(graph.forwards[user])
    graph.steps_after_all(graph.backwards[name], movers)


def _order_irreversible(graph: _Graph, rules: Rulebook) -> None:
    """Deletions that nothing can bring back, and what must follow them, wait for all the rest."""
    followers: dict[StepId, set[StepId]] = {}
    for step in graph.steps.values():
        for earlier in step.after:
            followers.setdefault(earlier, set()).add(step.id)
    last: set[StepId] = set()
    for step in list(graph.steps.values()):
        if step.do is not Do.RELINQUISH or step.old is None or not rules.rules(step.old.resource).irreversible:
            continue
        reached = {step.id}
        queue = [step.id]
        while queue:
            for follower in followers.get(queue.pop(), ()):
                if follower not in reached:
                    reached.add(follower)
                    queue.append(follower)
        if all(graph.steps[other].do is Do.RELINQUISH for other in reached):
            last |= reached
    rest = [step for step in graph.steps if step not in last]
    if last and rest:
        barrier = Step("barrier before what cannot be undone", Do.BARRIER, after=frozenset(rest))
        graph.steps[barrier.id] = barrier
        for step_id in last:
            graph.after(step_id, barrier.id)
