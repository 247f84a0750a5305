"""An author's desk: the small package of the tests as a folder, to be spoilt."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.support.packages import VNFD, small_package

__all__ = ["SMALL", "lay_out", "line_of", "spoilt"]

SMALL = "Definitions/small.yaml"


def lay_out(folder: Path, vnfd: str = VNFD) -> Path:
    """The small package below `folder`."""
    with zipfile.ZipFile(io.BytesIO(small_package(vnfd))) as archive:
        archive.extractall(folder)
    return folder


def spoilt(right: str, wrong: str, vnfd: str = VNFD) -> str:
    """The descriptor with its one `right` made `wrong`."""
    assert vnfd.count(right) == 1, right
    return vnfd.replace(right, wrong)


def line_of(text: str, vnfd: str) -> int:
    """The line, counted from 1, in which `text` stands."""
    return vnfd[: vnfd.index(text)].count("\n") + 1
