"""A peer of an OpenStack: Keystone, Nova, Neutron, Cinder and Glance in memory, as far as the driver uses them.

It is strict where the real services are (what is in use cannot be deleted, an address is given out once, a busy server
refuses) and takes a moment for what they take seconds for. What the real ones do is proven on a real cloud; this is
what runs everywhere.
"""

from tests.support.cloud.peer import PeerCloud

__all__ = ["PeerCloud"]
