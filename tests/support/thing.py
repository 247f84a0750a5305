"""One thing in a VIM, as somebody else than Fairlead sees it there."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Thing"]


@dataclass(frozen=True)
class Thing:
    """One thing with a tag of Fairlead's."""

    sort: str
    handle: str
    deployment: str
    owner: str
    name: str
    incarnation: str
    running: bool = True
