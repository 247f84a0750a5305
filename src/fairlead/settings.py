"""What an operator may set, with unit and reason, and where it is read from.

Each setting has a name of two words, as `server.port`, and three places: the settings file (TOML), the environment
(`FAIRLEAD_SERVER_PORT`) and the command line, each stronger than the one before. A name that is not known is an error
that names the nearest one that is: a misspelt setting that is silently left out costs an evening. All values are
checked here, once, before anything starts. docs/settings.md is made from this module.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from fairlead.errors import FairleadError

__all__ = [
    "EventsSettings",
    "IdentitySettings",
    "KeystoneSettings",
    "LogSettings",
    "OperationsSettings",
    "PackagesSettings",
    "SecretsSettings",
    "ServerSettings",
    "Settings",
    "StoreSettings",
    "VimsSettings",
    "default_data_directory",
    "load_settings",
    "names",
]

Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Days = Annotated[float, msgspec.Meta(gt=0)]


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The HTTP server."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback, because nobody but this machine should be served before somebody decides so."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 9890
    """Port to listen on; 0 takes a free one. 9890 is what clients of OpenStack Tacker know."""
    public_url: str | None = None
    """What URLs in answers begin with, behind a proxy that rewrites them; by default the request's own scheme and host."""
    status_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    """Port on which `fairlead worker` answers `/health`, `/ready` and `/metrics`, and nothing else; it listens on none by
    default."""
    certificate: str | None = None
    """File with the server's certificate and those up to its authority (PEM). With it Fairlead speaks HTTPS only."""
    key: str | None = None
    """File with the certificate's key (PEM)."""
    body_limit: Count = 4 * 1024 * 1024
    """Bytes of a JSON body; a request to instantiate with long user data for each VDU fits well."""
    page_size: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    """Objects in one page of a list: some 300 kB."""
    heartbeat: Seconds = 15.0
    """Seconds of silence after which an event stream sends a comment; proxies close what is silent for 30 to 60."""
    public_metrics: bool = True
    """Whether `/metrics` answers without a token, as Prometheus expects; it tells counts and names no project."""


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """The database."""

    url: str = field(default="", repr=False)
    """`postgresql://user:password@host/database`, or `sqlite:///file`; by default SQLite in the data directory, which
    serves one process."""
    patience: Seconds = 30.0
    """Seconds for which a transaction is tried again while the database does not answer: a restart or failover of it
    takes less, and a request may take this long."""


@dataclass(frozen=True, kw_only=True)
class OperationsSettings:
    """Life-cycle operations and the workers that run them."""

    concurrency: Count = 2000
    """Operations that one worker has in hand at once. They wait, mostly; each takes some 20 kB."""
    takeover_settling: Seconds = 1.5
    """Seconds between the two looks at a lost worker's lock before its operations are taken over: longer than a restart
    of PostgreSQL drops all locks for, short enough to resume within 5 s."""
    retention: Days = 90.0
    """Days for which finished operations and their journals are kept: a quarter, for those who look back."""
    sweep_interval: Seconds = 600.0
    """Seconds between searches of all VIMs for things of ours that no record knows."""
    delete_leftovers: bool = True
    """Whether such a search deletes what it finds, or only reports it."""


@dataclass(frozen=True, kw_only=True)
class VimsSettings:
    """Calls to infrastructures."""

    calls_at_once: Count = 32
    """Calls to one VIM at once, over all operations: most services slow down beyond it rather than speed up. Operations
    that began earlier go first."""
    poll_shortest: Seconds = 0.03
    """Seconds between two looks at what has just been asked for; it grows to a thirtieth of the time waited so far."""
    poll_longest: Seconds = 2.0
    """Seconds between two looks at what takes long; an end is noticed at most this late."""


