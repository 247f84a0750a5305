"""A VNF package (CSAR, SOL004): opening one, finding its descriptor, checking its digests.

Three layouts are read: a TOSCA-Metadata directory, a single YAML file at the root with its manifest beside it, and SOL004's
signature option 2, an archive that holds the package and its signature. A `Csar` always comes back: what is wrong is
among its problems, and `contents` is None if the archive was refused. Signatures are kept, unread, as `signatures`, each
with what it covers; until they are checked, each is told of as `signature-not-checked`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Self

from fairlead.descriptors import Mark, Problem, Problems, Severity, TooManyProblems, nearest
from fairlead.packages.archives import ZipContents, open_zip
from fairlead.packages.contents import READ_ERRORS, Contents, LazyFiles, Limits, read_start
from fairlead.packages.digests import Digest, check_digests
from fairlead.packages.directories import open_directory
from fairlead.packages.manifest import Manifest, read_manifest
from fairlead.packages.metafile import META_FILE, ToscaMeta, read_meta

__all__ = ["Csar", "Signature", "open_csar"]

_YAML: Final = (".yaml", ".yml")
_SIGNATURE_ENDINGS: Final = (".cms", ".p7s", ".p7")
_CERTIFICATE_ENDINGS: Final = (".cert", ".crt", ".pem")
_POINTERS: Final = (
    "ETSI-Entry-Manifest",
    "ETSI-Entry-Change-Log",
    "ETSI-Entry-Tests",
    "ETSI-Entry-Licenses",
    "ETSI-Entry-Certificate",
)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as it was found.

    `covers` is `package` (option 2: the inner archive), `manifest` (option 1: its first `Manifest.signed_length` bytes) or the
    path of one file. `certificate` is the path of a certificate file, None if only the CMS block can hold one.
    """

    covers: str
    content: bytes
    mark: Mark
    certificate: str | None = None


