"""What the peer knows: packages, instances, operations and events, and how an operation runs."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

from fairlead.clock import iso

__all__ = ["TOKEN", "Document", "Faults", "Refused", "State"]

Document = dict[str, Any]
TOKEN = "the-token-of-the-tests"

_OPEN = ("STARTING", "PROCESSING", "FAILED_TEMP", "ROLLING_BACK")
_RECORDED = 1_700_000_000.0
"""When the peer's things happen; operations take as many seconds in its records as they have steps, and no real ones."""


class Refused(Exception):
    """A problem document for the answer."""

    def __init__(self, status: int, code: str, detail: str, **card: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.document: Document = {"status": status, "title": code, "detail": detail, "code": code, **card}


@dataclass
class Faults:
    """How the peer misbehaves; all off at first."""

    no_stream: bool = False
    """The event stream is refused with 404."""
    silent_stream: bool = False
    """The event stream opens, and nothing ever comes."""
    break_streams_after: int | None = None
    """Each connection to the stream breaks after so many events."""
    versions: tuple[str, ...] = ("2.0.0", "2.1.0")
    """The API versions that are served; any other is refused with 406."""
    answers: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """By `METHOD /path`: status, media type and body to answer with, once."""
    unanswered: set[str] = field(default_factory=set)
    """By `METHOD /path`: the request is carried out and the connection closed without an answer, once."""
    failing_step: str | None = None
    """The name of the resource whose creation fails."""
    failing_package: bool = False
    """What is uploaded cannot be onboarded."""
    cut_downloads: int = 0
    """Downloads that break off, and after how many bytes each."""
    cut_after: int = 1000
    hold: bool = False
    """Operations stop in the middle until it is False again."""


class State:
    """The peer's memory. All of it runs in the peer's event loop; tests only read it, or set a fault."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.clear()

    def clear(self) -> None:
        """Forget everything, and stop what is going on."""
        for task in self._tasks:
            task.cancel()
        self.faults = Faults()
        self.page_size = 100
        self.requests: list[Document] = []
        self.packages: dict[str, Document] = {}
        self.uploads: dict[str, bytes] = {}
        self.vnfs: dict[str, Document] = {}
        self.operations: dict[str, Document] = {}
        self.timelines: dict[str, Document] = {}
        self.vims: dict[str, Document] = {}
        self.tokens: dict[str, Document] = {}
        self.events: list[Document] = []
        self.news = asyncio.Event()
        self.resources = ("inner", "router/k1", "servers/k1")
        self.plans_moved = False

    async def resume(self) -> None:
        """Go on after a restart: the tasks of the former event loop are gone with it."""
        self.news = asyncio.Event()
        self._tasks.clear()
        for operation in self.operations.values():
            if operation["operationState"] in ("STARTING", "PROCESSING"):
                self.timelines[operation["id"]]["attempt"] += 1
                self.spawn(self._run(operation["id"], "COMPLETED"))

    # -- events ------------------------------------------------------------------------------------------------------

    def tell(self, type: str, subject: str, *, operation: str | None = None, resource: str | None = None) -> None:
        self.events.append(
            {
                "id": len(self.events) + 1,
                "time": _RECORDED + len(self.events),
                "project": "default",
                "type": type,
                "subject": subject,
                "operation": operation,
                "resource": resource,
                "data": {},
            }
        )
        news, self.news = self.news, asyncio.Event()
        news.set()

    # -- packages ----------------------------------------------------------------------------------------------------

    def create_package(self, data: Document) -> Document:
        made: Document = {
            "id": str(uuid.uuid4()),
            "onboardingState": "CREATED",
            "operationalState": "DISABLED",
            "usageState": "NOT_IN_USE",
            "userDefinedData": data,
        }
        self.packages[made["id"]] = made
        return made

    def onboard(self, package: Document, content: bytes) -> None:
        self.uploads[package["id"]] = content
        package["onboardingState"] = "PROCESSING"
        self.spawn(self._onboarding(package))

    async def _onboarding(self, package: Document) -> None:
        await self._released()
        if self.faults.failing_package:
            problem = {
                "file": "vnfd.yaml",
                "line": 7,
                "column": 3,
                "code": "unknown-type",
                "message": "no type tosca.X",
            }
            package["onboardingState"] = "ERROR"
            package["onboardingFailureDetails"] = {
                "status": 422,
                "detail": "The package has 1 mistake.",
                "code": "package-refused",
                "problems": [problem],
            }
        else:
            number = len(self.uploads)
            package |= {
                "onboardingState": "ONBOARDED",
                "operationalState": "ENABLED",
                "vnfdId": f"vnfd-{number}",
                "vnfProductName": "Edge Gateway",
                "vnfSoftwareVersion": "1.0",
                "vnfdVersion": f"{number}.0",
            }
        self.tell("package.state", package["id"])

    # -- instances and operations --------------------------------------------------------------------------------------

    def create_vnf(self, request: Document) -> Document:
        made = {
            "id": str(uuid.uuid4()),
            "vnfInstanceName": request.get("vnfInstanceName"),
            "vnfdId": request["vnfdId"],
            "vnfProvider": "Example",
            "vnfProductName": "Edge Gateway",
            "vnfSoftwareVersion": "1.0",
            "vnfdVersion": "1.0",
            "instantiationState": "NOT_INSTANTIATED",
            "metadata": request.get("metadata", {}),
            "_links": {},
        }
        self.vnfs[made["id"]] = made
        return made

    def begin(self, vnf: Document, operation: str, request: Document, plan: str | None) -> str:
        if plan is not None and self.plans_moved:
            raise Refused(409, "plan-moved", "The plan is not the one that was looked at.", remedy="Look again.")
        for other in self.operations.values():
            if other["vnfInstanceId"] == vnf["id"] and other["operationState"] in _OPEN:
                raise Refused(409, "operation-in-progress", "Another operation of this instance is open.")
        if operation == "instantiate" and vnf["instantiationState"] == "INSTANTIATED":
            raise Refused(409, "already-instantiated", "The instance is instantiated.")
        made = str(uuid.uuid4())
        kind = {"modify": "MODIFY_INFO"}.get(operation, operation.upper())
        at = _RECORDED + 1000 * len(self.operations)
        self.operations[made] = {
            "id": made,
            "operationState": "STARTING",
            "stateEnteredTime": iso(at),
            "startTime": iso(at),
            "vnfInstanceId": vnf["id"],
            "operation": kind,
            "isAutomaticInvocation": False,
            "isCancelPending": False,
            "operationParams": request,
            "_links": {},
        }
        self.timelines[made] = {
            "operation": made,
            "type": operation,
            "state": "STARTING",
            "attempt": 0,
            "started": at,
            "ended": None,
            "steps": [],
        }
        self.tell("operation.state", vnf["id"], operation=made)
        self.spawn(self._run(made, "COMPLETED"))
        return made

    def again(self, operation: str, state: str, ends: str) -> None:
        self._move(operation, state)
        self.timelines[operation]["attempt"] += 1
        self.operations[operation].pop("error", None)
        self.spawn(self._run(operation, ends, state))

    async def _run(self, operation: str, ends: str, state: str = "PROCESSING") -> None:
        self._move(operation, state)
        timeline, subject = self.timelines[operation], self.operations[operation]["vnfInstanceId"]
        done = {step["name"] for step in timeline["steps"] if step["outcome"] == "done"}
        names = [name for name in self.resources if name not in done]
        for number, name in enumerate(names):
            at = timeline["started"] + number
            step = {"id": f"create {name}", "name": name, "verb": "create", "attempt": timeline["attempt"]}
            step |= {"started": at, "accepted": None, "ended": None, "outcome": None, "error": None}
            timeline["steps"].append(step)
            self.tell("resource.creating", subject, operation=operation, resource=name)
            await asyncio.sleep(0.002)
            step["accepted"] = at + 0.2
            if number == 1:
                await self._released()
            if self.operations[operation]["isCancelPending"]:
                self._stop(operation, step, "cancelled", "The user cancelled the operation.", "interrupted")
                return
            if name == self.faults.failing_step:
                self._stop(operation, step, "image-not-found", "The image is not known to the VIM.", "failed")
                return
            step |= {"ended": at + 1.0, "outcome": "done"}
            self.tell("resource.ready", subject, operation=operation, resource=name)
        if ends == "COMPLETED":
            self._completed(self.operations[operation])
        self._move(operation, ends)

    def _completed(self, operation: Document) -> None:
        vnf = self.vnfs[operation["vnfInstanceId"]]
        if operation["operation"] == "INSTANTIATE":
            vnf["instantiationState"] = "INSTANTIATED"
            vnf["instantiatedVnfInfo"] = {
                "flavourId": operation["operationParams"]["flavourId"],
                "vnfState": "STARTED",
                "scaleStatus": [{"aspectId": "servers", "scaleLevel": 1}],
                "vnfcInfo": [
                    {"id": "servers-k1", "vduId": "servers", "vnfcResourceInfoId": "a1", "vnfcState": "STARTED"},
                    {"id": "servers-k2", "vduId": "servers", "vnfcState": "STOPPED"},
                ],
                "vnfcResourceInfo": [{"id": "a1", "vduId": "servers", "computeResource": {"resourceId": "c0ffee"}}],
            }
        elif operation["operation"] == "TERMINATE":
            vnf["instantiationState"] = "NOT_INSTANTIATED"
            vnf.pop("instantiatedVnfInfo", None)

    def _stop(self, operation: str, step: Document, code: str, detail: str, outcome: str) -> None:
        card = {
            "code": code,
            "detail": detail,
            "resource": step["name"],
            "cause": "manifest for frr:1 not found",
            "left": "the network inner",
            "remedy": "Load the image, then retry.",
        }
        step |= {"ended": step["started"] + 0.5, "outcome": outcome, "error": card}
        self.operations[operation]["error"] = {"status": 502, **card}
        self._move(operation, "FAILED_TEMP")

    def _move(self, operation: str, state: str) -> None:
        found, timeline = self.operations[operation], self.timelines[operation]
        found["operationState"] = timeline["state"] = state
        if state not in _OPEN:
            timeline["ended"] = timeline["started"] + len(timeline["steps"])
        self.tell("operation.state", found["vnfInstanceId"], operation=operation)

    def fail(self, operation: str) -> Document:
        self._move(operation, "FAILED")
        return self.operations[operation]

    async def _released(self) -> None:
        while self.faults.hold:  # noqa: ASYNC110 - another thread lets go
            await asyncio.sleep(0.005)

    def spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
