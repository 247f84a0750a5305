"""Descriptors: TOSCA text in, typed frozen values out, and every mistake told with file, line and column.

The field's other systems read TOSCA through general parsers that lose the places of things, so their users learn of a
mistake as a stack trace in the middle of an instantiation. This room reads SOL001 itself, in passes that never stop
at a first mistake, and returns a `Vnfd` only when there is nothing wrong with it; whatever is built on one need not
check it again. It is pure: files come in as a mapping of paths to bytes, and nothing is read from anywhere else.
"""

from fairlead.descriptors.artifacts import Artifact, LifecycleOperation
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
from fairlead.descriptors.network import (
    AllocationPool,
    ConnectionPoint,
    ConnectionPointKind,
    InterfaceRequirement,
    L2Protocol,
    L3Protocol,
    VirtualLink,
)
from fairlead.descriptors.problems import Mark, Problem, Problems, Severity, TooManyProblems, nearest
from fairlead.descriptors.reading import Reading, read_vnfd
from fairlead.descriptors.scalars import BadScalar, parse_scalar
from fairlead.descriptors.vnfd import (
    Aspect,
    Declared,
    Flavour,
    InstantiationLevel,
    Mciop,
    PlacementRule,
    PlacementSort,
    Policy,
    SecurityGroupRule,
    Vnfd,
)

__all__ = [
    "CODES",
    "AdditionalCapability",
    "AllocationPool",
    "Artifact",
    "Aspect",
    "BadScalar",
    "BootData",
    "Checksum",
    "ConnectionPoint",
    "ConnectionPointKind",
    "Declared",
    "Flavour",
    "HugePages",
    "InstantiationLevel",
    "InterfaceRequirement",
    "L2Protocol",
    "L3Protocol",
    "LifecycleOperation",
    "LocalStorage",
    "Mark",
    "Mciop",
    "OsContainer",
    "PlacementRule",
    "PlacementSort",
    "Policy",
    "Problem",
    "Problems",
    "Reading",
    "SecurityGroupRule",
    "Severity",
    "SoftwareImage",
    "Storage",
    "StorageKind",
    "TooManyProblems",
    "Vdu",
    "VduKind",
    "VirtualLink",
    "Vnfd",
    "nearest",
    "parse_scalar",
    "read_vnfd",
]
