"""The cloud's processes, in the order in which they can be started."""

from __future__ import annotations

import shutil
from pathlib import Path

from place import FAKES, HERE, HOST, LOGS, PASSWORD, REGION, RUN, STATE
from processes import note, pid_of, run, seen, start, stop, wait_for_api, wait_for_port

FOUNDATION = ("libvirtd", "virtlogd", "vswitchd", "ovsdb", "memcached", "rabbitmq", "mysql")
"""What the others stand on: stopped after them."""
_APIS = {
    # name: port, WSGI script, processes
    "placement": (8778, "/usr/bin/placement-api", 1),
    "nova-api": (8774, "/usr/bin/nova-api-wsgi", 2),
    "nova-metadata": (8775, "/usr/bin/nova-metadata-wsgi", 1),
    "heat-api": (8004, "/usr/bin/heat-wsgi-api", 1),
    "heat-cfn": (8000, "/usr/bin/heat-wsgi-api-cfn", 1),
    "cinder-api": (8776, "/usr/bin/cinder-wsgi", 1),
    "barbican-api": (9311, "/usr/bin/barbican-wsgi-api", 1),
}
_DAEMONS = {
    "glance-api": "glance-api --config-file /etc/glance/glance-api.conf",
    "nova-conductor": "nova-conductor --config-file /etc/nova/nova.conf",
    "nova-scheduler": "nova-scheduler --config-file /etc/nova/nova.conf",
    "heat-engine": "heat-engine --config-file /etc/heat/heat.conf",
    "cinder-scheduler": "cinder-scheduler --config-file /etc/cinder/cinder.conf",
    "cinder-volume": "cinder-volume --config-file /etc/cinder/cinder.conf",
}
_NEUTRON = "--config-file /etc/neutron/neutron.conf --config-file /etc/neutron"
_AGENTS = {
    "neutron-ovs-agent": f"neutron-openvswitch-agent {_NEUTRON}/plugins/ml2/openvswitch_agent.ini",
    "neutron-dhcp-agent": f"neutron-dhcp-agent {_NEUTRON}/dhcp_agent.ini",
    "neutron-l3-agent": f"neutron-l3-agent {_NEUTRON}/l3_agent.ini",
    "neutron-metadata-agent": f"neutron-metadata-agent {_NEUTRON}/metadata_agent.ini",
}
_IDENTITY_DONE = STATE / "identity.done"
_NOTIFICATIONS_BOUND = STATE / "notifications.done"
_LIMIT = 1024
"""Of waiting connections, and of watchers of files: what so many processes need at least."""


def start_foundation() -> None:
    """The databases' server, the message broker, the cache, the switch and the hypervisor's daemons."""
    for setting in ("net/core/somaxconn", "fs/inotify/max_user_instances"):
        limit = Path("/proc/sys", setting)
        if int(limit.read_text()) < _LIMIT:
            limit.write_text(str(_LIMIT))
    hosts = Path("/etc/hosts")
    if "localhost" not in hosts.read_text().split():
        hosts.write_text(hosts.read_text() + "127.0.0.1 localhost\n")
    RUN.chmod(0o777)
    STATE.chmod(0o755)
    shutil.chown(STATE / "mysql", "mysql")
    if not (STATE / "mysql/mysql").exists():
        settings = f"--defaults-file={RUN}/my.cnf --auth-root-authentication-method=normal --skip-test-db"
        run("mysql-install", "mysql_install_db", *settings.split())
    start("mysql", "mariadbd", f"--defaults-file={RUN}/my.cnf")
    if pid_of("rabbitmq") is None:
        run("rabbitmq", "chown", "-R", "rabbitmq:", "/var/lib/rabbitmq", "/var/log/rabbitmq")
    as_rabbit = "setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups /usr/lib/rabbitmq/bin/rabbitmq-server"
    start("rabbitmq", *as_rabbit.split(), HOME="/var/lib/rabbitmq", ERL_EPMD_ADDRESS="127.0.0.1")
    start("memcached", "memcached", "-u", "memcache", "-l", "127.0.0.1", "-p", "11211", "-m", "128", "-c", "4096")
    _start_switch()
    Path("/run/libvirt").mkdir(exist_ok=True)
    start("virtlogd", "virtlogd")
    start("libvirtd", "libvirtd")
    wait_for_port(3306, "mysql")


def forget_networks() -> None:
    """Remove the namespaces of Neutron's agents, with the DHCP servers and proxies in them.

    Their NICs end with the switch that made them, and what is left would keep the agents from making new ones.
    """
    for name in seen("ip", "netns", "list").splitlines():
        namespace = name.split()[0]
        if namespace.startswith(("qdhcp-", "qrouter-")):
            pids = seen("ip", "netns", "pids", namespace).split()
            if pids:
                run("switch", "kill", "-KILL", *pids)
            run("switch", "ip", "netns", "delete", namespace)


