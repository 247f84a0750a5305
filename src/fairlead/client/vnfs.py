"""VNF instances (`/vnflcm/v2`) and the plans of their operations.

Every lifecycle operation starts in the same way, so there is one call for all of them: `begin`, with the operation's
name and ETSI's request for it, and `plan` with the same two, which does nothing but say what `begin` would do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.client.finding import find
from fairlead.client.transport import Document, Transport
from fairlead.errors import UnexpectedAnswer

__all__ = ["Vnfs"]

_PATH = "/vnflcm/v2/vnf_instances"
_PLANS = "/fairlead/v1/vnf_instances"


class Vnfs:
    """Instances of network functions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, request: Mapping[str, Any]) -> Document:
        """A new instance (ETSI's CreateVnfRequest), not instantiated yet."""
        return self._transport.document("POST", _PATH, body=dict(request))

    def list(self, *, filter: str | None = None, all_fields: bool = False) -> Iterator[Document]:
        params = {"filter": filter} if filter else {}
        return self._transport.pages(_PATH, params | ({"all_fields": ""} if all_fields else {}))

    def show(self, vnf: str) -> Document:
        return self._transport.document("GET", f"{_PATH}/{vnf}")

    def find(self, text: str) -> Document:
        """The instance that `text` names. Raises NotFound, or BadRequest when several bear the name."""
        return find(
            self._transport,
            _PATH,
            text,
            ("vnfInstanceName",),
            what="vnf",
            describe=lambda one: f"{one.get('vnfProductName', '')} {one['instantiationState']}",
        )

    def delete(self, vnf: str) -> None:
        self._transport.request("DELETE", f"{_PATH}/{vnf}")

    def begin(self, vnf: str, operation: str, request: Mapping[str, Any], *, plan: str | None = None) -> str:
        """Start `operation` (`instantiate`, `scale`, `heal` ... or `modify`); the id of its occurrence.

        `plan` is the digest of a plan that was looked at. Raises Conflict (`plan-moved`) when it would be another one
        now, and Conflict when the instance has an operation open already.
        """
        path, method, headers = f"{_PATH}/{vnf}/{operation}", "POST", {}
        if operation == "modify":
            path, method, headers = f"{_PATH}/{vnf}", "PATCH", {"Content-Type": "application/merge-patch+json"}
        if plan is not None:
            headers["Fairlead-Plan"] = plan
        answer = self._transport.request(method, path, body=dict(request), headers=headers)
        location = answer.headers.get("Location", "").rstrip("/")
        if not location:
            raise UnexpectedAnswer(f"The server accepted {operation} and did not say under which id.")
        return str(location.rsplit("/", 1)[1])

    def plan(self, vnf: str, operation: str, request: Mapping[str, Any]) -> Document:
        """What `begin` with the same arguments would do: `digest`, `plan`, `text`, `undecided`, `findings`."""
        body = {"operation": operation, "request": dict(request)}
        return self._transport.document("POST", f"{_PLANS}/{vnf}/plans", body=body)

    def drift(self, vnf: str) -> Document:
        """What is not as recorded: `drifted`, `findings`, `openOperation`, and the plan of its repair as `plan` has it."""
        return self._transport.document("GET", f"{_PLANS}/{vnf}/drift")
