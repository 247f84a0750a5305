"""Every problem code of the package reader, with what it means; the counterpart of the descriptors' list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["PACKAGE_CODES"]

PACKAGE_CODES: Final[Mapping[str, str]] = {
    "not-a-zip": "The file is no zip archive, or a damaged one.",
    "too-many-entries": "The package has more files than are read.",
    "too-large": "Unpacked, the package is larger than is read, or its manifest is.",
    "zip-bomb": "The archive is packed far more tightly than files are, or its entries share their bytes.",
    "bad-path": "A name leads out of the package, or is no plain relative path.",
    "bad-entry": "A symbolic link, a device, an encrypted or strangely packed file; a package holds plain files only.",
    "duplicate-entry": "A name is there twice, or apart only by case; readers and systems differ on which one counts.",
    "damaged-file": "A file in the archive cannot be read.",
    "no-entry": "It is not known which file is the descriptor: neither TOSCA.meta nor a single YAML file at the root says.",
    "file-missing": "A file that TOSCA.meta or the manifest names is not in the package.",
    "not-utf-8": "TOSCA.meta and manifests are UTF-8 text.",
    "line-too-long": "A line of TOSCA.meta or the manifest is longer than is read.",
    "bad-line": "A line is not of the form Name: value, or belongs to no block.",
    "duplicate-key": "The same name stands twice where it may stand once.",
    "unknown-entry": "SOL004 has no such entry at this place.",
    "meta-incomplete": "TOSCA.meta lacks an entry that SOL004 requires.",
    "no-manifest": "The package has no manifest, so its files cannot be checked.",
    "no-change-log": "SOL004 4.3.3 wants the history of changes, in ChangeLog.txt where there is no TOSCA.meta.",
    "manifest-incomplete": "The manifest lacks something that SOL004 requires.",
    "file-not-in-manifest": "The manifest gives digests, and none of this file; an error where the manifest is signed.",
    "digest-algorithm": "SOL004 allows SHA-256 and SHA-512 for digests, and the rest of SHA-2.",
    "wrong-digest": "The file is not the one whose digest the manifest gives.",
    "wrong-checksum": "The file of a software image is not the one whose checksum the descriptor gives.",
    "not-a-vnf-package": "The package is of a network service (SOL007) or a physical function, not of a VNF.",
    "broken-signature": "The signature is no CMS that can be read, has no first or last line, or something follows it.",
    "wrong-signature": "The signature is of another content, or was not made with the key of its certificate.",
    "weak-signature": "The signature is by a function or key that proves nothing any more, such as SHA-1.",
    "no-certificate": "The certificate of the signer is neither in the signature nor in the package.",
    "bad-certificate": "A certificate's file cannot be read.",
    "certificate-expired": "The signer's certificate was not valid when the package was uploaded.",
    "untrusted-signer": "The signer's certificate does not lead to a trust anchor, or is for other purposes than signing.",
    "signer-not-checked": "The signature is right, and no trust anchors are configured that could say whether its signer counts.",
    "not-signed": "The package is not signed; with packages.signatures = require that is an error.",
    "no-signature": "An outer archive holds a package and no signature of it.",
    "nested-archive": "The package within a signed outer archive is an outer archive again.",
    "signature-not-checked": "There is a signature, and nobody looks at it: packages.signatures = ignore.",
}
