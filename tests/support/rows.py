"""What Fairlead's database says, read beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairlead.operations import ENDED, RUNNING
from fairlead.operations.tables import installation, operations, resources, shared, shared_uses, steps
from fairlead.store import normalised_url

__all__ = ["Row", "Rows"]


@dataclass(frozen=True)
class Row:
    """The row of one resource; `within` names the composite whose member it is."""

    owner: str
    name: str
    sort: str
    incarnation: str
    state: str
    handle: str | None
    ownership: str
    within: str | None = None


class Rows:
    """The database at `url`, only ever read."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(normalised_url(url), pool_size=4)

    def close(self) -> None:
        self._engine.dispose()

    def deployment(self) -> str:
        """This installation's id."""
        statement = sa.select(installation.c.value).where(installation.c.name == "deployment")
        return str(self._all(statement)[0][0])

    def of(self, owner: str) -> list[Row]:
        """The rows of an instance."""
        return [self._row(row) for row in self._all(sa.select(resources).where(resources.c.owner == owner))]

    def all_owned(self) -> list[Row]:
        """The rows of everything that is ours in a VIM, images included; not of images that are only used."""
        found = [self._row(row) for row in self._all(sa.select(resources))]
        images = [
            Row(row.creator or "", row.key, "image", row.incarnation, row.state, row.handle, "shared")
            for row in self._all(sa.select(shared))
            if "/" not in (row.handle or "")
        ]
        return [row for row in found if row.ownership == "owned"] + images

    def incarnations(self) -> set[str]:
        """Every incarnation that some row knows."""
        return {row[0] for table in (resources, shared) for row in self._all(sa.select(table.c.incarnation))}

    def running(self) -> list[str]:
        """Operations that a worker has, or should have, in hand."""
        states = [str(state) for state in RUNNING]
        return [row[0] for row in self._all(sa.select(operations.c.id).where(operations.c.state.in_(states)))]

    def begun(self, operation: str) -> int:
        """How many steps of an operation have begun."""
        return len(self._all(sa.select(steps.c.step).where(steps.c.operation == operation)))

    def operations(self) -> dict[str, tuple[str, str, str]]:
        """Type, state and subject of every operation."""
        columns = (operations.c.id, operations.c.type, operations.c.state, operations.c.subject)
        return {row.id: (row.type, row.state, row.subject) for row in self._all(sa.select(*columns))}

    def not_ended(self) -> list[str]:
        """Operations that have not come to their end, in words."""
        ended = {str(state) for state in ENDED}
        return [f"{kind} {id_} is {state}" for id_, (kind, state, _) in self.operations().items() if state not in ended]

    def left(self) -> list[str]:
        """Rows of resources and of their uses, in words."""
        found = [f"row of {row.sort} {row.name}" for row in self._all(sa.select(resources))]
        found += [f"shared row {row.key}" for row in self._all(sa.select(shared))]
        return found + [f"use of {row.name} by {row.owner}" for row in self._all(sa.select(shared_uses))]

    def _row(self, row: Any) -> Row:
        resource = row.document["resource"]
        ownership = str(resource.get("ownership", "owned"))
        return Row(
            row.owner, row.name, row.sort, row.incarnation, row.state, row.handle, ownership, resource.get("within")
        )

    def _all(self, statement: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(statement))
