"""`fairlead package`: the catalogue of VNF packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fairlead.cli import authoring
from fairlead.cli.archives import opened
from fairlead.cli.cards import show_card
from fairlead.cli.exits import Exit
from fairlead.cli.invocation import Invocation, Object, pass_invocation
from fairlead.cli.output import fields, show, styled_state, table
from fairlead.cli.settling import wait_options, waiting
from fairlead.cli.values import key_values, secret_values
from fairlead.errors import FairleadError

__all__ = ["group"]

Document = dict[str, Any]


@click.group("package", cls=Object)
def group() -> None:
    """VNF packages: onboard, look at, enable, delete.

    PACKAGE is an id, the id of its VNFD, the name that it was given, or its product's name, if only one has it.
    """


for _command in (authoring.init, authoring.build):
    group.add_command(_command)


_CREDENTIAL = click.option(
    "--credential",
    multiple=True,
    metavar="KEY=VALUE",
    help="For a URI: user and password, or client, secret and token-endpoint (OAuth2); - asks without echo.",
)


@group.command("onboard")
@click.argument("source", metavar="FILE|URI")
@click.option("--name", metavar="NAME", help="A name to find it by.")
@click.option("--data", multiple=True, metavar="KEY=VALUE", help="User-defined data (repeatable).")
@click.option("--keep", is_flag=True, help="Keep the package in the catalogue when onboarding fails.")
@_CREDENTIAL
@wait_options
@pass_invocation
def onboard(
    invocation: Invocation,
    source: str,
    name: str | None,
    data: tuple[str, ...],
    keep: bool,
    credential: tuple[str, ...],
    wait: bool,
    timeout: float,
) -> None:
    """Create a package, upload FILE into it or have the server fetch it from URI, and wait until it is onboarded.

    FILE is a CSAR, or a folder that holds the files of one. When it cannot be onboarded, what was created is deleted
    again.

    \b
    Examples:
      fairlead package onboard edge-gateway.csar --name edge-gateway
      fairlead package onboard samples/edge-gateway
      fairlead package onboard https://vendor.example/gateway.csar --credential user=me --credential password=-
    """
    with _bringing(invocation, source, credential) as bring:
        created = invocation.client.packages.create(_data(name, data))
        try:
            bring(created["id"])
        except BaseException:
            _drop(invocation, created["id"], keep=keep)
            raise
    _follow(invocation, created["id"], wait=wait, timeout=timeout, keep=keep)


@group.command("create")
@click.option("--name", metavar="NAME", help="A name to find it by.")
@click.option("--data", multiple=True, metavar="KEY=VALUE", help="User-defined data (repeatable).")
@pass_invocation
def create(invocation: Invocation, name: str | None, data: tuple[str, ...]) -> None:
    """Create an empty package."""
    created = invocation.client.packages.create(_data(name, data))
    show(invocation, created, lambda: _details(created))


@group.command("upload")
@click.argument("package")
@click.argument("source", metavar="FILE|URI")
@_CREDENTIAL
@wait_options
@pass_invocation
def upload(
    invocation: Invocation, package: str, source: str, credential: tuple[str, ...], wait: bool, timeout: float
) -> None:
    """Upload FILE (a CSAR, or a folder that holds the files of one) into an empty package, or have it fetched from URI."""
    with _bringing(invocation, source, credential) as bring:
        found = invocation.client.packages.find(package)
        bring(found["id"])
    _follow(invocation, found["id"], wait=wait, timeout=timeout, keep=True)


@group.command("list")
@click.option("--filter", metavar="EXPRESSION", help="A filter of SOL013, such as (eq,usageState,IN_USE).")
@pass_invocation
def list_(invocation: Invocation, filter: str | None) -> None:
    """List the packages of the project."""
    found = list(invocation.client.packages.list(filter=filter))
    rows = [
        (
            one["id"],
            (one.get("userDefinedData") or {}).get("name") or one.get("vnfProductName"),
            one.get("vnfSoftwareVersion"),
            styled_state(one["onboardingState"]),
            styled_state(one["operationalState"]),
            one["usageState"],
            one.get("vnfdId"),
        )
        for one in found
    ]
    headings = ("ID", "NAME", "VERSION", "ONBOARDING", "OPERATIONAL", "USAGE", "VNFD")
    show(invocation, found, lambda: table(headings, rows, nothing="There are no packages."))


@group.command("show")
@click.argument("package")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["dot", "hot"]),
    help="What it would become: a graph for Graphviz, or templates for OpenStack Heat.",
)
@click.option("--flavour", metavar="ID", help="With --format: which flavour; the default one unless given.")
@click.option(
    "--to",
    metavar="DIRECTORY",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --format hot: write the templates there, each to its file.",
)
@pass_invocation
def show_(invocation: Invocation, package: str, format_: str | None, flavour: str | None, to: Path | None) -> None:
    """Show a package: its states, descriptor and images, and why onboarding failed.

    With --format PACKAGE may also be a CSAR, a folder or a descriptor on this machine; then no server is asked.

    \b
    Examples:
      fairlead package show edge-gateway
      fairlead package show samples/edge-gateway/package --format dot | dot -Tsvg > vnf.svg
      fairlead package show edge-gateway.csar --format hot --to heat
    """
    if format_ is not None:
        authoring.show_as(invocation, package, format_, flavour=flavour, to=to)
        return
    if flavour or to:
        raise click.UsageError("--flavour and --to go with --format.")
    found = _found(invocation, package)
    show(invocation, found, lambda: _details(found))
    if invocation.output == "table" and found.get("onboardingFailureDetails"):
        show_card(invocation, found["onboardingFailureDetails"])


@group.command("download")
@click.argument("package")
@click.option(
    "--to",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where it goes; a name made of the package's id here unless given.",
)
@click.option("--descriptor", "part", flag_value="vnfd", help="The files of its VNFD, as a zip archive.")
@click.option("--manifest", "part", flag_value="manifest", help="Its manifest.")
@click.option("--artifacts", "part", flag_value="artifacts", help="Its files but images and VNFD, as a zip archive.")
@click.option("--artifact", metavar="PATH", help="One file of it, by its path in the package.")
@pass_invocation
def download(invocation: Invocation, package: str, target: Path | None, part: str | None, artifact: str | None) -> None:
    """Download an onboarded package as it was uploaded, or a part of it.

    A connection that breaks is taken up where it was.

    \b
    Examples:
      fairlead package download edge-gateway --to edge-gateway.csar
      fairlead package download edge-gateway --artifact Scripts/start.sh
    """
    if part and artifact:
        raise click.UsageError("Name one part.")
    client = invocation.client
    found = client.packages.find(package)
    ending = {None: ".csar", "vnfd": "-vnfd.zip", "manifest": ".mf", "artifacts": "-artifacts.zip"}[part]
    path = target or Path(artifact.rpartition("/")[2] if artifact else found["id"] + ending)
    if part == "vnfd":
        pieces: Iterable[bytes] = (client.packages.descriptor(found["id"]),)
    else:
        wanted = f"artifacts/{artifact}" if artifact else part or "package_content"
        pieces = client.packages.download(found["id"], wanted)
    partly = path.with_name(f"{path.name}.part")
    try:
        with partly.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        partly.replace(path)
    finally:
        partly.unlink(missing_ok=True)
    document = {"file": path.as_posix(), "size": path.stat().st_size}
    show(invocation, document, path.as_posix)


@group.command("enable")
@click.argument("package")
@pass_invocation
def enable(invocation: Invocation, package: str) -> None:
    """Let new instances be made of a package."""
    _modify(invocation, package, {"operationalState": "ENABLED"})


@group.command("disable")
@click.argument("package")
@pass_invocation
def disable(invocation: Invocation, package: str) -> None:
    """Let no new instances be made of a package; those that are there go on."""
    _modify(invocation, package, {"operationalState": "DISABLED"})


@group.command("update")
@click.argument("package")
@click.option("--name", metavar="NAME", help="A name to find it by.")
@click.option("--data", multiple=True, metavar="KEY=VALUE", help="User-defined data (repeatable); null removes one.")
@pass_invocation
def update(invocation: Invocation, package: str, name: str | None, data: tuple[str, ...]) -> None:
    """Change a package's user-defined data."""
    changes = _data(name, data)
    if not changes:
        raise click.UsageError("Say what to change with --name or --data.")
    _modify(invocation, package, {"userDefinedData": changes})


