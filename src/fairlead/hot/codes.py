"""Every problem code of templates and scripts that a package brings, with what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["TEMPLATE_CODES"]

TEMPLATE_CODES: Final[Mapping[str, str]] = {
    "hot-version": "The template does not say which version of Heat's language it is in (heat_template_version).",
    "hot-shape": "A part of the template is not of the shape that Heat reads.",
    "hot-top": "A flavour's directory below BaseHOT has no template in it, or several: Heat is given one.",
    "hot-file-missing": "A resource is of a type that is a template of its own, and that is not in the directory nested/.",
    "hot-file-unused": "No resource is of the type that this template in nested/ makes.",
    "hot-unknown-flavour": "BaseHOT has a directory for a flavour that the descriptor does not have.",
    "hot-vdu-missing": "The templates make no server for a VDU; without one the flavour cannot be instantiated through Heat.",
    "hot-refers-to-vdu": "Something refers to a resource that becomes one for each VNFC, so nobody knows which is meant.",
    "script-not-run": "The package has a script that managers are to run. Fairlead runs none, and refuses an operation with one.",
}
