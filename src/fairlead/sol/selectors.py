"""Attribute selectors of SOL013 clause 5.3: how much of each resource a list shows.

Only optional complex attributes (structures, arrays, maps) can be left out; simple and mandatory ones always stay. Without
a selector a resource's default set is left out, and that view is what the store keeps ready to be sent as it is:
`is_default` tells when nothing else is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fairlead.errors import BadRequest
from fairlead.sol.attributes import Nature, Path, attributes, parse_path, unknown
from fairlead.sol.subscriptions import PkgmSubscription
from fairlead.sol.vnf_instance import VnfInstance
from fairlead.sol.vnf_operation import VnfLcmOpOcc
from fairlead.sol.vnf_package import VnfPkgInfo

__all__ = ["PKGM_SUBSCRIPTIONS", "VNF_INSTANCES", "VNF_LCM_OP_OCCS", "VNF_PACKAGES", "Selectors", "Shown"]

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A resource in lists: its data type, and what of it the default view leaves out."""

    type: type[msgspec.Struct]
    excluded: frozenset[str]

    def default_view(self, document: Mapping[str, Any]) -> Document:
        """`document` without what the default view leaves out."""
        return {name: value for name, value in document.items() if name not in self.excluded}


VNF_INSTANCES = Shown(
    VnfInstance,
    frozenset(
        {"vnfConfigurableProperties", "vimConnectionInfo", "instantiatedVnfInfo", "metadata", "extensions"},
    ),
)
VNF_LCM_OP_OCCS = Shown(
    VnfLcmOpOcc,
    frozenset(
        {
            "operationParams",
            "error",
            "resourceChanges",
            "changedInfo",
            "changedExtConnectivity",
            "lcmCoordinations",
            "modificationsTriggeredByVnfPkgChange",
            "warnings",
        }
    ),
)
VNF_PACKAGES = Shown(
    VnfPkgInfo,
    frozenset({"softwareImages", "additionalArtifacts", "userDefinedData", "checksum", "onboardingFailureDetails"}),
)
PKGM_SUBSCRIPTIONS = Shown(PkgmSubscription, frozenset())


@dataclass(frozen=True, slots=True)
class Selectors:
    """The selectors of one request; paths are tuples of wire names."""

    shown: Shown
    all_fields: bool = False
    fields: tuple[Path, ...] = ()
    exclude_fields: tuple[Path, ...] = ()
    exclude_default: bool = False

    @classmethod
    def parse(cls, query: Mapping[str, str], shown: Shown) -> Selectors:
        """The selectors in `query`, the request's URL-decoded parameters.

        Raises BadRequest with the codes `selectors-contradict`, `selector-unknown-attribute`.
        """
        given = [name for name in ("all_fields", "fields", "exclude_fields", "exclude_default") if name in query]
        if len(given) > 1 and set(given) != {"fields", "exclude_default"}:
            raise BadRequest(
                f"The parameters {' and '.join(given)} contradict each other.",
                code="selectors-contradict",
                place=f"query parameter {given[0]}",
                remedy="Use one of them; only fields and exclude_default go together.",
            )
        return cls(
            shown,
            all_fields="all_fields" in query,
            fields=_paths("fields", query, shown),
            exclude_fields=_paths("exclude_fields", query, shown),
            exclude_default="exclude_default" in query,
        )

    @property
    def is_default(self) -> bool:
        """Whether the default view is what is asked for."""
        return not (self.all_fields or self.fields or self.exclude_fields)

    def apply(self, document: Document) -> Document:
        """`document`, a whole resource with the names of the wire, as these selectors want it."""
        if self.all_fields:
            return document
        if self.exclude_fields:
            return dict(_without(document, self.shown.type, self.exclude_fields))
        if not self.fields:
            return self.shown.default_view(document)
        droppable = self.shown.excluded if self.exclude_default else None
        return dict(_only(document, self.shown.type, self.fields, droppable))


def _paths(name: str, query: Mapping[str, str], shown: Shown) -> tuple[Path, ...]:
    if name not in query:
        return ()
    paths = tuple(parse_path(part.strip()) for part in query[name].split(",") if part.strip())
    if not paths:
        raise BadRequest(
            f"The parameter {name} names no attribute.",
            code="selector-unknown-attribute",
            place=f"query parameter {name}",
            remedy="Name attributes, separated by commas, or leave the parameter out.",
        )
    for path in paths:
        wrong = unknown(shown.type, path)
        if wrong is not None:
            raise BadRequest(
                f"'{'/'.join(path)}' in {name} is no attribute of {shown.type.__name__}, from '{wrong.segment}' on.",
                code="selector-unknown-attribute",
                place=f"query parameter {name}",
                remedy=f"Known there: {', '.join(wrong.known)}." if wrong.known else "Name the attribute itself.",
            )
    return paths


def _only(value: Any, type_: Any, paths: tuple[Path, ...], droppable: frozenset[str] | None = None) -> Any:
    """`value` with those of its optional complex attributes that `paths` name; with `droppable`, only those can go."""
    if isinstance(value, list):
        return [_only(item, type_, paths) for item in value]
    known = attributes(type_)
    kept = {}
    for name, inner in value.items():
        attribute = known.get(name)
        below = tuple(path[1:] for path in paths if path[0] == name)
        if attribute is None or attribute.required or not attribute.complex or () in below:
            kept[name] = inner
        elif below and _is_struct(attribute.item):
            kept[name] = _each(inner, attribute.nature, lambda one, t=attribute.item, b=below: _only(one, t, b))
        elif below or (droppable is not None and name not in droppable):
            kept[name] = inner
    return kept


def _without(value: Any, type_: Any, paths: tuple[Path, ...]) -> Any:
    """`value` without those of its optional complex attributes that `paths` name."""
    if isinstance(value, list):
        return [_without(item, type_, paths) for item in value]
    known = attributes(type_)
    kept = {}
    for name, inner in value.items():
        attribute = known.get(name)
        below = tuple(path[1:] for path in paths if path[0] == name)
        removable = attribute is not None and attribute.complex and not attribute.required
        if () in below and removable:
            continue
        deeper = tuple(path for path in below if path)
        if deeper and attribute is not None and _is_struct(attribute.item):
            inner = _each(inner, attribute.nature, lambda one, t=attribute.item, d=deeper: _without(one, t, d))
        kept[name] = inner
    return kept


def _each(value: Any, nature: Nature, change: Any) -> Any:
    """`change` done to a structure, or to each in an array or map."""
    if nature is Nature.MAP and isinstance(value, dict):
        return {key: change(one) if isinstance(one, dict) else one for key, one in value.items()}
    return change(value) if isinstance(value, dict | list) else value


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)
