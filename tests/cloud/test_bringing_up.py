"""What of devcloud/ can be tried without bringing a cloud up: its configuration, and how it minds processes."""

from __future__ import annotations

import configparser
import importlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

DEVCLOUD = Path(__file__).parents[2] / "devcloud"
SERVICES = ("barbican", "cinder", "glance", "heat", "keystone", "neutron", "nova", "placement")


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The module, with its files in the test's folder; what a test starts is stopped."""
    monkeypatch.syspath_prepend(DEVCLOUD)
    module = importlib.import_module("processes")
    monkeypatch.setattr(module, "RUN", tmp_path)
    monkeypatch.setattr(module, "LOGS", tmp_path)
    yield module
    module.stop(module.started(), patience=10)


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_of_a_service_has_one_value(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DEVCLOUD)
    configuration = importlib.import_module("configuration")
    files = [path for path in (DEVCLOUD / "etc" / service).rglob("*") if path.suffix in (".conf", ".ini")]
    assert files
    for path in files:
        text = configuration.filled(path, service)
        assert "${" not in text
        configparser.RawConfigParser(strict=True).read_string(text)


def test_a_process_is_started_once_known_and_stopped(processes: ModuleType) -> None:
    processes.start("sleeper", "sleep", "600")
    pid = processes.pid_of("sleeper")
    processes.start("sleeper", "sleep", "600")
    assert pid is not None
    assert processes.pid_of("sleeper") == pid
    processes.stop(["sleeper"], patience=10)
    assert processes.pid_of("sleeper") is None
    assert processes.started() == []


def test_a_process_that_does_not_listen_to_being_asked_is_killed(processes: ModuleType, tmp_path: Path) -> None:
    processes.start("deaf", "sh", "-c", f"trap '' TERM; touch {tmp_path}/ready; while :; do sleep 600; done")
    end = time.monotonic() + 10
    while not (tmp_path / "ready").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    processes.stop(["deaf"], patience=0.2)
    assert processes.started() == []


def test_another_process_with_the_same_id_is_not_taken_for_it(processes: ModuleType, tmp_path: Path) -> None:
    """As after a crash of the machine: the file stayed, and its id is somebody else's."""
    (tmp_path / "old.pid").write_text(f"{os.getpid()} 1\n")
    assert processes.pid_of("old") is None


def test_waiting_ends_at_once_when_the_process_has_died_and_names_its_log(processes: ModuleType) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        processes.start("dying", "sh", "-c", "echo no such database; exit 1")
        with pytest.raises(SystemExit, match=r"(?s)dying ended by itself; see .*dying\.log.*no such database"):
            processes.wait_for_port(free.getsockname()[1], "dying")


def test_a_tool_that_fails_ends_the_program_with_its_last_words(processes: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"(?s)sh failed with 3; see .*tool\.log.*out of paper"):
        processes.run("tool", "sh", "-c", "echo out of paper; exit 3")