@dataclass(slots=True)
class Csar:
    """An open package. Close it, or use it as a context manager.

    `entry` is the path of the descriptor's main file, None if it cannot be found; `files` reads files whole, for the
    descriptor reader; `open` streams one of any size.
    """

    label: str
    contents: Contents | None
    entry: str | None = None
    meta: ToscaMeta | None = None
    manifest: Manifest | None = None
    signatures: tuple[Signature, ...] = ()
    missing_files: Severity = Severity.ERROR
    found: Problems = field(default_factory=Problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.found.sorted()

    @property
    def files(self) -> Mapping[str, bytes]:
        return LazyFiles(self.contents, self.found) if self.contents is not None else {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.contents.sizes) if self.contents is not None else ()

    @property
    def digests(self) -> tuple[Digest, ...]:
        """All digests that the package gives, of the manifest and of TOSCA.meta."""
        return (*(self.manifest.digests if self.manifest else ()), *(self.meta.digests if self.meta else ()))

    def open(self, name: str) -> IO[bytes]:
        """A file of the package as a stream; KeyError if there is none of that name."""
        if self.contents is None:
            raise KeyError(name)
        return self.contents.open(name)

    def check_digests(self) -> None:
        """Read every file that has a digest, and add what does not agree to the problems."""
        if self.contents is None:
            return
        with suppress(TooManyProblems):
            check_digests(self.contents, self.digests, self.found, self.missing_files)
            if self.manifest is not None and self.manifest.digests:
                self._check_listed(self.contents, self.manifest)

    def _check_listed(self, contents: Contents, manifest: Manifest) -> None:
        listed = {digest.path for digest in self.digests}
        listed |= {entry.value for sources in manifest.non_mano_artifacts.values() for entry in sources}
        listed |= {path for digest in manifest.digests for path in (digest.signature, digest.certificate) if path}
        for name in contents.sizes:
            apart = name in (manifest.path, META_FILE) or name.endswith((*_SIGNATURE_ENDINGS, *_CERTIFICATE_ENDINGS))
            if name not in listed and not apart:
                self.found.warning("file-not-in-manifest", "the manifest gives no digest of this file", Mark(name))

    def close(self) -> None:
        if self.contents is not None:
            self.contents.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_csar(
    source: Path | IO[bytes],
    *,
    label: str | None = None,
    limits: Limits | None = None,
    missing_files: Severity = Severity.ERROR,
) -> Csar:
    """Open a package: an archive, which may be an open file that stays the caller's, or a directory with its files.

    `label` is what problems call it, by default its file name. `missing_files` is the severity of files that are named and
    not there, for directories only: an archive is complete. Raises FileNotFoundError if there is nothing at a path.
    """
    if isinstance(source, Path) and not source.exists():
        raise FileNotFoundError(source)
    directory = isinstance(source, Path) and source.is_dir()
    name = label or (source.name if isinstance(source, Path) else "package")
    csar = Csar(name, None, missing_files=missing_files if directory else Severity.ERROR)
    with suppress(TooManyProblems):
        _open(csar, source, limits or Limits())
    return csar


def _open(csar: Csar, source: Path | IO[bytes], limits: Limits) -> None:
    if isinstance(source, Path) and source.is_dir():
        csar.contents = open_directory(source, limits, csar.found)
    else:
        csar.contents = open_zip(source, csar.label, limits, csar.found)
        _unwrap(csar, limits)
    if csar.contents is not None:
        _find_entry(csar, csar.contents)
        _keep_signatures(csar, csar.contents)


def _unwrap(csar: Csar, limits: Limits) -> None:
    """Option 2: go on with the archive inside, and keep the signature that stands beside it."""
    outer = csar.contents
    inner = [name for name in outer.sizes if name.endswith((".csar", ".zip"))] if outer is not None else []
    at_root = outer is not None and not any("/" in name for name in outer.sizes) and not outer.directories
    if outer is None or len(inner) != 1 or not at_root or any(name.endswith(_YAML) for name in outer.sizes):
        return
    signature = next((name for name in outer.sizes if name.endswith(_SIGNATURE_ENDINGS)), None)
    certificate = next((name for name in outer.sizes if name.endswith(_CERTIFICATE_ENDINGS)), None)
    if signature is None:
        csar.found.warning("no-signature", "the outer archive holds a package and no signature of it", Mark(csar.label))
    try:
        if signature is not None:
            content = read_start(outer, signature)
            csar.signatures = (Signature("package", content, Mark(signature), certificate),)
        csar.contents = _spool(outer, inner[0], limits, csar.found)
    except READ_ERRORS as error:
        csar.found.error("damaged-file", f"the inner package cannot be read: {error}", Mark(inner[0]))
        csar.contents = None
    finally:
        outer.close()


def _spool(outer: Contents, name: str, limits: Limits, problems: Problems) -> ZipContents | None:
    """The archive inside an archive, copied to a nameless file, as reading it in place would start over at each seek."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the contents)
    with closing(outer.open(name)) as stream:
        while part := stream.read(2**20):
            copy.write(part)
    contents = open_zip(copy, name, limits, problems)
    if contents is None:
        copy.close()
    return contents


def _find_entry(csar: Csar, contents: Contents) -> None:
    if META_FILE in contents.sizes:
        csar.meta = read_meta(_text(csar, contents, META_FILE), csar.found)
        _follow(csar, contents, csar.meta)
        return
    roots = [name for name in contents.sizes if "/" not in name and name.endswith(_YAML)]
    mark = Mark(csar.label)
    if len(roots) == 1:
        csar.entry = roots[0]
        _read_manifest(csar, contents, f"{roots[0].rpartition('.')[0]}.mf", Mark(roots[0]))
    elif roots:
        told = f"there is no {META_FILE}, and several YAML files at the root: {', '.join(sorted(roots)[:5])}"
        csar.found.error("no-entry", told, mark)
    else:
        told = f"there is neither {META_FILE} nor a YAML file at the root, so the descriptor is not known"
        csar.found.error("no-entry", told, mark)


def _follow(csar: Csar, contents: Contents, meta: ToscaMeta) -> None:
    """Look up what TOSCA.meta points at."""
    entry = meta.entries.get("Entry-Definitions")
    if entry is not None and entry.value in contents.sizes:
        csar.entry = entry.value
    elif entry is not None:
        hint = nearest(entry.value, contents.sizes)
        csar.found.error("file-missing", f'there is no file "{entry.value}"', entry.mark, hint)
    for name in _POINTERS:
        pointer = meta.entries.get(name)
        if pointer is not None and not _exists(contents, pointer.value):
            hint = nearest(pointer.value, (*contents.sizes, *contents.directories))
            csar.found.add(
                "file-missing", f'there is nothing at "{pointer.value}"', pointer.mark, csar.missing_files, hint
            )
    manifest = meta.entries.get("ETSI-Entry-Manifest")
    if manifest is None and csar.entry is not None and f"{csar.entry.rpartition('.')[0]}.mf" in contents.sizes:
        _read_manifest(csar, contents, f"{csar.entry.rpartition('.')[0]}.mf", Mark(META_FILE))
    elif manifest is None or manifest.value in contents.sizes:
        _read_manifest(csar, contents, manifest.value if manifest is not None else None, Mark(META_FILE))


def _exists(contents: Contents, path: str) -> bool:
    return path in contents.sizes or path.removesuffix("/") in contents.directories


def _read_manifest(csar: Csar, contents: Contents, path: str | None, mark: Mark) -> None:
    if path is None or path not in contents.sizes:
        csar.found.warning("no-manifest", "the package has no manifest, so its files cannot be checked", mark)
        return
    csar.manifest = read_manifest(_text(csar, contents, path), path, csar.found)
    if csar.manifest.describes is not None:
        place = next(iter(csar.manifest.metadata.values())).mark
        csar.found.error("not-a-vnf-package", f"this is the package of {csar.manifest.describes}, not of a VNF", place)


def _text(csar: Csar, contents: Contents, path: str) -> bytes:
    try:
        return read_start(contents, path)
    except READ_ERRORS as error:
        csar.found.error("damaged-file", f"the file cannot be read: {error}", Mark(path))
        return b""


def _keep_signatures(csar: Csar, contents: Contents) -> None:
    """Collect all signatures, and tell of each that nobody has checked it."""
    kept = list(csar.signatures)
    certificate = csar.meta.get("ETSI-Entry-Certificate") if csar.meta is not None else None
    if csar.manifest is not None and csar.manifest.signature is not None:
        beside = f"{csar.manifest.path.rpartition('.')[0]}.cert"
        found = certificate or (beside if beside in contents.sizes else None)
        kept.append(Signature("manifest", csar.manifest.signature, csar.manifest.signature_mark, found))
    for digest in csar.manifest.digests if csar.manifest is not None else ():
        if digest.signature is not None and digest.signature in contents.sizes:
            content = _text(csar, contents, digest.signature)
            kept.append(Signature(digest.path, content, digest.mark, digest.certificate or certificate))
        elif digest.signature is not None:
            csar.found.add("file-missing", f'there is no file "{digest.signature}"', digest.mark, csar.missing_files)
    csar.signatures = tuple(kept)
    for signature in kept:
        csar.found.warning(
            "signature-not-checked", f"the signature of {signature.covers} is not checked", signature.mark
        )
