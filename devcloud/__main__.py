"""A real OpenStack on one machine, for tests and for trying Fairlead: `python3 devcloud up`, as root.

It installs Debian's OpenStack packages, overwrites the configuration of every service below /etc and diverts /sbin/mount.nfs: use
it on machines that may be thrown away. Nothing listens on the machine's own addresses. Each step skips what is done already.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from configuration import configure
from databases import make
from packages import install
from place import FAKES, GUEST, HERE, LOGS, OUT, RUN, STATE
from processes import ENVIRONMENT, pid_of, run, started, stop
from services import FOUNDATION, forget_networks, start_foundation, start_services


def build_guest() -> None:
    """The guest's image, unless it is there."""
    if not (GUEST / "nfv-tiny.qcow2").exists():
        run("guest", "bash", str(HERE / "build-guest"), str(GUEST))


def provision() -> None:
    """Flavours, image, the outside network; wait for the computes and agents."""
    command = ("/usr/bin/python3", str(HERE / "inside/provision.py"), str(GUEST), str(len(FAKES) + 1))
    run("provision", *command, OS_CLIENT_CONFIG_FILE=str(OUT / "clouds.yaml"))


def prove() -> int:
    """Use the cloud; the answer is the exit code."""
    command = ("/usr/bin/python3", str(HERE / "inside/prove.py"))
    clients = {"OS_CLIENT_CONFIG_FILE": str(OUT / "clouds.yaml")}
    return subprocess.run(command, env={**ENVIRONMENT, **clients}, check=False).returncode


def status() -> int:
    """Print which processes run. The answer is the exit code: 0 if the cloud was started and all of it runs."""
    running = {name: pid_of(name) for name in started()}
    for name, pid in running.items():
        print(f"{'up  ' if pid else 'DOWN'} {name} {pid or ''}".rstrip())
    if not running:
        print("The cloud is stopped.")
    return 0 if running and all(running.values()) else 1


def stop_some(names: list[str]) -> None:
    """Stop processes by their names, or all that were started here; guests stay, to be found by the next `up`."""
    if names:
        if unknown := set(names) - set(started()):
            sys.exit(f"nothing of this name was started: {', '.join(sorted(unknown))}; see `python3 devcloud status`")
        stop(names, patience=5)
        return
    # Services keep nothing but in the databases; asked to end, some wait a minute for requests that do not come.
    stop([name for name in started() if name not in FOUNDATION], patience=5)
    stop(FOUNDATION, patience=20)
    forget_networks()


def start_again() -> None:
    """Start what of an installed cloud is stopped, and wait until its APIs answer."""
    start_foundation()
    start_services()


STEPS = {
    "install": install,
    "configure": configure,
    "guest": build_guest,
    "foundation": start_foundation,
    "databases": make,
    "services": start_services,
    "provision": provision,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="devcloud", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = ["up", "status", "prove", "stop", "start", *STEPS]
    parser.add_argument("command", choices=commands, nargs="?", default="up")
    parser.add_argument("process", nargs="*", help="what `stop` stops, by its name in `status`; else everything")
    command, processes = (given := parser.parse_args()).command, given.process
    if processes and command != "stop":
        parser.error(f"{command} takes no process")
    if os.geteuid() != 0:
        sys.exit("devcloud installs packages and starts services: run it as root.")
    for directory in (STATE, LOGS, RUN):
        directory.mkdir(parents=True, exist_ok=True)
    if command in ("status", "prove"):
        return status() if command == "status" else prove()
    with _alone():
        if command == "stop":
            stop_some(processes)
        elif command == "start":
            start_again()
        else:
            _go_up([command] if command in STEPS else list(STEPS))
    return 0


def _go_up(steps: list[str]) -> None:
    begun = time.monotonic()
    for name in steps:
        STEPS[name]()
        print(f"[{time.monotonic() - begun:6.1f} s] {name}", flush=True)
    if len(steps) == len(STEPS):
        print(f"The cloud is up; clients find it by {OUT / 'clouds.yaml'} or {OUT / 'openrc'}")


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time: a second `up` waits for the first, and then finds everything done."""
    with (RUN / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another devcloud is at work; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    sys.exit(main())
