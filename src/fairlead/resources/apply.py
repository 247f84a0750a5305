"""Walk a plan's graph: start each step when all that it is after is done, as many at once as there are.

This is the only apply path of the program, for every operation of every sort of instance. It knows steps, deadlines,
failure and cancel, and nothing of what an operation is called. A failure stops the start of further steps
(`OnFailure.STOP`) or leaves out only what depends on the failed one (`ISOLATE`). What was in flight has been written
down, so that a later diff finds it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import StrEnum

import msgspec

from fairlead.errors import Cancelled, DeadlineExceeded, FairleadError, StoreUnavailable, Superseded, Unprocessable
from fairlead.resources.calls import Calls, noted
from fairlead.resources.kinds import Cancellation, CancelMode, Journal, Vims
from fairlead.resources.plan import Do, Plan, Step, StepId, knot
from fairlead.resources.procedures import Procedures

__all__ = ["Applied", "Failure", "OnFailure", "apply"]


class OnFailure(StrEnum):
    """What a failed step means for the others."""

    STOP = "stop"
    ISOLATE = "isolate"


class Failure(msgspec.Struct, frozen=True):
    """A step that failed, and with what."""

    step: Step
    error: Exception


class Applied(msgspec.Struct, frozen=True):
    """What came of applying a plan. `left_out` has the steps that were not begun, or not finished."""

    done: frozenset[StepId]
    failures: tuple[Failure, ...]
    left_out: frozenset[StepId]
    cancelled: CancelMode | None

    @property
    def complete(self) -> bool:
        """True when every step was done."""
        return not self.failures and not self.left_out


async def _no_actions(step: Step) -> None:
    raise Unprocessable(
        f"Nothing here can do the action '{step.action.kind if step.action else step.id}'.", code="action-not-supported"
    )


async def apply(
    plan: Plan,
    vims: Vims,
    journal: Journal,
    *,
    cancel: Cancellation,
    on_failure: OnFailure = OnFailure.STOP,
    perform: Callable[[Step], Awaitable[None]] = _no_actions,
) -> Applied:
    """Bring `plan` about and say what came of it.

    `perform` does the actions that are not a kind's own. Raises Superseded or StoreUnavailable, after stopping
    everything, when this worker may not, or cannot, go on writing.
    """
    return await _Run(plan, vims, journal, cancel, on_failure, perform).walk()


class _Run:
    def __init__(
        self,
        plan: Plan,
        vims: Vims,
        journal: Journal,
        cancel: Cancellation,
        on_failure: OnFailure,
        perform: Callable[[Step], Awaitable[None]],
    ) -> None:
        self._steps = {step.id: step for step in plan.steps}
        self._waiting = {step.id: set(step.after) & self._steps.keys() for step in plan.steps}
        self._followers: dict[StepId, list[StepId]] = {}
        for step, earlier in self._waiting.items():
            for other in earlier:
                self._followers.setdefault(other, []).append(step)
        self._plan, self._vims, self._journal = plan, vims, journal
        self._cancel, self._on_failure, self._perform = cancel, on_failure, perform
        self._halted = asyncio.Event()
        self._done: set[StepId] = set()
        self._failures: list[Failure] = []
        self._running: dict[asyncio.Task[None], Step] = {}

    async def walk(self) -> Applied:
        if tied := knot(self._steps.values()):
            raise FairleadError(f"Steps of the plan wait for each other: {', '.join(step.id for step in tied)}.")
        records = await self._journal.records()
        calls = Calls(self._vims, self._halted, self._cancel.forceful)
        procedures = Procedures(self._plan, dict(records.current), self._vims, self._journal, calls, self._perform)
        ready = deque(step for step, earlier in self._waiting.items() if not earlier)
        watch = asyncio.ensure_future(self._halt_when_forced())
        try:
            while True:
                while ready and self._may_begin():
                    step = self._steps[ready.popleft()]
                    self._running[asyncio.create_task(self._run(procedures, calls, step))] = step
                if not self._running:
                    break
                finished, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    ready.extend(await self._finish(task, self._running.pop(task)))
        finally:
            watch.cancel()
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
        left_out = frozenset(self._steps) - self._done - {failure.step.id for failure in self._failures}
        return Applied(frozenset(self._done), tuple(self._failures), left_out, self._cancel.mode())

    def _may_begin(self) -> bool:
        stopped = self._failures and self._on_failure is OnFailure.STOP
        return not stopped and self._cancel.mode() is None

    async def _halt_when_forced(self) -> None:
        await self._cancel.forceful()
        self._halted.set()

    async def _finish(self, task: asyncio.Task[None], step: Step) -> list[StepId]:
        """Note the outcome of a step; return the steps that can begin now."""
        error = task.exception()
        if error is None:
            self._done.add(step.id)
            freed = []
            for follower in self._followers.get(step.id, ()):
                self._waiting[follower].discard(step.id)
                if not self._waiting[follower]:
                    freed.append(follower)
            return freed
        if isinstance(error, Superseded | StoreUnavailable) or not isinstance(error, Exception):
            raise error
        await self._journal.failed(step, error)
        if not isinstance(error, Cancelled):
            self._failures.append(Failure(step, error))
            if self._on_failure is OnFailure.STOP:
                self._halted.set()
        return []

    async def _run(self, procedures: Procedures, calls: Calls, step: Step) -> None:
        """One step, from its first line in the journal to its last, within its deadline."""
        if step.do is Do.BARRIER:
            return
        await self._journal.started(step, self._vims.now() + step.patience)
        work = asyncio.ensure_future(procedures.run(step))
        work.add_done_callback(noted)
        alarm = asyncio.ensure_future(self._vims.sleep(step.patience))
        try:
            await asyncio.wait((work, alarm), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise _late(step, calls.seen.get(step.name) if step.name else None)
            work.result()
        finally:
            alarm.cancel()
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
        await self._journal.ended(step)


def _late(step: Step, seen: str | None) -> FairleadError:
    return DeadlineExceeded(
        f"'{step.id}' was not done within {step.patience:g} s.",
        resource=step.name,
        cause=seen,
        remedy="Retry the operation to go on waiting, or roll it back.",
    )
