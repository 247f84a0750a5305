"""The seam between the engine and everything that does I/O for it.

`Kind` is how one sort of resource lives in one type of VIM; `Vims` finds kinds, limits how many calls a VIM gets at
once and waits; `Journal` writes down what is about to be done and what came of it. Real and simulated infrastructures
are peers behind these protocols, and so are the stored journal and the one that tests keep in memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec

from fairlead.resources.names import Handle, Incarnation, Outputs, Tag, VimId
from fairlead.resources.plan import Action, Step
from fairlead.resources.records import Recorded, Records, Resource
from fairlead.resources.rules import Rulebook, Rules
from fairlead.resources.specs import Spec
from fairlead.resources.values import SecretRef

__all__ = [
    "CancelMode",
    "Cancellation",
    "Failed",
    "Gone",
    "Intent",
    "Journal",
    "Kind",
    "Observed",
    "Pending",
    "Ready",
    "Status",
    "Vims",
]

S = TypeVar("S", bound=Spec)

Observed = dict[str, Any]
"""What a VIM says of one thing, in the VIM's own words."""


class Pending(msgspec.Struct, frozen=True):
    """Accepted, not ready yet."""

    detail: str = ""


class Ready(msgspec.Struct, frozen=True):
    """Ready for use; `outputs` is what references to it resolve to."""

    outputs: Outputs


class Failed(msgspec.Struct, frozen=True):
    """It will not become ready; `reason` is in the VIM's own words, `console` the end of what the machine printed.

    `code` is for reasons that have one of their own. `mendable` says that an update may still bring it to what is wanted,
    so one that failed leaves it as it was: to be updated. `undead` says that it is its deletion that failed. `request` is
    the id under which the VIM's log has what went wrong.
    """

    reason: str
    console: str | None = None
    code: str | None = None
    mendable: bool = False
    undead: bool = False
    request: str | None = None


class Gone(msgspec.Struct, frozen=True):
    """There is no such thing (any more)."""


Status = Pending | Ready | Failed | Gone


class Kind(Rules[S], Protocol[S]):
    """How one sort of resource lives in one type of VIM.

    Specs that are handed to a kind have their references and secrets resolved. Every method that makes a call raises
    VimUnavailable when the call may be repeated, and another VimError when that would not help.
    """

    @property
    def settling(self) -> float:
        """Seconds after which a thing that was created is sure to be found by its tag; 0 where tags are atomic."""
        ...

    async def create(self, resource: Resource[S], tag: Tag) -> Handle:
        """Ask for it and return its handle once the VIM has accepted; it need not be ready."""
        ...

    async def find(self, tag: Tag, resource: Resource[S]) -> Handle | None:
        """The thing that carries exactly this tag."""
        ...

    async def read(self, handle: Handle) -> Observed | None:
        """What the VIM says of it now; None when it has no such thing."""
        ...

    def status(self, observed: Observed | None) -> Status:
        """What the VIM's words mean; pure."""
        ...

    def settled(self, observed: Observed, spec: S) -> bool:
        """Whether what is observed has the changeable properties of `spec`, as its power state; pure."""
        ...

    async def update(self, handle: Handle, old: S, new: S) -> None:
        """Bring it from `old`, or from anywhere between the two, to `new`; may be repeated."""
        ...

    async def delete(self, handle: Handle) -> None:
        """Ask for its end; succeeds when it is gone already."""
        ...

    async def perform(self, handle: Handle, action: Action) -> None:
        """Do `action` to it.

        Raises Unprocessable (`action-not-supported`) when this kind has no such action.
        """
        ...


