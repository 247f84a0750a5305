"""Descriptors: TOSCA text in, typed frozen values out, and every mistake told with file, line and column.

The field's other systems read TOSCA through general parsers that lose the places of things, so their users learn of a
mistake as a stack trace in the middle of an instantiation. This room reads SOL001 itself, in passes that never stop
at a first mistake, and returns a `Vnfd` only when there is nothing wrong with it; whatever is built on one need not
check it again. It is pure: files come in as a mapping of paths to bytes, and nothing is read from anywhere else.
"""

from fairlead.descriptors.artifacts import Artifact, Declared, LifecycleOperation
from fairlead.descriptors.codes import CODES
from fairlead.descriptors.compute import (
    AdditionalCapability,
    BootData,
    Checksum,
    HugePages,
    LocalStorage,
    OsContainer,
    SoftwareImage,
    Storage,
    StorageKind,
    Vdu,
    VduKind,
)
from fairlead.descriptors.maintenance import GroupLimit, Maintenance, MonitoringParameter
from fairlead.descriptors.network import (
    Address,
    AllocationPool,
    ConnectionPoint,
    ConnectionPointKind,
    ConnectionPointProtocol,
    InterfaceRequirement,
    L2Protocol,
    L3Protocol,
    Service,
    ServicePort,
    VirtualLink,
)
from fairlead.descriptors.operations import OperationsConfiguration, Timeouts, VersionDependency, VnfProfile
from fairlead.descriptors.policies import (
    Call,
    ComponentMapping,
    CoordinationAction,
    Coordinations,
    Indicator,
    PackageChange,
    PackageChangeSelector,
    Policy,
    SupportedInterface,
    Trigger,
)
from fairlead.descriptors.problems import Mark, Problem, Problems, Severity, TooManyProblems, nearest
from fairlead.descriptors.protocols import PROTOCOLS, WITH_PORTS
from fairlead.descriptors.reading import Reading, read_vnfd
from fairlead.descriptors.scalars import BadScalar, parse_scalar
from fairlead.descriptors.vnfd import (
    Aspect,
    Bitrates,
    Certificate,
    DeployableModule,
    Flavour,
    InstantiationLevel,
    Mciop,
    PlacementRule,
    PlacementSort,
    SecurityGroupRule,
    Vnfd,
)

__all__ = [
    "CODES",
    "PROTOCOLS",
    "WITH_PORTS",
    "AdditionalCapability",
    "Address",
    "AllocationPool",
    "Artifact",
    "Aspect",
    "BadScalar",
    "Bitrates",
    "BootData",
    "Call",
    "Certificate",
    "Checksum",
    "ComponentMapping",
    "ConnectionPoint",
    "ConnectionPointKind",
    "ConnectionPointProtocol",
    "CoordinationAction",
    "Coordinations",
    "Declared",
    "DeployableModule",
    "Flavour",
    "GroupLimit",
    "HugePages",
    "Indicator",
    "InstantiationLevel",
    "InterfaceRequirement",
    "L2Protocol",
    "L3Protocol",
    "LifecycleOperation",
    "LocalStorage",
    "Maintenance",
    "Mark",
    "Mciop",
    "MonitoringParameter",
    "OperationsConfiguration",
    "OsContainer",
    "PackageChange",
    "PackageChangeSelector",
    "PlacementRule",
    "PlacementSort",
    "Policy",
    "Problem",
    "Problems",
    "Reading",
    "SecurityGroupRule",
    "Service",
    "ServicePort",
    "Severity",
    "SoftwareImage",
    "Storage",
    "StorageKind",
    "SupportedInterface",
    "Timeouts",
    "TooManyProblems",
    "Trigger",
    "Vdu",
    "VduKind",
    "VersionDependency",
    "VirtualLink",
    "VnfProfile",
    "Vnfd",
    "nearest",
    "parse_scalar",
    "read_vnfd",
]
