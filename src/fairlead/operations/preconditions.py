"""What stands in the way of a plan in its infrastructures, asked before anything is touched.

It is for whoever looks at a plan: accepting an operation asks no infrastructure anything, so that one that is slow or away
keeps nobody waiting. One that does not answer in time is told of, and what it would have said stays unknown. Things may
change until the plan is done, so a plan without findings can fail all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from fairlead.errors import FairleadError, VimUnavailable
from fairlead.resources import Plan, VimId
from fairlead.vims import Need, TellsLacks, VimRegistry, needs_of_plan

__all__ = ["Unmet", "unmet_by"]

_PATIENCE = 30.0
"""Seconds within which an infrastructure has told what it lacks."""


class Unmet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that stands in the way, or that nobody could tell. `severity` is `error` or `warning`."""

    code: str
    severity: str
    detail: str
    resource: str | None = None
    remedy: str | None = None


async def unmet_by(vims: VimRegistry, plan: Plan) -> tuple[Unmet, ...]:
    """All that stands in the way of `plan`. Raises nothing for what is wrong with an infrastructure."""
    asked = ((vim, needs) for vim, needs in needs_of_plan(plan).items() if not vims.contributed(vim))
    parts = await asyncio.gather(*(_of_vim(vims, vim, needs) for vim, needs in asked))
    return tuple(one for part in parts for one in part)


async def _of_vim(vims: VimRegistry, vim: VimId, needs: Sequence[Need]) -> list[Unmet]:
    driver = vims.driver(vim)
    if not isinstance(driver, TellsLacks):
        return []
    try:
        async with vims.slot(vim), asyncio.timeout(_PATIENCE):
            lacks = (await driver.lacks(needs)).lacks
    except TimeoutError:
        late = VimUnavailable("no answer in time", cause=f"nothing within {_PATIENCE:g} s")
        return [_unchecked(vim, late)]
    except FairleadError as error:
        return [_unchecked(vim, error)]
    return [
        Unmet(
            code=lack.code,
            severity=lack.severity,
            detail=lack.detail,
            resource=needs[lack.need].resource,
            remedy=lack.remedy,
        )
        for lack in lacks
    ]


def _unchecked(vim: VimId, error: FairleadError) -> Unmet:
    detail = f"VIM '{vim}' could not be asked what it lacks ({error.code}): {error.cause or error.detail}"
    return Unmet(code="plan-not-checked", severity="warning", detail=detail, remedy="Look again, or go on.")
