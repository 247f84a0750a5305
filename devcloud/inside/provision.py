"""Flavours, the guest's image, the network `public`, the zone of fakes; waits for computes and agents. Run by Debian's Python.

usage: provision.py FOLDER-OF-THE-GUEST NUMBER-OF-COMPUTES, with OS_CLIENT_CONFIG_FILE set
"""

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import openstack

FLAVOURS = {
    # name: MB of memory, processors, GB of disk
    "m1.nano": (96, 1, 1),
    "m1.tiny": (128, 1, 1),
    "m1.small": (256, 1, 1),
    "m1.medium": (512, 2, 2),
}
AGENTS = ("Open vSwitch agent", "DHCP agent", "L3 agent", "Metadata agent")
RUN = Path("/run/devcloud")
PATIENCE = 90


def main(guest, computes):
    cloud = openstack.connect(cloud="devcloud")
    known = {flavour.name for flavour in cloud.compute.flavors(get_extra_specs=False)}
    for name, (ram, vcpus, disk) in FLAVOURS.items():
        if name not in known:
            cloud.compute.create_flavor(name=name, ram=ram, vcpus=vcpus, disk=disk)
    if not any(cloud.image.images(name="nfv-tiny", visibility="public")):
        cloud.image.create_image(
            "nfv-tiny",
            filename=f"{guest}/nfv-tiny.qcow2",
            disk_format="qcow2",
            container_format="bare",
            visibility="public",
            wait=True,
            validate_checksum=False,
            min_disk=1,
            min_ram=64,
            os_shutdown_timeout="3",
        )
    outside(cloud)
    if "file" not in {sort.name for sort in cloud.block_storage.types()}:
        cloud.block_storage.create_type(name="file", extra_specs={"volume_backend_name": "file"})
    up = until(lambda: up_computes(cloud), lambda found: len(found) >= computes, f"{computes} computes")
    subprocess.run(["nova-manage", "cell_v2", "discover_hosts"], check=True, capture_output=True)
    fakes = [host for host in up if host.startswith("fake")]
    if fakes and "fake" not in {aggregate.name for aggregate in cloud.compute.aggregates()}:
        aggregate = cloud.compute.create_aggregate(name="fake", availability_zone="fake")
        for host in fakes:
            cloud.compute.add_host_to_aggregate(aggregate, host)
    until(lambda: living_agents(cloud), set(AGENTS).issubset, "agents")


def outside(cloud):
    """The network that floating IPs come from; the machine itself is 172.24.4.1 on it."""
    if cloud.network.find_network("public"):
        return
    network = cloud.network.create_network(
        name="public",
        is_router_external=True,
        is_shared=True,
        provider_network_type="flat",
        provider_physical_network="physnet1",
    )
    cloud.network.create_subnet(
        name="public-subnet",
        network_id=network.id,
        ip_version=4,
        cidr="172.24.4.0/24",
        gateway_ip="172.24.4.1",
        is_dhcp_enabled=True,
        allocation_pools=[{"start": "172.24.4.10", "end": "172.24.4.250"}],
    )


def up_computes(cloud):
    """The hosts of computes that have reported since the last process was started: older news are of the run before."""
    return [
        service.host
        for service in cloud.compute.services()
        if (service.binary, service.state) == ("nova-compute", "up") and fresh(service.updated_at)
    ]


def living_agents(cloud):
    return {agent.agent_type for agent in cloud.network.agents() if agent.is_alive and fresh(agent.last_heartbeat_at)}


def fresh(reported):
    """Whether a time, in UTC and whole seconds, is after the start of the last process."""
    started = max((path.stat().st_mtime for path in RUN.glob("*.pid")), default=0)
    return bool(reported) and datetime.fromisoformat(f"{reported[:19]}+00:00").timestamp() >= int(started)


def until(look, enough, what):
    """What `look` finds once it is `enough`."""
    end = time.monotonic() + PATIENCE
    while not enough(found := look()):
        if time.monotonic() > end:
            sys.exit(f"the {what} are not up after {PATIENCE} s; there are: {', '.join(sorted(found)) or 'none'}")
        time.sleep(1)
    return found


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
