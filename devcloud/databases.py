"""The services' databases: made once, side by side as far as their tools allow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from configuration import database
from place import IDENTITY, PASSWORD, REGION, RUN, STATE
from processes import run

_NAMES = ("keystone", "glance", "placement", "nova_api", "nova", "nova_cell0", "neutron", "cinder", "heat", "barbican")
_KEYS = "--keystone-user root --keystone-group root"


def _jobs() -> dict[str, list[str]]:
    """Commands that can run side by side, each list in its order."""
    neutron = "--config-file /etc/neutron/neutron.conf --config-file /etc/neutron/plugins/ml2/ml2_conf.ini"
    return {
        "keystone": [
            "keystone-manage db_sync",
            f"keystone-manage fernet_setup {_KEYS}",
            f"keystone-manage credential_setup {_KEYS}",
        ],
        "neutron": [f"neutron-db-manage {neutron} upgrade heads"],
        "nova": [
            "nova-manage api_db sync",
            f"nova-manage cell_v2 map_cell0 --database_connection {database('nova_cell0')}",
            "nova-manage db sync",
            "nova-manage cell_v2 create_cell --name cell1",
        ],
        "others": [
            "placement-manage db sync",
            "glance-manage db_sync",
            "glance-manage db_load_metadefs",
            "heat-manage db_sync",
            "cinder-manage db sync",
            "barbican-manage db upgrade",
        ],
    }


def make() -> None:
    """Make what has not been made. Raises SystemExit, naming the log, when a tool fails."""
    if _stamp("bootstrap").exists():
        return
    _sql("".join(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8;" for name in _NAMES))
    _sql(
        f"CREATE USER IF NOT EXISTS os@127.0.0.1 IDENTIFIED BY '{PASSWORD}';"
        "GRANT ALL ON *.* TO os@127.0.0.1 WITH GRANT OPTION; FLUSH PRIVILEGES;"
    )
    jobs = _jobs()
    with ThreadPoolExecutor(len(jobs)) as pool:
        for _ in pool.map(_run, jobs, jobs.values()):
            pass
    urls = " ".join(f"--bootstrap-{sort}-url {IDENTITY}/v3/" for sort in ("admin", "public", "internal"))
    bootstrap = (
        f"keystone-manage bootstrap --bootstrap-password {PASSWORD} --bootstrap-username admin"
        f" --bootstrap-project-name admin --bootstrap-role-name admin --bootstrap-service-name keystone"
        f" --bootstrap-region-id {REGION} {urls}"
    )
    _run("bootstrap", [bootstrap])


def _sql(statements: str) -> None:
    run("database-server", "mysql", "-S", str(RUN / "mysql.sock"), "-u", "root", "-e", statements)


def _run(name: str, commands: list[str]) -> None:
    """Run the commands of a job, unless they were run: making a cell a second time fails."""
    if _stamp(name).exists():
        return
    for command in commands:
        run(f"database-{name}", *command.split())
    _stamp(name).touch()


def _stamp(name: str) -> Path:
    return STATE / f"database-{name}.done"
