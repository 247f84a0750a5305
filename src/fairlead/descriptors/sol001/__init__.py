"""ETSI's normative VNFD types as tables.

The type files of SOL001 2.5.1 to 4.4.1 are not shipped and not parsed: reading 130 kB of YAML for every package would cost
more than the descriptor itself, and what packages carry as "the" types is often edited. These tables are the merged
content of all eleven versions, and both checking and reading run on them.
"""

from fairlead.descriptors.sol001.data_types import DATA_TYPES, OPEN_TYPES
from fairlead.descriptors.sol001.interfaces import (
    NETWORK_SERVICE_TYPES,
    NORMATIVE_NAMES,
    OPEN_INTERFACES,
    VNFLCM,
    VNFLCM_OPERATIONS,
)
from fairlead.descriptors.sol001.node_types import CAPABILITY_TYPES, NODE_TYPES, RELATIONSHIP_TYPES
from fairlead.descriptors.sol001.policy_types import ARTIFACT_TYPES, GROUP_TYPES, POLICY_TYPES
from fairlead.descriptors.sol001.rows import TypeRow

__all__ = [
    "ARTIFACT_TYPES",
    "CAPABILITY_TYPES",
    "DATA_TYPES",
    "GROUP_TYPES",
    "NETWORK_SERVICE_TYPES",
    "NODE_TYPES",
    "NORMATIVE_NAMES",
    "OPEN_INTERFACES",
    "OPEN_TYPES",
    "POLICY_TYPES",
    "RELATIONSHIP_TYPES",
    "VNFLCM",
    "VNFLCM_OPERATIONS",
    "TypeRow",
]
