"""Bundles as resources: a kind whose things are made by operations of their own, as a network service's VNFs are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairlead.errors import Unprocessable
from fairlead.operations import Children, Operation, OperationState
from fairlead.operations.occurrence import load
from fairlead.operations.tables import operations
from fairlead.resources import (
    Action,
    DefaultRules,
    Failed,
    Gone,
    Handle,
    Name,
    Observed,
    Ready,
    Resource,
    Spec,
    Status,
    Tag,
    VimId,
)
from fairlead.resources.codec import encode_resource
from fairlead.resources.names import Incarnation, Owner
from fairlead.store import Tx
from tests.support.bundles import Become, add_bundle, bundles
from tests.support.running import PROJECT, Running

__all__ = ["WITHIN", "BundleSpec", "child", "contribute"]

WITHIN = VimId("bundles")
"""The part of the program in which bundles live."""


class BundleSpec(Spec, frozen=True, kw_only=True, tag="test-bundle"):
    """A bundle of `resources`, as they are encoded."""

    resources: tuple[dict[str, Any], ...] = ()


def child(name: str, *resources: Resource[Any]) -> Resource[Any]:
    """A bundle within a bundle."""
    return Resource(Name(name), BundleSpec(resources=tuple(map(encode_resource, resources))), WITHIN)


def contribute(run: Running) -> Children:
    """Have the program handle resources of the VIM `WITHIN`."""
    program = run.program
    children = Children(program.store, program.clock, program.operations, program.runner)
    program.vims.contribute(WITHIN, _Bundles(run, children))
    return children


class _Bundles(DefaultRules):
    settling = 0.0

    def __init__(self, run: Running, children: Children) -> None:
        self._run = run
        self._store = run.program.store
        self._children = children

    async def _become(self, tag: Tag, purpose: str, subject: str, resources: tuple[dict[str, Any], ...]) -> None:
        role = self._run.program.roles["bundle"]
        await self._children.start(tag, purpose, role, subject, "become", Become(list(resources)))

    async def create(self, resource: Resource[BundleSpec], tag: Tag) -> Handle:
        subject = Handle(f"bundle-{tag.incarnation}")
        if await self.read(subject) is None:
            document = {"tag": [tag.deployment, tag.owner, tag.name, tag.incarnation]}

            def write(tx: Tx) -> None:
                add_bundle(tx, PROJECT, subject)
                tx.run(tx.update(bundles).where(bundles.c.id == subject).values(document={"id": subject, **document}))

            await self._store.write(write)
        await self._become(tag, "create", subject, resource.spec.resources)
        return subject

    async def find(self, tag: Tag, resource: Resource[BundleSpec]) -> Handle | None:
        subject = Handle(f"bundle-{tag.incarnation}")
        return subject if await self.read(subject) is not None else None

    async def read(self, handle: Handle) -> Observed | None:
        def look(tx: Tx) -> Observed | None:
            document = tx.scalar(tx.select(bundles, bundles.c.document).where(bundles.c.id == handle))
            return dict(document) if document is not None else None

        return await self._store.read(look)

    async def wait(self, handle: Handle, done: Callable[[Status, Observed | None], bool]) -> Status:
        while True:
            seen = await self.read(handle)
            if seen is None:
                return Gone()
            ended = await self._children.stopped((await self._last(handle)).id)
            if ended.state is OperationState.COMPLETED and not ended.request["resources"]:
                await self._store.write(lambda tx: tx.run(tx.delete(bundles).where(bundles.c.id == handle)))
                return Gone()
            if ended.state is OperationState.COMPLETED:
                return Ready({"id": handle})
            words = ended.error["detail"] if ended.error else str(ended.state)
            return Failed(f"its operation {ended.id} is {ended.state}: {words}")

    async def _last(self, subject: str) -> Operation:
        def look(tx: Tx) -> Operation:
            found = tx.select(operations).where(operations.c.subject == subject)
            return load(tx.first(found.order_by(operations.c.started.desc(), operations.c.open.desc())))

        return await self._store.read(look)

    def status(self, observed: Observed | None) -> Status:
        return Ready({"id": observed["id"]}) if observed is not None else Gone()

    def settled(self, observed: Observed, spec: BundleSpec) -> bool:
        return True

    async def update(self, handle: Handle, old: BundleSpec, new: BundleSpec) -> None:
        raise Unprocessable("A bundle in a bundle is not updated here.")

    async def delete(self, handle: Handle) -> None:
        seen = await self.read(handle)
        if seen is None:
            return
        last = await self._last(handle)
        if last.state is OperationState.FAILED_TEMP:
            await self._run.program.operations.fail(PROJECT, last.id)
        deployment, owner, name, incarnation = seen["tag"]
        tag = Tag(deployment, Owner(owner), Name(name), Incarnation(incarnation))
        await self._become(tag, "delete", handle, ())

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable("A bundle has no actions.", code="action-not-supported")
