"""One instance of a network function, operated at random for as long as the soak lasts, and ended then.

Each life is a thread with a chance of its own. What it does is a user's work: begin an operation, wait, look at what came of
it, and decide about one that stopped. After each operation it compares rows and engine for its own instance, for which
nothing else happens at that moment. A failure for which there was no reason is a violation as much as a leak is.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from fairlead.client import Client, Document, at_rest
from fairlead.errors import FairleadError, NotFound, RequestError, ServerUnreachable, StillRunning
from tests.soak.checking import Checker
from tests.soak.models import TAKEN, Model
from tests.soak.tally import Tally

__all__ = ["Life"]

T = TypeVar("T")
_PATIENCE = 240.0
"""Seconds for an operation to come to rest; a kill costs some, and so do timeouts of the engine on a busy machine."""
_AWAY = 90.0
"""Seconds for which the server may be away."""
_RETRIES = 4


class Over(Exception):
    """This life cannot go on; the reason has been told as a violation."""


class Life(threading.Thread):
    """See above. `address` is its own on the operator's network."""

    patience = _PATIENCE

    def __init__(
        self,
        model: Model,
        address: str,
        client: Client,
        checker: Checker,
        tally: Tally,
        chance: random.Random,
        until: float,
    ) -> None:
        super().__init__(name=model.name, daemon=True)
        self._model = model
        self._address = address
        self._client = client
        self._checker = checker
        self._tally = tally
        self._chance = chance
        self._until = until
        self._number = 0
        self._vnf = ""
        self._asked_for_failure = False
        self._cancelled = False

    def run(self) -> None:
        try:
            self._create()
            while time.monotonic() < self._until:
                self._do_something()
            self._end()
        except Over:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the soak has failed and says so
            self._tally.violate(
                f"{self.name}: {type(error).__name__}: {error}", traceback.format_exc().splitlines()[-12:]
            )

    # -- the instance ------------------------------------------------------------------------------------------------

    def _create(self) -> None:
        self._number += 1
        name = f"{self._model.name} {self._number}"
        request = {"vnfdId": self._model.vnfd, "vnfInstanceName": name}
        while not self._vnf:
            try:
                self._vnf = str(self._ask(lambda: self._client.vnfs.create(request), once=True)["id"])
            except ServerUnreachable:
                # The answer was lost: whether it was created is in the list.
                if self._exists(name):
                    self._vnf = str(self._ask(lambda: self._client.vnfs.find(name))["id"])

    def _exists(self, name: str) -> bool:
        return any(one.get("vnfInstanceName") == name for one in self._ask(lambda: list(self._client.vnfs.list())))

    def _remove(self) -> None:
        # It is gone already when the answer to an earlier try was lost.
        with contextlib.suppress(NotFound):
            self._ask(lambda: self._client.vnfs.delete(self._vnf))
        self._vnf = ""

    def _end(self) -> None:
        """Terminate and delete it."""
        for _ in range(_RETRIES):
            if self._show()["instantiationState"] == "NOT_INSTANTIATED" and not self._checker.rows_of(self._vnf):
                return self._remove()
            self._operate("terminate", {"terminationType": "FORCEFUL"}, calm=True)
        self._tally.violate(f"{self.name}: {self._vnf} could not be terminated")
        return None

    def _show(self) -> Document:
        return self._ask(lambda: self._client.vnfs.show(self._vnf))

    # -- choosing ----------------------------------------------------------------------------------------------------

    def _do_something(self) -> None:
        shown = self._show()
        if shown["instantiationState"] == "NOT_INSTANTIATED":
            if self._checker.rows_of(self._vnf):
                return self._operate("terminate", {"terminationType": "FORCEFUL"})
            if self._chance.random() < 0.15:
                self._remove()
                self._create()
            return self._instantiate()
        info = shown["instantiatedVnfInfo"]
        choices: list[tuple[float, Callable[[], None]]] = [
            (3.0, lambda: self._scale(info)),
            (1.5, lambda: self._scale_to_level()),
            (2.0, lambda: self._heal(info)),
            (1.5, lambda: self._power(info)),
            (0.5, lambda: self._operate("modify", {"metadata": {"number": str(self._chance.randrange(1000))}})),
            (1.0, lambda: self._terminate()),
        ]
        if self._checker.harmed(self._vnf):
            choices.append((8.0, lambda: self._heal(info)))
        weights = [weight for weight, _ in choices]
        return self._chance.choices([act for _, act in choices], weights)[0]()

    def _instantiate(self) -> None:
        self._asked_for_failure = self._chance.random() < 0.12
        address = TAKEN if self._asked_for_failure else self._address
        self._operate("instantiate", self._model.instantiate(address, None))

    def _scale(self, info: Document) -> None:
        out = self._chance.random() < 0.5
        request = {"type": "SCALE_OUT" if out else "SCALE_IN", "aspectId": self._model.aspect, "numberOfSteps": 1}
        self._operate("scale", request)

    def _scale_to_level(self) -> None:
        level = self._chance.randrange(self._model.most - self._model.least + 1)
        self._operate("scale_to_level", {"scaleInfo": [{"aspectId": self._model.aspect, "scaleLevel": level}]})

    def _heal(self, info: Document) -> None:
        members = [one["id"] for one in info.get("vnfcResourceInfo", ())]
        chosen = self._chance.sample(members, self._chance.randint(1, len(members))) if members else []
        whole = not chosen or self._chance.random() < 0.3
        self._operate("heal", {} if whole else {"vnfcInstanceId": chosen})

    def _power(self, info: Document) -> None:
        stop = info.get("vnfState") == "STARTED"
        request: dict[str, Any] = {"changeStateTo": "STOPPED" if stop else "STARTED"}
        if stop and self._chance.random() < 0.5:
            request |= {"stopType": "GRACEFUL", "gracefulStopTimeout": 5}
        self._operate("operate", request)

    def _terminate(self) -> None:
        graceful = self._chance.random() < 0.3
        request: dict[str, Any] = {"terminationType": "GRACEFUL" if graceful else "FORCEFUL"}
        self._operate("terminate", {**request, "gracefulTerminationTimeout": 5} if graceful else request)

    # -- one operation -----------------------------------------------------------------------------------------------

    def _operate(self, kind: str, request: dict[str, Any], *, calm: bool = False) -> None:
        """Begin an operation and see it to its end. `calm` is without cancelling it or giving it up."""
        operation = self._begin(kind, request)
        if operation is None:
            return
        self._tally.accept(operation, kind)
        self._cancelled = False
        self._meanwhile(kind, operation, calm=calm)
        done = self._rest(operation)
        attempts = 0
        while done["operationState"] == "FAILED_TEMP":
            attempts += 1
            self._stopped(kind, operation, done)
            self._decide(operation, attempts, calm=calm)
            done = self._rest(operation)
        state = str(done["operationState"])
        if state == "ROLLED_BACK" and attempts == 0:
            self._stopped(kind, operation, done)
        self._tally.end(kind, state)
        self._asked_for_failure = False
        self._checker.at_rest(self._vnf, f"{kind} {operation} ended in {state}", state, self._model)

    def _meanwhile(self, kind: str, operation: str, *, calm: bool) -> None:
        """What befalls an operation that has begun."""
        if not calm and self._chance.random() < 0.1:
            self._cancel(operation)

    def _begin(self, kind: str, request: dict[str, Any]) -> str | None:
        """The operation's id; None when it was refused, or was never received."""
        before = {one["id"] for one in self._operations()}
        try:
            return self._ask(lambda: self._client.vnfs.begin(self._vnf, kind, request), once=True)
        except RequestError as error:
            self._tally.refuse(error.code)
            if error.code == "operation-in-progress":
                self._tally.violate(f"{self.name}: {kind} refused: {error.detail}", self._told_operations())
                raise Over from None
            return None
        except ServerUnreachable:
            # The answer was lost: whether it was accepted is in the list.
            found = [one for one in self._operations() if one["id"] not in before]
            self._tally.count("answers lost")
            return str(found[0]["id"]) if found else None

    def _operations(self) -> list[Document]:
        return self._ask(lambda: list(self._client.operations.list(filter=f"(eq,vnfInstanceId,{self._vnf})")))

    def _told_operations(self) -> list[str]:
        return [f"{one['id']} {one['operation']} {one['operationState']}" for one in self._operations()]

    def _cancel(self, operation: str) -> None:
        time.sleep(self._chance.uniform(0.0, 1.0))
        forceful = self._chance.random() < 0.5
        try:
            self._ask(lambda: self._client.operations.cancel(operation, forceful=forceful))
        except RequestError as error:
            self._tally.refuse(error.code)
        else:
            self._tally.count("cancels")
            self._cancelled = True

    def _rest(self, operation: str) -> Document:
        """The operation once nothing happens to it by itself. A kill costs time, and must cost nothing else."""
        end = time.monotonic() + self.patience
        while True:
            try:
                done = self._client.operations.wait(operation, timeout=max(end - time.monotonic(), 0.1))
            except StillRunning:
                shown = self._ask(lambda: self._client.operations.timeline(operation))
                open_steps = [str(step) for step in shown["steps"] if step["outcome"] is None]
                self._tally.violate(f"{self.name}: {operation} has not come to rest in {self.patience:g} s", open_steps)
                raise Over from None
            except ServerUnreachable:
                if time.monotonic() > end:
                    raise
                continue
            if at_rest(done):
                return done

    def _stopped(self, kind: str, operation: str, done: Document) -> None:
        """Note why an operation stopped; without a reason of ours it must not."""
        error = done.get("error") or {}
        code = str(error.get("code") or error.get("title") or "?")
        self._tally.stop(code)
        if code == "internal-error" or not self._excused():
            self._tally.violate(
                f"{self.name}: {kind} {operation} of {self._vnf} stopped without a reason", [str(error)]
            )

    def _excused(self) -> bool:
        """Whether an operation of it may stop now."""
        return self._asked_for_failure or self._cancelled or self._checker.harmed(self._vnf)

    def _decide(self, operation: str, attempts: int, *, calm: bool) -> None:
        """Retry, roll back or give up an operation that has stopped."""
        action = self._chance.choices(["retry", "rollback", "fail"], [4, 4, 0 if calm else 1])[0]
        if self._asked_for_failure and action == "retry" and attempts > 1:
            action = "rollback"
        if attempts > _RETRIES:
            action = "fail"
        if attempts > _RETRIES + 1:
            self._tally.violate(f"{self.name}: {operation} stops again and again")
            raise Over
        self._tally.count(action)
        self._cancelled = False
        try:
            if action == "retry":
                self._ask(lambda: self._client.operations.retry(operation))
            elif action == "rollback":
                self._ask(lambda: self._client.operations.rollback(operation))
            else:
                self._ask(lambda: self._client.operations.fail(operation))
        except RequestError as error:
            # The answer to an earlier try was lost, and it has gone on since.
            self._tally.refuse(error.code)

    # -- asking ------------------------------------------------------------------------------------------------------

    def _ask(self, call: Callable[[], T], *, once: bool = False) -> T:
        """What `call` answers. A server that is away is asked again; with `once`, not when it may have heard."""
        end = time.monotonic() + _AWAY
        while True:
            try:
                return call()
            except ServerUnreachable as error:
                if time.monotonic() > end or (once and error.code == "no-answer"):
                    raise
            except RequestError:
                raise
            except FairleadError as error:
                if not error.retryable or time.monotonic() > end:
                    raise
            time.sleep(0.1)
