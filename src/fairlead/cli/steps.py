"""The steps of a timeline as what a display needs to know of them. Pure: shared by the live view and the chart.

A step has at most three moments: when it was started (the request went to the infrastructure), accepted (the
infrastructure took it) and ended (ready, gone, done or failed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Step", "steps_of"]

_SIGNS = {
    "create": "+",
    "claim": "<",
    "update": "~",
    "delete": "-",
    "forget": "-",
    "drop": "-",
    "release": ">",
    "act": "!",
    "barrier": "|",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one attempt; times are seconds since the epoch, None for what has not happened."""

    key: tuple[int, str]
    name: str
    verb: str
    started: float | None
    accepted: float | None
    progress: str
    ended: float | None
    outcome: str
    error: Mapping[str, Any] | None
    current: bool
    """Whether somebody may still be at it: its operation runs, and it is of the latest attempt."""

    @property
    def sign(self) -> str:
        return _SIGNS.get(self.verb, "·")

    @property
    def failed(self) -> bool:
        return self.outcome == "failed" or (self.error is not None and self.outcome != "interrupted")

    @property
    def running(self) -> bool:
        """Begun, not ended, and still somebody's work."""
        return self.current and self.started is not None and self.ended is None

    @property
    def phase(self) -> str:
        """`waiting`, `asked`, `accepted`, `failed`, `unfinished` (its worker is gone), or how it ended."""
        if self.failed:
            return "failed"
        if self.ended is not None:
            return self.outcome or "done"
        if self.started is not None and not self.current:
            return "unfinished"
        if self.accepted is not None:
            return "accepted"
        return "waiting" if self.started is None else "asked"

    @property
    def words(self) -> str:
        """The phase, and how far it is or why it failed."""
        if self.failed:
            return f"{self.phase}  {self.reason}"
        return f"{self.phase}  {self.progress}" if self.running and self.progress else self.phase

    @property
    def reason(self) -> str:
        """Why it failed, in one line."""
        if self.error is None:
            return ""
        words = self.error.get("cause") or self.error.get("detail") or ""
        return ": ".join(str(part) for part in (self.error.get("code"), " ".join(str(words).split())) if part)

    def seconds(self, now: float) -> float | None:
        """How long it has taken, so far or altogether; None when that is not known."""
        if self.started is None or (self.ended is None and not self.running):
            return None
        return max((self.ended if self.ended is not None else now) - self.started, 0.0)


def steps_of(timeline: Mapping[str, Any]) -> list[Step]:
    """The steps in a timeline document, those that started first at the top."""
    latest = int(timeline.get("attempt") or 0)
    runs = timeline.get("ended") is None and timeline.get("state") != "FAILED_TEMP"
    found = [_step(item, runs, latest) for item in timeline.get("steps", ())]
    return sorted(found, key=lambda step: (step.started is None, step.started or 0.0, step.ended or float("inf")))


def _step(item: Mapping[str, Any], runs: bool, latest: int) -> Step:
    attempt, error = int(item.get("attempt") or 0), item.get("error")
    return Step(
        key=(attempt, str(item["id"])),
        name=str(item.get("name") or item["id"]),
        verb=str(item.get("verb") or ""),
        started=item.get("started"),
        accepted=item.get("accepted"),
        progress=str(item.get("progress") or ""),
        ended=item.get("ended"),
        outcome=str(item.get("outcome") or ""),
        error=error if isinstance(error, Mapping) else {"detail": str(error)} if error else None,
        current=runs and attempt >= latest,
    )
