"""Options into ETSI's requests: what is sent is what the data types know, and nothing else."""

from __future__ import annotations

from typing import Any

import click
import msgspec
import pytest

from fairlead.cli.invocation import Invocation
from fairlead.cli.lifecycle import LIFECYCLE
from fairlead.cli.requests import external_links, managed_links, merged
from fairlead.cli.values import key_values, value_of
from fairlead.errors import FairleadError
from fairlead.sol import (
    HealVnfRequest,
    InstantiateVnfRequest,
    OperateVnfRequest,
    ScaleVnfRequest,
    ScaleVnfToLevelRequest,
    TerminateVnfRequest,
    VnfInfoModificationRequest,
)

TYPES: dict[str, Any] = {
    "instantiate": InstantiateVnfRequest,
    "operate": OperateVnfRequest,
    "scale": ScaleVnfRequest,
    "scale-to-level": ScaleVnfToLevelRequest,
    "heal": HealVnfRequest,
    "terminate": TerminateVnfRequest,
    "update": VnfInfoModificationRequest,
}


def request(name: str, *options: str) -> dict[str, Any]:
    """The request that an operation makes of its options, after it went through the server's data type unchanged."""
    kind = next(kind for kind in LIFECYCLE if kind.name == name)
    command = click.Command(name, params=kind.options())
    values = command.make_context(name, list(options)).params
    made = kind.request(Invocation(), values)
    there_and_back = msgspec.json.decode(msgspec.json.encode(msgspec.convert(made, TYPES[name])))
    assert there_and_back == made, "an attribute that the type does not know"
    return made


def dynamic() -> dict[str, Any]:
    return {"ipAddresses": [{"type": "IPV4", "numDynamicAddresses": 1}]}


def protocol(ethernet: dict[str, Any]) -> dict[str, Any]:
    return {"cpProtocolData": [{"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": ethernet}]}


def test_instantiate_takes_flavour_level_links_and_parameters() -> None:
    made = request(
        "instantiate",
        *("--flavour", "default", "--level", "two", "--ext-link", "outside=public:ext_cp:192.0.2.10"),
        *("--managed-link", "inner=net-7", "--param", "replicas=2"),
    )
    fixed = {"ipAddresses": [{"type": "IPV4", "fixedAddresses": ["192.0.2.10"]}]}
    assert made == {
        "flavourId": "default",
        "instantiationLevelId": "two",
        "extVirtualLinks": [
            {
                "id": "outside",
                "resourceId": "public",
                "extCps": [{"cpdId": "ext_cp", "cpConfig": {"ext_cp": protocol(fixed)}}],
            }
        ],
        "extManagedVirtualLinks": [{"id": "inner", "vnfVirtualLinkDescId": "inner", "resourceId": "net-7"}],
        "additionalParams": {"replicas": 2},
    }


@pytest.mark.parametrize(
    ("addresses", "ethernet"),
    [
        ("", dynamic()),
        (":", dynamic()),
        (":none", {}),
        (":2001:db8::5", {"ipAddresses": [{"type": "IPV6", "fixedAddresses": ["2001:db8::5"]}]}),
        (":02:00:00:00:00:01", {"macAddress": "02:00:00:00:00:01"} | dynamic()),
        (
            ":192.0.2.1,2001:db8::1,02:00:00:00:00:01",
            {
                "macAddress": "02:00:00:00:00:01",
                "ipAddresses": [
                    {"type": "IPV4", "fixedAddresses": ["192.0.2.1"]},
                    {"type": "IPV6", "fixedAddresses": ["2001:db8::1"]},
                ],
            },
        ),
    ],
)
def test_an_external_link_says_which_addresses(addresses: str, ethernet: dict[str, Any]) -> None:
    (link,) = external_links([f"out=net:cp{addresses}"], connection=None)
    assert link["extCps"] == [{"cpdId": "cp", "cpConfig": {"cp": protocol(ethernet)}}]


def test_the_same_link_again_adds_to_it() -> None:
    (link,) = external_links(["o=net:a", "o=net:b:192.0.2.1", "o=net:b:192.0.2.2"], connection="edge")
    assert link["vimConnectionId"] == "edge"
    assert [(point["cpdId"], list(point["cpConfig"])) for point in link["extCps"]] == [
        ("a", ["a"]),
        ("b", ["b", "b-2"]),
    ]


@pytest.mark.parametrize("text", ["out", "out=", "out=net", "=net:cp", "out=net:cp:not-an-address", "out=:cp"])
def test_an_external_link_that_is_not_one_is_told(text: str) -> None:
    with pytest.raises(click.BadParameter):
        external_links([text], connection=None)


