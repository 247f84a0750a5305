"""VNF packages: the catalogue of onboarded ones, and the storage of their bytes.

What is in a package is the affair of `csar/`. Here packages are taken in, kept, described in ETSI's words, handed out and
removed, by any number of processes at once, of which each may end at any moment.
"""

from fairlead.packages.catalogue import Catalogue, PackageRef, Uses
from fairlead.packages.claims import Claims, DatabaseClaims, FileClaims
from fairlead.packages.downloads import Download, Selection
from fairlead.packages.storage import LocalStorage, PackageStorage

__all__ = [
    "Catalogue",
    "Claims",
    "DatabaseClaims",
    "Download",
    "FileClaims",
    "LocalStorage",
    "PackageRef",
    "PackageStorage",
    "Selection",
    "Uses",
]
