"""What is Tacker's own in its API: the VIMs under `/v1.0`, and the document at the root.

python-tackerclient appends `.json` to these paths, so they are there in both forms. They are another view of the registry
under `/fairlead/v1/vims`; refusals carry Tacker's `TackerError` beside the problem details.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from litestar import Response

from fairlead.api.answers import document, empty
from fairlead.api.endpoints import Call, Endpoint, Parameter
from fairlead.api.rules import HOLD_HOST, SHARE
from fairlead.api.services import Vims
from fairlead.errors import Forbidden, NotFound
from fairlead.vims.tacker import PUBLIC, TackerVim, changed, registered, tacker_view

__all__ = ["Tacker"]

_endpoint = partial(Endpoint, tag="Infrastructures (Tacker)")
_SUFFIX = ".json"
Document = dict[str, Any]


class Wrapped(msgspec.Struct, frozen=True):
    """A VIM, or changes to one, as Tacker's clients send it."""

    vim: TackerVim


class Tacker:
    """The interface of Tacker's clients over the registered VIMs."""

    def __init__(self, vims: Vims) -> None:
        self._vims = vims

    def endpoints(self) -> list[Endpoint]:
        vims, vim = "/v1.0/vims", "/v1.0/vims/{vim}"
        filters = [Parameter(name, f"Only VIMs with this {name}.") for name in ("id", "name", "type", "is_default")]
        fields = Parameter("fields", "The attribute that is wanted; all without it.")
        both = [
            _endpoint(
                method="POST",
                path=vims,
                serve=self.register,
                summary="Register an infrastructure",
                request=Wrapped,
                answers={201: Document},
                errors=(409, 422),
            ),
            _endpoint(
                method="GET",
                path=vims,
                serve=self.list,
                summary="List infrastructures",
                parameters=(*filters, fields),
                answers={200: Document},
            ),
            _endpoint(
                method="GET",
                path="/v1.0/extensions",
                serve=self.extensions,
                summary="Tacker's extensions: there are none",
                answers={200: Document},
            ),
        ]
        return [
            *both,
            *(replace(one, path=one.path + _SUFFIX) for one in both),
            # The suffix is a part of the last word here, which the router cannot tell from it.
            _endpoint(method="GET", path=vim, serve=self.show, summary="Show one", answers={200: Document}),
            _endpoint(
                method="PUT",
                path=vim,
                serve=self.update,
                summary="Change the registration of one",
                request=Wrapped,
                answers={200: Document},
                errors=(409, 422),
            ),
            _endpoint(
                method="DELETE",
                path=vim,
                serve=self.delete,
                summary="Forget one that is not in use",
                answers={204: None},
                errors=(409,),
            ),
            _endpoint(
                method="GET",
                path="/",
                serve=self.root,
                summary="The versions of Tacker's own API",
                action=None,
                answers={200: Document},
            ),
        ]

    async def register(self, call: Call) -> Response[Any]:
        asked = (await call.body(Wrapped)).vim
        owner = asked.tenant_id or asked.project_id
        if owner not in (None, "", call.project):
            raise Forbidden(
                f"A VIM is registered for the project of the one who asks, not for '{owner}'.",
                place="vim.tenant_id",
                remedy="Leave it out, and ask with a token of that project.",
            )
        made = await self._vims.register(call.project, registered(asked), trusted=call.may(HOLD_HOST))
        return document(await self._wrapped(call, made), 201)

    async def list(self, call: Call) -> Response[Any]:
        wanted = {name: value for name, value in call.query.items() if name != "fields"}
        fields = call.query.get("fields")
        found = []
        for vim in await self._vims.list(call.project):
            known = {} if fields in ("id", "name") else await self._known(call, vim)
            shown = tacker_view(vim, known)
            if all(_is(shown.get(name), value) for name, value in wanted.items()):
                found.append({fields: shown[fields]} if fields in shown else shown)
        return document({"vims": found})

    async def show(self, call: Call) -> Response[Any]:
        return document(await self._wrapped(call, await self._vims.show(call.project, _id(call))))

    async def update(self, call: Call) -> Response[Any]:
        asked = (await call.body(Wrapped)).vim
        before = await self._mine(call)
        trusted = call.may(HOLD_HOST)
        put = changed(asked, before["type"])
        after = await self._vims.update(call.project, before["id"], put, trusted=trusted, merge=True)
        return document(await self._wrapped(call, after))

    async def delete(self, call: Call) -> Response[Any]:
        await self._vims.delete(call.project, (await self._mine(call))["id"])
        return empty()

    async def extensions(self, _call: Call) -> Response[Any]:
        return document({"extensions": []})

    async def root(self, call: Call) -> Response[Any]:
        link = {"rel": "self", "href": call.url("/v1.0")}
        return document({"versions": [{"id": "v1.0", "status": "CURRENT", "links": [link]}]})

    async def _mine(self, call: Call) -> Mapping[str, Any]:
        """The VIM that the caller may change. Raises NotFound, Forbidden."""
        found = await self._vims.show(call.project, _id(call))
        if found.get("shared"):
            call.require(SHARE)
        return found

    async def _wrapped(self, call: Call, vim: Mapping[str, Any]) -> Document:
        return {"vim": tacker_view(vim, await self._known(call, vim))}

    async def _known(self, call: Call, vim: Mapping[str, Any]) -> Mapping[str, str]:
        try:
            return await self._vims.reveal(call.project, vim["id"], PUBLIC)
        except NotFound:
            return {}  # it went a moment ago


def _id(call: Call) -> str:
    return call.path("vim").removesuffix(_SUFFIX)


def _is(value: Any, wanted: str) -> bool:
    return str(value).lower() == wanted.lower() if isinstance(value, bool) else value == wanted
