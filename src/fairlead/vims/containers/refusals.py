"""What an engine's words mean: from an answer that is not a success to an error of ours.

Docker answers with fitting status codes, Podman answers 500 to almost everything, so the words decide first and the status only
where no words are known. What nobody knows is taken for a passing fault of the engine when it is a 5xx, which is the safe
side: the call is repeated for a while, and then fails with the engine's own words.
"""

from __future__ import annotations

import re

from fairlead.errors import VimError, VimFull, VimRefused, VimUnavailable

__all__ = ["AddressTaken", "InUse", "NotThere", "Taken", "error_of"]


class NotThere(VimRefused):
    """404: the engine has no such thing."""

    default_code = "not-in-vim"


class Taken(VimRefused):
    """Something of this name, or this connection, exists already."""

    default_code = "name-taken"


class AddressTaken(VimRefused):
    """Another container, or the engine itself, has the address."""

    default_code = "address-in-use"


class InUse(VimRefused):
    """It cannot be deleted while others use it."""

    default_code = "in-use"


_WORDS: tuple[tuple[str, type[VimError], str, str], ...] = (
    (
        r"resource temporarily unavailable|deadline exceeded|timed out|state improper|database is locked",
        VimUnavailable,
        "vim-unavailable",
        "",
    ),
    (
        r"no space left on device|disk quota exceeded",
        VimFull,
        "vim-disk-full",
        "Free disk space on the engine's host, then retry.",
    ),
    (
        r"failed to find free ip|no available ip|no available ipv?[46]? addresses|ipam.*exhausted",
        VimFull,
        "no-free-address",
        "Make the network's address pools larger, or free addresses in them.",
    ),
    (
        r"non-overlapping ipv4 address pool|could not find free subnet|could not find an available",
        VimFull,
        "no-free-subnet",
        "Name a subnet for the network, or delete networks that nobody uses.",
    ),
    (r"cannot allocate memory", VimFull, "vim-full", "Free memory on the engine's host, then retry."),
    (
        r"ip address .* is already allocated|address already in use|address .* in use",
        AddressTaken,
        "address-in-use",
        "Choose another address, or remove what has it.",
    ),
    (
        r"not in any subnet|does not belong to any",
        VimRefused,
        "address-outside-network",
        "Choose an address in one of the network's subnets.",
    ),
    (
        r"already used on the host|pool overlaps|overlaps with",
        VimRefused,
        "subnet-overlaps",
        "Choose a subnet that no network of this engine, and no interface of its host, has.",
    ),
    (r"is not connected to", NotThere, "not-in-vim", ""),
    (
        r"unable to find network|network .*not found|no such network",
        NotThere,
        "network-missing",
        "Create the network first, or name one that exists.",
    ),
    (
        r"image not known|no such image",
        NotThere,
        "image-missing",
        "Load the image into the engine, or ship it in the package.",
    ),
    (
        r"name .* already (in use|used|exists)|name is already in use|network already exists|already connected"
        r"|endpoint with name .* already exists",
        Taken,
        "name-taken",
        "Remove what has this name from the engine, then retry.",
    ),
    (
        r"has active endpoints|is being used|in use by|is in use|is using its referenced",
        InUse,
        "in-use",
        "Remove what uses it, then retry.",
    ),
    (
        r"oci runtime|unable to start container process|failed to create shim|exec format error",
        VimRefused,
        "container-does-not-start",
        "Correct the command, image, limits or sysctls of the VDU.",
    ),
    (
        r"unknown capability|sysctl .* not |minimum memory limit|range of cpus|invalid",
        VimRefused,
        "vim-refused",
        "Correct what the engine names.",
    ),
)
_TABLE = tuple(
    (re.compile(words, re.IGNORECASE | re.DOTALL), kind, code, remedy) for words, kind, code, remedy in _WORDS
)


def error_of(status: int, message: str, what: str) -> VimError:
    """The error for an answer with `status` and the engine's `message`, when asked to `what`."""
    cause = f"{status} {message}".strip()
    if status == 507:
        return VimFull(f"The container engine has no room to {what}.", cause=cause, remedy="Free some, then retry.")
    for pattern, kind, code, remedy in _TABLE:
        if pattern.search(message):
            return kind(_sentence(kind, what), code=code, cause=cause, remedy=remedy or None)
    if status == 404:
        return NotThere(_sentence(NotThere, what), cause=cause)
    if status == 409:
        return Taken(_sentence(Taken, what), cause=cause, remedy="Remove what stands in the way, then retry.")
    if status >= 500 or status in (408, 429):
        return VimUnavailable(f"The container engine failed to {what}.", cause=cause)
    return VimRefused(_sentence(VimRefused, what), cause=cause, remedy="Correct what the engine names.")


def _sentence(kind: type[VimError], what: str) -> str:
    if kind is VimFull:
        return f"The container engine has no room to {what}."
    if kind is VimUnavailable:
        return f"The container engine could not {what} just now."
    return f"The container engine refused to {what}."
