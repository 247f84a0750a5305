"""Looking at what is recorded of an instance, and for things of it that no row knows: what drift and repair begin with.

All of an instance is looked at, or the look fails: what an infrastructure did not answer about must not pass for being
as recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

import msgspec

from fairlead.errors import VimUnavailable
from fairlead.operations.ledger import set_row
from fairlead.operations.sharing import set_shared
from fairlead.operations.types import Repairs
from fairlead.resources import (
    Compared,
    Deviation,
    Handle,
    Name,
    Observed,
    Ownership,
    Plan,
    Records,
    State,
    Verb,
    VimId,
    compare,
)
from fairlead.store import Tx
from fairlead.vims import Surveys, Tagged, VimRegistry

__all__ = ["in_time", "look_at", "of_nobody", "survey", "with_repairs", "write_observed"]

T = TypeVar("T")
_PATIENCE = 90.0
"""Seconds within which an infrastructure has told all that is asked of it."""


async def survey(vims: VimRegistry, records: Records, repairs: Repairs) -> Compared:
    """What is observed of `records`. Raises VimError when an infrastructure does not tell."""
    concerned = {row.resource.vim for row in records.current.values() if not vims.contributed(row.resource.vim)}
    await vims.prepare(concerned)
    parts = await asyncio.gather(*(look_at(vims, vim, records) for vim in sorted(concerned)))
    observed = {name: seen for part in parts for name, seen in part.items()}
    here = {row.name for row in records.current.values() if row.resource.vim in concerned}
    return compare(
        records, observed, vims.kind, lossy=repairs.lossy, only=lambda name: name in here and repairs.only(name)
    )


async def look_at(vims: VimRegistry, vim: VimId, records: Records) -> dict[Name, Observed | None]:
    """What the VIM says of everything that is recorded in it. Raises VimError."""
    rows = [row for row in records.current.values() if row.resource.vim == vim and row.handle is not None]
    wanted: dict[str, set[Handle]] = {}
    for row in rows:
        if row.handle is not None:
            wanted.setdefault(row.resource.spec.sort(), set()).add(row.handle)
    if not wanted:
        return {}
    driver = vims.driver(vim)
    look = driver.survey if isinstance(driver, Surveys) else driver.observe
    async with vims.slot(vim):
        seen = await in_time(look(wanted), "tell what there is")
    return {row.name: seen.get((row.resource.spec.sort(), row.handle)) for row in rows if row.handle is not None}


async def in_time(call: Awaitable[T], what: str) -> T:
    """What `call` returns. Raises VimUnavailable when it takes too long, and what it raises."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await call
    except TimeoutError as error:
        raise VimUnavailable(
            f"The infrastructure did not {what} within {_PATIENCE:g} s.", cause="no answer in time"
        ) from error


def of_nobody(items: Iterable[Tagged]) -> tuple[Deviation, ...]:
    """Things that carry the instance's mark and that no row knows."""
    return tuple(
        Deviation(
            resource=item.tag.name,
            code="drift-unknown",
            severity="error",
            detail=f"a {item.sort} of this instance is there that nothing is recorded of",
            sort=item.sort,
            handle=item.handle,
            repair="delete",
        )
        for item in items
    )


def with_repairs(deviations: Iterable[Deviation], plan: Plan) -> tuple[Deviation, ...]:
    """`deviations`, each with what `plan` does about it."""
    verbs = {change.name: str(change.verb) for change in plan.changes if change.verb is not Verb.KEEP}
    replace = msgspec.structs.replace
    return tuple(
        one if one.repair is not None else replace(one, repair=verbs.get(Name(one.resource), "nothing"))
        for one in deviations
    )


def write_observed(tx: Tx, owner: str, recorded: Records, observed: Records) -> None:
    """Write down what is observed in place of what was recorded: from then on a repair is like any other plan."""
    for name, row in observed.current.items():
        before = recorded.current[name]
        if row == before:
            continue
        values: dict[str, Any] = {} if row.state is before.state else {"state": row.state}
        if row.resource != before.resource:
            values["resource"] = row.resource
        set_row(tx, owner, row.incarnation, **values)
        if row.resource.ownership is Ownership.SHARED and row.state is State.FAILED:
            set_shared(tx, row.incarnation, state=State.FAILED)
