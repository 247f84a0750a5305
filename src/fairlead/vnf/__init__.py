"""The VNFM role: from VNFDs and requests to desired resources, and the life of VNF instances.

`record` is what is known of an instance; `types` has the operation types; `wanted` the one function from descriptor to
resources; `scaling` the arithmetic; `views` ETSI's view, computed; `service` what the API calls.
"""

from fairlead.vnf.inspecting import unreadable_vnfs
from fairlead.vnf.role import VnfRole
from fairlead.vnf.service import Occurrences, Vnfs
from fairlead.vnf.tables import vnf_instances

__all__ = ["Occurrences", "VnfRole", "Vnfs", "unreadable_vnfs", "vnf_instances"]
