"""HOT: a deployment flavour as templates for OpenStack Heat.

SOL001 and Heat describe the same things, so most of a VNFD can be said in Heat's words; what cannot is told as a gap with its place
rather than left out in silence. Pure: values in, documents out, for an author who wants to see them and for a driver that has
Heat do the work. Nothing here talks to OpenStack.
"""

from fairlead.hot.documents import VERSION, Gap, Stack, Template
from fairlead.hot.stack import stack_of

__all__ = ["VERSION", "Gap", "Stack", "Template", "stack_of"]