@dataclass(frozen=True, kw_only=True)
class PackagesSettings:
    """Uploaded packages."""

    storage: Literal["local", "s3"] = "local"
    """`local` keeps packages in the data directory, `s3` in an S3-compatible object store (needs `pip install
    'fairlead[s3]'`). What is in one is not looked for in the other."""
    s3_bucket: str | None = None
    """The bucket, which must exist."""
    s3_prefix: str = ""
    """What the names of objects begin with, such as `fairlead/`; for a bucket that others use, too."""
    s3_endpoint: str | None = None
    """Address of the store, such as `https://s3.example:9000`; by default Amazon's."""
    s3_region: str | None = None
    """Region of the bucket; by default the one that Amazon's own tools would take."""
    s3_access_key: str | None = None
    """Access key; without one the credentials are found as Amazon's own tools find them: environment, files, the
    machine's role."""
    s3_secret_key: str | None = field(default=None, repr=False)
    """Secret key."""
    upload_limit: Count = 64 * 1024**3
    """Bytes of a package. The disk is the true limit; this one ends an upload that was never meant to end."""
    fetch_timeout: Seconds = 3600.0
    """Seconds for fetching a package from a URI: 2 GB at 600 kB/s."""
    fetch_allow: str = ""
    """Networks, apart by commas, that packages are fetched from although they are loopback, link-local or of a metadata
    service; nobody needs that in earnest."""
    signatures: Literal["require", "verify", "ignore"] = "verify"
    """`require` refuses a package that is not signed by somebody trusted, `verify` one whose signature is wrong, `ignore`
    looks at none. Most packages of today are not signed, so the default asks for nothing more."""
    trust_anchors: Path | None = None
    """PEM file with the certificates that signers' certificates must lead to, or a directory of such files, read at the
    start. Without it signatures are compared with what they cover, and who signed is not judged."""


@dataclass(frozen=True, kw_only=True)
class EventsSettings:
    """The event log, and notifications of those who subscribed."""

    retention: Days = 30.0
    """Days for which events are kept: an audit of the last month, and some gigabytes where much happens."""
    poll: Seconds = 0.5
    """Seconds between looks for events that other processes wrote; those of the same process are seen at once."""
    test_callbacks: bool = True
    """Whether a subscriber's callback must answer a GET with 204 before its subscription is made, as ETSI has it."""
    callback_allow: str = ""
    """Networks, apart by commas, that notifications are sent to although they are loopback, link-local or of a metadata
    service; only a subscriber on the same machine needs that."""
    delivery_patience: Seconds = 86_400.0
    """Seconds after an event for which its notification is tried again, with pauses that grow to 5 minutes, when the
    subscriber does not take it: a day, which bridges a night. Those that follow wait for it."""


@dataclass(frozen=True, kw_only=True)
class IdentitySettings:
    """Who may ask: tokens and OAuth2 clients of Fairlead's own, or Keystone's tokens; and what they may do."""

    auth: Literal["embedded", "keystone"] = "embedded"
    """`embedded`: Fairlead gives out tokens itself. `keystone`: it takes those of an OpenStack, and no others; see
    [keystone]."""
    policy: Path | None = None
    """File with rules that go over the default ones (`fairlead policy sample` prints those), in the language of
    oslo.policy. It is read again within a second when it has changed."""
    cache: Annotated[float, msgspec.Meta(ge=0)] = 5.0
    """Seconds for which an authentication is remembered: a token that is revoked in another process of the same
    installation works for this long at most."""
    access_token_lifetime: Seconds = 3600.0
    """Seconds for which an access token of an OAuth2 client is valid: long for a leaked one, short for a busy client."""


@dataclass(frozen=True, kw_only=True)
class KeystoneSettings:
    """The OpenStack whose tokens are taken, where `identity.auth` is `keystone`. `fairlead keystone register` makes the
    user, and prints this group."""

    auth_url: str = ""
    """Keystone's address, with or without `/v3`."""
    public_url: str | None = None
    """The address that clients without a token are told to get one from; by default `auth_url`."""
    username: str | None = None
    """The user who asks Keystone about tokens; the role `service` in its project is enough."""
    password: str | None = field(default=None, repr=False)
    """The user's password."""
    user_domain: str = "Default"
    """The user's domain, by name."""
    project: str = "service"
    """The user's project, by name."""
    project_domain: str = "Default"
    """The project's domain, by name."""
    application_credential_id: str | None = None
    """An application credential of that user, in place of name and password."""
    application_credential_secret: str | None = field(default=None, repr=False)
    """Its secret."""
    ca: Path | None = None
    """PEM file with the authority of Keystone's certificate; by default those that the machine trusts."""
    insecure: bool = False
    """Trust any certificate. Who stands between then learns all tokens."""
    timeout: Seconds = 10.0
    """Seconds for one call: a request with a token that is not known yet waits for it."""
    cache: Annotated[float, msgspec.Meta(ge=0)] = 300.0
    """Seconds for which Keystone's answer about a token is remembered, a no as well: a token that is revoked works for
    this long at most. It is what other services of OpenStack use."""


@dataclass(frozen=True, kw_only=True)
class SecretsSettings:
    """The master key under which secrets are stored."""

    master_key_file: Path | None = None
    """File with the master keys, newest first; by default `master.key` in the data directory, made at the first start.
    All processes of an installation need the same keys."""
    master_keys: str | None = field(default=None, repr=False)
    """The keys themselves, apart by commas; for the environment, where it comes from a secret store. The file is not
    used then."""


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """The program's log, on standard error."""

    format: Literal["json", "console"] = "console"
    """`console` for people, `json` for collectors: one object a line, with operation and subject."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is written."""