def test_one_link_in_two_networks_is_told() -> None:
    with pytest.raises(click.BadParameter, match="one network only"):
        external_links(["o=net-1:a", "o=net-2:b"], connection=None)


def test_managed_links_belong_to_the_vim_that_was_named() -> None:
    (link,) = managed_links(["inner=net"], connection="edge")
    assert link["vimConnectionId"] == "edge"


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("operate", ("stop",), {"changeStateTo": "STOPPED"}),
        ("operate", ("start",), {"changeStateTo": "STARTED"}),
        (
            "operate",
            ("stop", "--grace", "30"),
            {"changeStateTo": "STOPPED", "stopType": "GRACEFUL", "gracefulStopTimeout": 30},
        ),
        ("operate", ("stop", "--forceful"), {"changeStateTo": "STOPPED", "stopType": "FORCEFUL"}),
        ("scale", ("--aspect", "servers", "--out"), {"type": "SCALE_OUT", "aspectId": "servers"}),
        (
            "scale",
            ("--aspect", "servers", "--in", "--steps", "2"),
            {"type": "SCALE_IN", "aspectId": "servers", "numberOfSteps": 2},
        ),
        ("scale-to-level", ("--level", "large"), {"instantiationLevelId": "large"}),
        ("scale-to-level", ("--to", "a=3"), {"scaleInfo": [{"aspectId": "a", "scaleLevel": 3}]}),
        ("heal", (), {}),
        ("heal", ("--vnfc", "a", "--vnfc", "b", "--cause", "dead"), {"vnfcInstanceId": ["a", "b"], "cause": "dead"}),
        ("terminate", (), {"terminationType": "FORCEFUL"}),
        (
            "terminate",
            ("--graceful", "--grace", "60"),
            {"terminationType": "GRACEFUL", "gracefulTerminationTimeout": 60},
        ),
        (
            "update",
            ("--name", "new", "--metadata", "site=north"),
            {"vnfInstanceName": "new", "metadata": {"site": "north"}},
        ),
    ],
)
def test_every_operation_makes_its_request(name: str, options: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert request(name, *options) == expected


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("instantiate", ()),
        ("scale", ("--out",)),
        ("scale", ("--aspect", "servers")),
        ("scale-to-level", ()),
        ("scale-to-level", ("--level", "a", "--to", "b=1")),
        ("scale-to-level", ("--to", "b=many")),
        ("operate", ("start", "--graceful")),
        ("update", ()),
    ],
)
def test_what_is_missing_or_contradicts_itself_is_a_mistake_of_usage(name: str, options: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        request(name, *options)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain words", "plain words"),
        ("3", 3),
        ("0.5", 0.5),
        ("1.10", "1.10"),
        ("007", "007"),
        ("1e3", "1e3"),
        ("true", True),
        ("null", None),
        ('"3"', "3"),
        ('{"a": [1]}', {"a": [1]}),
        ("{not json", "{not json"),
        ("NaN", "NaN"),
        ("", ""),
    ],
)
def test_a_value_is_text_unless_it_is_unmistakably_json(text: str, value: Any) -> None:
    assert value_of(text) == value


def test_a_value_may_come_from_a_file(tmp_path: Any) -> None:
    (tmp_path / "init.sh").write_text("#!/bin/sh\n")
    (tmp_path / "more.yaml").write_text("a: [1, 2]\n")
    found = key_values([f"boot=@{tmp_path}/init.sh", f"more=@{tmp_path}/more.yaml"], option="--param")
    assert found == {"boot": "#!/bin/sh\n", "more": {"a": [1, 2]}}


def test_a_broken_file_is_told_with_the_place(tmp_path: Any) -> None:
    (tmp_path / "broken.yaml").write_text("a: 1\nb: [1,\n")
    with pytest.raises(FairleadError) as caught:
        value_of(f"@{tmp_path}/broken.yaml")
    assert str(caught.value.place).endswith("broken.yaml:3:1")


def test_options_go_over_the_request_in_a_file() -> None:
    base = {"flavourId": "a", "extVirtualLinks": [1], "additionalParams": {"x": 1, "y": 1}}
    changes = {"flavourId": "b", "extVirtualLinks": [2], "additionalParams": {"y": 2}}
    assert merged(base, changes) == {
        "flavourId": "b",
        "extVirtualLinks": [1, 2],
        "additionalParams": {"x": 1, "y": 2},
    }
