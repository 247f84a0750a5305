"""What an operation costs the cloud: requests to each API, from the services' logs, and seconds of processor time, from /proc.

It counts everything that the services do meanwhile: what one service asks of another, and their own regular work. Keystone
logs no requests.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

__all__ = ["Costs", "Meter"]

_LOGS = Path("/var/log/devcloud")
_RUN = Path("/run/devcloud")
_TICKS = os.sysconf("SC_CLK_TCK")
_REQUESTS = {
    "nova-api": re.compile(rb'openstack\.requestlog .*"[A-Z]+ /v2'),
    "neutron-server": re.compile(rb'neutron\.wsgi .*"[A-Z]+ /v2'),
    "cinder-api": re.compile(rb"cinder\.api\.openstack\.wsgi .*(GET|POST|PUT|DELETE) http"),
    "glance-api": re.compile(rb'eventlet\.wsgi\.server .*"[A-Z]+ /v2'),
    "placement": re.compile(rb'placement\.requestlog .*"[A-Z]+ /'),
    "heat-api": re.compile(rb"heat\.common\.wsgi .*Processing request"),
}


class Costs:
    """Of one operation, or the sum of several: `requests` and `seconds` by process of devcloud."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.operations = 0

    def add(self, requests: dict[str, int], ticks: dict[str, int], operations: int) -> None:
        self.requests.update(requests)
        self.seconds.update({name: round(count * 1000 / _TICKS) for name, count in ticks.items()})
        self.operations += operations

    def lines(self) -> list[str]:
        """For each process that did something: requests and processor seconds for one operation."""
        names = sorted(self.seconds | self.requests, key=lambda name: -self.seconds[name])
        each = max(self.operations, 1)
        return [
            f"{name:24s}{self.requests[name] / each:8.1f}{self.seconds[name] / 1000 / each:10.2f} s"
            for name in names
            if self.seconds[name] / each >= 10 or self.requests[name]
        ]

    @property
    def total(self) -> tuple[float, float]:
        """Requests and processor seconds for one operation."""
        each = max(self.operations, 1)
        return sum(self.requests.values()) / each, sum(self.seconds.values()) / 1000 / each


class Meter:
    """Measures from when it is made until it is read."""

    def __init__(self, *others: tuple[str, int]) -> None:
        """`others` are processes beside the cloud's, by name and id."""
        self._others = others
        self._sizes = {name: _size(name) for name in _REQUESTS}
        self._ticks = self._used()

    def read(self, costs: Costs, operations: int) -> None:
        """Add what has been used since to `costs`."""
        used = self._used()
        ticks = {name: used[name] - self._ticks.get(name, 0) for name in used}
        requests = {name: self._lines(name, pattern) for name, pattern in _REQUESTS.items()}
        costs.add(requests, {name: max(count, 0) for name, count in ticks.items()}, operations)

    def _lines(self, name: str, pattern: re.Pattern[bytes]) -> int:
        with (_LOGS / f"{name}.log").open("rb") as log:
            log.seek(self._sizes[name])
            return sum(1 for line in log if pattern.search(line))

    def _used(self) -> Counter[str]:
        """Ticks by name: of every process in the session of one that devcloud has started, and of `others`."""
        sessions = {}
        for file in _RUN.glob("*.pid"):
            sessions[int(file.read_text().split()[0])] = file.stem
        used: Counter[str] = Counter()
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                fields = (directory / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if (name := sessions.get(int(fields[3]))) is not None:
                used[name] += int(fields[11]) + int(fields[12])
        for name, pid in self._others:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[name] += int(fields[11]) + int(fields[12])
        return used


def _size(name: str) -> int:
    return (_LOGS / f"{name}.log").stat().st_size
