"""The event log: one row for each thing that happened, written in the transaction that made it happen; and its subscribers.

Notifications, live streams, audit, timelines and alarms read this one log, so none of them can tell another story than
the records do. Ids become visible in order (`settled.py` says how): who has read up to an id has missed nothing before
it, and an id alone is enough to go on from.
"""

from fairlead.events.callbacks import Callbacks
from fairlead.events.delivery import Delivery
from fairlead.events.event import Event
from fairlead.events.log import EventLog
from fairlead.events.subscribing import Interface, Subscription, Subscriptions

__all__ = ["Callbacks", "Delivery", "Event", "EventLog", "Interface", "Subscription", "Subscriptions"]
