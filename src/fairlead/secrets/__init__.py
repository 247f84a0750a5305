"""Secret values: encrypted at rest here, and known everywhere else by a reference with a keyed digest only.

Credentials, user data and passwords pass through specs, plans, journals, events and logs as `SecretRef`s: a diff sees
that a secret has changed, and nothing can print it. Only the last step before a call to an infrastructure opens them.
"""

from fairlead.secrets.keyring import Keyring, load_keyring
from fairlead.secrets.vault import Vault, any_sealed

__all__ = ["Keyring", "Vault", "any_sealed", "load_keyring"]
