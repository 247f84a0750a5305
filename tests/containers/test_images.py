"""Images: loaded from any archive under our name only, found where they are, and gone when ours are."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import msgspec
import pytest

from fairlead.errors import Unprocessable, VimRefused
from fairlead.resources import Gone, ImageSpec, Name, Ready, Resource
from fairlead.vims.containers.archives import SeveralArchitectures, renamed
from tests.containers.looking import engine_of
from tests.contract.subject import Hands
from tests.contract.subjects import ContainersSubject
from tests.support.images import BUSYBOX, UNTIL_ASKED, docker_archive, oci_archive

_replace = msgspec.structs.replace
needs_busybox = pytest.mark.skipif(not BUSYBOX.exists(), reason=f"{BUSYBOX} is not there: package busybox-static")


def _rewritten(path: Path) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(b"".join(renamed(path, "localhost/ours:1", "amd64"))))


def _names(engine_images: list[dict[str, list[str] | None]]) -> set[str]:
    return {name for image in engine_images for name in image.get("RepoTags") or ()}


@needs_busybox
def test_an_archive_is_sent_with_our_name_in_place_of_its_own(tmp_path: Path) -> None:
    original = docker_archive(tmp_path / "image.tar", names=["nginx:latest", "other:1"])
    with tarfile.open(original) as before, _rewritten(original) as after:
        manifest = json.load(after.extractfile("manifest.json") or io.BytesIO())
        assert manifest[0]["RepoTags"] == ["localhost/ours:1"]
        layer = manifest[0]["Layers"][0]
        old, new = before.extractfile(layer), after.extractfile(layer)
        assert old is not None
        assert new is not None
        assert old.read() == new.read()
        assert sorted(before.getnames()) == sorted(after.getnames())


@needs_busybox
def test_an_oci_archive_gets_what_every_engine_reads(tmp_path: Path) -> None:
    path = oci_archive(tmp_path / "image.oci.tar")
    with pytest.raises(SeveralArchitectures):
        next(renamed(path, "localhost/ours:1"))
    with _rewritten(path) as after:
        (manifest,) = json.load(after.extractfile("manifest.json") or io.BytesIO())
        assert manifest["RepoTags"] == ["localhost/ours:1"]
        for name in (manifest["Config"], *manifest["Layers"]):
            assert after.getmember(name).size > 0


def _tar(path: Path, **members: str) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    return path


def test_a_file_that_is_no_image_archive_is_refused_with_the_reason(tmp_path: Path) -> None:
    two = json.dumps([{"Config": "a", "Layers": []}] * 2)
    index = json.dumps({"manifests": [{"digest": "sha256:1", "platform": {"architecture": "s390x"}}] * 2})
    missing = json.dumps({"manifests": [{"digest": "sha256:1"}]})
    files = {
        "no tar": tmp_path / "plain",
        "empty": tmp_path / "empty",
        "a root file system": _tar(tmp_path / "a.tar", etc_passwd="root"),
        "two images": _tar(tmp_path / "b.tar", manifest_json=two),
        "no JSON": _tar(tmp_path / "c.tar", manifest_json="{"),
        "another JSON": _tar(tmp_path / "d.tar", manifest_json='{"x": 1}'),
        "another architecture": _tar(tmp_path / "e.tar", index_json=index),
        "a blob missing": _tar(tmp_path / "f.tar", index_json=missing),
        "a bad gzip": tmp_path / "g.tar.gz",
    }
    files["no tar"].write_text("not a tar" * 100)
    files["empty"].write_bytes(b"")
    files["a bad gzip"].write_bytes(b"\x1f\x8b\x08damaged")
    for what, path in files.items():
        with pytest.raises(VimRefused) as refused:
            list(renamed(path, "localhost/ours:1", "amd64"))
        assert refused.value.code == "image-format-unknown", what
        assert refused.value.cause, what


@needs_busybox
def test_an_archive_that_ends_too_early_is_refused_before_the_first_byte_is_sent(tmp_path: Path) -> None:
    whole = docker_archive(tmp_path / "image.tar").read_bytes()
    for size in (len(whole) // 2, 700):
        (tmp_path / "short.tar").write_bytes(whole[:size])
        pieces = renamed(tmp_path / "short.tar", "localhost/ours:1", "amd64")
        with pytest.raises(VimRefused):
            next(pieces)


def _image(name: str, artifact: str | None, label: str = "busybox") -> Resource[ImageSpec]:
    spec = ImageSpec(label=label, digest="sha256:1", artifact=artifact)
    return Resource(Name(name), spec, "vim-1")  # type: ignore[arg-type]


@pytest.mark.containers
async def test_every_sort_of_archive_is_loaded_and_its_own_names_are_not(
    subject: ContainersSubject, tmp_path: Path
) -> None:
    docker_archive(tmp_path / "packed.tar.gz", names=["fairlead-test-packed:1"])
    docker_archive(tmp_path / "plain.tar", names=["fairlead-test-plain:1"])
    oci_archive(tmp_path / "layout.tar")
    engine = engine_of(subject.access("x"))
    before = _names(await engine.get("/images/json", "list images"))
    async with Hands(subject) as hands:
        for number, file in enumerate(("packed.tar.gz", "plain.tar", "layout.tar")):
            image = await hands.obtain(_image("image", f"package/{file}"))
            machine = await hands.machine(f"server-{number}")
            assert isinstance(await hands.status(machine.compute), Ready), file
            assert _names(await engine.get("/images/json", "list images")) - before == {image.handle}
            await hands.dismantle(machine)
            await hands.relinquish(image)
        assert _names(await engine.get("/images/json", "list images")) == before
    await engine.close()


@pytest.mark.containers
async def test_an_image_that_was_there_is_used_and_stays(subject: ContainersSubject, tmp_path: Path) -> None:
    docker_archive(tmp_path / "theirs.tar", names=["localhost/fairlead-test-theirs:1"])
    engine = engine_of(subject.access("x"))
    await engine.call("POST", "/images/load", "load", data=(tmp_path / "theirs.tar").read_bytes())
    try:
        async with Hands(subject) as hands:
            theirs = await hands.kind("image").read("localhost/fairlead-test-theirs:1")  # type: ignore[arg-type]
            image = await hands.obtain(_image("image", None, "localhost/fairlead-test-theirs:1"))
            assert theirs is not None
            assert image.outputs["id"] == theirs["id"]
            await hands.dismantle(await hands.machine("server"))
            await hands.relinquish(image)
            assert await hands.kind("image").read("localhost/fairlead-test-theirs:1") == theirs  # type: ignore[arg-type]
    finally:
        await engine.delete("/images/localhost/fairlead-test-theirs:1", "clean up")
        await engine.close()


@pytest.mark.containers
async def test_an_image_that_is_nowhere_is_missing(subject: ContainersSubject) -> None:
    async with Hands(subject) as hands:
        for label in ("localhost/no-such-image:1", "../../containers/json", "a b?c#d"):
            with pytest.raises(VimRefused) as refused:
                await hands.create(_image("image", None, label))
            assert (refused.value.code, refused.value.resource) == ("image-missing", "image")
        with pytest.raises(Unprocessable) as missing:
            await hands.create(_image("image", "package/no-such-file.tar"))
        assert missing.value.code == "artifact-missing"


@pytest.mark.containers
async def test_an_image_in_use_is_not_deleted(subject: ContainersSubject, tmp_path: Path) -> None:
    docker_archive(tmp_path / "own.tar", command=(*UNTIL_ASKED, "an image that nothing else has"))
    async with Hands(subject) as hands:
        image = await hands.obtain(_image("image", "package/own.tar"))
        machine = await hands.machine("server")
        with pytest.raises(VimRefused) as refused:
            await hands.kind("image").delete(image.handle)
        assert refused.value.code == "image-in-use"
        await hands.dismantle(machine)
        await hands.relinquish(image)
        assert await hands.status(image) == Gone()


@pytest.mark.containers
async def test_two_instances_share_an_image_and_the_last_one_takes_it_away(subject: ContainersSubject) -> None:
    async with Hands(subject, owner="vnf-1") as one, Hands(subject, owner="vnf-2") as two:
        await one.basis()
        await two.basis()
        first, second = one.held[Name("image")], two.held[Name("image")]
        assert first.outputs == second.outputs
        assert first.handle != second.handle
        await one.relinquish(first)
        await two.dismantle(await two.machine("server"))
        await two.relinquish(second)
