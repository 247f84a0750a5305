"""A small peer of Fairlead's API for the tests of the client and the command line.

It speaks the same wire over real HTTP on a free port of the loopback, keeps state, and behaves: operations run in
steps, events stream and resume, lists have pages and filters, wrong states are refused. What it adds is that a test can
tell it to misbehave, as networks and proxies do, and to hold an operation where the test wants to look at it.
"""

from tests.support.peer.server import Peer, until
from tests.support.peer.state import Faults, State

__all__ = ["Faults", "Peer", "State", "until"]
