"""The OpenStack that the other tests use is one: without this, a fault of the cloud looks like a fault of Fairlead's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

PROOF = Path(__file__).parents[2] / "devcloud/inside/prove.py"

pytestmark = pytest.mark.cloud


def test_networks_guests_volumes_and_stacks_work() -> None:
    """Debian's Python has OpenStack's libraries, ours has not; OS_CLIENT_CONFIG_FILE is passed on."""
    proof = subprocess.run(["/usr/bin/python3", str(PROOF)], capture_output=True, text=True, check=False, timeout=600)
    assert proof.returncode == 0, proof.stdout + proof.stderr
