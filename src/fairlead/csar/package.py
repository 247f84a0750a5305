"""A VNF package (CSAR, SOL004): opening one, finding its descriptor, checking its digests.

Three layouts are read: a TOSCA-Metadata directory, a single YAML file at the root with its manifest beside it, and SOL004's
signature option 2, an archive that holds the package and its signature. A `Csar` always comes back: what is wrong is
among its problems, and `contents` is None if the archive was refused. Signatures are kept, unread, as `signatures`, each
with what it covers; `signatures.py` checks them. Archives within the package are files of it and never opened.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Self

from fairlead.csar.archives import open_zip
from fairlead.csar.contents import READ_ERRORS, Contents, LazyFiles, Limits, read_start
from fairlead.csar.digests import Digest, check_digests, is_external
from fairlead.csar.directories import open_directory
from fairlead.csar.manifest import Manifest, read_manifest
from fairlead.csar.metafile import META_FILE, MetaEntry, ToscaMeta, read_meta
from fairlead.descriptors import Mark, Problem, Problems, Severity, TooManyProblems, nearest

__all__ = ["Csar", "Proof", "Signature", "open_csar"]

_YAML: Final = (".yaml", ".yml")
_ARCHIVES: Final = (".csar", ".zip")
_SIGNATURE_ENDINGS: Final = (".cms", ".p7s", ".p7", ".p7b", ".p7c", ".sig")
_CERTIFICATE_ENDINGS: Final = (".cert", ".crt", ".cer", ".pem")
_CHANGE_LOG: Final = "ChangeLog.txt"
_LARGEST_TEXT: Final = 8 * 2**20
_LARGEST_PROOF: Final = 2**20
_MOST_CERTIFICATES: Final = 16
_POINTERS: Final = (
    "ETSI-Entry-Manifest",
    "ETSI-Entry-Change-Log",
    "ETSI-Entry-Tests",
    "ETSI-Entry-Licenses",
    "ETSI-Entry-Certificate",
)


@dataclass(frozen=True, slots=True)
class Proof:
    """A file with a signature or a certificate; `content` is None as long as nobody has read it out of the package."""

    path: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as it was found.

    `covers` is `package` (option 2: the inner archive), `manifest` (option 1: `Manifest.signed`) or the path of one file.
    `certificates` are the files in which the signer's may stand, unless it is in the CMS block; the likeliest comes first.
    """

    covers: str
    proof: Proof
    mark: Mark
    certificates: tuple[Proof, ...] = ()


@dataclass(slots=True)
class Csar:
    """An open package. Close it, or use it as a context manager.

    `entry` is the path of the descriptor's main file, None if it cannot be found; `files` reads files whole, for the
    descriptor reader; `open` streams one of any size. `package` is the inner archive of option 2. `vouching` are the
    files that hold nothing but signatures and certificates, `directory` says that it is one and no archive.
    """

    label: str
    contents: Contents | None
    entry: str | None = None
    meta: ToscaMeta | None = None
    manifest: Manifest | None = None
    signatures: tuple[Signature, ...] = ()
    package: IO[bytes] | None = None
    vouching: frozenset[str] = frozenset()
    directory: bool = False
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

    def read_proof(self, proof: Proof) -> bytes:
        """The bytes of a signature or certificate; one of READ_ERRORS if it is damaged, ValueError if it is too large."""
        content = proof.content
        if content is None:
            assert self.contents is not None
            content = read_start(self.contents, proof.path, _LARGEST_PROOF + 1)
        if len(content) > _LARGEST_PROOF:
            raise ValueError(f"it has more than {_LARGEST_PROOF} bytes")
        return content

    def check_digests(self, *, sealed: bool = False) -> None:
        """Read every file that has a digest, and add what does not agree to the problems.

        `sealed` says that the manifest is what vouches for the package, so that files without a digest are mistakes.
        """
        if self.contents is None:
            return
        with suppress(TooManyProblems):
            check_digests(self.contents, self.digests, self.found, self.missing_files)
            if self.manifest is not None:
                self._check_sources(self.contents, self.manifest)
                if sealed:
                    self._check_sealed(self.contents, self.manifest)
                elif self.manifest.digests:
                    self._check_listed(self.contents, self.manifest)

    def _check_sources(self, contents: Contents, manifest: Manifest) -> None:
        """What the manifest names without a digest has to be there as well."""
        digests = {digest.path for digest in manifest.digests}
        named = [MetaEntry(file.path, file.mark) for file in manifest.files if file.path not in digests]
        named += [entry for entries in manifest.non_mano_artifacts.values() for entry in entries]
        named += [entry for file in manifest.files for entry in (file.signature, file.certificate) if entry is not None]
        for entry in named:
            if not is_external(entry.value) and not _exists(contents, entry.value):
                hint = nearest(entry.value, contents.sizes)
                told = f'there is no file "{entry.value}"'
                self.found.add("file-missing", told, entry.mark, self.missing_files, hint)

    def _check_sealed(self, contents: Contents, manifest: Manifest) -> None:
        """SOL004 5.1: in option 1 every file has a digest, else anybody could exchange it."""
        listed = {digest.path for digest in manifest.digests} | self.vouching | {manifest.path}
        for name in contents.sizes.keys() - listed:
            severity = Severity.WARNING if name == META_FILE else Severity.ERROR
            told = "the manifest is signed and gives no digest of this file, so nobody vouches for it"
            self.found.add("file-not-in-manifest", told, Mark(name), severity, "add its digest, and sign again")

    def _check_listed(self, contents: Contents, manifest: Manifest) -> None:
        listed = {digest.path for digest in self.digests} | self.vouching | {META_FILE, manifest.path}
        listed |= {entry.value for sources in manifest.non_mano_artifacts.values() for entry in sources}
        for name in contents.sizes:
            if name not in listed and not name.endswith((*_SIGNATURE_ENDINGS, *_CERTIFICATE_ENDINGS)):
                self.found.warning("file-not-in-manifest", "the manifest gives no digest of this file", Mark(name))

    def close(self) -> None:
        if self.contents is not None:
            self.contents.close()
        if self.package is not None:
            self.package.close()

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
        csar.directory = True
        csar.contents = open_directory(source, limits, csar.found)
    else:
        csar.contents = open_zip(source, csar.label, limits, csar.found)
        _unwrap(csar, limits)
    if csar.contents is not None:
        _find_entry(csar, csar.contents)
        _keep_signatures(csar, csar.contents)


