"""What stands in Keystone for Fairlead: service, endpoints, user, project, role and the user's role (Identity API v3).

Each is looked for before it is made, so that a second run makes nothing twice. A service of somebody else's is not taken over,
and a user is only deleted when its description says that it was made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Any, Final

from fairlead.errors import BadRequest, Conflict, FairleadError, NotFound, ServerUnreachable

__all__ = ["SERVICE_TYPE", "Entries", "Made"]

SERVICE_TYPE: Final = "nfv-orchestration"
_FACES: Final = ("public", "internal", "admin")
_MARK: Final = "Fairlead asks Keystone about tokens as this user; made by `fairlead keystone register`."
Document = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """An entry, and what became of it: `created`, `changed`, `removed`, or `kept` as it was."""

    state: str
    what: str
    name: str
    id: str

    def document(self) -> Document:
        """For programs."""
        return asdict(self)


class Entries:
    """The entries of the Keystone of `vim`, as `vim_from_clouds` gives it; its user must be an administrator."""

    def __init__(self, vim: Mapping[str, Any]) -> None:
        url = str(vim["interface"]["auth_url"]).rstrip("/")
        self._url = url if url.endswith("/v3") else f"{url}/v3"
        self._credentials = dict(vim["credentials"])
        self._insecure = bool((vim.get("settings") or {}).get("insecure"))
        self._authority = vim["interface"].get("ca")
        self._file: Path | None = None
        self._session: Any = None

    def __enter__(self) -> Entries:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    # -- what is wanted ---------------------------------------------------------------------------------------------------

    def service(self, name: str, url: str, region: str) -> list[Made]:
        """The service with its three endpoints at `url`. Raises Conflict (`service-name-taken`), as `_ask`."""
        found = self._services()
        others = [one for one in found if one["name"] != name]
        if others:
            raise Conflict(
                f"There is a service {SERVICE_TYPE} called '{others[0]['name']}' already; clients would not know which to take.",
                code="service-name-taken",
                resource=others[0]["id"],
                remedy=f"Give --service-name {others[0]['name']} to take it over, or delete it first.",
            )
        if found:
            service, made = found[0], [Made("kept", "service", name, found[0]["id"])]
        else:
            wanted = {"name": name, "type": SERVICE_TYPE, "description": "NFV orchestration", "enabled": True}
            service = self._post("services", "service", wanted)
            made = [Made("created", "service", name, service["id"])]
        there = self._list("endpoints", service_id=service["id"], region_id=region)
        for face in _FACES:
            label = f"{face} {url} ({region})"
            same = [one for one in there if one["interface"] == face]
            if not same:
                wanted = {"interface": face, "url": url, "region_id": region, "service_id": service["id"]}
                made.append(Made("created", "endpoint", label, self._post("endpoints", "endpoint", wanted)["id"]))
            elif same[0]["url"] != url:
                self._ask("PATCH", f"endpoints/{same[0]['id']}", {"endpoint": {"url": url}})
                made.append(Made("changed", "endpoint", label, same[0]["id"]))
            else:
                made.append(Made("kept", "endpoint", label, same[0]["id"]))
        return made

    def user(self, name: str, home: str, project: str, role: str, password: str, *, change: bool = False) -> list[Made]:
        """The user with `role` in `project`, both of the domain with the id `home`.

        The password of a user that was there is changed if `change` says so. Raises as `_ask`.
        """
        made = []
        held = self._one("projects", name=project, domain_id=home)
        if held is None:
            held = self._post("projects", "project", {"name": project, "domain_id": home, "enabled": True})
            made.append(Made("created", "project", project, held["id"]))
        found = self._one("users", name=name, domain_id=home)
        if found is None:
            wanted = {"name": name, "domain_id": home, "password": password, "description": _MARK, "enabled": True}
            found = self._post("users", "user", wanted)
            made.append(Made("created", "user", name, found["id"]))
        elif change:
            self._ask("PATCH", f"users/{found['id']}", {"user": {"password": password}})
            made.append(Made("changed", "user", name, found["id"]))
        else:
            made.append(Made("kept", "user", name, found["id"]))
        part = self._one("roles", name=role)
        if part is None:
            part = self._post("roles", "role", {"name": role})
            made.append(Made("created", "role", role, part["id"]))
        assignment = f"projects/{held['id']}/users/{found['id']}/roles/{part['id']}"
        given = self._ask("HEAD", assignment, none=404) is not None
        if not given:
            self._ask("PUT", assignment)
        made.append(Made("kept" if given else "created", "role of user", f"{role} in {project}", part["id"]))
        return made

    def remove(self, service_name: str, user: str, home: str) -> list[Made]:
        """Take the service, its endpoints and the user away; project and role stay, for others have them too. Raises as `_ask`."""
        made = []
        for service in self._services():
            if service["name"] != service_name:
                continue
            for endpoint in self._list("endpoints", service_id=service["id"]):
                self._ask("DELETE", f"endpoints/{endpoint['id']}", none=404)
                label = f"{endpoint['interface']} {endpoint['url']} ({endpoint['region_id']})"
                made.append(Made("removed", "endpoint", label, endpoint["id"]))
            self._ask("DELETE", f"services/{service['id']}", none=404)
            made.append(Made("removed", "service", service_name, service["id"]))
        found = self._one("users", name=user, domain_id=home)
        if found is not None and found.get("description") == _MARK:
            self._ask("DELETE", f"users/{found['id']}", none=404)
            made.append(Made("removed", "user", user, found["id"]))
        elif found is not None:
            made.append(Made("kept", "user", f"{user} (not made here)", found["id"]))
        return made

    # -- what is there ----------------------------------------------------------------------------------------------------

    def _services(self) -> list[Document]:
        return self._list("services", type=SERVICE_TYPE)

    def region(self, wanted: str | None) -> str:
        """The region that is meant. Raises BadRequest, as `_ask`."""
        known = [str(one["id"]) for one in self._list("regions")]
        if wanted is None and len(known) == 1:
            return known[0]
        if wanted is None or wanted not in known:
            raise BadRequest(
                f"The cloud has no region '{wanted}'." if wanted else "The cloud has several regions.",
                code="unknown-region",
                place="--region",
                remedy=f"Choose from: {', '.join(known) or 'there are none'}.",
            )
        return wanted

    def domain(self, name: str) -> str:
        """The id of a domain. Raises NotFound, as `_ask`."""
        found = self._one("domains", name=name)
        if found is None:
            raise NotFound(f"The cloud has no domain '{name}'.", code="unknown-domain", place="--domain")
        return str(found["id"])

    def _one(self, plural: str, **query: str) -> Document | None:
        return next(iter(self._list(plural, **query)), None)

    def _list(self, plural: str, **query: str) -> list[Document]:
        found: list[Document] = (self._ask("GET", plural, query=query) or {})[plural]
        return found

    def _post(self, plural: str, singular: str, wanted: Document) -> Document:
        made: Document = (self._ask("POST", plural, {singular: wanted}) or {})[singular]
        return made

    # -- calls ------------------------------------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        *,
        query: Mapping[str, str] | None = None,
        none: int | None = None,
    ) -> Document | None:
        """One call; its answer's body, `{}` without one, and None for the status `none`.

        Raises ServerUnreachable, and FairleadError (`keystone-refused`) with Keystone's own words.
        """
        from keystoneauth1 import exceptions

        more: Document = {} if body is None else {"json": body}
        try:
            answer = self._open().request(
                f"{self._url}/{path}",
                method,
                params=dict(query or {}),
                authenticated=True,
                raise_exc=False,
                log=False,
                **more,
            )
        except exceptions.HttpError as error:
            raise _refused(method, path, f"{error.http_status} {error.message}") from error
        except exceptions.ClientException as error:
            raise ServerUnreachable(
                f"Keystone cannot be reached at {self._url}.",
                code="cannot-reach-keystone",
                cause=str(error),
                remedy="Check auth_url in the clouds.yaml, and its certificate.",
            ) from error
        if answer.status_code == none:
            return None
        document: Document = {}
        if answer.content and "json" in answer.headers.get("Content-Type", ""):
            document = answer.json()
        if answer.status_code >= 400:
            words = document.get("error", {}).get("message") or answer.reason
            raise _refused(method, path, f"{answer.status_code} {words}")
        return document

    def _open(self) -> Any:
        if self._session is None:
            from keystoneauth1.session import Session

            verify: bool | str = not self._insecure
            if self._authority and verify:
                with NamedTemporaryFile("w", suffix=".pem", delete=False) as file:
                    file.write(self._authority)
                self._file = Path(file.name)
                verify = file.name
            self._session = Session(auth=self._plugin(), verify=verify, timeout=60, app_name="fairlead")
        return self._session

    def _plugin(self) -> Any:
        from keystoneauth1.identity import generic, v3

        values = dict(self._credentials)
        if "username" in values and not {"user_domain_id", "user_domain_name"} & values.keys():
            values["user_domain_id"] = "default"
        if "project_name" in values and not {"project_domain_id", "project_domain_name"} & values.keys():
            values["project_domain_id"] = "default"
        try:
            if any(key.startswith("application_credential_") for key in values):
                return v3.ApplicationCredential(self._url, **values)
            return (generic.Token if "token" in values else generic.Password)(self._url, **values)
        except TypeError as error:
            raise BadRequest(
                "The entry of the clouds.yaml is not understood.", code="unknown-cloud", cause=str(error)
            ) from None


def _refused(method: str, path: str, words: str) -> FairleadError:
    return FairleadError(
        f"Keystone refuses {method} /v3/{path}.",
        code="keystone-refused",
        cause=words,
        remedy="Use an administrator's entry of the clouds.yaml: services, endpoints and users are an administrator's.",
    )
