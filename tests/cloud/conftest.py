"""A Keystone project, an operator's network and a Fairlead for the tests of one process."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.support.openstack.deployed import Deployed, Instance
from tests.support.openstack.operator import Operator, Project
from tests.support.openstack.packages import small_on_cloud


@pytest.fixture(scope="session")
def admin() -> Iterator[Operator]:
    """The cloud's administrator."""
    one = Operator.admin()
    yield one
    one.close()


@pytest.fixture(scope="module")
def project(admin: Operator) -> Iterator[Project]:
    """A project of its own; it is removed with all that is in it."""
    made = Project(admin, "fairlead-test")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def deployed(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Fairlead, as a process, with the project as its VIM."""
    one = Deployed(tmp_path_factory.mktemp("fairlead"), project.member)
    yield one
    one.close()


@pytest.fixture(scope="module")
def outside(deployed: Deployed) -> str:
    """A network of the operator's."""
    network = deployed.member.network("operator", "10.61.0.0/24")
    deployed.known.add(network)
    return network


@pytest.fixture(scope="module")
def vnfd(deployed: Deployed) -> str:
    """The descriptor of a small network function; see `small_on_cloud`."""
    return deployed.onboard(*small_on_cloud())


@pytest.fixture
def instance(deployed: Deployed, vnfd: str, outside: str) -> Instance:
    """An instance of it, not instantiated."""
    return deployed.create(vnfd, outside)


@pytest.fixture
def running(instance: Instance) -> Instance:
    """An instance of it with one worker."""
    instance.do("instantiate")
    return instance


@pytest.fixture
def chance() -> random.Random:
    """Chance, with another seed in each run; a failure shows it."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it when the test fails
    return random.Random(seed)