def _unwrap(csar: Csar, limits: Limits) -> None:
    """Option 2: go on with the archive inside, and keep the signatures that stand beside it."""
    outer = csar.contents
    inner = _package_in(outer)
    if outer is None or inner is None:
        return
    signatures = [name for name in outer.sizes if name.endswith(_SIGNATURE_ENDINGS)]
    if not signatures:
        csar.found.warning("no-signature", "the outer archive holds a package and no signature of it", Mark(csar.label))
    for name in signatures[1:]:
        csar.found.error("broken-signature", "a package has one signature, and this is a further one", Mark(name))
    try:
        beside = [name for name in outer.sizes if name.endswith(_CERTIFICATE_ENDINGS)][:_MOST_CERTIFICATES]
        certificates = tuple(_proof(outer, name) for name in beside)
        for name in signatures[:1]:
            csar.signatures = (Signature("package", _proof(outer, name), Mark(name), certificates),)
        csar.contents = None
        csar.package = _spool(outer, inner)
        csar.contents = open_zip(csar.package, inner, limits, csar.found)
    except READ_ERRORS as error:
        csar.found.error("damaged-file", f"the inner package cannot be read: {error}", Mark(inner))
    finally:
        outer.close()
    if _package_in(csar.contents) is not None:
        csar.found.error("nested-archive", "the inner package holds a further package in its place", Mark(inner))
        csar.close()
        csar.contents = None


def _proof(contents: Contents, name: str) -> Proof:
    return Proof(name, read_start(contents, name, _LARGEST_PROOF + 1))


def _package_in(outer: Contents | None) -> str | None:
    """The package in an archive of option 2: the only archive at its root, where there are no directories and no YAML."""
    if outer is None or outer.directories or any(name.endswith(_YAML) for name in outer.sizes):
        return None
    inner = [name for name in outer.sizes if name.endswith(_ARCHIVES)]
    return inner[0] if len(inner) == 1 else None


def _spool(outer: Contents, name: str) -> IO[bytes]:
    """The archive inside an archive, copied to a nameless file, as reading it in place would start over at each seek."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the package)
    try:
        with closing(outer.open(name)) as stream:
            while part := stream.read(2**20):
                copy.write(part)
    except BaseException:
        copy.close()
        raise
    return copy


def _find_entry(csar: Csar, contents: Contents) -> None:
    if META_FILE in contents.sizes:
        csar.meta = read_meta(_text(csar, contents, META_FILE), csar.found)
        _follow(csar, contents, csar.meta)
        return
    roots = [name for name in contents.sizes if "/" not in name and name.endswith(_YAML)]
    mark = Mark(csar.label)
    if len(roots) == 1:
        csar.entry = roots[0]
        if _CHANGE_LOG not in contents.sizes:
            csar.found.warning("no-change-log", f'the package has no "{_CHANGE_LOG}" at its root', mark)
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
        content = read_start(contents, path, _LARGEST_TEXT + 1)
    except READ_ERRORS as error:
        csar.found.error("damaged-file", f"the file cannot be read: {error}", Mark(path))
        return b""
    if len(content) > _LARGEST_TEXT:
        csar.found.error("too-large", f"the file has more than {_LARGEST_TEXT} bytes", Mark(path))
        return b""
    return content


def _keep_signatures(csar: Csar, contents: Contents) -> None:
    """Collect the signatures in the package, each with the certificates that may be its signer's."""
    manifest = csar.manifest
    common = _certificates(csar, contents)
    vouching = {file.path for file in common}
    kept = list(csar.signatures)
    if manifest is not None and manifest.signature is not None:
        block = Proof(manifest.path, manifest.signature)
        kept.append(Signature("manifest", block, manifest.signature_mark, common))
    for file in manifest.files if manifest is not None else ():
        vouching |= {entry.value for entry in (file.signature, file.certificate) if entry is not None}
        if file.signature is not None and file.signature.value in contents.sizes:
            own = file.certificate.value if file.certificate is not None else ""
            certificates = (Proof(own), *common) if own in contents.sizes else common
            kept.append(Signature(file.path, Proof(file.signature.value), file.signature.mark, certificates))
    csar.signatures = tuple(kept)
    csar.vouching = frozenset(vouching)


def _certificates(csar: Csar, contents: Contents) -> tuple[Proof, ...]:
    """The certificates for the whole package: where TOSCA.meta says, else at the root (SOL004 4.1.2, 4.1.3, 4.3.6)."""
    told = csar.meta.get("ETSI-Entry-Certificate") if csar.meta is not None else None
    stem = csar.manifest.path.rpartition(".")[0] if csar.manifest is not None else None
    at_root = sorted(name for name in contents.sizes if "/" not in name and name.endswith(_CERTIFICATE_ENDINGS))
    at_root.sort(key=lambda name: name.rpartition(".")[0] != stem)
    paths = dict.fromkeys([*([told] if told in contents.sizes else []), *at_root[:_MOST_CERTIFICATES]])
    return tuple(Proof(path) for path in paths if path is not None)
