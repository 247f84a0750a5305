"""A real container engine, everything on it that a test made removed afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.subjects import ContainersSubject, engine_url


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[ContainersSubject]:
    """The driver on the engine that FAIRLEAD_TEST_CONTAINERS names."""
    real = ContainersSubject(tmp_path, engine_url())
    yield real
    asyncio.run(real.clean())
