"""The command as a process: signals, pipes, terminals, and the time that it takes to start."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.peer import Peer, until

PROGRAM = "from fairlead.cli import group; group(prog_name='fairlead')"


@pytest.fixture
def environment(peer: Peer) -> dict[str, str]:
    path = os.pathsep.join(part for part in sys.path if part)
    settings = {"FAIRLEAD_URL": peer.url, "FAIRLEAD_TOKEN": peer.token, "PYTHONPATH": path, "COLUMNS": "100"}
    return {**os.environ, **settings, "TERM": "xterm"}


@pytest.fixture
def waiting(peer: Peer, gateway: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command that waits for an operation which is held."""
    peer.faults.hold = True
    arguments = [sys.executable, "-c", PROGRAM, "vnf", "instantiate", gateway, "--flavour", "default"]
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until(lambda: peer.asked("GET", "/timeline"))
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def test_ctrl_c_detaches_and_leaves_the_operation_alone(peer: Peer, waiting: subprocess.Popen[str]) -> None:
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate(timeout=10)
    (operation,) = peer.state.operations
    assert waiting.returncode == 3
    assert "Detached" in said
    assert f"fairlead operation wait {operation}" in said
    assert not peer.asked("POST", "/cancel")
    peer.faults.hold = False
    until(lambda: peer.state.operations[operation]["operationState"] == "COMPLETED")


def test_a_reader_that_goes_away_is_no_failure_of_ours(peer: Peer, environment: dict[str, str]) -> None:
    for number in range(2000):
        peer.state.create_vnf({"vnfdId": "vnfd-1", "vnfInstanceName": f"vnf-{number}"})
    command = f'"{sys.executable}" -c "{PROGRAM}" vnf list -o json | head -1'
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, timeout=30)
    assert done.stdout == "[\n"
    assert done.stderr == ""


def test_on_a_terminal_progress_is_live_and_deleting_asks_first(
    peer: Peer, gateway: str, environment: dict[str, str]
) -> None:
    said = on_a_terminal(environment, "vnf", "instantiate", gateway, "--flavour", "default")
    assert "steps done" in said
    assert "COMPLETED" in said
    assert "Terminate gw? [y/N]" in on_a_terminal(environment, "vnf", "terminate", gateway, keys=b"n\n")
    assert not peer.asked("POST", "/terminate")
    on_a_terminal(environment, "vnf", "terminate", gateway, "--yes")
    assert peer.asked("POST", "/terminate")


def test_colours_are_for_terminals_that_want_them(gateway: str, environment: dict[str, str]) -> None:
    assert "\x1b[1m" in on_a_terminal(environment, "vnf", "list")
    assert "\x1b[" not in on_a_terminal(environment | {"NO_COLOR": "1"}, "vnf", "list")
    assert "\x1b[" not in on_a_terminal(environment, "--no-color", "vnf", "show", gateway)


def on_a_terminal(environment: dict[str, str], *arguments: str, keys: bytes = b"") -> str:
    """What a command shows on a terminal of its own, where `keys` are typed."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], env=environment, stdin=its, stdout=its, stderr=its, close_fds=True
    )
    os.close(its)
    os.write(ours, keys)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    process.wait(timeout=20)
    os.close(ours)
    return shown.decode()


def test_help_needs_nothing_that_is_slow(environment: dict[str, str]) -> None:
    code = (
        "import sys; from fairlead.cli import group; group(['--help'], standalone_mode=False);"
        "print([name for name in ('httpx', 'rich', 'yaml', 'msgspec', 'litestar') if name in sys.modules])"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30)
    assert done.stdout.rstrip().endswith("[]"), done.stdout[-200:]
    assert time.monotonic() - began < 5.0


def test_events_are_followed_until_ctrl_c(fairlead: Run, gateway: str, environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", PROGRAM, "event", "follow", "--after", "0", "-o", "json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert '"type": "package.state"' in process.stdout.readline()
    fairlead("vnf", "heal", gateway)
    assert '"type": "operation.state"' in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (0, "")


def test_a_token_may_stand_in_a_file(peer: Peer, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text(peer.token + "\n")
    del environment["FAIRLEAD_TOKEN"]
    arguments = [sys.executable, "-c", PROGRAM, "vim", "list", "--token-file", str(tmp_path / "token")]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
