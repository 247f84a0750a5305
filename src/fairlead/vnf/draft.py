"""The desired state of a VNF while it is written: what it is made from, and the resources named so far. Pure.

The parts of a VNF (`links`, `points`, `images`, `machines`) each write their own resources into one draft, and refer to
those of the others by name.
"""

from __future__ import annotations

import re
from typing import Any

from fairlead.descriptors import Flavour
from fairlead.operations import Sealer
from fairlead.resources import Name, Ownership, Resource, Spec
from fairlead.vnf.connectivity import Connectivity
from fairlead.vnf.context import VnfContext, flavour_of
from fairlead.vnf.record import Instantiated, VnfRecord

__all__ = ["Draft"]


class Draft:
    """`made` are the resources, by name."""

    def __init__(self, record: VnfRecord, state: Instantiated, context: VnfContext, sealer: Sealer) -> None:
        self.record = record
        self.state = state
        self.context = context
        self.sealer = sealer
        self.flavour: Flavour = flavour_of(context.vnfd, state.flavour)
        self.connectivity = Connectivity(self.flavour, state.external_links, state.managed_links)
        self.made: dict[Name, Resource[Any]] = {}

    def has(self, sort: str) -> bool:
        """Whether the VIM has a kind for resources of this sort."""
        return sort in self.context.where.traits.sorts

    def within(self, sort: str) -> str | None:
        """The sort that resources of `sort` live within in the VIM; None where they stand alone."""
        return self.context.where.traits.within.get(sort)

    def add(
        self,
        name: Name,
        spec: Spec,
        ownership: Ownership = Ownership.OWNED,
        *,
        within: Name | None = None,
        existing: str | None = None,
    ) -> Name:
        """Want `spec` under `name`, which is returned."""
        self.made[name] = Resource(name, spec, self.context.where.vim, ownership, within, existing)
        return name

    def label(self, part: str) -> str:
        """A name for people and for engines: of the instance and of the part."""
        stem = self.record.name or self.record.id[:8]
        return re.sub(r"[^A-Za-z0-9.-]+", "-", f"{stem}-{part}").strip("-.")[:63]