@group.command("delete")
@click.argument("package")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_invocation
def delete(invocation: Invocation, package: str, yes: bool) -> None:
    """Delete a package that is disabled and not in use."""
    found = invocation.client.packages.find(package)
    invocation.confirm(f"Delete the package {found.get('vnfProductName') or ''} {found['id']}?", yes=yes)
    invocation.client.packages.delete(found["id"])
    invocation.note(f"Deleted {found['id']}.")


def _data(name: str | None, data: tuple[str, ...]) -> Document:
    return ({"name": name} if name else {}) | key_values(data, option="--data")


def _modify(invocation: Invocation, package: str, changes: Document) -> None:
    found = invocation.client.packages.find(package)
    changed = invocation.client.packages.modify(found["id"], changes)
    show(invocation, changed, lambda: fields(changed.items()))


@contextmanager
def _bringing(invocation: Invocation, source: str, credential: tuple[str, ...]) -> Iterator[Callable[[str], None]]:
    """What brings the content of `source`, a file or a URI, into a package; a file is open before anything is asked."""
    if source.startswith(("http://", "https://")):
        credentials = secret_values(credential, option="--credential")
        yield lambda package: invocation.client.packages.upload_from_uri(package, source, credentials)
        return
    if credential:
        raise click.UsageError("--credential is for a URI.")
    path = Path(source)
    if not path.exists():
        raise click.BadParameter(f"there is no file '{source}'.", param_hint="FILE")
    with opened(path) as (content, size):
        yield lambda package: _send(invocation, package, content, size)


