"""`fairlead vnf`: instances of network functions, their lifecycle and its plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from fairlead.cli.invocation import Command, Invocation, Object, pass_invocation
from fairlead.cli.lifecycle import LIFECYCLE, Lifecycle
from fairlead.cli.output import fields, show, styled_state, table
from fairlead.cli.plans import refuse_what_cannot_work, show_drift, show_plan
from fairlead.cli.settling import accept, settle, wait_options
from fairlead.cli.values import key_values
from fairlead.errors import Conflict, NotFound, RequestError

__all__ = ["group"]

Document = dict[str, Any]


@click.group("vnf", cls=Object)
def group() -> None:
    """Network functions: create, operate, scale, heal, and their plans.

    VNF is the id of an instance, or a name that only one has.
    """


@group.command("create")
@click.argument("package")
@click.option("--name", metavar="NAME", help="A name for the instance.")
@click.option("--description", metavar="TEXT", help="A description.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Metadata (repeatable).")
@pass_invocation
def create(
    invocation: Invocation, package: str, name: str | None, description: str | None, metadata: tuple[str, ...]
) -> None:
    """Create an instance of PACKAGE, not instantiated yet.

    PACKAGE is a package's id, its VNFD's id, its name, or its product's name.

    \b
    Example:
      fairlead vnf create edge-gateway --name gw
    """
    found = invocation.client.packages.find(package)
    if not found.get("vnfdId"):
        raise Conflict(
            f"Package {package!r} is in state {found['onboardingState']}: it has no descriptor yet.",
            code="package-not-onboarded",
            remedy="Upload its content first:  fairlead package upload",
        )
    given = {"vnfInstanceName": name, "vnfInstanceDescription": description}
    request: Document = {"vnfdId": found["vnfdId"]} | {key: value for key, value in given.items() if value is not None}
    if metadata:
        request["metadata"] = key_values(metadata, option="--metadata")
    created = invocation.client.vnfs.create(request)
    show(invocation, created, lambda: _details(created))


@group.command("list")
@click.option("--filter", metavar="EXPRESSION", help="A filter of SOL013, such as (eq,vnfProductName,Gateway).")
@pass_invocation
def list_(invocation: Invocation, filter: str | None) -> None:
    """List the instances of the project."""
    found = list(invocation.client.vnfs.list(filter=filter))
    headings = ("ID", "NAME", "STATE", "PRODUCT", "VERSION")
    rows = [
        (
            one["id"],
            one.get("vnfInstanceName"),
            _state(one),
            one.get("vnfProductName"),
            one.get("vnfSoftwareVersion"),
        )
        for one in found
    ]
    show(invocation, found, lambda: table(headings, rows, nothing="There are no VNF instances."))


@group.command("show")
@click.argument("vnf")
@pass_invocation
def show_(invocation: Invocation, vnf: str) -> None:
    """Show an instance: its state, VNFCs, addresses and levels."""
    found = _found(invocation, vnf)
    show(invocation, found, lambda: _details(found))


@group.command("delete")
@click.argument("vnf")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_invocation
def delete(invocation: Invocation, vnf: str, yes: bool) -> None:
    """Delete an instance that is not instantiated."""
    found = invocation.client.vnfs.find(vnf)
    invocation.confirm(f"Delete the VNF instance {_name(found)}?", yes=yes)
    invocation.client.vnfs.delete(found["id"])
    invocation.note(f"Deleted {_name(found)}.")


@group.command("drift")
@click.argument("vnf")
@pass_invocation
def drift(invocation: Invocation, vnf: str) -> None:
    """Compare the infrastructure with the record, and show the plan of a repair.

    Exit code 2 when something is not as recorded, 0 when all is, 1 when an infrastructure does not answer.

    
    Example:
      fairlead vnf drift gw
    """
    found = invocation.client.vnfs.find(vnf)
    show_drift(invocation, invocation.client.vnfs.drift(found["id"]), apply=f"fairlead vnf repair {vnf}")


@click.group("plan", cls=Object)
def plan() -> None:
    """Show what an operation would do, and do nothing.

    Every operation of `fairlead vnf` is here, with the same options. Exit code 2 when the plan has changes, 0 when
    there is nothing to do. The digest that is shown can be given to the operation with --plan: it is then refused (2)
    if anything has changed meanwhile.

    \b
    Examples:
      fairlead vnf plan instantiate gw --flavour default
      fairlead vnf plan scale gw --aspect servers --out
    """


group.add_command(plan)


def _begins(kind: Lifecycle) -> click.Command:
    @pass_invocation
    def run(invocation: Invocation, /, vnf: str, wait: bool, timeout: float, plan: str | None, **values: Any) -> None:
        yes, check = values.pop("yes", True), values.pop("check", False)
        found = invocation.client.vnfs.find(vnf)
        request = kind.request(invocation, values)
        invocation.confirm(f"{kind.name.capitalize()} {_name(found)}?", yes=yes)
        client = invocation.client
        if check and plan is None:
            _look_first(invocation, found["id"], kind.operation, request)
        operation = accept(
            invocation, found, lambda: client.vnfs.begin(found["id"], kind.operation, request, plan=plan)
        )
        settle(invocation, operation, wait=wait, timeout=timeout)

    run = wait_options(run)
    run = click.option("--plan", metavar="DIGEST", help="Do exactly this plan, or nothing if it has moved.")(run)
    if kind.makes:
        words = "Ask the infrastructure first, and do nothing if it cannot work (the default; not with --plan)."
        run = click.option("--check/--no-check", default=True, help=words)(run)
    if kind.destroys:
        run = click.option("--yes", is_flag=True, help="Do not ask.")(run)
    return _command(kind, run, kind.help)


def _look_first(invocation: Invocation, vnf: str, operation: str, request: Document) -> None:
    """Raises Unprocessable for what cannot work; what is wrong with the request itself, the operation says better."""
    try:
        plan = invocation.client.vnfs.plan(vnf, operation, request)
    except RequestError:
        return
    refuse_what_cannot_work(plan)


def _plans(kind: Lifecycle) -> click.Command:
    @pass_invocation
    def run(invocation: Invocation, /, vnf: str, **values: Any) -> None:
        found = invocation.client.vnfs.find(vnf)
        request = kind.request(invocation, values)
        document = invocation.client.vnfs.plan(found["id"], kind.operation, request)
        show_plan(invocation, document, apply=f"fairlead vnf {kind.name} {vnf} <the same options>")

    return _command(kind, run, kind.help.replace(f"fairlead vnf {kind.name}", f"fairlead vnf plan {kind.name}"))


def _command(kind: Lifecycle, run: Any, text: str) -> click.Command:
    params = [click.Argument(["vnf"]), *kind.options(), *reversed(getattr(run, "__click_params__", []))]
    return Command(kind.name, callback=run, params=params, help=f"{kind.short}\n\n{text}", short_help=kind.short)


for _kind in LIFECYCLE:
    group.add_command(_begins(_kind))
    plan.add_command(_plans(_kind))


def _found(invocation: Invocation, vnf: str) -> Document:
    """The instance in full: a list shows less of it than it has itself."""
    found = invocation.client.vnfs.find(vnf)
    try:
        return invocation.client.vnfs.show(found["id"])
    except NotFound:
        return found


def _name(vnf: Mapping[str, Any]) -> str:
    return str(vnf.get("vnfInstanceName") or vnf["id"])


def _state(vnf: Mapping[str, Any]) -> str:
    info = vnf.get("instantiatedVnfInfo") or {}
    if vnf["instantiationState"] != "INSTANTIATED":
        return str(vnf["instantiationState"])
    return " ".join(styled_state(part) for part in ("INSTANTIATED", info.get("vnfState")) if part)


def _details(vnf: Mapping[str, Any]) -> str:
    info = vnf.get("instantiatedVnfInfo") or {}
    links = [(link["vnfVirtualLinkDescId"], _resource(link)) for link in _of(info, "vnfVirtualLinkResourceInfo")]
    head = fields(
        [
            ("id", vnf["id"]),
            ("name", vnf.get("vnfInstanceName")),
            ("description", vnf.get("vnfInstanceDescription")),
            ("state", _state(vnf)),
            ("product", f"{vnf.get('vnfProductName', '')} {vnf.get('vnfSoftwareVersion', '')}".strip()),
            ("provider", vnf.get("vnfProvider")),
            ("descriptor", vnf.get("vnfdId")),
            ("flavour", info.get("flavourId")),
            (
                "levels",
                {one["aspectId"]: one.get("scaleLevel") for one in _of(info, "scaleStatus")},
            ),
            ("metadata", vnf.get("metadata")),
            ("extensions", vnf.get("extensions")),
            ("properties", vnf.get("vnfConfigurableProperties")),
        ]
    )
    members = [
        (one["id"], one["vduId"], styled_state(one.get("vnfcState")), _resource(on), ", ".join(_addresses_of(on)))
        for one, on in _members(info)
    ]
    points = [(one["cpdId"], ", ".join(_addresses(one.get("cpProtocolInfo")))) for one in _of(info, "extCpInfo")]
    parts = [
        head,
        table(("VNFC", "VDU", "STATE", "RESOURCE", "ADDRESSES"), members),
        table(("EXTERNAL CP", "ADDRESSES"), points),
        table(("LINK", "NETWORK"), links),
    ]
    return "\n\n".join(part for part in parts if part)


def _of(info: Mapping[str, Any], name: str) -> list[Document]:
    return list(info.get(name) or ())


def _members(info: Mapping[str, Any]) -> list[tuple[Document, Document]]:
    """Every VNFC with what it runs on, which is empty while it has nothing; a server may know only the latter."""
    on = {one["id"]: one for one in _of(info, "vnfcResourceInfo")}
    vnfcs = _of(info, "vnfcInfo") or list(on.values())
    return [(one, on.get(one.get("vnfcResourceInfoId", one["id"]), {})) for one in vnfcs]


def _resource(one: Mapping[str, Any]) -> str:
    return str((one.get("computeResource") or one.get("networkResource") or {}).get("resourceId", ""))


def _addresses_of(one: Mapping[str, Any]) -> list[str]:
    return [address for point in one.get("vnfcCpInfo") or () for address in _addresses(point.get("cpProtocolInfo"))]


def _addresses(protocols: Any) -> list[str]:
    groups = [group for one in protocols or () for group in one.get("ipOverEthernet", {}).get("ipAddresses") or ()]
    return [address for group in groups for address in group.get("addresses") or ()]