def _start_switch() -> None:
    """Open vSwitch with its datapath in user space, for which the kernel needs nothing."""
    for directory in ("/run/openvswitch", "/etc/openvswitch", "/var/log/openvswitch"):
        Path(directory).mkdir(parents=True, exist_ok=True)
    if pid_of("ovsdb") is None or pid_of("vswitchd") is None:
        stop(("vswitchd", "ovsdb"), patience=10)
        forget_networks()
        if not Path("/etc/openvswitch/conf.db").exists():
            _do("ovsdb-tool create /etc/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema")
        detached = f"--detach --no-chdir -vconsole:off --log-file={LOGS}"
        socket = "/run/openvswitch/db.sock"
        _do(
            f"ovsdb-server /etc/openvswitch/conf.db --remote=punix:{socket} --remote=ptcp:6640:127.0.0.1"
            f" --pidfile={RUN}/ovsdb.pid {detached}/ovsdb.log"
        )
        note("ovsdb")
        _do("ovs-vsctl --no-wait init")
        # Guests of any image then get whole checksums; without it a ping works and TCP does not.
        _do(
            f"ovs-vsctl --no-wait set Open_vSwitch . external_ids:system-id={HOST} external_ids:hostname={HOST}"
            " other_config:vlan-limit=0 other_config:userspace-tso-enable=true"
        )
        bridges = seen("ovs-vsctl", "--no-wait", "list-br").split()
        for nic in seen("ovs-vsctl", "--bare", "--columns=name", "find", "Interface", "type=internal").split():
            if nic not in bridges:
                _do(f"ovs-vsctl --no-wait --if-exists del-port {nic}")
                # A NIC outlives the switch, in the namespace that it was in.
                if Path("/sys/class/net", nic).exists():
                    _do(f"ip link delete {nic}")
        _do(f"ovs-vswitchd unix:{socket} --pidfile={RUN}/vswitchd.pid {detached}/vswitchd.log")
        note("vswitchd")
    _do("ovs-vsctl --may-exist add-br br-ex -- set bridge br-ex datapath_type=netdev")
    _do("ip addr replace 172.24.4.1/24 dev br-ex")
    _do("ip link set br-ex up")


def start_services() -> None:
    """Everything else. Returns once all APIs answer."""
    _api("keystone", 5000, "/usr/bin/keystone-wsgi-public", 2)
    wait_for_port(5672, "rabbitmq")
    _bound_notifications()
    start("neutron-server", *f"neutron-server {_NEUTRON}/plugins/ml2/ml2_conf.ini".split())
    wait_for_api(5000, "keystone")
    if not _IDENTITY_DONE.exists():
        run("identity", "/usr/bin/python3", str(HERE / "inside/identity.py"), PASSWORD, REGION)
        _IDENTITY_DONE.touch()
    for name, (port, script, processes) in _APIS.items():
        _api(name, port, script, processes)
    for name, command in _DAEMONS.items():
        start(name, *command.split())
    wait_for_api(9696, "neutron-server")
    for name, command in _AGENTS.items():
        start(name, *command.split())
    for name in ("placement", "nova-api"):
        wait_for_api(_APIS[name][0], name)
    configuration = "nova-compute --config-file /etc/nova/nova"
    start("nova-compute", *f"{configuration}.conf --config-file /etc/nova/nova-compute.conf".split())
    for fake in FAKES:
        start(f"nova-{fake}", *f"{configuration}-{fake}.conf".split())
    if FAKES:
        agents = ["/usr/bin/python3", str(HERE / "inside/fake_agents.py"), *FAKES]
        start("fake-agents", *agents, "--", "--config-file", "/etc/neutron/neutron.conf")
    wait_for_api(9292, "glance-api")
    for name, (port, _, _) in _APIS.items():
        wait_for_api(port, name)


def _bound_notifications() -> None:
    """Have the queues into which services put notifications, though nobody takes them out, stay short."""
    if not _NOTIFICATIONS_BOUND.exists():
        policy = ("set_policy", "notifications", r"^(versioned_)?notifications\.", '{"max-length":1000}')
        as_rabbit = "setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups /usr/lib/rabbitmq/bin/rabbitmqctl"
        run("rabbitmq", *as_rabbit.split(), *policy, "--apply-to", "queues", HOME="/var/lib/rabbitmq")
        _NOTIFICATIONS_BOUND.touch()


def _api(name: str, port: int, script: str, processes: int) -> None:
    """An API under uWSGI. Connections are closed after each answer, for uWSGI reads no second request from them."""
    options = (
        f"--plugins python3 --http-socket 127.0.0.1:{port} --wsgi-file {script} --processes {processes} --chdir {STATE}"
        " --threads 1 --master --lazy-apps --need-app --enable-threads --thunder-lock --buffer-size 65535"
        " --die-on-term --disable-logging --listen 128"
    )
    start(name, "uwsgi", *options.split(), "--add-header", "Connection: close")


def _do(command: str) -> None:
    run("switch", *command.split())
