"""The HTTP interfaces: one module per ETSI interface, and our own. No business rules live here.

A request passes `telemetry` (id, log, metrics), Litestar's router, `admission` (caller, version, rights) and ends in the
function of an `Endpoint`, which calls one of the `Services`. Failures of any sort leave through `problems`.
"""

from fairlead.api.app import all_rules, create_app, create_status_app
from fairlead.api.rules import sample
from fairlead.api.server import HttpServer
from fairlead.api.services import ApiSettings, Check, Services

__all__ = ["ApiSettings", "Check", "HttpServer", "Services", "all_rules", "create_app", "create_status_app", "sample"]
