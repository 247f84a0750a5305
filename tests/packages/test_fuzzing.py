"""Archives, TOSCA.meta and manifests that nobody would write: problems come of them, and never an exception."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.csar import Trust, open_csar, read_manifest, read_meta, read_package
from fairlead.descriptors import Problems, TooManyProblems
from tests.packages.building import META, entries, write_zip
from tests.packages.notary import AT, option_1, option_2, signer
from tests.packages.shelf import zipped

QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEYS = [
    "metadata:",
    "vnf_product_name",
    "pnfd_name",
    "nsd_name",
    "Source",
    "source:",
    "Name",
    "Algorithm",
    "Hash",
    "Signature",
    "Certificate",
    "Content-Type",
    "non_mano_artifact_sets:",
    "ETSI-Entry-Manifest",
    "Entry-Definitions",
    "TOSCA-Meta-File-Version",
    "vnf_release_data_time",
]
VALUES = ("", "SHA-256", "00", "vnfd.mf", "ChangeLog.txt", "../x", "https://a/b", "Definitions/vnfd.yaml", "é", "\x00")
MARKERS = ("-----BEGIN CMS-----", "-----END CMS-----", "-----BEGIN PKCS7-----", "#", ":", "", "\t", "x" * 5000)
LINE = st.one_of(
    st.builds(
        lambda indent, key, value: f"{indent}{key}: {value}",
        st.sampled_from(("", "  ", "\t")),
        st.sampled_from(KEYS),
        st.one_of(st.sampled_from(VALUES), st.text(max_size=20)),
    ),
    st.sampled_from(MARKERS),
    st.text(max_size=40),
)
TEXT = st.builds(lambda lines, end: end.join(lines), st.lists(LINE, max_size=40), st.sampled_from(("\n", "\r\n", "\r")))


@QUICK
@given(st.one_of(st.binary(max_size=500), TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_any_manifest_and_any_tosca_meta_is_read_with_places_in_it(content: bytes) -> None:
    lines = content.count(b"\n") + 1
    for reader in (
        lambda problems: read_manifest(content, "a.mf", problems),
        lambda problems: read_meta(content, problems),
    ):
        problems = Problems()
        try:
            reader(problems)
        except TooManyProblems:
            continue
        assert all(0 <= each.line <= lines for each in problems)


@QUICK
@given(TEXT, TEXT)
def test_any_text_in_their_places_gives_problems(tmp_path: Path, manifest: str, meta: str) -> None:
    files = entries({"vnfd.mf": manifest.encode("utf-8", "surrogatepass")}, meta=META)
    files["TOSCA-Metadata/TOSCA.meta"] += b"\n" + meta.encode("utf-8", "surrogatepass")
    path = write_zip(tmp_path / "a.csar", files)
    with open_csar(path) as csar:
        assert csar.contents is not None
    read_package(path, trust=Trust(), at=AT)


NAMES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        (
            "a",
            "A",
            "a/b",
            "a/",
            "../a",
            "/a",
            "a//b",
            "a\\b",
            "vnfd.yaml",
            "TOSCA-Metadata/TOSCA.meta",
            "x.csar",
            "x.cms",
        )
    ),
)


@QUICK
@given(st.lists(st.tuples(NAMES, st.binary(max_size=50), st.integers(0, 0xFFFF)), max_size=8))
def test_any_names_and_modes_in_an_archive_give_problems(tmp_path: Path, found: list[tuple[str, bytes, int]]) -> None:
    path = tmp_path / "a.csar"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content, mode in found:
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name.encode("utf-8", "replace").decode()
            info.create_system, info.external_attr = 3, mode << 16
            if info.filename not in archive.NameToInfo:
                archive.writestr(info, content)
    reading = read_package(path, trust=Trust(), at=AT)
    assert reading.vnfd is None
    assert reading.problems != ()


SIGNED = (zipped(option_1(signer())), zipped(option_2(signer())))
SPOTS = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")


@QUICK
@given(
    st.sampled_from(SIGNED),
    st.lists(
        st.tuples(st.sampled_from(SPOTS), st.integers(0, 30), st.integers(0, 60), st.integers(0, 2**32 - 1)),
        min_size=1,
        max_size=3,
    ),
)
def test_damaged_headers_of_an_archive_are_problems(
    tmp_path: Path, content: bytes, changes: list[tuple[bytes, int, int, int]]
) -> None:
    damaged = bytearray(content)
    for spot, number, offset, value in changes:
        at = -1
        for _ in range(number % max(content.count(spot), 1) + 1):
            at = content.index(spot, at + 1)
        if at + offset + 4 <= len(damaged):
            struct.pack_into("<L", damaged, at + offset, value)
    path = tmp_path / "a.csar"
    path.write_bytes(damaged)
    read_package(path, trust=Trust(), at=AT)


@QUICK
@given(st.sampled_from(SIGNED), st.integers(0, 10_000), st.integers(0, 10_000))
def test_an_archive_cut_or_doubled_anywhere_is_read_or_told(
    tmp_path: Path, content: bytes, start: int, stop: int
) -> None:
    start, stop = sorted((start % len(content), stop % len(content)))
    for damaged in (content[:stop], content[start:], content[:stop] + content[start:]):
        path = tmp_path / "a.csar"
        path.write_bytes(damaged)
        read_package(path, trust=Trust(), at=AT)
        with open_csar(io.BytesIO(damaged)) as csar:
            assert csar.contents is not None or csar.problems
