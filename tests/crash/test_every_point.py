"""kill -9 at every write and every call of every operation: after a restart it ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.cases import CASES

pytestmark = pytest.mark.crash
_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("case", sorted(CASES))
def test_an_operation_killed_at_any_point_ends_as_if_nothing_had_happened(case: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.crash.loop", case, str(tmp_path)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(_ROOT / "src"), str(_ROOT)))},
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    assert lines, ran.stderr[-3000:]
    assert lines[:-1] == [], json.dumps(lines[:3], indent=1)[:6000]
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert lines[-1]["points"] >= 10