def default_data_directory(environment: Mapping[str, str] | None = None) -> Path:
    """/var/lib/fairlead for root, as for any service; for others below `$XDG_DATA_HOME` or `~/.local/share`."""
    if os.geteuid() == 0:
        return Path("/var/lib/fairlead")
    return _home(environment, "XDG_DATA_HOME", ".local/share") / "fairlead"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one process."""

    data: Path = field(default_factory=default_data_directory)
    """Directory for the database, packages and the master key; by default /var/lib/fairlead for root and
    ~/.local/share/fairlead for others."""
    server: ServerSettings = field(default_factory=ServerSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    operations: OperationsSettings = field(default_factory=OperationsSettings)
    vims: VimsSettings = field(default_factory=VimsSettings)
    packages: PackagesSettings = field(default_factory=PackagesSettings)
    events: EventsSettings = field(default_factory=EventsSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    keystone: KeystoneSettings = field(default_factory=KeystoneSettings)
    secrets: SecretsSettings = field(default_factory=SecretsSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def store_url(self) -> str:
        """Where the database is."""
        return self.store.url or f"sqlite:///{self.data / 'fairlead.db'}"

    @property
    def execution_url(self) -> str:
        """Where the execution engine keeps its own tables: beside the database, or within it on PostgreSQL."""
        if self.store_url.startswith("sqlite:///"):
            return f"sqlite:///{Path(self.store_url.removeprefix('sqlite:///')).with_name('execution.db')}"
        scheme, _, rest = self.store_url.partition("://")
        return f"postgresql://{rest}" if scheme.startswith("postgres") else self.store_url

    @property
    def master_key_file(self) -> Path:
        """Where the master keys are."""
        return self.secrets.master_key_file or self.data / "master.key"


def names() -> dict[str, Any]:
    """Every setting's name, as `server.port`, with its type."""
    found: dict[str, Any] = {}
    for name, type_ in get_type_hints(Settings, include_extras=True).items():
        if is_dataclass(type_):
            found |= {f"{name}.{key}": inner for key, inner in get_type_hints(type_, include_extras=True).items()}
        else:
            found[name] = type_
    return found


