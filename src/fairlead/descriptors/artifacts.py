"""Files that a descriptor names, operations that run them, and parameters that it declares.

A path in a descriptor is relative to the file that says it; here it is already a path inside the package, so that no later
code needs to know where something was declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.descriptors.problems import NOWHERE, Mark

__all__ = ["Artifact", "Declared", "LifecycleOperation"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A declared artifact; `path` is inside the package, None if `file` names something outside (a URL, a registry)."""

    name: str
    type: str | None
    file: str
    path: str | None
    description: str | None = None
    deploy_path: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class LifecycleOperation:
    """What a package runs at one step of a VNF's life (`instantiate_start` ...).

    `implementation` is the word that was written: the name of an artifact of the VNF node (then `path` is that artifact's
    file), or a file itself. `dependencies` are paths inside the package. `inputs` are plain values.
    """

    name: str
    implementation: str | None
    path: str | None
    dependencies: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Declared:
    """An attribute, property or parameter that the descriptor declares: its type, and the value it starts with."""

    name: str
    type: str
    default: Any = None
    required: bool = False
    mark: Mark = field(default=NOWHERE, compare=False)
