"""A real OpenStack on one machine, for tests and for trying Fairlead: `python3 devcloud up`, as root.

It installs Debian's OpenStack packages, overwrites the configuration of every service below /etc and diverts /sbin/mount.nfs: use
it on machines that may be thrown away. Everything listens on loopback. Each step skips what is done already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from configuration import configure
from databases import make
from packages import install
from place import FAKES, GUEST, HERE, LOGS, OUT, RUN, STATE
from processes import pid_of, started, stop
from services import FOUNDATION, start_foundation, start_services


def build_guest() -> None:
    """The guest's image, unless it is there."""
    if not (GUEST / "nfv-tiny.qcow2").exists():
        with (LOGS / "guest.log").open("w") as log:
            subprocess.run(["bash", str(HERE / "build-guest"), str(GUEST)], stdout=log, stderr=log, check=True)


def provision() -> None:
    """Flavours, image, the outside network; wait for the computes and agents."""
    command = ["/usr/bin/python3", str(HERE / "inside/provision.py"), str(GUEST), str(len(FAKES) + 1)]
    subprocess.run(command, check=True, env={**os.environ, "OS_CLIENT_CONFIG_FILE": str(OUT / "clouds.yaml")})


def status() -> None:
    """Which processes run."""
    for name in started():
        pid = pid_of(name)
        print(f"{'up  ' if pid else 'DOWN'} {name} {pid or ''}")


def stop_all() -> None:
    """Stop what was started here. Guests, their DHCP servers and network namespaces stay, to be found by the next `up`."""
    stop([name for name in started() if name not in FOUNDATION])
    stop(FOUNDATION)


STEPS = {
    "install": install,
    "configure": configure,
    "guest": build_guest,
    "foundation": start_foundation,
    "databases": make,
    "services": start_services,
    "provision": provision,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="devcloud", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=["up", "status", "stop", *STEPS], nargs="?", default="up")
    command = parser.parse_args().command
    if os.geteuid() != 0:
        sys.exit("devcloud installs packages and starts services: run it as root.")
    for directory in (STATE, LOGS, RUN):
        directory.mkdir(parents=True, exist_ok=True)
    if command in ("status", "stop"):
        {"status": status, "stop": stop_all}[command]()
        return
    begun = time.monotonic()
    for name, step in STEPS.items():
        if command in ("up", name):
            step()
            print(f"[{time.monotonic() - begun:6.1f} s] {name}", flush=True)
    if command == "up":
        print(f"The cloud is up; clients find it by {OUT / 'clouds.yaml'} or {OUT / 'openrc'}")


if __name__ == "__main__":
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    main()