def _send(invocation: Invocation, package: str, content: Any, size: int) -> None:
    from fairlead.cli.progress import UploadProgress

    with UploadProgress(invocation, size) as progress:
        invocation.client.packages.upload(package, content, size=size, sent=progress.sent)


def _follow(invocation: Invocation, package: str, *, wait: bool, timeout: float, keep: bool) -> None:
    """Wait for onboarding, show how it ended, and end the command with its exit code."""
    client = invocation.client
    if wait:
        invocation.note("The server takes the package in now.")
        with waiting(invocation, f"fairlead package show {package}"):
            done = client.packages.wait(package, timeout=timeout)
    else:
        invocation.note(f"Begun. Look how it goes on with:  fairlead package show {package}")
        done = client.packages.show(package)
    show(invocation, done, lambda: _details(done) if wait else package)
    if not wait or done["onboardingState"] == "ONBOARDED":
        return
    show_card(invocation, done.get("onboardingFailureDetails") or {"detail": "The package could not be onboarded."})
    _drop(invocation, package, keep=keep)
    click.get_current_context().exit(Exit.ERROR)


def _drop(invocation: Invocation, package: str, *, keep: bool) -> None:
    """Delete the package that this command made for nothing; if that fails, say so and leave the first error to be told."""
    if keep:
        invocation.note(f"The package {package} is kept.")
        return
    try:
        invocation.client.packages.delete(package)
    except FairleadError as error:
        invocation.note(f"The package {package} is left in the catalogue: {error.detail}")


def _found(invocation: Invocation, package: str) -> Document:
    return invocation.client.packages.show(invocation.client.packages.find(package)["id"])


def _signer(signer: Mapping[str, Any] | None) -> str | None:
    if signer is None:
        return None
    trusted = "" if signer["trusted"] else ", whom nobody has said to trust"
    return f"{signer['subject']}, certified by {signer['issuer']} until {signer['notAfter']}{trusted}"


def _details(package: Mapping[str, Any]) -> str:
    checksum = package.get("checksum")
    images = [
        (one["id"], one.get("name"), one.get("version"), one.get("containerFormat"), one.get("imagePath"))
        for one in package.get("softwareImages") or ()
    ]
    head = fields(
        [
            ("id", package["id"]),
            ("product", f"{package.get('vnfProductName', '')} {package.get('vnfSoftwareVersion', '')}".strip()),
            ("provider", package.get("vnfProvider")),
            ("descriptor", package.get("vnfdId")),
            ("descriptor version", package.get("vnfdVersion")),
            ("onboarding", styled_state(package["onboardingState"])),
            ("operational", styled_state(package["operationalState"])),
            ("usage", package["usageState"]),
            ("data", package.get("userDefinedData")),
            ("checksum", checksum),
            ("signed by", _signer(package.get("signer"))),
        ]
    )
    shown = table(("IMAGE", "NAME", "VERSION", "FORMAT", "FILE"), images)
    return head + (f"\n\n{shown}" if shown else "")
