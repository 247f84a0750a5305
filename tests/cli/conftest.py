"""The command line as a user has it: arguments in; exit code, standard output and standard error out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fairlead.cli import group
from tests.support.peer import Peer
from tests.support.peer.fixtures import peer, running_peer

__all__ = ["Run", "Said", "fairlead", "gateway", "peer", "running_peer"]


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def fairlead(peer: Peer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs `fairlead` with its arguments against the peer, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAIRLEAD_URL", peer.url)
    monkeypatch.setenv("FAIRLEAD_TOKEN", peer.token)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str, input: str | None = None) -> Said:
        result = CliRunner().invoke(group, list(arguments), input=input, prog_name="fairlead")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def gateway(fairlead: Run, tmp_path: Path) -> str:
    """The name of an instance of an onboarded package, not instantiated yet."""
    (tmp_path / "edge.csar").write_bytes(b"the package")
    assert fairlead("package", "onboard", "edge.csar", "--name", "edge").code == 0
    assert fairlead("vnf", "create", "edge", "--name", "gw").code == 0
    return "gw"
