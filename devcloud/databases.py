"""The services' databases: made once, side by side as far as their tools allow."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

from configuration import database
from place import IDENTITY, LOGS, PASSWORD, REGION, RUN, STATE

_NAMES = ("keystone", "glance", "placement", "nova_api", "nova", "nova_cell0", "neutron", "cinder", "heat", "barbican")
_KEYS = "--keystone-user root --keystone-group root"
_DONE = STATE / "databases.done"


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
    if _DONE.exists():
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
    _run(
        "bootstrap",
        [
            f"keystone-manage bootstrap --bootstrap-password {PASSWORD} --bootstrap-username admin"
            f" --bootstrap-project-name admin --bootstrap-role-name admin --bootstrap-service-name keystone"
            f" --bootstrap-region-id {REGION} {urls}"
        ],
    )
    _DONE.touch()


def _sql(statements: str) -> None:
    subprocess.run(["mysql", "-S", str(RUN / "mysql.sock"), "-u", "root", "-e", statements], check=True)


def _run(name: str, commands: list[str]) -> None:
    log = LOGS / f"database-{name}.log"
    with log.open("w") as told:
        for command in commands:
            if subprocess.run(command.split(), stdout=told, stderr=told, check=False).returncode:
                raise SystemExit(f"{command.split()[0]} failed; see {log}")
