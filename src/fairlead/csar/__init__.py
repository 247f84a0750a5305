"""CSARs (SOL004): archives and directories read, judged, checked against digests and signatures, packed and signed. No database.

A package is somebody else's archive, taken in over the network and read with the manager's rights; this room is where that
stops being dangerous. Reading never unpacks to paths that a package chooses, never holds a large file in memory, and
tells every mistake as a problem with its line, in the same form as the descriptor reader does. The catalogue and those who
write packages, who have no server at hand, read with the same code.
"""

from fairlead.csar.codes import PACKAGE_CODES
from fairlead.csar.contents import Contents, Limits
from fairlead.csar.digests import Digest, check_digests, digest_of
from fairlead.csar.manifest import ListedFile, Manifest, read_manifest
from fairlead.csar.metafile import META_FILE, MetaEntry, ToscaMeta, read_meta
from fairlead.csar.package import Csar, Proof, Signature, open_csar
from fairlead.csar.reading import PackageReading, read_package
from fairlead.csar.signatures import Signer
from fairlead.csar.trust import SignaturePolicy, Trust, load_trust

__all__ = [
    "META_FILE",
    "PACKAGE_CODES",
    "Contents",
    "Csar",
    "Digest",
    "Limits",
    "ListedFile",
    "Manifest",
    "MetaEntry",
    "PackageReading",
    "Proof",
    "Signature",
    "SignaturePolicy",
    "Signer",
    "ToscaMeta",
    "Trust",
    "check_digests",
    "digest_of",
    "load_trust",
    "open_csar",
    "read_manifest",
    "read_meta",
    "read_package",
]
