"""python-tackerclient's own commands, as `openstack ...` runs them, without OpenStack's client around them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from tackerclient.v1_0.client import Client

from tests.api.conftest import Api

__all__ = ["Tacker", "commanded"]


class Tacker:
    """The commands of one module of the client, with the names of their classes; `version` as --os-tacker-api-version."""

    def __init__(self, module: str, url: str, token: str, version: str = "1") -> None:
        self._commands = importlib.import_module(f"tackerclient.osc.{module}")
        self.client = Client(endpoint_url=url, token=token, auth_strategy="keystone", api_version=version)

    async def __call__(self, command: str, *arguments: str) -> dict[str, Any]:
        """What a command shows, by heading; the lines of a list as `rows`."""
        app = SimpleNamespace(client_manager=SimpleNamespace(tackerclient=self.client))
        made = getattr(self._commands, command)(app, None)
        parsed = made.get_parser(command).parse_args(list(arguments))
        shown = await asyncio.to_thread(made.take_action, parsed)
        if shown is None:
            return {}
        headings, data = shown
        rows = list(data)
        return (
            {"rows": [dict(zip(headings, row, strict=True)) for row in rows]}
            if "List" in command
            else dict(zip(headings, rows, strict=True))
        )


@contextlib.asynccontextmanager
async def commanded(api: Api, module: str, token: str | None = None) -> AsyncIterator[Tacker]:
    """The commands of `module` against a served `api`; as the member unless `token` says otherwise."""
    async with api.served() as served:
        yield Tacker(module, f"http://127.0.0.1:{served.port}", token or api.member)
