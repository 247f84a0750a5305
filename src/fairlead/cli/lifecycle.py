"""The lifecycle operations of a VNF as data: each with its options and the request that they make.

Every operation is there twice, as `vnf NAME` and as `vnf plan NAME`, with the same options, so that a command that was
tried as a plan is run by taking one word out. Here is what both share; `vnf.py` makes the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from fairlead.cli.invocation import Invocation
from fairlead.cli.requests import external_links, managed_links, merged, without_nothing
from fairlead.cli.values import key_values, pair, read_document
from fairlead.errors import BadRequest

__all__ = ["LIFECYCLE", "Lifecycle"]

Document = dict[str, Any]


@dataclass(frozen=True)
class Lifecycle:
    """One operation. `operation` is its name in the API; `destroys` asks first on a terminal; one that `makes` something asks
    the infrastructure first whether it can."""

    name: str
    operation: str
    short: str
    help: str
    options: Callable[[], list[click.Parameter]]
    request: Callable[[Invocation, Document], Document]
    destroys: bool = False
    makes: bool = False


def _option(*names: str, **more: Any) -> click.Option:
    return click.Option(names, **more)


def _params() -> click.Option:
    return _option("--param", multiple=True, metavar="KEY=VALUE", help="An additional parameter (repeatable).")


def _from_file() -> click.Option:
    return _option(
        "--request", metavar="FILE", help="ETSI's request as JSON or YAML (- is standard input); options go over it."
    )


def _built(values: Document, request: Document) -> Document:
    """`request` without what was not given, over the one in the file."""
    parameters = key_values(values.get("param", ()), option="--param")
    options = without_nothing(request | {"additionalParams": parameters})
    if not values.get("request"):
        return options
    base = read_document(values["request"])
    if not isinstance(base, dict):
        raise BadRequest("A request is an object.", code="bad-request-file", place=values["request"])
    return merged(base, options)


def _needed(request: Document, field: str, option: str) -> Document:
    if field not in request:
        raise click.UsageError(f"Missing option '{option}' (or {field} in the file of --request).")
    return request


def _instantiate_options() -> list[click.Parameter]:
    return [
        _option("--flavour", metavar="ID", help="The deployment flavour of the VNFD. Needed, here or in the file."),
        _option("--level", metavar="ID", help="The instantiation level; the flavour's default unless given."),
        _option("--vim", metavar="VIM", help="Where to; the project's default VIM unless given."),
        _option(
            "--ext-link",
            multiple=True,
            metavar="LINK=RESOURCE:CPD[:ADDRESS]",
            help="Connect the external connection point CPD to the network RESOURCE (repeatable). ADDRESS: IP"
            " addresses and a MAC address by commas, or none; without it the network chooses.",
        ),
        _option(
            "--managed-link",
            multiple=True,
            metavar="DESC=RESOURCE",
            help="Use the network RESOURCE for the VNFD's internal link DESC (repeatable).",
        ),
        _params(),
        _from_file(),
    ]


def _instantiate(invocation: Invocation, values: Document) -> Document:
    connection, connections = None, None
    if values["vim"]:
        vim = invocation.client.vims.show(values["vim"])
        connection = str(vim.get("name") or vim["id"])
        connections = {connection: {"vimId": vim["id"], "vimType": vim["type"]}}
    request = {
        "flavourId": values["flavour"],
        "instantiationLevelId": values["level"],
        "extVirtualLinks": external_links(values["ext_link"], connection=connection),
        "extManagedVirtualLinks": managed_links(values["managed_link"], connection=connection),
        "vimConnectionInfo": connections,
    }
    return _needed(_built(values, request), "flavourId", "--flavour")


def _operate_options() -> list[click.Parameter]:
    return [
        click.Argument(["state"], type=click.Choice(["start", "stop"])),
        _option("--graceful/--forceful", default=None, help="How to stop: let it finish its work, or at once."),
        _option("--grace", type=click.IntRange(min=0), metavar="SECONDS", help="How long a graceful stop may take."),
        _params(),
        _from_file(),
    ]


def _operate(_: Invocation, values: Document) -> Document:
    stop = values["state"] == "stop"
    if not stop and (values["graceful"] is not None or values["grace"] is not None):
        raise click.UsageError("--graceful, --forceful and --grace are for stopping.")
    graceful = values["graceful"] if values["graceful"] is not None else (True if values["grace"] else None)
    request = {
        "changeStateTo": "STOPPED" if stop else "STARTED",
        "stopType": None if graceful is None else "GRACEFUL" if graceful else "FORCEFUL",
        "gracefulStopTimeout": values["grace"],
    }
    return _built(values, request)


def _scale_options() -> list[click.Parameter]:
    return [
        _option("--aspect", metavar="ID", help="The scaling aspect of the VNFD. Needed, here or in the file."),
        _option("--out/--in", "out", default=None, help="More or fewer. Needed, here or in the file."),
        _option("--steps", type=click.IntRange(min=1), metavar="N", help="How many steps; one unless given."),
        _params(),
        _from_file(),
    ]


def _scale(_: Invocation, values: Document) -> Document:
    request = {
        "type": None if values["out"] is None else "SCALE_OUT" if values["out"] else "SCALE_IN",
        "aspectId": values["aspect"],
        "numberOfSteps": values["steps"],
    }
    return _needed(_needed(_built(values, request), "aspectId", "--aspect"), "type", "--out' / '--in")


def _scale_to_level_options() -> list[click.Parameter]:
    return [
        _option("--level", metavar="ID", help="An instantiation level of the flavour."),
        _option("--to", multiple=True, metavar="ASPECT=LEVEL", help="A scale level for an aspect (repeatable)."),
        _params(),
        _from_file(),
    ]


def _scale_to_level(_: Invocation, values: Document) -> Document:
    if values["level"] and values["to"]:
        raise click.UsageError("Give --level or --to, not both.")
    levels = [pair(text, option="--to") for text in values["to"]]
    if not all(level.isdecimal() for _, level in levels):
        raise click.BadParameter("a scale level is a number of steps, from 0.", param_hint="--to")
    request = {
        "instantiationLevelId": values["level"],
        "scaleInfo": [{"aspectId": aspect, "scaleLevel": int(level)} for aspect, level in levels],
    }
    built = _built(values, request)
    if "instantiationLevelId" not in built and "scaleInfo" not in built:
        raise click.UsageError("Give --level or --to.")
    return built


def _heal_options() -> list[click.Parameter]:
    return [
        _option("--vnfc", multiple=True, metavar="ID", help="Only this VNFC (repeatable); the whole VNF without it."),
        _option("--cause", metavar="TEXT", help="Why; it is kept with the operation."),
        _params(),
        _from_file(),
    ]


def _heal(_: Invocation, values: Document) -> Document:
    return _built(values, {"vnfcInstanceId": list(values["vnfc"]), "cause": values["cause"]})


def _repair_options() -> list[click.Parameter]:
    return [
        _option("--vnfc", multiple=True, metavar="ID", help="Only this VNFC (repeatable); the whole VNF without it."),
        _option("--give-up-data", is_flag=True, help="Replace failed volumes, too: what is in them is lost."),
        _option("--cause", metavar="TEXT", help="Why; it is kept with the operation."),
    ]


def _repair(_: Invocation, values: Document) -> Document:
    parameters = {"drifted": True} | ({"all": True} if values["give_up_data"] else {})
    request = {"vnfcInstanceId": list(values["vnfc"]), "cause": values["cause"]}
    return without_nothing(request | {"additionalParams": parameters})


def _terminate_options() -> list[click.Parameter]:
    return [
        _option("--graceful/--forceful", default=None, help="Let it finish its work first, or at once (the default)."),
        _option("--grace", type=click.IntRange(min=0), metavar="SECONDS", help="How long being graceful may take."),
        _params(),
        _from_file(),
    ]


def _terminate(_: Invocation, values: Document) -> Document:
    graceful = values["graceful"] if values["graceful"] is not None else (True if values["grace"] else None)
    request = {
        "terminationType": None if graceful is None else "GRACEFUL" if graceful else "FORCEFUL",
        "gracefulTerminationTimeout": values["grace"],
    }
    return {"terminationType": "FORCEFUL"} | _built(values, request)


def _update_options() -> list[click.Parameter]:
    return [
        _option("--name", metavar="NAME", help="A new name."),
        _option("--description", metavar="TEXT", help="A new description."),
        _option("--metadata", multiple=True, metavar="KEY=VALUE", help="Metadata (repeatable)."),
        _option("--extension", multiple=True, metavar="KEY=VALUE", help="An extension of the VNFD (repeatable)."),
        _option("--property", multiple=True, metavar="KEY=VALUE", help="A configurable property (repeatable)."),
        _from_file(),
    ]


def _update(_: Invocation, values: Document) -> Document:
    request = {
        "vnfInstanceName": values["name"],
        "vnfInstanceDescription": values["description"],
        "metadata": key_values(values["metadata"], option="--metadata"),
        "extensions": key_values(values["extension"], option="--extension"),
        "vnfConfigurableProperties": key_values(values["property"], option="--property"),
    }
    built = _built(values, request)
    if not built:
        raise click.UsageError("Say what to change: see --help.")
    return built


LIFECYCLE = (
    Lifecycle(
        "instantiate",
        "instantiate",
        "Create the VNF's resources.",
        """\b
