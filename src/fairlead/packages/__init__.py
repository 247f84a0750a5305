"""VNF packages: reading CSARs, the catalogue of onboarded ones, and the storage of their bytes.

A package is somebody else's archive, taken in over the network and read with the manager's rights; this room is where that
stops being dangerous. Reading never unpacks to paths that a package chooses, never holds a large file in memory, and
tells every mistake as a problem with its line, in the same form as the descriptor reader does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fairlead.packages.codes import PACKAGE_CODES
from fairlead.packages.contents import Contents, Limits
from fairlead.packages.csar import Csar, Proof, Signature, open_csar
from fairlead.packages.digests import Digest, check_digests, digest_of
from fairlead.packages.manifest import ListedFile, Manifest, read_manifest
from fairlead.packages.metafile import META_FILE, MetaEntry, ToscaMeta, read_meta
from fairlead.packages.reading import PackageReading, read_package
from fairlead.packages.signatures import Signer
from fairlead.packages.storage import LocalStorage, PackageStorage
from fairlead.packages.trust import SignaturePolicy, Trust, load_trust

if TYPE_CHECKING:
    from fairlead.packages.catalogue import Catalogue, PackageRef, Uses
    from fairlead.packages.claims import Claims, DatabaseClaims, FileClaims
    from fairlead.packages.downloads import Download, Selection

__all__ = [
    "META_FILE",
    "PACKAGE_CODES",
    "Catalogue",
    "Claims",
    "Contents",
    "Csar",
    "DatabaseClaims",
    "Digest",
    "Download",
    "FileClaims",
    "Limits",
    "ListedFile",
    "LocalStorage",
    "Manifest",
    "MetaEntry",
    "PackageReading",
    "PackageRef",
    "PackageStorage",
    "Proof",
    "Selection",
    "Signature",
    "SignaturePolicy",
    "Signer",
    "ToscaMeta",
    "Trust",
    "Uses",
    "check_digests",
    "digest_of",
    "load_trust",
    "open_csar",
    "read_manifest",
    "read_meta",
    "read_package",
]


_LATER = {
    "catalogue": ("Catalogue", "PackageRef", "Uses"),
    "claims": ("Claims", "DatabaseClaims", "FileClaims"),
    "downloads": ("Download", "Selection"),
}


def __getattr__(name: str) -> Any:
    """The catalogue and its parts, imported when asked for: they bring the database, for which a linter must not wait."""
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"fairlead.packages.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
