"""Uses what the cloud is for, once, as a member of the project `demo`, and tells how long each took. Run by Debian's Python.

A network behind a router; a real guest with a floating IP that answers ping and HTTP, with user data and a volume; a server of the
zone of fakes; a stack that is created, updated and deleted. Nothing is left, whether it succeeds or not.

usage: prove.py, with OS_CLIENT_CONFIG_FILE set
"""

import base64
import contextlib
import json
import subprocess
import sys
import time
import urllib.request
import uuid

import openstack
import yaml
from openstack.exceptions import SDKException

PATIENCE = 180
USER_DATA = "#!/bin/sh\necho proven >/www/proof\n"
TEMPLATE = yaml.safe_load("""
heat_template_version: "2021-04-16"
parameters: {image: {type: string}, zone: {type: string}, network: {type: string}, size: {type: number}}
resources:
  ports:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: size}
      resource_def: {type: OS::Neutron::Port, properties: {network: {get_param: network}}}
  server:
    type: OS::Nova::Server
    properties:
      flavor: m1.nano
      image: {get_param: image}
      availability_zone: {get_param: zone}
      networks: [{port: {get_attr: [ports, refs, 0]}}]
outputs: {ports: {value: {get_attr: [ports, refs]}}}
""")


class Clock:
    """Prints the seconds since the last line."""

    def __init__(self):
        self.last = time.monotonic()

    def tell(self, what):
        now = time.monotonic()
        print(f"{now - self.last:6.1f} s  {what}", flush=True)
        self.last = now


def main():
    cloud = openstack.connect(cloud="devcloud-demo")
    name = f"prove-{uuid.uuid4().hex[:6]}"
    clock = Clock()
    with contextlib.ExitStack() as made:
        network, group = outside_world(cloud, name, made)
        clock.tell("network, subnet, router, security group")
        server, address = guest(cloud, name, network, group, made)
        clock.tell("real guest is ACTIVE")
        until(lambda: subprocess.run(["ping", "-c1", "-W1", address], capture_output=True, check=False).returncode == 0)
        clock.tell(f"ping of the floating IP {address}")
        until(lambda: fetch(f"http://{address}/proof") == "proven\n")
        clock.tell("HTTP, written by user data")
        status = json.loads(fetch(f"http://{address}/status.json"))
        assert status["hostname"] == name, status
        attach(cloud, name, server, made)
        clock.tell("volume created and attached")
        fake(cloud, name, network, made)
        clock.tell("server of the zone of fakes is ACTIVE")
        stack(cloud, name, network, made, clock)
    clock.tell("all deleted")
    left = [port.id for port in cloud.network.ports(network_id=network.id)]
    assert not left, f"ports are left: {left}"


def outside_world(cloud, name, made):
    network = cloud.network.create_network(name=name)
    made.callback(cloud.network.delete_network, network)
    subnet = cloud.network.create_subnet(name=name, network_id=network.id, ip_version=4, cidr="10.77.0.0/24")
    made.callback(cloud.network.delete_subnet, subnet)
    public = cloud.network.find_network("public", ignore_missing=False)
    router = cloud.network.create_router(name=name, external_gateway_info={"network_id": public.id})
    made.callback(cloud.network.delete_router, router)
    cloud.network.add_interface_to_router(router, subnet_id=subnet.id)
    made.callback(cloud.network.remove_interface_from_router, router, subnet_id=subnet.id)
    group = cloud.network.create_security_group(name=name)
    made.callback(cloud.network.delete_security_group, group)
    for rule in ({"protocol": "icmp"}, {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}):
        cloud.network.create_security_group_rule(security_group_id=group.id, direction="ingress", **rule)
    return network, group


def guest(cloud, name, network, group, made):
    """A guest of the tiny image, and its floating IP."""
    port = cloud.network.create_port(name=name, network_id=network.id, security_groups=[group.id])
    made.callback(cloud.network.delete_port, port)
    server = serve(
        cloud,
        made,
        name=name,
        networks=[{"port": port.id}],
        availability_zone="nova",
        user_data=base64.b64encode(USER_DATA.encode()).decode(),
    )
    public = cloud.network.find_network("public", ignore_missing=False)
    floating = cloud.network.create_ip(floating_network_id=public.id, port_id=port.id)
    made.callback(cloud.network.delete_ip, floating)
    return server, floating.floating_ip_address


def image_of(cloud):
    """The tiny guest's image; whoever tests may have others of the same name."""
    return next(iter(cloud.image.images(name="nfv-tiny", visibility="public")))


def serve(cloud, made, **wanted):
    """A server that is ACTIVE."""
    flavor = cloud.compute.find_flavor("m1.nano", ignore_missing=False)
    server = cloud.compute.create_server(image_id=image_of(cloud).id, flavor_id=flavor.id, **wanted)
    made.callback(cloud.compute.wait_for_delete, server, interval=1, wait=PATIENCE)
    made.callback(cloud.compute.delete_server, server)
    return cloud.compute.wait_for_server(server, interval=0.5, wait=PATIENCE)


def attach(cloud, name, server, made):
    volume = cloud.block_storage.create_volume(name=name, size=1)
    made.callback(cloud.block_storage.wait_for_delete, volume, interval=1, wait=PATIENCE)
    made.callback(cloud.block_storage.delete_volume, volume)
    cloud.block_storage.wait_for_status(volume, "available", interval=0.5, wait=PATIENCE)
    cloud.compute.create_volume_attachment(server, volume_id=volume.id)
    made.callback(until, lambda: cloud.block_storage.get_volume(volume).status == "available")
    made.callback(cloud.compute.delete_volume_attachment, volume.id, server)
    cloud.block_storage.wait_for_status(volume, "in-use", interval=0.5, wait=PATIENCE)


def fake(cloud, name, network, made):
    server = serve(cloud, made, name=f"{name}-fake", networks=[{"uuid": network.id}], availability_zone="fake")
    assert server.availability_zone == "fake", server.availability_zone


def stack(cloud, name, network, made, clock):
    heat = cloud.orchestration
    parameters = {"image": image_of(cloud).id, "zone": "fake", "network": network.id, "size": 1}
    created = heat.create_stack(name=name, template=TEMPLATE, parameters=parameters, timeout_mins=5)
    there = True

    def delete():
        nonlocal there
        if there:
            heat.delete_stack(created.id)
            until(lambda: not any(one.id == created.id for one in heat.stacks()))
            there = False

    made.callback(delete)
    settled(heat, created.id, "CREATE_COMPLETE")
    clock.tell("stack created")
    heat.update_stack(created.id, template=TEMPLATE, parameters={**parameters, "size": 2})
    outputs = settled(heat, created.id, "UPDATE_COMPLETE").outputs
    assert len(outputs[0]["output_value"]) == 2, outputs
    clock.tell("stack updated")
    delete()
    clock.tell("stack deleted")


def settled(heat, stack_id, wanted):
    """The stack once it has the status; fails at once when it has failed."""

    def look():
        found = heat.get_stack(stack_id)
        assert not found.status.endswith("FAILED"), found.status_reason
        return found if found.status == wanted else None

    return until(look)


def fetch(url):
    """What is there, or nothing."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def until(look):
    """What `look` finds once it finds something."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"not seen within {PATIENCE} s")
        time.sleep(0.5)
    return found


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, SDKException, TimeoutError) as error:
        sys.exit(f"not proven: {type(error).__name__}: {error}")
