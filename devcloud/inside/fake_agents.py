"""Reports a living Open vSwitch agent for each host of Nova's fake driver, so that Neutron binds its ports. Run by Debian's Python.

usage: fake_agents.py HOST... -- --config-file /etc/neutron/neutron.conf
"""

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402
import time  # noqa: E402

from neutron.agent import rpc  # noqa: E402
from neutron.common import config  # noqa: E402
from neutron.conf.agent import common  # noqa: E402
from neutron_lib import context  # noqa: E402
from neutron_lib.agent import topics  # noqa: E402

INTERVAL = 20
CONFIGURATION = {
    "bridge_mappings": {"physnet1": "br-ex"},
    "tunnel_types": ["vxlan"],
    "tunneling_ip": "",
    "l2_population": False,
    "devices": 0,
    "datapath_type": "system",
    "integration_bridge": "br-int",
    "ovs_capabilities": {"datapath_types": [], "iface_types": []},
    "ovs_hybrid_plug": False,
    "vhostuser_socket_dir": "/tmp",
    "extensions": [],
    "in_distributed_mode": False,
    "arp_responder_enabled": False,
    "enable_distributed_routing": False,
    "log_agent_heartbeats": False,
    "resource_provider_bandwidths": {},
}


def main(hosts, options):
    config.register_common_config_options()
    common.register_agent_state_opts_helper(config.cfg.CONF)
    config.init(options)
    config.setup_logging()
    reports = rpc.PluginReportStateAPI(topics.REPORTS)
    admin = context.get_admin_context_without_session()
    state = {
        "binary": "neutron-openvswitch-agent",
        "topic": "N/A",
        "agent_type": "Open vSwitch agent",
        "configurations": CONFIGURATION,
        "start_flag": True,
    }
    while True:
        for host in hosts:
            try:
                reports.report_state(admin, {**state, "host": host}, use_call=True)
            except Exception as error:  # noqa: BLE001 - Neutron may be away; it hears of the agents when it is back
                print("not reported:", host, error, flush=True)
        state.pop("start_flag", None)
        time.sleep(INTERVAL)


if __name__ == "__main__":
    split = sys.argv.index("--")
    main(sys.argv[1:split], sys.argv[split + 1 :])
