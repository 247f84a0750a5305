"""Manifests: metadata, digests, what they are of, and signatures that wait for being checked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fairlead.csar import Manifest, open_csar, read_manifest, read_package
from fairlead.descriptors import Mark, Problems, Severity
from tests.packages.building import METADATA, PACKAGES, codes, entries, only, write_zip

SETS = """
non_mano_artifact_sets:
    acme_events:
        source: Events/a.yml
    acme_others:
        Source: Other/b.txt
        source: Other/c.txt
"""
PNFD = "pnfd_name: x\npnfd_provider: x\npnfd_archive_version: 1.0\npnfd_release_date_time: 2026-01-20T11:20:43Z"
CMS = "-----BEGIN CMS-----\nMIIG\nAAAA\n-----END CMS-----\n"


def parsed(text: str) -> tuple[Manifest, list[tuple[str, int]]]:
    problems = Problems()
    manifest = read_manifest(text.encode(), "a.mf", problems)
    return manifest, [(each.code, each.line) for each in problems]


def test_metadata_keep_their_lines() -> None:
    manifest, problems = parsed(METADATA)
    assert problems == []
    assert manifest.get("vnf_provider_id") == "Acme"
    assert manifest.get("vnf_release_date_time") == "2026-01-20T11:20:43+03:00"
    assert manifest.metadata["vnf_provider_id"].mark == Mark("a.mf", 3, 3)


def test_metadata_without_indent_and_with_other_line_ends_are_read() -> None:
    manifest, problems = parsed(METADATA.replace("  ", "").replace("\n", "\r\n"))
    assert problems == []
    assert manifest.get("vnf_product_name") == "Router"


def test_a_known_misspelling_is_taken_for_what_it_means() -> None:
    manifest, problems = parsed(METADATA.replace("release_date", "release_data"))
    assert manifest.get("vnf_release_date_time") is not None
    assert problems == [("unknown-entry", 5)]


def test_metadata_that_are_missing_are_told() -> None:
    _, problems = parsed(METADATA.replace("  vnf_provider_id: Acme\n", ""))
    assert problems == [("manifest-incomplete", 1)]


def test_every_block_of_a_file_is_a_digest_and_may_name_a_signature() -> None:
    text = (
        METADATA
        + "\nSource: a\nAlgorithm: SHA-256\nHash: 00\nSignature: a.cms\nCertificate: a.cert\n"
        + "\nSource: b\nAlgorithm: SHA-512\nHash: 11\n"
    )
    manifest, problems = parsed(text)
    assert problems == []
    first, second = manifest.digests
    assert (first.path, first.algorithm, first.value) == ("a", "SHA-256", "00")
    signed, unsigned = manifest.files
    assert signed.signature is not None
    assert signed.certificate is not None
    assert (signed.signature.value, signed.signature.mark.line, signed.certificate.value) == ("a.cms", 10, "a.cert")
    assert (unsigned.signature, unsigned.certificate) == (None, None)
    assert (second.path, second.mark.line, second.value_mark.line) == ("b", 13, 15)


def test_a_block_that_is_not_whole_is_told() -> None:
    assert parsed(METADATA + "\nSource: a\nAlgorithm: SHA-256\n")[1] == [("manifest-incomplete", 7)]
    assert parsed(METADATA + "\nAlgorithm: SHA-256\nHash: 0\n")[1] == [("bad-line", 7)]


def test_sets_of_other_artifacts_are_read() -> None:
    manifest, problems = parsed(METADATA + SETS)
    assert problems == []
    sets = {name: [source.value for source in sources] for name, sources in manifest.non_mano_artifacts.items()}
    assert sets == {"acme_events": ["Events/a.yml"], "acme_others": ["Other/b.txt", "Other/c.txt"]}


def test_a_signature_block_is_kept_with_the_length_of_what_it_covers() -> None:
    text = METADATA + SETS
    manifest, problems = parsed(text + CMS)
    assert problems == []
    assert manifest.signature == CMS.strip().encode()
    assert manifest.signed == text.encode()


@pytest.mark.parametrize(
    "broken", [CMS.replace("-----BEGIN CMS-----\n", ""), CMS.replace("-----END CMS-----\n", ""), CMS + "Source: a\n"]
)
def test_a_signature_block_that_is_not_whole_or_not_last_is_told(broken: str) -> None:
    _, problems = parsed(METADATA + broken)
    assert "broken-signature" in [code for code, _ in problems]


@pytest.mark.parametrize(
    ("metadata", "what"), [("nsd_designer: x", "network service"), (PNFD, "physical network function")]
)
def test_the_package_of_something_else_than_a_vnf_is_recognised(tmp_path: Path, metadata: str, what: str) -> None:
    files = entries({"vnfd.mf": f"metadata:\n{metadata}\n".encode()})
    reading = read_package(write_zip(tmp_path / "a.csar", files))
    problem = only(reading, "not-a-vnf-package")
    assert what in problem.message
    assert (problem.file, problem.line) == ("vnfd.mf", 2)
    assert codes(each for each in reading.problems if each.severity is Severity.ERROR) == ["not-a-vnf-package"]


def test_a_changed_file_is_told_at_the_line_of_its_digest(tmp_path: Path) -> None:
    reading = read_package(write_zip(tmp_path / "a.csar", entries({"ChangeLog.txt": b"second\n"})))
    problem = only(reading, "wrong-digest")
    assert reading.vnfd is None
    lines = entries()["vnfd.mf"].decode().splitlines()
    assert lines[problem.line - 1] == f"Hash: {hashlib.sha256(b'first' + bytes([10])).hexdigest()}"


def test_digests_in_tosca_meta_count_as_well(tmp_path: Path) -> None:
    meta = entries()["TOSCA-Metadata/TOSCA.meta"].decode() + "\nName: ChangeLog.txt\nAlgorithm: SHA-256\nHash: 00\n"
    reading = read_package(write_zip(tmp_path / "a.csar", entries(meta=meta)))
    assert only(reading, "wrong-digest").file == "TOSCA-Metadata/TOSCA.meta"


@pytest.mark.parametrize("algorithm", ["SHA-224", "SHA-256", "SHA-384", "SHA-512", "sha512"])
@pytest.mark.parametrize("order", ["Source Algorithm Hash", "Source Hash Algorithm"])
def test_every_function_of_sha2_is_checked_whatever_the_order_of_the_lines(
    tmp_path: Path, algorithm: str, order: str
) -> None:
    function = algorithm.lower().replace("-", "")
    values = {"Algorithm": algorithm, "Source": "ChangeLog.txt"}

    def problems(content: bytes) -> list[str]:
        lines = {**values, "Hash": hashlib.new(function, content).hexdigest()}
        block = "".join(f"\n{name}: {lines[name]}" for name in order.split()) + "\n"
        files = entries({"vnfd.mf": METADATA.encode() + block.encode()})
        reading = read_package(write_zip(tmp_path / "a.csar", files))
        return [each.code for each in reading.problems if each.code != "file-not-in-manifest"]

    assert problems(b"first\n") == []
    assert problems(b"second\n") == ["wrong-digest"]


def test_what_a_manifest_lists_without_digest_has_to_be_there_too(tmp_path: Path) -> None:
    text = METADATA + "\nSource: gone\nSource: ChangeLog.txt\n" + SETS.replace("Other/b.txt", "https://acme.example/b")
    reading = read_package(write_zip(tmp_path / "a.csar", entries({"vnfd.mf": text.encode()})))
    missing = [each for each in reading.problems if each.code == "file-missing"]
    lines = text.splitlines()
    assert [lines[each.line - 1].strip() for each in missing] == [
        "Source: gone",
        "source: Events/a.yml",
        "source: Other/c.txt",
    ]


@pytest.mark.parametrize("lacking", ["pnfd_name", "pnfd_provider", "pnfd_archive_version", "pnfd_release_date_time"])
def test_the_manifest_of_a_physical_function_needs_metadata_of_its_own(lacking: str) -> None:
    _, problems = parsed("metadata:\n" + "\n".join(line for line in PNFD.split("\n") if not line.startswith(lacking)))
    assert problems == [("manifest-incomplete", 1)]


def test_sha512_is_checked_and_weaker_functions_are_refused(tmp_path: Path) -> None:
    files = entries()
    good = (
        files["vnfd.mf"]
        .decode()
        .replace(
            f"SHA-256\nHash: {hashlib.sha256(files['ChangeLog.txt']).hexdigest()}",
            f"SHA-512\nHash: {hashlib.sha512(files['ChangeLog.txt']).hexdigest().upper()}",
        )
    )
    assert read_package(write_zip(tmp_path / "a.csar", {**files, "vnfd.mf": good.encode()})).problems == ()
    weak = good.replace("SHA-512", "MD5").encode()
    reading = read_package(write_zip(tmp_path / "b.csar", {**files, "vnfd.mf": weak}))
    assert only(reading, "digest-algorithm").hint == "SHA-256 or SHA-512"


def test_a_digest_of_a_file_that_is_not_there_is_told_and_of_one_outside_is_not(tmp_path: Path) -> None:
    more = b"\nSource: gone.txt\nAlgorithm: SHA-256\nHash: 00\n\nSource: https://acme.example/x\nAlgorithm: SHA-256\nHash: 00\n"
    reading = read_package(write_zip(tmp_path / "a.csar", entries({"vnfd.mf": entries()["vnfd.mf"] + more})))
    assert "gone.txt" in only(reading, "file-missing").message


def test_a_file_without_digest_is_a_warning(tmp_path: Path) -> None:
    reading = read_package(write_zip(tmp_path / "a.csar", entries({"extra.txt": b""})))
    assert only(reading, "file-not-in-manifest").file == "extra.txt"
    assert reading.vnfd is not None


def test_a_package_without_manifest_is_read_with_a_warning(tmp_path: Path) -> None:
    meta = entries()["TOSCA-Metadata/TOSCA.meta"].decode().replace("ETSI-Entry-Manifest: vnfd.mf\n", "")
    reading = read_package(write_zip(tmp_path / "a.csar", entries({"vnfd.mf": None}, meta=meta)))
    assert reading.vnfd is not None
    assert codes(reading.problems) == ["no-manifest"]


def test_signatures_of_manifest_and_single_files_are_kept_with_their_certificates(tmp_path: Path) -> None:
    files = entries({"a.cms": b"sig", "vnfd.cert": b"cert"})
    block = f"\nSource: a.cms\nAlgorithm: SHA-256\nHash: {hashlib.sha256(b'sig').hexdigest()}\nSignature: a.cms\n"
    files["vnfd.mf"] += (block + CMS).encode()
    with open_csar(write_zip(tmp_path / "a.csar", files)) as csar:
        found = [(each.covers, [proof.path for proof in each.certificates]) for each in csar.signatures]
        assert found == [("manifest", ["vnfd.cert"]), ("a.cms", ["vnfd.cert"])]
    reading = read_package(tmp_path / "a.csar")
    assert codes(reading.problems) == ["signature-not-checked", "signature-not-checked"]
    assert reading.vnfd is not None


FOREIGN = {
    "tacker-basic_lcms_max": True,
    "tacker-scale_ng": True,
    "tacker-individual_vnfc_max": True,
    "tacker-userdata_standard": True,
    "tacker-change_vnfpkg": True,
    "tacker-getting-started": True,
    "tacker-cnf_helm": True,
    "tacker-multi-flavour-invalid": False,
    "onap-pnf-security/signed-package-valid-signature.zip": False,
    "onap-pnf-security/r130206/csar-cert-in-tosca-incorrect-hash.csar": False,
    "onap-csar/VoLTE.csar": False,
    "free5gmano-v305-cni/ns": False,
}


@pytest.mark.parametrize(("name", "readable"), FOREIGN.items())
def test_packages_of_other_projects_are_read_or_told_why_not(name: str, readable: bool) -> None:
    path = PACKAGES / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    reading = read_package(path, missing_files=Severity.WARNING)
    assert (reading.vnfd is not None) == readable, "\n".join(map(str, reading.problems))
    assert readable or reading.errors


def test_the_wrong_digest_in_a_foreign_package_is_found() -> None:
    path = PACKAGES / "onap-pnf-security/r130206/csar-cert-in-tosca-incorrect-hash.csar"
    if not path.exists():
        pytest.skip("not here")
    problem = only(read_package(path), "wrong-digest")
    assert (problem.file, problem.line) == ("MainServiceTemplate.mf", 14)
