"""The registered infrastructures (`/fairlead/v1/vims`). A VIM can be named by id or by name everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fairlead.client.transport import Document, Transport

__all__ = ["Vims"]

_PATH = "/fairlead/v1/vims"


class Vims:
    """Register, look at, change and check infrastructures."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def register(self, document: Mapping[str, Any]) -> Document:
        """Register the VIM in `document` (`name`, `type`, `interface`, `credentials` ...)."""
        return self._transport.document("POST", _PATH, body=dict(document))

    def list(self) -> list[Document]:
        return list(self._transport.pages(_PATH))

    def show(self, vim: str) -> Document:
        return self._transport.document("GET", _at(vim))

    def update(self, vim: str, changes: Mapping[str, Any]) -> Document:
        """Change the fields that `changes` names (RFC 7396: null removes one)."""
        return self._transport.document("PATCH", _at(vim), body=dict(changes))

    def delete(self, vim: str) -> None:
        self._transport.request("DELETE", _at(vim))

    def check(self, vim: str) -> Document:
        """Ask the infrastructure now whether it can be worked with."""
        return self._transport.document("POST", _at(vim) + "/check", timeout=120.0)

    def lint(self, vim: str, needs: Sequence[Mapping[str, Any]]) -> Document:
        """What the infrastructure lacks of `needs` (`sort`, `name` ...): `lacks` has those by number, `checked` the sorts."""
        return self._transport.document("POST", _at(vim) + "/lint", body={"needs": list(needs)}, timeout=120.0)


def _at(vim: str) -> str:
    return f"{_PATH}/{quote(vim, safe='')}"
