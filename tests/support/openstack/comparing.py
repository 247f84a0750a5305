"""The cloud held against the records, from outside: each has what the other has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from tests.support.openstack.operator import Operator
from tests.support.openstack.things import things_of
from tests.support.rows import Rows

__all__ = ["compare"]


def compare(rows: Rows, member: Operator, known: Collection[str], owner: str) -> list[str]:
    """What does not agree, in words, while no operation of the instance `owner` is open; `known` is somebody else's.

    Of other instances nothing is told; of images, which are shared, and of what carries no mark, all. What a stack makes carries
    none.
    """
    things = [thing for thing in things_of(member, but=known) if thing.owner in (owner, "") or thing.sort == "image"]
    found = [row for row in rows.all_owned() if row.owner == owner or row.sort == "image"]
    recorded = {(row.sort, str(row.handle)): row for row in found}
    there = {(thing.sort, thing.handle): thing for thing in things}
    counted = Counter((thing.sort, thing.incarnation) for thing in things if thing.incarnation)
    wrong = [f"{sort} {key[:8]} is there {number} times" for (sort, key), number in counted.items() if number > 1]
    wrong += [f"{row.sort} {row.name} ({row.handle}) is not there" for key, row in recorded.items() if key not in there]
    wrong += [f"{row.sort} {row.name} is {row.state}" for row in recorded.values() if row.state != "ready"]
    for key, thing in there.items():
        if key not in recorded:
            wrong.append(f"{thing.sort} {thing.name} ({thing.handle}) of {thing.owner or 'nobody'} is in no record")
        elif recorded[key].incarnation != thing.incarnation and not (recorded[key].within and not thing.incarnation):
            wrong.append(f"{thing.sort} {thing.name} carries another mark than is recorded")
    return wrong
