"""What a descriptor and a request come to, without any VIM or database: for tests of the pure half of the VNFM role."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fairlead.descriptors import Vnfd
from fairlead.operations import Sealer
from fairlead.resources import Name, Resource, SecretRef, VimId
from fairlead.sol import (
    CpProtocolData,
    ExtManagedVirtualLinkData,
    ExtVirtualLinkData,
    IpAddressData,
    IpOverEthernetAddressData,
    IpType,
    LayerProtocol,
    VnfExtCpConfig,
    VnfExtCpData,
)
from fairlead.vims import Traits
from fairlead.vims.simulated import driver as simulated
from fairlead.vnf.context import VnfContext, Where
from fairlead.vnf.record import Instantiated, VnfRecord
from fairlead.vnf.wanted import wanted_resources

__all__ = ["EVERYTHING", "Wanted", "external", "managed", "wanted"]

EVERYTHING = Traits(sorts=simulated.traits.sorts)
"""A VIM with all portable sorts, none within another."""


class Wanted:
    """The resources by name, and the secrets by reference."""

    def __init__(self, resources: Mapping[str, Resource[Any]], secrets: Mapping[SecretRef, str]) -> None:
        self.resources = resources
        self.secrets = secrets

    def names(self, sort: str) -> list[str]:
        """The names of one sort, sorted."""
        return sorted(name for name, found in self.resources.items() if found.spec.sort() == sort)

    def spec(self, name: str) -> Any:
        return self.resources[name].spec

    def secret(self, reference: Any) -> str:
        """The value behind a reference."""
        assert isinstance(reference, SecretRef)
        return self.secrets[reference]


def wanted(
    vnfd: Vnfd,
    *,
    members: Mapping[str, int],
    links: tuple[ExtVirtualLinkData, ...] = (),
    managed_links: tuple[ExtManagedVirtualLinkData, ...] = (),
    traits: Traits = EVERYTHING,
    files: Mapping[str, bytes] | None = None,
    digests: Mapping[str, str] | None = None,
    templates: Mapping[str, bytes] | None = None,
    parameters: dict[str, Any] | None = None,
    started: bool = True,
    name: str | None = "vnf",
    scale: dict[str, int] | None = None,
    zones: tuple[str, ...] = (),
    decided: dict[Name, str] | None = None,
) -> Wanted:
    """What an instance with so many members of each VDU comes to."""
    vim = VimId("vim-1")
    state = Instantiated(
        flavour=vnfd.default_flavour,
        vim=vim,
        scale=scale or {},
        members={vdu: tuple(f"k{index}" for index in range(1, number + 1)) for vdu, number in members.items()},
        counters=dict(members),
        started=started,
        external_links=links,
        managed_links=managed_links,
        parameters=parameters or {},
        zones=decided or {},
    )
    record = VnfRecord(
        id="0a1b2c3d-0000-4000-8000-000000000000",
        vnfd_id=vnfd.descriptor_id,
        package="package-1",
        provider=vnfd.provider,
        product_name=vnfd.product_name,
        software_version=vnfd.software_version,
        vnfd_version=vnfd.descriptor_version,
        created=0.0,
        name=name,
        instantiated=state,
    )
    place = Where(vim=vim, traits=traits, connection={}, zones=zones)
    context = VnfContext(
        vnfd=vnfd,
        package="package-1",
        files=files or {},
        digests=digests or {},
        templates=templates or {},
        place=place,
    )
    sealer = Sealer(lambda value: SecretRef(hashlib.sha256(value.encode()).hexdigest()))
    found = wanted_resources(record, context, sealer)
    return Wanted({str(key): value for key, value in found.items()}, sealer.values)


def external(link: str, network: str, **points: tuple[str, ...] | None) -> ExtVirtualLinkData:
    """An external link on a network that exists; for each point, the addresses of its first instances, one each."""
    data = []
    for point, addresses in points.items():
        configs: dict[str, VnfExtCpConfig | None] = {
            f"c{index}": VnfExtCpConfig(cp_protocol_data=(_protocol(address),))
            for index, address in enumerate(addresses or ())
        }
        data.append(VnfExtCpData(cpd_id=point, cp_config=configs))
    return ExtVirtualLinkData(id=link, resource_id=network, ext_cps=tuple(data))


def _protocol(address: str) -> CpProtocolData:
    chosen = IpAddressData(type=IpType.IPV4, fixed_addresses=(address,))
    ethernet = IpOverEthernetAddressData(mac_address=None, ip_addresses=(chosen,))
    return CpProtocolData(layer_protocol=LayerProtocol.IP_OVER_ETHERNET, ip_over_ethernet=ethernet)


def managed(link: str, network: str) -> ExtManagedVirtualLinkData:
    """A network that somebody else made for an internal link."""
    return ExtManagedVirtualLinkData(id=f"managed-{link}", vnf_virtual_link_desc_id=link, resource_id=network)
