"""Archives and directories that must not be read, and the reason that is told."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.csar import Limits, open_csar, read_package
from tests.packages.building import codes, entries, write_directory, write_zip


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/etc/passwd", "C:/evil", "a\\..\\evil", "./a", "a//b", "new\nline", "x" * 2000],
)
def test_a_name_that_is_no_plain_relative_path_is_refused(tmp_path: Path, name: str) -> None:
    with open_csar(write_zip(tmp_path / "a.csar", [*entries().items(), (name, b"")])) as csar:
        assert codes(csar.problems) == ["bad-path"]
        assert csar.contents is None
        assert csar.names == ()


def test_a_name_with_a_nul_is_seen_as_it_is_written(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.csar", [*entries().items(), ("innocent?../evil", b"")])
    path.write_bytes(path.read_bytes().replace(b"innocent?", b"innocent\0"))
    with open_csar(path) as csar:
        assert codes(csar.problems) == ["bad-path"]


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write_zip(tmp_path / "a.csar", [*entries().items(), ("ChangeLog.txt", b"other")])
    with open_csar(path) as csar:
        assert codes(csar.problems) == ["duplicate-entry"]


def test_a_file_that_is_also_a_directory_is_refused(tmp_path: Path) -> None:
    with open_csar(write_zip(tmp_path / "a.csar", [*entries().items(), ("ChangeLog.txt/x", b"")])) as csar:
        assert codes(csar.problems) == ["duplicate-entry"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_an_archive_are_refused(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("link")
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    with open_csar(write_zip(tmp_path / "a.csar", [*entries().items(), (info, b"/etc/passwd")])) as csar:
        assert codes(csar.problems) == ["bad-entry"]


def test_a_link_in_a_directory_is_refused(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "a", entries())
    (directory / "link").symlink_to("/etc/passwd")
    (directory / "Definitions" / "up").symlink_to("..")
    with open_csar(directory) as csar:
        assert codes(csar.problems) == ["bad-entry", "bad-entry"]


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.csar", {"a.yaml": b"a: 1"})
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    path.write_bytes(content)
    with open_csar(path) as csar:
        assert codes(csar.problems) == ["bad-entry"]


@pytest.mark.parametrize(
    ("name", "other"),
    [("changelog.TXT", "ChangeLog.txt"), ("FILES/x", "Files/router.qcow2"), ("Files/\u00e9", "Files/e\u0301")],
)
def test_names_that_are_apart_only_by_case_or_composition_are_refused(tmp_path: Path, name: str, other: str) -> None:
    files = entries({other: b"", name: b""})
    for path in (write_zip(tmp_path / "a.csar", files), write_directory(tmp_path / "a", files)):
        with open_csar(path) as csar:
            assert set(codes(csar.problems)) == {"duplicate-entry"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_files_that_are_neither_stored_nor_deflated_are_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.csar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.yaml", b"a: 1" * 100, compress_type=method)
    with open_csar(path) as csar:
        assert codes(csar.problems) == ["bad-entry"]


def test_an_entry_that_reaches_into_the_next_one_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.csar", [("a", bytes(range(256)) * 40), ("b", b"b"), ("c", b"c")])
    with zipfile.ZipFile(path) as archive:
        packed = archive.getinfo("a").compress_size
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, central + 20, packed + 40)
    path.write_bytes(content)
    with open_csar(path) as csar:
        assert codes(csar.problems) == ["zip-bomb"]


def test_a_table_of_contents_without_end_in_64_bits_is_refused_though_the_32_bits_lie(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.csar", {"a.yaml": b"a: 1"})
    content = path.read_bytes()
    at = content.rindex(b"PK\x05\x06")
    start, size = struct.unpack_from("<L", content, at + 16)[0], struct.unpack_from("<L", content, at + 12)[0]
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 2**40, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    path.write_bytes(content[:at] + record + locator + content[at:])
    assert size < 100
    with open_csar(path) as csar:
        assert codes(csar.problems) == ["too-many-entries"]


def test_sizes_in_64_bits_that_lie_are_refused_or_stopped_at(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.csar", entries())
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, central + 24, 3)
    path.write_bytes(content)
    reading = read_package(path)
    assert reading.vnfd is None
    assert reading.problems != ()


def test_a_manifest_that_is_too_large_is_told_and_not_cut_off(tmp_path: Path) -> None:
    files = entries()
    files["vnfd.mf"] += b"# padding\n" * 900_000
    reading = read_package(write_zip(tmp_path / "a.csar", files))
    assert "too-large" in codes(reading.problems)
    assert reading.vnfd is None


def test_an_archive_that_would_grow_out_of_proportion_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.csar", {**entries(), "zeros": bytes(32 * 2**20)})
    with open_csar(path) as csar:
        assert codes(csar.problems) == ["zip-bomb"]


def test_an_archive_whose_entries_share_their_bytes_is_refused(tmp_path: Path) -> None:
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("a", bytes(100_000))
        first = archive.infolist()[0]
        for number in range(20):
            copy = zipfile.ZipInfo(f"a{number}")
            copy.file_size, copy.compress_size, copy.CRC = first.file_size, first.compress_size, first.CRC
            copy.header_offset = first.header_offset
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy
    path = tmp_path / "a.csar"
    path.write_bytes(source.getvalue())
    with open_csar(path) as csar:
        assert codes(csar.problems) == ["zip-bomb"]


def test_too_many_and_too_large_files_are_refused_in_either_form(tmp_path: Path) -> None:
    files = entries()
    for path in (write_zip(tmp_path / "a.csar", files), write_directory(tmp_path / "a", files)):
        with open_csar(path, limits=Limits(entries=3)) as csar:
            assert codes(csar.problems) == ["too-many-entries"]
        with open_csar(path, limits=Limits(total=1000)) as csar:
            assert codes(csar.problems) == ["too-large"]


def test_a_table_of_contents_without_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.csar", {"a.yaml": b"a: 1"})
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    struct.pack_into("<L", content, end + 12, 0x7FFFFFFF)
    path.write_bytes(content)
    with open_csar(path) as csar:
        assert codes(csar.problems) == ["too-many-entries"]


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all", b"PK\x05\x06" + bytes(18), bytes(100_000)])
def test_what_is_no_package_is_told_and_not_raised(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csar"
    path.write_bytes(content)
    assert read_package(path).vnfd is None
    assert read_package(path).problems != ()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_flipped_bytes_are_problems_and_never_exceptions(tmp_path: Path, flips: list[tuple[int, int]]) -> None:
    content = bytearray(write_zip(tmp_path / "a.csar", entries()).read_bytes())
    for at, value in flips:
        content[at % len(content)] = value
    path = tmp_path / "b.csar"
    path.write_bytes(content)
    read_package(path)
