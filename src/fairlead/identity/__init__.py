"""Who is calling, for which project, and what they may do.

Fairlead issues its own credentials, so that it needs no other service to be safe: bearer tokens for people and scripts,
and OAuth2 clients (client-credentials grant) for other NFV systems, as SOL013 asks. All of them are random values of 256
bits of which only a SHA-256 is stored; a slow password hash would add nothing against guessing those.
With an OpenStack it takes the tokens of Keystone in their place (`keystone.py`).
Each belongs to one project and carries roles; `policy.py` says what a role may do.
"""

from fairlead.identity.identity import AccessToken, Client, Identity, Project, Token
from fairlead.identity.keystone import Keystone, KeystoneAccess
from fairlead.identity.policy import Action, Caller, Policy, Role, Rule

__all__ = [
    "AccessToken",
    "Action",
    "Caller",
    "Client",
    "Identity",
    "Keystone",
    "KeystoneAccess",
    "Policy",
    "Project",
    "Role",
    "Rule",
    "Token",
]
