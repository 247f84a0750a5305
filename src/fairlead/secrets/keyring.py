"""The master keys, and what is derived from them.

A keyring is a text of 256-bit keys in URL-safe base64, one to a line, newest first. The first seals; all of them unseal;
the last, the oldest, is what digests are keyed with. So a key is rotated by putting a new one at the top and sealing
everything anew, and no digest changes by that: digests stand in stored specs, and a changed one would look like a
changed secret to every diff. From each key HKDF derives one key to encrypt with, one for digests, and the short id
by which a sealed value names the key that it needs.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import tempfile
from hashlib import sha256
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fairlead.errors import FairleadError, Quarantined

__all__ = ["Keyring", "load_keyring"]

_FORMAT = "v1"
_NONCE = 12
_HOW_TO_MAKE_ONE = (
    "A new key: python3 -c 'import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'"
)
_log = structlog.get_logger(__name__)


class _Key:
    """One master key's derived parts."""

    def __init__(self, master: bytes) -> None:
        self.id = _derived(master, "key id", 4).hex()
        self.cipher = AESGCM(_derived(master, "seal", 32))
        self.digest_key = _derived(master, "digest", 32)


class Keyring:
    """Seals, unseals and digests with the keys that it was made of; nothing gets a key out of it."""

    def __init__(self, text: str) -> None:
        """`text`: the keys, newest first, apart by white space or commas; a line that begins with `#` is a remark.

        Raises FairleadError (code `master-key-invalid`) when there is no key in it, or something that is none.
        """
        lines = (line.strip() for line in text.splitlines())
        words = [word for line in lines if not line.startswith("#") for word in line.replace(",", " ").split()]
        self._keys = [_Key(_decoded(word, number)) for number, word in enumerate(words, 1)]
        if not self._keys:
            raise _invalid("There is no master key in it.")
        self._by_id = {key.id: key for key in self._keys}

    @staticmethod
    def new_key() -> str:
        """A fresh key, as a keyring's text has it."""
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return self._keys[0].id

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all keys here: what was sealed under another cannot be read."""
        return frozenset(self._by_id)

    def __repr__(self) -> str:
        return f"<Keyring {' '.join(key.id for key in self._keys)}>"

    def digest(self, value: bytes) -> str:
        """`hmac-sha256:` and 64 hexadecimal digits; tells whoever has no key nothing but whether two values are equal."""
        return "hmac-sha256:" + hmac.new(self._keys[-1].digest_key, value, sha256).hexdigest()

    def seal(self, plain: bytes, context: str) -> str:
        """`plain` encrypted (AES-256-GCM); it can be unsealed in the same `context` only, so that nobody can swap two."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._keys[0].cipher.encrypt(nonce, plain, context.encode())
        return ".".join((_FORMAT, self.current, base64.urlsafe_b64encode(nonce + sealed).decode()))

    def unseal(self, sealed: str, context: str) -> bytes:
        """What was sealed in `context`. Raises Quarantined (code `secret-unreadable`) when no key here opens it."""
        form, _, rest = sealed.partition(".")
        key_id, _, body = rest.partition(".")
        if form != _FORMAT or not body:
            raise _unreadable(context, "It was not written by this version of Fairlead, or is damaged.")
        key = self._by_id.get(key_id)
        if key is None:
            raise _unreadable(context, f"It was sealed under the key {key_id}; here are {', '.join(sorted(self.ids))}.")
        try:
            raw = base64.urlsafe_b64decode(body)
            return key.cipher.decrypt(raw[:_NONCE], raw[_NONCE:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise _unreadable(context, "It is damaged, or belongs to something else.") from error


def load_keyring(path: Path, *, keys: str | None = None, in_use: bool = False) -> Keyring:
    """The keyring in `keys` when given (from the environment), else that in the file `path`.

    A file that is not there is made, with mode 0600; two programs that start at once agree on one key. But where keys
    are `in_use`, because something is sealed under them, a missing file is a mistake that a new key would only hide.
    Raises FairleadError (codes `master-key-invalid`, `master-key-missing`, `master-key-unreadable`).
    """
    if keys:
        return Keyring(keys)
    try:
        if not path.exists():
            if in_use:
                raise _missing(path)
            _make(path)
        text = path.read_text(encoding="ascii")
        mode = path.stat().st_mode & 0o777
    except (OSError, UnicodeDecodeError) as error:
        raise FairleadError(
            f"The master key cannot be read from {path}.",
            code="master-key-unreadable",
            cause=str(error),
            remedy="Make the file readable for the user that Fairlead runs as, or name another one in the settings.",
        ) from error
    if mode & 0o077:
        _log.warning("others may read the master key", path=str(path), mode=f"{mode:04o}", remedy=f"chmod 600 {path}")
    try:
        return Keyring(text)
    except FairleadError as error:
        error.place = str(path)
        raise


def _make(path: Path) -> None:
    """Write a new keyring to `path`, unless somebody else did in the meantime."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    remark = (
        "# Fairlead's master key. Without it no stored secret can be read: keep a copy, apart from the database's.\n"
    )
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(remark + Keyring.new_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o600)
        # A link, unlike a rename, does not replace a file that is there by now.
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)


def _derived(master: bytes, purpose: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"fairlead {purpose}".encode()).derive(master)


def _decoded(word: str, number: int) -> bytes:
    try:
        key = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise _invalid(f"Key {number} is not 32 bytes in URL-safe base64.")
    return key


def _missing(path: Path) -> FairleadError:
    return FairleadError(
        f"The database holds secrets, and the master key under which they are sealed is not at {path}.",
        code="master-key-missing",
        place=str(path),
        remedy="Put the file back from its copy, or name its place in the settings (secrets.master_key_file). If it is lost, put "
        f"a new key there, and give the VIMs their credentials again. {_HOW_TO_MAKE_ONE}",
    )


def _invalid(detail: str) -> FairleadError:
    return FairleadError(
        f"The keyring of master keys is not usable. {detail}",
        code="master-key-invalid",
        remedy=f"Put the right keys back, newest first, one to a line. {_HOW_TO_MAKE_ONE}",
    )


def _unreadable(context: str, cause: str) -> Quarantined:
    return Quarantined(
        f"A secret of {context.split(' ')[0]} cannot be read.",
        code="secret-unreadable",
        cause=cause,
        remedy="Put the master key back under which it was sealed, as a further line of the keyring, or give the secret again.",
    )
