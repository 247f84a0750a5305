"""HOT: templates for OpenStack Heat, those that packages bring and a deployment flavour written as such.

SOL001 and Heat describe the same things, so most of a VNFD can be said in Heat's words; what cannot is told as a gap with its place
rather than left out in silence. Pure: values in, documents out, for an author who wants to see them and for a driver that has
Heat do the work. Nothing here talks to OpenStack. `stack` writes templates; `brought` reads a package's, `shape` finds one's
way in them, `unrolled` says them for given members, `checking` is for onboarding and the linter.
"""

from fairlead.hot.brought import Brought, flavours_in, paths_of, read_brought
from fairlead.hot.checking import check_brought
from fairlead.hot.codes import TEMPLATE_CODES
from fairlead.hot.documents import VERSION, Gap, Stack, Template
from fairlead.hot.shape import Room, has_shape_of_standard, rooms_of
from fairlead.hot.stack import stack_of
from fairlead.hot.unrolled import indexed, parameters_asked, unrolled

__all__ = [
    "TEMPLATE_CODES",
    "VERSION",
    "Brought",
    "Gap",
    "Room",
    "Stack",
    "Template",
    "check_brought",
    "flavours_in",
    "has_shape_of_standard",
    "indexed",
    "parameters_asked",
    "paths_of",
    "read_brought",
    "rooms_of",
    "stack_of",
    "unrolled",
]
