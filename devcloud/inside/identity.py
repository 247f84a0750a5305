"""Users, roles, services and endpoints, through the Identity API; what is there already stays. Run by Debian's Python.

usage: identity.py PASSWORD REGION
"""

import sys

from keystoneauth1 import session
from keystoneauth1.identity import v3
from keystoneclient.v3 import client

URL = "http://127.0.0.1:5000/v3"
ROLES = ("admin", "member", "reader", "service", "heat_stack_owner", "heat_stack_user", "creator", "audit", "observer")
SERVICE_USERS = ("glance", "placement", "nova", "neutron", "cinder", "heat", "barbican")
SERVICES = {
    # type: name, where
    "image": ("glance", "9292"),
    "placement": ("placement", "8778"),
    "compute": ("nova", "8774/v2.1"),
    "network": ("neutron", "9696"),
    "volumev3": ("cinderv3", "8776/v3/%(project_id)s"),
    "block-storage": ("cinder", "8776/v3/%(project_id)s"),
    "orchestration": ("heat", "8004/v1/%(project_id)s"),
    "cloudformation": ("heat-cfn", "8000/v1"),
    "key-manager": ("barbican", "9311"),
}


def main(password, region):
    auth = v3.Password(
        auth_url=URL,
        username="admin",
        password=password,
        project_name="admin",
        user_domain_name="Default",
        project_domain_name="Default",
    )
    keystone = client.Client(session=session.Session(auth=auth), interface="public")
    roles = {role.name: role for role in keystone.roles.list()}
    roles |= {name: keystone.roles.create(name) for name in ROLES if name not in roles}
    projects = {project.name: project for project in keystone.projects.list(domain="default")}
    for name in ("admin", "service", "demo"):
        projects.setdefault(name, None)
        projects[name] = projects[name] or keystone.projects.create(name, "default")
    users = {user.name: user for user in keystone.users.list(domain="default")}
    for name in (*SERVICE_USERS, "demo"):
        if name not in users:
            home = projects["demo" if name == "demo" else "service"]
            users[name] = keystone.users.create(name, domain="default", password=password, default_project=home)
    for name in SERVICE_USERS:
        for role in ("admin", "service"):
            keystone.roles.grant(roles[role], user=users[name], project=projects["service"])
    for role in ("member", "heat_stack_owner", "creator"):
        for name in ("demo", "admin"):
            keystone.roles.grant(roles[role], user=users[name], project=projects[name])
    keystone.roles.grant(roles["admin"], user=users["admin"], project=projects["demo"])
    keystone.roles.grant(roles["admin"], user=users["admin"], domain="default")
    heat_domain(keystone, roles["admin"], password)
    endpoints(keystone, region)


def heat_domain(keystone, admin, password):
    """Where Heat keeps the users of its stacks."""
    found = [domain for domain in keystone.domains.list() if domain.name == "heat"]
    domain = found[0] if found else keystone.domains.create("heat")
    users = [user for user in keystone.users.list(domain=domain) if user.name == "heat_domain_admin"]
    user = users[0] if users else keystone.users.create("heat_domain_admin", domain=domain, password=password)
    keystone.roles.grant(admin, user=user, domain=domain)


def endpoints(keystone, region):
    services = {service.type: service for service in keystone.services.list()}
    known = {(endpoint.service_id, endpoint.interface) for endpoint in keystone.endpoints.list()}
    for sort, (name, where) in SERVICES.items():
        service = services.get(sort) or keystone.services.create(name, type=sort)
        for interface in ("public", "internal", "admin"):
            if (service.id, interface) not in known:
                keystone.endpoints.create(service, f"http://127.0.0.1:{where}", interface=interface, region=region)


if __name__ == "__main__":
    main(*sys.argv[1:])
