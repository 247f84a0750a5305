"""An operation as it goes on: a live view on a terminal, one line for each step that moves elsewhere (logs, pipes).

Both are made from the timeline, read each time the operation is, so they show what the journal knows and no more. A
timeline that cannot be read at the moment is left out: progress must never be the reason why a wait ends.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fairlead.cli.invocation import Invocation
from fairlead.cli.steps import Step, steps_of
from fairlead.client import at_rest
from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

__all__ = ["Progress", "UploadProgress"]

Document = dict[str, Any]
_DETAIL_LINES = 5


class Progress:
    """Watches one operation (see `fairlead.client.Watching`) and shows it on standard error."""

    def __init__(self, invocation: Invocation, operation: str, *, now: Callable[[], float] = time.time) -> None:
        self._invocation = invocation
        self._operation = operation
        self._now = now
        self._state: str | None = None
        self._seen: dict[tuple[int, str], str] = {}
        self._trouble = False
        self._live: Live | None = None
        self._document: Document = {}
        self._timeline: Document = {}

    def __enter__(self) -> Progress:
        if sys.stderr.isatty() and self._invocation.output == "table":
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True, no_color=self._invocation.no_color or None, highlight=False)
            self._live = Live(console=console, get_renderable=self._view, refresh_per_second=5, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def read(self, document: Document) -> None:
        """The operation as it stands now."""
        self._document = document
        try:
            self._timeline = self._invocation.client.operations.timeline(self._operation)
        except FairleadError:
            self._timeline = self._timeline or {}
        if self._live is None:
            self._tell()

    def trouble(self, error: FairleadError | None) -> None:
        """The server does not answer, or does so again."""
        was, self._trouble = self._trouble, error is not None
        if self._live is None and was != self._trouble:
            words = "The server does not answer; trying again." if self._trouble else "The server answers again."
            self._invocation.note(words)

    def _tell(self) -> None:
        steps = steps_of(self._timeline)
        begun = self._timeline.get("started") or 0.0
        if self._state is None:
            # What earlier attempts came to was told when they ended.
            self._seen = {step.key: step.words for step in steps if step.key[0] < self._timeline.get("attempt", 0)}
        if not at_rest(self._document):
            self._tell_state(begun)
        for step in steps:
            if step.words == self._seen.get(step.key, "waiting"):
                continue
            self._seen[step.key] = step.words
            if step.words == "asked":
                continue
            at = max((mark for mark in (step.started, step.accepted, step.ended) if mark is not None), default=begun)
            self._invocation.note(f"{max(at - begun, 0):7.1f} s  {step.sign} {step.name}  {step.words}")
        self._tell_state(begun)

    def _tell_state(self, begun: float) -> None:
        state = str(self._document.get("operationState"))
        if state != self._state:
            self._state = state
            entered = _seconds(self._document.get("stateEnteredTime")) or begun
            self._invocation.note(f"{max(entered - begun, 0):7.1f} s  {self._document.get('operation', '')} {state}")

    def _view(self) -> RenderableType:
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        now = self._now()
        steps = steps_of(self._timeline)
        begun = self._timeline.get("started") or now
        done = sum(step.outcome == "done" for step in steps)
        head = f" {self._document.get('operation', 'operation')} {self._document.get('operationState', '')}"
        under_way = sum(step.running for step in steps)
        head += f"  {max(now - begun, 0):.0f} s  {done} steps done, {under_way} under way  (Ctrl-C detaches)"
        grid = Table.grid(padding=(0, 2))
        grid.add_row(Spinner("dots", text=Text(head, style="bold")))
        if self._trouble:
            grid.add_row(Text("The server does not answer; trying again.", style="yellow"))
        lines = Table.grid(padding=(0, 2))
        for step in _worth_showing(steps, self._room()):
            taken = step.seconds(now)
            colour = "red" if step.failed else "green" if step.ended is not None else "yellow"
            figures = "" if taken is None else f"{taken:.1f} s"
            lines.add_row(
                Text(f"  {step.sign} {step.name}"), Text(step.words, style=colour), Text(figures, justify="right")
            )
        grid.add_row(lines)
        return grid

    def _room(self) -> int:
        height = self._live.console.size.height if self._live is not None else 24
        return max(height - 4, _DETAIL_LINES)


def _seconds(moment: Any) -> float | None:
    """Seconds since the epoch of a time as ETSI's documents have it."""
    try:
        return datetime.fromisoformat(str(moment)).timestamp()
    except ValueError:
        return None


def _worth_showing(steps: list[Step], room: int) -> list[Step]:
    """As many steps as there is room for: failures and what is under way first, then what ended last, in their order."""
    begun = [step for step in steps if step.started is not None]
    urgent = sorted(begun, key=lambda step: (not step.failed, step.ended is not None, -(step.ended or 0.0)))[:room]
    chosen = {step.key for step in urgent}
    return [step for step in begun if step.key in chosen]


class UploadProgress:
    """A bar on a terminal while a file goes to the server; nothing elsewhere."""

    def __init__(self, invocation: Invocation, size: int) -> None:
        self._size = size
        self._bar: Any = None
        if sys.stderr.isatty() and invocation.output == "table":
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
            from rich.progress import Progress as Bars

            console = Console(stderr=True, no_color=invocation.no_color or None)
            columns = (TextColumn("Uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._bar = Bars(*columns, console=console, transient=True)

    def __enter__(self) -> UploadProgress:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("", total=self._size)
        return self

    def sent(self, total: int) -> None:
        """`total` bytes have gone."""
        if self._bar is not None:
            self._bar.update(self._task, completed=total)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
