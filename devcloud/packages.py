"""What Debian has of it. Nothing that is installed starts by itself: the cloud's processes are started here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from processes import run

_NAMES = """
mariadb-server rabbitmq-server memcached openvswitch-switch
keystone glance-api glance-common placement-api barbican-api barbican-worker
nova-api nova-conductor nova-scheduler nova-compute nova-compute-kvm
neutron-api neutron-rpc-server neutron-openvswitch-agent neutron-dhcp-agent neutron-l3-agent neutron-metadata-agent
python3-networking-sfc heat-api heat-engine cinder-api cinder-scheduler cinder-volume
python3-openstackclient python3-heatclient python3-barbicanclient python3-osc-placement
qemu-system-x86 qemu-utils genisoimage linux-image-cloud-amd64 busybox-static syslinux syslinux-common mtools dosfstools
fdisk cpio curl iproute2 iputils-ping tcpdump ethtool
"""
_PACKAGES = _NAMES.split()
_FORBID_STARTS = Path("/usr/sbin/policy-rc.d")


def install() -> None:
    """Install what is missing. Raises SystemExit, naming the log, when that fails."""
    asked = ["dpkg-query", "-W", "-f", "${Package} ${Status}\n", *_PACKAGES]
    known = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    there = {line.split()[0] for line in known.splitlines() if line.endswith("ok installed")}
    missing = [name for name in _PACKAGES if name not in there]
    if not missing:
        return
    if not _FORBID_STARTS.exists():
        _FORBID_STARTS.write_text("#!/bin/sh\nexit 101\n")
        _FORBID_STARTS.chmod(0o755)
    options = [f"-oDpkg::Options::=--force-{word}" for word in ("unsafe-io", "confold")]
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *options, *missing]):
        run("apt", "apt-get", "-oAcquire::Retries=5", *command, **_told())


def _told() -> dict[str, str]:
    """What apt may need of the caller's environment: the way out to Debian's servers."""
    return {"DEBIAN_FRONTEND": "noninteractive"} | {
        name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")
    }
