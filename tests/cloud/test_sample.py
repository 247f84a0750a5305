"""The sample on a real OpenStack, as its README tells it: real traffic through real guests, one of which is killed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.cloud

DEMO = Path(__file__).parents[2] / "scripts" / "demo"


def test_the_sample_is_instantiated_healed_scaled_and_terminated_with_traffic() -> None:
    done = subprocess.run([str(DEMO), "--cloud"], capture_output=True, text=True, check=False, timeout=900)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "no server, network, port, volume or image is left" in told
