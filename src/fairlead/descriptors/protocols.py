"""The protocols that SOL001's security group rules name, as the numbers that IANA gave them.

SOL001 (clause 6.10.13) names them in the order of their numbers, but leaves out those without a name.
"""

from __future__ import annotations

from typing import Final

__all__ = ["PROTOCOLS", "WITH_PORTS"]

_UNNAMED: Final = (61, 63, 68, 99, 114)
_NAMES: Final = (
    "hopopt icmp igmp ggp ipv4 st tcp cbt egp igp bbn_rcc_mon nvp_ii pup argus emcon xnet chaos udp mux dcn_meas hmp prm "
    "xns_idp trunk_1 trunk_2 leaf_1 leaf_2 rdp irtp iso_tp4 netblt mfe_nsp merit_inp dccp 3pc idpr xtp ddp idpr_cmtp tp++ "
    "il ipv6 sdrp ipv6_route ipv6_frag idrp rsvp gre dsr bna esp ah i_nlsp swipe narp mobile tlsp skip ipv6_icmp "
    "ipv6_no_nxt ipv6_opts cftp sat_expak kryptolan rvd ippc sat_mon visa ipcv cpnx cphb wsn pvp br_sat_mon sun_nd wb_mon "
    "wb_expak iso_ip vmtp secure_vmtp vines ttp nsfnet_igp dgp tcf eigrp ospfigp sprite_rpc larp mtp ax.25 ipip micp "
    "scc_sp etherip encap gmtp ifmp pnni pim aris scps qnx a/n ip_comp snp compaq_peer ipx_in_ip vrrp pgm l2tp ddx iatp "
    "stp srp uti smp sm ptp isis fire crtp crudp sscopmce iplt sps pipe sctp fc rsvp_e2e_ignore mobility udp_lite "
    "mpls_in_ip manet hip shim6 wesp rohc"
)

PROTOCOLS: Final = dict(
    zip(_NAMES.split(), (number for number in range(143) if number not in _UNNAMED), strict=True)
) | {"iptm": 84}
"""The number of each protocol, by the name that SOL001 has for it."""
WITH_PORTS: Final = frozenset(PROTOCOLS[name] for name in ("tcp", "udp", "dccp", "sctp", "udp_lite"))
"""The protocols that have ports."""
