"""What a VNF's operation types compute with beside its record: the descriptor, its boot files, and the VIM chosen.

Everything that has to be read is read here, before anything is computed; the types stay pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fairlead.descriptors import Flavour, Vnfd
from fairlead.errors import Unprocessable
from fairlead.resources import VimId
from fairlead.vims import Traits

__all__ = ["VnfContext", "Where", "flavour_of"]


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """The VIM where a VNF goes, or is, and the connection by which its record knows it.

    `zones` are looked up for descriptors that ask for them only; None when the VIM did not tell.
    """

    vim: VimId
    traits: Traits
    connection: dict[str, dict[str, Any]]
    zones: tuple[str, ...] | None = ()


class VnfContext(msgspec.Struct, frozen=True, kw_only=True):
    """`files` are the boot files of the package by path; `digests` the content digests of image artifacts by path;
    `templates` are those of Heat by path, where the place has stacks.

    `place` is None for an operation that needs no VIM on an instance that has none.
    """

    vnfd: Vnfd
    package: str
    files: Mapping[str, bytes]
    digests: Mapping[str, str]
    templates: Mapping[str, bytes] = {}
    place: Where | None

    @property
    def where(self) -> Where:
        """The place. Raises Unprocessable (`no-default-vim`) where none was chosen."""
        if self.place is None:
            raise Unprocessable("No VIM is chosen for this instance.", code="no-default-vim")
        return self.place


def flavour_of(vnfd: Vnfd, flavour: str) -> Flavour:
    """The flavour called so. Raises Unprocessable (`unknown-flavour`)."""
    try:
        return vnfd.flavours[flavour]
    except KeyError:
        raise Unprocessable(
            f"The VNFD has no flavour '{flavour}'.",
            code="unknown-flavour",
            place="flavourId",
            remedy=f"Flavours: {', '.join(sorted(vnfd.flavours))}.",
        ) from None
