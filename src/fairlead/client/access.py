"""Projects, tokens and OAuth2 clients (`/fairlead/v1/projects`, `tokens`, `clients`): three lists of the same shape.

A token's or client's secret is in the answer to its creation and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fairlead.client.transport import Document, Transport

__all__ = ["Collection"]


class Collection:
    """One of the lists. What a document of it holds is the server's business."""

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport = transport
        self._path = f"/fairlead/v1/{name}"

    def create(self, document: Mapping[str, Any]) -> Document:
        return self._transport.document("POST", self._path, body=dict(document))

    def list(self) -> list[Document]:
        return list(self._transport.pages(self._path))

    def show(self, item: str) -> Document:
        return self._transport.document("GET", f"{self._path}/{quote(item, safe='')}")

    def delete(self, item: str) -> None:
        self._transport.request("DELETE", f"{self._path}/{quote(item, safe='')}")
