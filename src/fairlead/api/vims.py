"""The registry of infrastructures under `/fairlead/v1/vims`. Credentials go in and never come out."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Response

from fairlead.api.answers import created, document, empty
from fairlead.api.bodies import JSON, MERGE_PATCH
from fairlead.api.endpoints import Call, Endpoint
from fairlead.api.rules import HOLD_HOST, SHARE
from fairlead.api.services import Vims
from fairlead.identity import Action
from fairlead.vims import Need

__all__ = ["VimRegistry"]

_VIMS = "/fairlead/v1/vims"
_VIM = _VIMS + "/{vim}"
_endpoint = partial(Endpoint, tag="Infrastructures")
Document = dict[str, Any]


class Needs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a package takes for granted in an infrastructure."""

    needs: Annotated[tuple[Need, ...], msgspec.Meta(max_length=1000)]


class VimRegistry:
    """The interface over the registered VIMs; `{vim}` is an id or a name."""

    def __init__(self, vims: Vims) -> None:
        self._vims = vims

    def endpoints(self) -> list[Endpoint]:
        return [
            _endpoint(
                method="POST",
                path=_VIMS,
                serve=self.register,
                summary="Register an infrastructure",
                request=Document,
                answers={201: Document},
                errors=(409, 422),
            ),
            _endpoint(
                method="GET",
                path=_VIMS,
                serve=self.list,
                summary="List infrastructures",
                answers={200: list[Document]},
            ),
            _endpoint(
                method="GET", path=_VIM, serve=self.show, summary="Show an infrastructure", answers={200: Document}
            ),
            _endpoint(
                method="PATCH",
                path=_VIM,
                serve=self.update,
                summary="Change an infrastructure's registration",
                request=Document,
                consumes=(MERGE_PATCH, JSON),
                answers={200: Document},
                errors=(409, 422),
            ),
            _endpoint(
                method="DELETE",
                path=_VIM,
                serve=self.delete,
                summary="Forget an infrastructure that is not in use",
                answers={204: None},
                errors=(409,),
            ),
            _endpoint(
                method="POST",
                path=f"{_VIM}/check",
                serve=self.check,
                summary="Ask an infrastructure how it is",
                action=Action.READ,
                answers={200: Document},
            ),
            _endpoint(
                method="POST",
                path=f"{_VIM}/lint",
                serve=self.lint,
                summary="Ask an infrastructure what it lacks of what a package takes for granted",
                action=Action.READ,
                request=Needs,
                answers={200: Document},
                errors=(502, 503),
            ),
        ]

    async def register(self, call: Call) -> Response[Any]:
        wanted = await call.body(Document)
        if wanted.get("shared"):
            call.require(SHARE)
        made = await self._vims.register(call.project, wanted, trusted=call.may(HOLD_HOST))
        return created(call, made, f"{_VIMS}/{quote(str(made['id']), safe='')}")

    async def list(self, call: Call) -> Response[Any]:
        return document(await self._vims.list(call.project))

    async def show(self, call: Call) -> Response[Any]:
        return document(await self._vims.show(call.project, call.path("vim")))

    async def update(self, call: Call) -> Response[Any]:
        wanted = await call.body(Document)
        await self._may_change(call, bool(wanted.get("shared")))
        trusted = call.may(HOLD_HOST)
        return document(await self._vims.update(call.project, call.path("vim"), wanted, trusted=trusted))

    async def delete(self, call: Call) -> Response[Any]:
        await self._may_change(call, False)
        await self._vims.delete(call.project, call.path("vim"))
        return empty()

    async def check(self, call: Call) -> Response[Any]:
        return document(await self._vims.check(call.project, call.path("vim")))

    async def lint(self, call: Call) -> Response[Any]:
        wanted = await call.body(Needs)
        return document(await self._vims.lint(call.project, call.path("vim"), wanted.needs))

    async def _may_change(self, call: Call, shared_afterwards: bool) -> None:
        """Have the caller be allowed to share when the VIM is shared, or is going to be. Raises Forbidden, NotFound."""
        if shared_afterwards or (await self._vims.show(call.project, call.path("vim"))).get("shared"):
            call.require(SHARE)
