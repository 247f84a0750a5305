"""From a descriptor and a record to the resources that should exist: the desired state of a VNF. Pure.

Names are paths that stay the same over the instance's life: `image/<template>`, `link/<link>`, `external/<link>`,
`<VDU>/<key>` for a VNFC's machine, `<VDU>/<key>/<connection point or storage>` for what belongs to it; what members share
is called after what it is (`vip/...`, `security-group/...`, `qos/...`, `router/...`, `group/...`), a floating IP
`floating-ip/<port>`. Which sorts there are, and which lives within which, are the VIM's traits, so one descriptor lands
on any VIM. With templates of Heat in the package, on a VIM that has stacks, `stack` makes them (see `stacks`).
"""

from __future__ import annotations

from typing import Any

from fairlead.operations import Sealer
from fairlead.resources import Name, Resource
from fairlead.vnf.context import VnfContext
from fairlead.vnf.draft import Draft
from fairlead.vnf.links import want_links
from fairlead.vnf.machines import Machines
from fairlead.vnf.record import VnfRecord
from fairlead.vnf.stacks import is_stacked, want_stack

__all__ = ["wanted_resources"]


def wanted_resources(record: VnfRecord, context: VnfContext, sealer: Sealer) -> dict[Name, Resource[Any]]:
    """The resources of an instantiated VNF; none of one that is not.

    Raises Unprocessable for what the descriptor or the request leaves open, or the VIM has no sort for.
    """
    if record.instantiated is None:
        return {}
    draft = Draft(record, record.instantiated, context, sealer)
    draft.connectivity.check(record.instantiated.members)
    if is_stacked(draft):
        want_stack(draft)
    else:
        want_links(draft)
        Machines(draft).want()
    return draft.made