Examples:
  fairlead vnf instantiate gw --flavour simple
  fairlead vnf instantiate gw --flavour simple --level two-servers --vim edge \\
      --ext-link outside=public-net:ext_cp:192.0.2.10 --param admin=ops
  fairlead vnf instantiate gw --request request.yaml --level large""",
        _instantiate_options,
        _instantiate,
        makes=True,
    ),
    Lifecycle(
        "operate",
        "operate",
        "Start or stop the VNF.",
        """\b
Examples:
  fairlead vnf operate gw stop --graceful --grace 30
  fairlead vnf operate gw start""",
        _operate_options,
        _operate,
    ),
    Lifecycle(
        "scale",
        "scale",
        "Scale an aspect of the VNF out or in.",
        """\b
Examples:
  fairlead vnf scale gw --aspect servers --out
  fairlead vnf scale gw --aspect servers --in --steps 2""",
        _scale_options,
        _scale,
        makes=True,
    ),
    Lifecycle(
        "scale-to-level",
        "scale_to_level",
        "Scale the VNF to a level.",
        """\b
Examples:
  fairlead vnf scale-to-level gw --level large
  fairlead vnf scale-to-level gw --to servers=3""",
        _scale_to_level_options,
        _scale_to_level,
        makes=True,
    ),
    Lifecycle(
        "heal",
        "heal",
        "Replace what is broken.",
        """\b
Examples:
  fairlead vnf heal gw
  fairlead vnf heal gw --vnfc servers-k2 --cause "does not answer" """,
        _heal_options,
        _heal,
        makes=True,
    ),
    Lifecycle(
        "repair",
        "heal",
        "Bring back what is not as recorded, and touch nothing else.",
        """It is ETSI's heal with additionalParams.drifted; `fairlead vnf drift` shows what it would repair.


Examples:
  fairlead vnf repair gw
  fairlead vnf repair gw --vnfc servers-k2 --plan sha256:...""",
        _repair_options,
        _repair,
    ),
    Lifecycle(
        "terminate",
        "terminate",
        "Delete the VNF's resources; the instance stays and can be instantiated again.",
        """\b
Examples:
  fairlead vnf terminate gw
  fairlead vnf terminate gw --graceful --grace 60 --yes""",
        _terminate_options,
        _terminate,
        destroys=True,
    ),
    Lifecycle(
        "update",
        "modify",
        "Change the VNF's name, description, metadata or properties.",
        """\b
Example:
  fairlead vnf update gw --name gateway-1 --metadata site=north""",
        _update_options,
        _update,
    ),
)
