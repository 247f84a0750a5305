"""Which part of a content a Range header asks for."""

from __future__ import annotations

import pytest

from fairlead.api.ranges import wanted_range
from fairlead.errors import RangeNotSatisfiable


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("Bytes = 99 - 99", (99, 100)),
        ("lines=1-2", None),
        ("bytes=20-10", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes", None),
    ],
)
def test_one_range_is_understood_and_what_is_none_is_read_over(header: str | None, found: object) -> None:
    assert wanted_range(header, 100) == found


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=1000-2000", "bytes=-0", "bytes=0-1,5-6"])
def test_a_range_outside_and_several_at_once_are_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as caught:
        wanted_range(header, 100)
    assert caught.value.more == {"size": 100}


def test_nothing_has_no_ranges() -> None:
    with pytest.raises(RangeNotSatisfiable):
        wanted_range("bytes=0-", 0)
