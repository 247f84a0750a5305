"""A VNF's life from the shell: `fairlead serve` and the command line as processes, on the simulated VIM."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.vims.simulated import World
from tests.end_to_end.serving import Served
from tests.support.databases import PostgresqlServer
from tests.support.packages import small_package

_NETWORKS = '{"outside": "192.0.2.0/24"}'
_LINK = ("--ext-link", "operator=outside:outside:192.0.2.7")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A served program with a simulated VIM, an outside network in it and the small package."""
    database = None
    if request.param == "postgresql":
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        database = server.create(empty=True)
    served = Served(tmp_path / "data", database)
    served.start()
    world = tmp_path / "world.db"
    where = ("--interface", f"state={world}", "--setting", f"networks={_NETWORKS}")
    served.run("vim", "register", "sim", "--type", "simulated", "--default", *where).ok()
    package = tmp_path / "small.csar"
    package.write_bytes(small_package())
    served.run("package", "onboard", str(package)).ok()
    yield served
    served.stop()


def test_a_vnf_lives_from_its_creation_to_its_end(served: Served, tmp_path: Path) -> None:
    world = World.at(str(tmp_path / "world.db"), "sim")
    served.run("vnf", "create", "Small", "--name", "gw").ok()
    plan = served.run("vnf", "plan", "instantiate", "gw", "--flavour", "simple", *_LINK)
    assert plan.code == 2, "a plan with changes"
    assert "+ compute  worker/k1" in plan.out
    done = served.run("vnf", "instantiate", "gw", "--flavour", "simple", *_LINK).ok()
    assert "COMPLETED" in done.out + done.err
    addresses = [port.outputs["addresses"] for port in world.all("port")]
    assert ["192.0.2.7"] in addresses
    served.run("vnf", "scale", "gw", "--aspect", "workers", "--out").ok()
    assert len(world.all("compute")) == 3
    before = {thing.handle for thing in world.all("compute")}
    served.run("vnf", "heal", "gw", "--vnfc", "worker-k1").ok()
    assert len(before & {thing.handle for thing in world.all("compute")}) == 2
    served.run("vnf", "operate", "gw", "stop").ok()
    assert {thing.spec["power"] for thing in world.all("compute")} == {"off"}
    served.run("vnf", "operate", "gw", "start").ok()
    assert served.run("vnf", "plan", "operate", "gw", "start").code == 0, "a plan with nothing to do"
    served.run("vnf", "scale", "gw", "--aspect", "workers", "--in").ok()
    timeline = served.run("operation", "show", "gw", "--timeline").ok()
    assert "worker/k2" in timeline.out
    served.run("vnf", "terminate", "gw", "--yes").ok()
    assert [thing.handle for thing in world.all()] == ["outside"]
    served.run("vnf", "delete", "gw", "--yes").ok()
    assert served.ask("vnf", "list") == []


def test_a_refused_request_is_a_card_and_changes_nothing(served: Served, tmp_path: Path) -> None:
    served.run("vnf", "create", "Small", "--name", "gw").ok()
    refused = served.run("vnf", "instantiate", "gw", "--flavour", "none", *_LINK)
    assert refused.code != 0
    assert "unknown-flavour" in refused.err
    assert "simple" in refused.err, "the remedy names the flavours that there are"
    missing = served.run("vnf", "instantiate", "gw", "--flavour", "simple")
    assert "external-link-missing" in missing.err
    assert served.ask("operation", "list") == []
    assert [thing.handle for thing in World.at(str(tmp_path / "world.db"), "sim").all()] == ["outside"]


def test_a_failed_operation_is_shown_with_its_card_and_rolled_back(served: Served, tmp_path: Path) -> None:
    fault = {"on": "create", "effect": "failed", "sort": "compute", "name": "worker/*", "detail": "no valid host"}
    served.run("vim", "update", "sim", "--setting", f"faults={json.dumps([fault])}").ok()
    served.run("vnf", "create", "Small", "--name", "gw").ok()
    failed = served.run("vnf", "instantiate", "gw", "--flavour", "simple", *_LINK)
    assert failed.code == 1
    for words in ("resource-failed", "worker/k1", "no valid host", "rollback"):
        assert words in failed.err + failed.out
    again = served.run("vnf", "scale", "gw", "--aspect", "workers", "--out")
    assert "operation-in-progress" in again.err
    served.run("operation", "rollback", "gw", "--wait")
    assert [thing.handle for thing in World.at(str(tmp_path / "world.db"), "sim").all()] == ["outside"]
    assert served.ask("operation", "show", "gw")["operationState"] == "ROLLED_BACK"


def test_a_server_that_is_killed_in_the_middle_goes_on_when_it_is_started_again(served: Served, tmp_path: Path) -> None:
    served.run("vim", "update", "sim", "--setting", 'latency={"ready": 1}').ok()
    served.run("vnf", "create", "Small", "--name", "gw").ok()
    begun = served.run("vnf", "instantiate", "gw", "--flavour", "simple", *_LINK, "--no-wait")
    begun.ok()
    served.kill()
    served.start()
    waited = served.run("event", "list")
    assert waited.code == 0
    operation = served.ask("operation", "list")[0]["id"]
    served.run("operation", "show", operation, "--timeline").ok()
    while (state := served.ask("operation", "show", operation)["operationState"]) in ("STARTING", "PROCESSING"):
        pass
    assert state == "COMPLETED"
    lives = [thing.tag["incarnation"] for thing in World.at(str(tmp_path / "world.db"), "sim").all() if thing.tag]
    assert len(lives) == len(set(lives))


def test_it_stops_in_good_order_and_prints_its_first_token_only_once(served: Served) -> None:
    assert served.stop() == 0
    served.printed.clear()
    served.start()
    assert not any("flt_" in line for line in served.printed)
    assert served.run("vnf", "list", token="flt_wrong").code == 1
    assert served.ask("vnf", "list") == []


def test_a_second_process_on_the_same_sqlite_database_is_refused(tmp_path: Path) -> None:
    first, second = Served(tmp_path / "data"), Served(tmp_path / "data")
    first.start()
    with pytest.raises(AssertionError, match="did not listen"):
        second.start()
    assert "database-in-use" in second.log()
    assert first.ask("vnf", "list") == []
    first.stop()


def test_a_port_that_is_taken_is_told_before_anything_is_begun(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        served = Served(tmp_path / "data", port=taken.getsockname()[1])
        with pytest.raises(AssertionError, match="did not listen"):
            served.start()
    assert "cannot-listen" in served.log()
    assert not (tmp_path / "data").exists()
