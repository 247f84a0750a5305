"""Who is calling, for which project, and what they may do.

Fairlead issues its own credentials, so that it needs no other service to be safe: bearer tokens for people and scripts,
and OAuth2 clients (client-credentials grant) for other NFV systems, as SOL013 asks. All of them are random values of 256
bits of which only a SHA-256 is stored; a slow password hash would add nothing against guessing those.
Each belongs to one project and carries roles; `policy.py` says as data what a role may do.
"""

from fairlead.identity.identity import AccessToken, Client, Identity, Project, Token
from fairlead.identity.policy import Action, Caller, Role, allows, require

__all__ = ["AccessToken", "Action", "Caller", "Client", "Identity", "Project", "Role", "Token", "allows", "require"]
