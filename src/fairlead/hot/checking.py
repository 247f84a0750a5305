"""What is looked at in the templates and scripts of a package, for onboarding and for the linter alike.

That a VDU has no server in the templates is a warning, for the package may be meant for other infrastructures too. So is a
script: the package can be onboarded, and an operation that would have to run it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fairlead.descriptors import Flavour, LifecycleOperation, Mark, Problems, VduKind, Vnfd
from fairlead.hot.brought import Brought, flavours_in, read_brought
from fairlead.hot.shape import rooms_of
from fairlead.hot.unrolled import referring_to

__all__ = ["check_brought"]

_USER_DATA: Final = "UserData/"
_STANDARD: Final = ("userdata_standard.py", "userdata_default.py")


def check_brought(files: Mapping[str, bytes], vnfd: Vnfd, problems: Problems) -> None:
    """Tell of what is wrong with the templates among `files`, and of scripts that will not be run."""
    for name in flavours_in(files):
        brought = read_brought(files, name, problems)
        if name not in vnfd.flavours:
            told = f'the descriptor has no flavour "{name}"'
            problems.warning("hot-unknown-flavour", told, Mark(f"BaseHOT/{name}"))
        elif brought is not None:
            _check_shape(brought, vnfd.flavours[name], problems)
    _check_scripts(files, vnfd, problems)


def _check_shape(brought: Brought, flavour: Flavour, problems: Problems) -> None:
    vdus = tuple(vdu.id for vdu in flavour.vdus.values() if vdu.kind is VduKind.COMPUTE)
    rooms = rooms_of(brought, vdus)
    for vdu in vdus:
        if vdu not in rooms:
            told = f'no server "{vdu}" is made: not here, not in a nested template that is a type or what a group makes'
            problems.warning("hot-vdu-missing", told, Mark(brought.path))
    repeated = [vdu for vdu, room in rooms.items() if room.repeated]
    for vdu in sorted(referring_to(brought.main, repeated)):
        told = f'"{vdu}" becomes one resource for each VNFC, and something refers to it by name'
        problems.error("hot-refers-to-vdu", told, brought.marks.get(vdu, Mark(brought.path)))


def _check_scripts(files: Mapping[str, bytes], vnfd: Vnfd, problems: Problems) -> None:
    for path in sorted(files):
        name = path.rpartition("/")[2]
        if path.startswith(_USER_DATA) and name.endswith(".py") and name not in (*_STANDARD, "__init__.py"):
            told = f'"{path}" is a script for user data, and only Tacker\'s two standard classes are understood'
            problems.warning("script-not-run", told, Mark(path, 1, 1))
    runs: dict[str, list[LifecycleOperation]] = {}
    for flavour in vnfd.flavours.values():
        for operation in flavour.lifecycle.values():
            if operation.implementation is not None:
                runs.setdefault(operation.path or operation.implementation, []).append(operation)
    for script, operations in runs.items():
        when = ", ".join(dict.fromkeys(operation.name for operation in operations))
        told = f'"{script}" is to be run at {when}, and Fairlead runs no scripts of packages'
        problems.warning("script-not-run", told, min(operation.mark for operation in operations))
