"""The services' configuration: the files below `etc/`, filled in and put to where each service looks for them."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from place import FAKES, HERE, HOST, IDENTITY, OUT, PASSWORD, REGION, RUN, STATE
from processes import run

_ELSEWHERE = {"mysql/my.cnf": RUN / "my.cnf"}
"""Files that are not put below /etc under the name that they have here."""
_DIRECTORIES = ("mysql", "glance/images", "nova/instances", "cinder/nfs", "cinder/mnt", "neutron", "keystone")
_MOUNT = Path("/sbin/mount.nfs")
_STAND_IN = """#!/bin/sh
# The kernel of a test machine has no NFS client; Cinder's driver needs no more than the path.
mountpoint -q "$2" && exit 0
exec mount --bind "${1#*:}" "$2"
"""


def configure() -> None:
    """Write everything; what is there already is overwritten."""
    for name in _DIRECTORIES:
        (STATE / name).mkdir(parents=True, exist_ok=True)
    for source in sorted(path for path in (HERE / "etc").rglob("*") if path.is_file()):
        name = str(source.relative_to(HERE / "etc"))
        service = name.partition("/")[0]
        (STATE / "lock" / service).mkdir(parents=True, exist_ok=True)
        _write(_ELSEWHERE.get(name, Path("/etc") / name), filled(source, service))
    for fake in FAKES:
        directory = STATE / f"nova-{fake}"
        (directory / "instances").mkdir(parents=True, exist_ok=True)
        own = {"host": fake, "directory": str(directory), "driver": "fake.FakeDriver"}
        _write(Path(f"/etc/nova/nova-{fake}.conf"), filled(HERE / "etc/nova/nova.conf", "nova", **own))
    _without_import_plugins()
    _divert_mount()
    _write_clients()


def database(name: str) -> str:
    """The SQLAlchemy URL of one of the cloud's databases."""
    return f"mysql+pymysql://os:{PASSWORD}@127.0.0.1:3306/{name}?charset=utf8"


def filled(source: Path, service: str, **own: str) -> str:
    """The text of a template. Raises KeyError where it names what there is not."""
    text = source.read_text()
    values = {
        "state": str(STATE),
        "run": str(RUN),
        "password": PASSWORD,
        "region": REGION,
        "host": HOST,
        "directory": str(STATE / "nova"),
        "driver": "libvirt.LibvirtDriver",
        "common": _COMMON,
        "messaging": _messaging(service) if "${messaging}" in text else "",
        **own,
    }
    for sort, name in re.findall(r"\$\{(database|authtoken|credentials|trustee)_(\w+)\}", text):
        values[f"{sort}_{name}"] = _NAMED[sort](name)
    return Template(text).substitute(values)


_COMMON = """debug = false
transport_url = rabbit://guest:guest@127.0.0.1:5672/
use_stderr = true
rpc_response_timeout = 60"""


_TELLING = ("nova", "neutron", "heat")
"""Services that send notifications of what changes. Debian's Cinder cannot: its contexts break over the newer oslo.context."""


def _messaging(service: str) -> str:
    """Queues outlive a restart of the broker, as where it matters: what is lost with them nobody but an administrator can mend."""
    return f"""[oslo_messaging_notifications]
driver = {"messagingv2" if service in _TELLING else "noop"}

[oslo_messaging_rabbit]
amqp_durable_queues = true
heartbeat_in_pthread = false

[oslo_concurrency]
lock_path = {STATE}/lock/{service}"""


def _user(name: str) -> str:
    return f"""auth_type = password
auth_url = {IDENTITY}
project_domain_name = Default
user_domain_name = Default
project_name = service
username = {name}
password = {PASSWORD}
region_name = {REGION}"""


def _authtoken(name: str) -> str:
    return f"""www_authenticate_uri = {IDENTITY}
{_user(name)}
memcached_servers = 127.0.0.1:11211
service_token_roles = service
service_token_roles_required = true"""


def _trustee(name: str) -> str:
    return "\n".join(line for line in _user(name).splitlines() if not line.startswith("project_"))


_NAMED = {"database": database, "authtoken": _authtoken, "credentials": _user, "trustee": _trustee}


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def _without_import_plugins() -> None:
    path = Path("/etc/glance/glance-image-import.conf")
    if path.exists():
        text = path.read_text()
        path.write_text(re.sub(r"(?m)^image_import_plugins.*$", "image_import_plugins = []", text))


def _divert_mount() -> None:
    real = _MOUNT.with_suffix(".nfs.real")
    if _MOUNT.exists() and not real.exists():
        command = ["dpkg-divert", "--local", "--rename", "--divert", str(real), "--add", str(_MOUNT)]
        run("configure", *command)
    _write(_MOUNT, _STAND_IN)
    _MOUNT.chmod(0o755)


def _write_clients() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    words = {
        "OS_AUTH_URL": f"{IDENTITY}/v3",
        "OS_USERNAME": "admin",
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": "admin",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_REGION_NAME": REGION,
        "OS_IDENTITY_API_VERSION": "3",
    }
    (OUT / "openrc").write_text("".join(f"export {name}={value}\n" for name, value in words.items()))
    clouds = "".join(_cloud(name, user) for name, user in (("devcloud", "admin"), ("devcloud-demo", "demo")))
    (OUT / "clouds.yaml").write_text(f"clouds:\n{clouds}")


def _cloud(name: str, user: str) -> str:
    return f"""  {name}:
    auth:
      auth_url: {IDENTITY}/v3
      username: {user}
      password: {PASSWORD}
      project_name: {user}
      user_domain_name: Default
      project_domain_name: Default
    region_name: {REGION}
    identity_api_version: 3
"""