class Vims(Rulebook, Protocol):
    """The infrastructures that a plan touches."""

    def kind(self, resource: Resource[Any]) -> Kind[Any]:
        """The kind of this resource in its VIM."""
        ...

    def slot(self, vim: VimId, since: float = 0.0) -> AbstractAsyncContextManager[None]:
        """Entered around every call; bounds how many a VIM gets at once. `since` is when what the call is for began: where
        calls have to wait, what is older goes first."""
        ...

    async def wait(
        self, resource: Resource[Any], handle: Handle, done: Callable[[Status, Observed | None], bool]
    ) -> Status:
        """Return the status as soon as `done` holds of it; shares one watcher per VIM among all who wait."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        ...


class Intent(msgspec.Struct, frozen=True):
    """The answer to an intent.

    `tag` is what the thing must carry. `repeated` says that an earlier attempt under this incarnation may have reached
    the VIM, `since` when that was. `handle` is known when the VIM had accepted it before. `busy` means that another
    operation is creating this shared thing: ask again.
    """

    tag: Tag
    repeated: bool = False
    since: float = 0.0
    handle: Handle | None = None
    busy: bool = False


class Journal(Protocol):
    """Writes down what is about to be done, and what came of it.

    Every method that precedes a call to a VIM raises Superseded, in the same statement that would have written, when
    another worker has taken the operation over. Each may be called again for the same step, before the call is made
    again because the VIM did not answer.
    """

    async def records(self) -> Records:
        """All rows of the instance."""
        ...

    async def started(self, step: Step, deadline: float) -> None:
        """The step begins; it may take until `deadline`."""
        ...

    async def progressed(self, step: Step, words: str) -> None:
        """A call of the step, which takes long, says how far it is."""
        ...

    async def ended(self, step: Step) -> None:
        """The step is done."""
        ...

    async def failed(self, step: Step, error: Exception) -> None:
        """The step failed."""
        ...

    async def intend(self, step: Step, resource: Resource[Any], *, afresh: bool = False) -> Intent:
        """A call that creates is about to be made.

        `afresh` gives up an incarnation that was searched for and not found, and gives out a new one.
        """
        ...

    async def refused(self, step: Step, incarnation: Incarnation) -> None:
        """The VIM has refused to create it: what there is of it, if anything, shows at the first look."""
        ...

    async def accepted(self, step: Step, incarnation: Incarnation, handle: Handle) -> None:
        """The VIM has accepted it."""
        ...

    async def ready(self, step: Step, incarnation: Incarnation, resource: Resource[Any], outputs: Outputs) -> None:
        """It is ready; `resource` is as wanted, with what must survive pinned."""
        ...

    async def broken(self, step: Step, incarnation: Incarnation) -> None:
        """The VIM says that it will not become ready."""
        ...

    async def updating(self, step: Step, incarnation: Incarnation, resource: Resource[Any]) -> None:
        """A call that changes it towards `resource` is about to be made."""
        ...

    async def leaving(self, step: Step, incarnation: Incarnation) -> bool:
        """A call that deletes it is about to be made; False when others still use it and only our use has ended.

        For a member, the call may be its composite's update, before `step` begins.
        """
        ...

    async def gone(self, step: Step, incarnation: Incarnation) -> None:
        """It is gone; its row goes too."""
        ...

    async def claimed(self, step: Step, resource: Resource[Any]) -> Recorded[Any]:
        """Move a pool's member to this instance, in one transaction."""
        ...

    async def released(self, step: Step, incarnation: Incarnation) -> None:
        """Move a claimed resource back to its pool, in one transaction."""
        ...

    async def performing(self, step: Step, action: Action) -> bool:
        """An action is about to be done; False when it is known to have been done.

        Raises OutcomeUnknown when it may have been done, must not be repeated, and has no key by which its receiver
        could tell.
        """
        ...

    async def performed(self, step: Step, action: Action) -> None:
        """The action was done."""
        ...

    def tag(self, row: Recorded[Any]) -> Tag:
        """What the thing of `row` carries in its VIM."""
        ...

    def reveal(self, secret: SecretRef) -> str:
        """The secret's value, for the specs that are handed to kinds."""
        ...


class CancelMode(StrEnum):
    """How a running operation is to stop (SOL003 clause 5.6.2, cancelMode)."""

    GRACEFUL = "GRACEFUL"
    """Finish the steps that have begun, begin no other."""
    FORCEFUL = "FORCEFUL"
    """Stop waiting at once."""


class Cancellation(Protocol):
    """Whether, and how, the user wants the operation to stop."""

    def mode(self) -> CancelMode | None:
        """The mode asked for; None while nobody asked."""
        ...

    def forceful(self) -> Awaitable[None]:
        """Completes when a forceful cancel was asked for."""
        ...
