"""Each driver in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.subject import Subject
from tests.contract.subjects import ContainersSubject, SimulatedSubject, engine_url


@pytest.fixture(params=["simulated", pytest.param("containers", marks=pytest.mark.containers)])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Each driver in turn."""
    if request.param == "simulated":
        yield SimulatedSubject(tmp_path)
        return
    real = ContainersSubject(tmp_path, engine_url())
    yield real
    asyncio.run(real.clean())
