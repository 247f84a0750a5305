"""Which of Tacker's ways of filling in a package's templates is meant, and which scripts stand in an operation's way. Pure.

Two classes are built in: `DefaultUserData` gives each VDU its number, `StandardUserData` gives each VNFC a resource of its own.
Without a word in the request the shape of the templates decides. Any other class, and any script that a descriptor names for
an operation, would have to be run, and Fairlead runs no code of packages: the operation is refused, with what to port.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fairlead.descriptors import Flavour
from fairlead.errors import Unprocessable

__all__ = ["SKIP_SCRIPTS", "UserData", "require_no_scripts", "user_data_asked"]

_CLASS = "lcm-operation-user-data-class"
_FILE = "lcm-operation-user-data"
SKIP_SCRIPTS = ("fairlead-package-scripts", "skip")
"""The additional parameter, and its value, by which the scripts of a package are knowingly left out."""


class UserData(StrEnum):
    """Tacker's standard classes."""

    DEFAULT = "DefaultUserData"
    STANDARD = "StandardUserData"


_FILES = {"userdata_default.py": UserData.DEFAULT, "userdata_standard.py": UserData.STANDARD}


def user_data_asked(parameters: Mapping[str, Any]) -> UserData | None:
    """The class that a request names by itself or by the file that it is in; None where it names none.

    Raises Unprocessable (`unsupported-package-script`) for another.
    """
    name, file = parameters.get(_CLASS), parameters.get(_FILE)
    if not name and not file:
        return None
    if name in tuple(UserData):
        return UserData(name)
    if not name and str(file).rpartition("/")[2] in _FILES:
        return _FILES[str(file).rpartition("/")[2]]
    raise Unprocessable(
        f"The user data class '{name or file}' is a script of the package, and Fairlead runs none.",
        code="unsupported-package-script",
        place=f"additionalParams/{_CLASS if name else _FILE}",
        remedy="Port it: use StandardUserData or DefaultUserData, and give what the script computes as additionalParams.nfv.",
    )


def require_no_scripts(flavour: Flavour, operation: str, *parameters: Mapping[str, Any]) -> None:
    """`operation` must not be one at which the descriptor has a script run, unless `parameters` leave scripts out.

    Raises Unprocessable (`unsupported-package-script`) with the place in the descriptor.
    """
    if any(given.get(SKIP_SCRIPTS[0]) == SKIP_SCRIPTS[1] for given in parameters):
        return
    names = (operation, f"{operation}_start", f"{operation}_end")
    for name in names:
        step = flavour.lifecycle.get(name)
        if step is not None and step.implementation is not None:
            raise Unprocessable(
                f"The package has '{step.path or step.implementation}' run at {name}, and Fairlead runs no scripts of packages.",
                code="unsupported-package-script",
                place=str(step.mark),
                remedy="Port what it does to the machine's own start (user data), or, where it can be done without, "
                f"give the additional parameter {SKIP_SCRIPTS[0]}: {SKIP_SCRIPTS[1]}.",
            )