def load_settings(
    config: str | Path | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of the file, the environment and `overrides` (`server.port` to value), the last the strongest.

    `config` names the file; without it FAIRLEAD_CONFIG does, else the first that exists of
    `~/.config/fairlead/fairlead.toml` (not for root) and `/etc/fairlead/fairlead.toml`; none is needed.
    Raises FairleadError (code `settings-invalid`) with the place of the mistake.
    """
    environment = os.environ if environment is None else environment
    known = names()
    chosen: dict[str, Any] = {}
    file = _config_file(config, environment)
    if file is not None:
        chosen |= _from_file(file, known)
    chosen |= _from_environment(environment, known)
    for name, value in (overrides or {}).items():
        chosen[name] = _value(name, value, known, f"command line: {name}", lax=True)
    if "data" not in chosen:
        chosen["data"] = default_data_directory(environment)
    return _checked(_grouped(chosen))


def _grouped(chosen: Mapping[str, Any]) -> Settings:
    types = get_type_hints(Settings)
    arguments: dict[str, Any] = {}
    for each in fields(Settings):
        if is_dataclass(types[each.name]):
            prefix = f"{each.name}."
            inner = {name.removeprefix(prefix): value for name, value in chosen.items() if name.startswith(prefix)}
            arguments[each.name] = types[each.name](**inner)
        elif each.name in chosen:
            arguments[each.name] = chosen[each.name]
    return Settings(**arguments)


def _checked(settings: Settings) -> Settings:
    if settings.vims.poll_shortest > settings.vims.poll_longest:
        raise _invalid("'vims.poll_shortest' is longer than 'vims.poll_longest'.", "vims", "Swap them.")
    if settings.packages.storage == "s3" and not settings.packages.s3_bucket:
        raise _invalid(
            "Packages are to be kept in S3, and no bucket is named.", "packages.s3_bucket", "Name the bucket."
        )
    if (settings.packages.s3_access_key is None) != (settings.packages.s3_secret_key is None):
        raise _invalid(
            "Of the keys for S3 there is one and not the other.", "packages.s3_secret_key", "Give both, or none."
        )
    if settings.identity.auth == "keystone":
        _check_keystone(settings.keystone)
    if settings.store.url and not settings.store.url.startswith(("postgresql", "postgres://", "sqlite:///")):
        raise _invalid(
            "'store.url' is neither PostgreSQL nor an SQLite file.",
            "store.url",
            "Write postgresql://user:password@host/database or sqlite:///file.",
        )
    return settings


def _check_keystone(keystone: KeystoneSettings) -> None:
    if not keystone.auth_url.startswith(("http://", "https://")):
        raise _invalid(
            "Keystone's tokens are to be taken, and it is not said where Keystone is.",
            "keystone.auth_url",
            "Write https://host:5000/v3.",
        )
    password = keystone.username and keystone.password
    application = keystone.application_credential_id and keystone.application_credential_secret
    if not password and not application:
        raise _invalid(
            "Nobody is named who may ask Keystone about tokens.",
            "keystone.username",
            "Give username and password, or application_credential_id and application_credential_secret; "
            "`fairlead keystone register` makes such a user.",
        )


def _config_file(config: str | Path | None, environment: Mapping[str, str]) -> Path | None:
    named = config or environment.get("FAIRLEAD_CONFIG")
    if named:
        return Path(named).expanduser()
    places = [Path("/etc/fairlead/fairlead.toml")]
    if os.geteuid() != 0:
        places.insert(0, _home(environment, "XDG_CONFIG_HOME", ".config") / "fairlead" / "fairlead.toml")
    return next((place for place in places if place.is_file()), None)


def _from_file(file: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _invalid(
            f"The settings file cannot be read: {error.strerror}.", str(file), "Name another file."
        ) from error
    except ValueError as error:
        raise _invalid(f"The settings file is not TOML: {error}.", str(file), "Correct the line.") from error
    groups = {name.partition(".")[0] for name in known if "." in name}
    chosen = {}
    for key, value in document.items():
        pairs = {f"{key}.{inner}": one for inner, one in value.items()} if isinstance(value, dict) else {key: value}
        if key in groups and not isinstance(value, dict):
            raise _invalid(
                f"'{key}' is a group of settings.", f"{file}: {key}", f"Write [{key}], and its settings below."
            )
        for name, one in pairs.items():
            chosen[name] = _value(name, one, known, f"{file}: {name}", lax=False)
    return chosen


def _from_environment(environment: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """What variables say; an empty one says nothing. Variables of other programs' making are not refused: only those
    that begin like a group of settings, or nearly like a setting, can have been meant for us."""
    variables = {"FAIRLEAD_" + name.upper().replace(".", "_"): name for name in known}
    groups = tuple({f"FAIRLEAD_{name.partition('.')[0].upper()}_" for name in known if "." in name})
    chosen = {}
    for variable, text in environment.items():
        if variable in variables:
            if text:
                name = variables[variable]
                chosen[name] = _value(name, text, known, f"environment: {variable}", lax=True)
        elif variable.startswith(groups):
            near = difflib.get_close_matches(variable, variables, 1)
            raise _unknown(variable, f"environment: {variable}", near)
    return chosen


def _value(name: str, value: Any, known: Mapping[str, Any], place: str, *, lax: bool) -> Any:
    if name not in known:
        raise _unknown(name, place, _nearest(name, known))
    if isinstance(value, Path):
        value = str(value)
    try:
        return msgspec.convert(value, known[name], strict=not lax, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise _invalid(f"'{name}' cannot have this value: {error}.", place, "See docs/settings.md.") from None


def _path(type_: type, value: Any) -> Any:
    if type_ is Path and isinstance(value, str) and value:
        return Path(value).expanduser()
    raise ValueError("a path is expected")


def _nearest(name: str, known: Mapping[str, Any]) -> list[str]:
    """The known name that is most like `name`, or that ends like it in another group."""
    last = name.rpartition(".")[2]
    return difflib.get_close_matches(name, known, 1) or [each for each in known if each.rpartition(".")[2] == last][:1]


def _home(environment: Mapping[str, str] | None, variable: str, otherwise: str) -> Path:
    named = (os.environ if environment is None else environment).get(variable)
    return Path(named) if named else Path.home() / otherwise


def _unknown(name: str, place: str, nearest: list[str]) -> FairleadError:
    remedy = f"Did you mean '{nearest[0]}'?" if nearest else "docs/settings.md lists all settings."
    return _invalid(f"There is no setting '{name}'.", place, remedy)


def _invalid(detail: str, place: str, remedy: str) -> FairleadError:
    return FairleadError(detail, code="settings-invalid", place=place, remedy=remedy)
