"""A way to run the program in a test of VNFs: as for operations, with the small package onboarded."""

from __future__ import annotations

from tests.operations.conftest import Start, sqlite_url, start, start_small

__all__ = ["Start", "sqlite_url", "start", "start_small"]
