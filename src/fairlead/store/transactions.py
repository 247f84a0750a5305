"""One transaction, as the functions that run in it see it.

`Tx` builds statements rather than taking them ready-made: that is where a project's transaction gets its `WHERE project = ...`.
A statement on an owned table that was not built here is refused, so that forgetting the owner is an error and not a leak.

Building a statement costs several times what executing it does. What only compares columns with values goes through `find`,
`find_all` and `change`, which build each shape of statement once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import visitors

from fairlead.errors import FairleadError

__all__ = ["Tx"]

log = structlog.get_logger()
_SCOPE = "fairlead_scope"

S = TypeVar("S", sa.Select[Any], sa.Update, sa.Delete)


class Tx:
    """A transaction. `project` is None for the program's own work, which sees all rows."""

    def __init__(self, connection: sa.Connection, project: str | None = None) -> None:
        self._connection = connection
        self.project = project
        self.dialect = connection.dialect.name
        self._after_commit: list[Callable[[], None]] = []

    def select(self, source: sa.Table, *columns: Any) -> sa.Select[Any]:
        """SELECT `columns`, or all, of the rows of `source` that this transaction may see."""
        statement = sa.select(*columns).select_from(source) if columns else sa.select(source)
        return self._scoped(statement, source)

    def update(self, target: sa.Table) -> sa.Update:
        """UPDATE those rows of `target` that this transaction may see."""
        return self._scoped(sa.update(target), target)

    def delete(self, target: sa.Table) -> sa.Delete:
        """DELETE those rows of `target` that this transaction may see."""
        return self._scoped(sa.delete(target), target)

    def insert(self, target: sa.Table, **values: Any) -> None:
        """Insert one row; a project's transaction makes it that project's."""
        self._connection.execute(sa.insert(target), self._with_owner(target, values))

    def put(self, target: sa.Table, **values: Any) -> bool:
        """Insert one row, or overwrite the one with the same primary key.

        False when nothing was written: it is another project's row, or there is nothing in it but its key.
        """
        values = self._with_owner(target, values)
        insert = postgresql.insert if self.dialect == "postgresql" else sqlite.insert
        keys = target.primary_key.columns
        statement = insert(target).values(values)
        changed = {name: statement.excluded[name] for name in values if name not in keys and name != "project"}
        owner = target.c.project == self.project if self.project is not None and target.info.get("owned") else None
        if changed:
            statement = statement.on_conflict_do_update(index_elements=list(keys), set_=changed, where=owner)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(keys))
        # For an INSERT the count is thrown away unless it is asked for.
        return int(self._connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount) > 0

    def find(
        self, source: sa.Table, /, *columns: sa.Column[Any], lock: bool = False, share: bool = False, **where: Any
    ) -> Any:
        """The first row of `source` that has these values; None when there is none.

        With `lock` nobody else gets it, and with `share` nobody changes it, until the transaction ends.
        """
        where |= self._scope(source)
        names = tuple(column.name for column in columns)
        statement = _selecting(source, names, tuple(where), None, lock or share, share)
        return self._connection.execute(statement, where).first()

    def find_all(
        self, source: sa.Table, /, *columns: sa.Column[Any], order: str | None = None, **where: Any
    ) -> list[Any]:
        """All rows of `source` that have these values, in the order of the column `order`."""
        where |= self._scope(source)
        names = tuple(column.name for column in columns)
        return list(self._connection.execute(_selecting(source, names, tuple(where), order), where))

    def change(self, target: sa.Table, where: Mapping[str, Any], /, **values: Any) -> int:
        """Give the rows of `target` that are as `where` says new values; how many there were."""
        key = {**where, **self._scope(target)}
        bound = {f"key_{name}": value for name, value in key.items()} | values
        return int(self._connection.execute(_updating(target, tuple(key)), bound).rowcount)

    def all(self, statement: sa.Select[Any]) -> list[Any]:
        """The rows of `statement`."""
        return list(self._execute(statement))

    def first(self, statement: sa.Select[Any]) -> Any:
        """The first row of `statement`; None when there is none."""
        return self._execute(statement).first()

    def scalar(self, statement: sa.Select[Any]) -> Any:
        """The first column of the first row; None when there is none."""
        return self._execute(statement).scalar()

    def run(self, statement: sa.Update | sa.Delete | sa.Insert) -> int:
        """Execute a change; the number of rows it changed."""
        return int(self._execute(statement.execution_options(preserve_rowcount=True)).rowcount)

    def lock(self, statement: sa.Select[Any]) -> Any:
        """The first row of `statement`, locked until the transaction ends (SQLite has one writer at a time anyway)."""
        return self.first(statement.with_for_update())

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have `call` made, in the transaction's thread, once it is committed; never when it is rolled back."""
        self._after_commit.append(call)

    def committed(self) -> None:
        """For the engine only: the commit has happened, whatever a call that was asked for may raise."""
        for call in self._after_commit:
            try:
                call()
            except Exception as error:
                log.error("store.after-commit-failed", exc_info=error)

    def _with_owner(self, target: sa.Table, values: dict[str, Any]) -> dict[str, Any]:
        if self.project is not None and target.info.get("owned"):
            return {**values, "project": self.project}
        return values

    def _scope(self, source: sa.Table) -> dict[str, Any]:
        """What a row of `source` must have for this transaction to see it."""
        return {"project": self.project} if self.project is not None and source.info.get("owned") else {}

    def _scoped(self, statement: S, source: sa.Table) -> S:
        if self.project is not None and source.info.get("owned"):
            statement = statement.where(source.c.project == self.project)
        return statement.execution_options(**{_SCOPE: self.project})

    def _execute(self, statement: Any) -> Any:
        if self.project is not None and statement.get_execution_options().get(_SCOPE) != self.project:
            owned = [
                node for node in visitors.iterate(statement) if isinstance(node, sa.Table) and node.info.get("owned")
            ]
            if owned:
                raise FairleadError(
                    f"A statement on '{owned[0].name}' was not bound to its project.", code="unscoped-statement"
                )
        return self._connection.execute(statement)


@lru_cache(maxsize=1024)
def _selecting(
    source: sa.Table,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
    order: str | None,
    lock: bool = False,
    share: bool = False,
) -> sa.Select[Any]:
    statement = sa.select(*(source.c[name] for name in columns)) if columns else sa.select(source)
    statement = statement.where(*(source.c[name] == sa.bindparam(name) for name in keys))
    if order is not None:
        statement = statement.order_by(source.c[order])
    return statement.with_for_update(read=share) if lock else statement


@lru_cache(maxsize=1024)
def _updating(target: sa.Table, keys: tuple[str, ...]) -> sa.Update:
    """What is to be set follows from the names of the parameters."""
    return sa.update(target).where(*(target.c[name] == sa.bindparam(f"key_{name}") for name in keys))
