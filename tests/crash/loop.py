"""Kill the program at every point of one operation, start it again, and see that it ends as if nothing had happened.

`python -m tests.crash.loop CASE DIRECTORY` is a process of its own without threads, because it forks: each child runs
the whole program on SQLite and a simulated VIM and is killed by its own SIGKILL, before or after the n-th write of the
database, or before or after the n-th call of one sort that changes the VIM. n goes up until the operation gets through
unharmed, so no point is left out. A second child then starts the program and looks at rows and VIM. Prints one JSON
line for each violation and a last one with the number of points.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import dbos._sys_db_sqlite  # noqa: F401 - before forking, for every child would import it

from fairlead.main.program import Program
from fairlead.operations.ledger import read_records
from fairlead.resources import State
from fairlead.secrets import Keyring
from fairlead.settings import load_settings
from fairlead.store import Store
from fairlead.vims.simulated import World, driver
from tests.crash.cases import CASES, Case, Setting, prepare

__all__ = ["main"]

PATIENCE = 120.0
MOST_POINTS = 400
CALLS = ("create", "update", "delete", "perform")


_kept: list[Any] = []
"""What must not be collected as garbage before the child is gone: its threads are still using it."""


class CrashingStore(Store):
    """A store that kills this process before, or after, its n-th write, counted from `armed`."""

    at: tuple[str, int] | None = None
    armed = False
    writes = 0

    async def write(self, work: Callable[[Any], Any], project: str | None = None) -> Any:
        if not self.armed or self.at is None:
            return await super().write(work, project)
        self.writes += 1
        mine = self.writes == self.at[1]
        if mine and self.at[0] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await super().write(work, project)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


async def _with_program(data: Path, work: Callable[[Setting], Coroutine[Any, Any, Any]], at: Any = None) -> Any:
    settings = load_settings(overrides={"data": str(data)}, environment={})
    store = CrashingStore(settings.store_url)
    store.at = at
    program = Program(settings, store=store, types={"simulated": driver})
    await program.start()
    _kept.append(program)
    async with asyncio.timeout(PATIENCE):
        return await work(Setting(program, data))


def fork(work: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[int, Any]:
    """Run `work` in a child; its exit status (negative for a signal) and what it returned.

    A child ends without stopping its program, as a crash would: what comes next must do with what there is.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 0
        try:
            World.forget_all()
            loop = asyncio.new_event_loop()
            _kept.append(loop)
            answer = loop.run_until_complete(work())
        except BaseException:  # noqa: BLE001 - the parent tells
            answer, code = {"error": traceback.format_exc()}, 1
        with os.fdopen(writing, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(text) if text else None


async def _attempt(data: Path, case: Case, at: Any, call: Any) -> Any:
    async def work(setting: Setting) -> Any:
        if call is not None:
            kind, when, number = call
            fault = {"on": kind, "effect": f"crash-{when}", "after": number, "times": 1}
            await setting.set_faults([fault])
        store: Any = setting.program.store
        store.armed = True
        return await case.run(setting)

    return await _with_program(data, work, at)


async def _resume(data: Path, case: Case) -> Any:
    async def work(setting: Setting) -> Any:
        await setting.set_faults([])
        outcome = await case.resume(setting)
        return {"state": outcome, "facts": await facts(setting)}

    return await _with_program(data, work)


async def facts(setting: Setting) -> dict[str, Any]:
    """What must be the same however often the program was killed, and what must never be."""
    program = setting.program
    records = await program.store.read(lambda tx: read_records(tx, setting.vnf))
    now = program.clock.now()
    things = [thing for thing in setting.world.all() if thing.tag and not (thing.fate == "gone" and thing.due <= now)]
    lives = [thing.tag["incarnation"] for thing in things]
    known = {row.incarnation for row in records.current.values()}
    instance, _ = await program.vnfs.show("default", setting.vnf)
    info = instance.instantiated_vnf_info
    return {
        "names": {
            name: [row.resource.spec.sort(), getattr(row.resource.spec, "power", None)]
            for name, row in sorted(records.current.items())
        },
        "instantiation": str(instance.instantiation_state),
        "members": sorted(item.id for item in info.vnfc_info) if info is not None else [],
        "addresses": sorted(
            [str(name), *map(str, row.outputs.get("addresses", ()))]
            for name, row in records.current.items()
            if row.resource.spec.sort() == "port"
        ),
        "wrong": {
            "not ready": [n for n, row in records.current.items() if row.state is not State.READY],
            "leaving": [str(row.name) for row in records.leaving],
            "twice": sorted({life for life in lives if lives.count(life) > 1}),
            "unknown": [thing.handle for thing in things if thing.tag["incarnation"] not in known],
            "lost": [
                str(name)
                for name, row in records.current.items()
                if row.resource.ownership != "given" and setting.world.get(row.handle or "") is None
            ],
        },
    }


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def _warm_up() -> None:
    """Do once what every child would do, and keep what is there from being copied by their garbage collections."""
    Keyring(Keyring.new_key())
    gc.collect()
    gc.disable()
    gc.freeze()


def _points() -> list[tuple[str, str]]:
    points = [("write", when) for when in ("before", "after")]
    return points + [(call, when) for call in CALLS for when in ("before", "after")]


def run_case(case: Case, root: Path) -> list[dict[str, Any]]:
    """All points of one case; the violations, and last the number of points."""
    data, baseline = root / "work", root / "baseline"
    _warm_up()

    def again(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        code, answer = fork(work)
        if code != 0:
            raise RuntimeError(f"{case.name}: {code} {answer}")
        return answer

    again(lambda: _with_program(data, lambda setting: prepare(setting, case.stage)))
    _copy(data, baseline)
    again(lambda: _attempt(data, case, None, None))
    expected = again(lambda: _resume(data, case))
    found: list[dict[str, Any]] = []
    number = 0
    for kind, when in _points():
        for index in range(1, MOST_POINTS):
            _copy(baseline, data)
            at = (when, index) if kind == "write" else None
            call = (kind, when, index - 1) if kind != "write" else None
            code, answer = fork(lambda at=at, call=call: _attempt(data, case, at, call))  # type: ignore[misc]
            if code == 0:
                break
            point = f"{when} {kind} {index}"
            number += 1
            if code != -signal.SIGKILL:
                found.append({"point": point, "broke": code, "answer": answer})
                continue
            code, answer = fork(lambda: _resume(data, case))
            if code != 0 or answer != expected or any(answer["facts"]["wrong"].values()):
                found.append({"point": point, "code": code, "expected": expected, "answer": answer})
        else:
            found.append({"point": f"{when} {kind}", "broke": f"no end after {MOST_POINTS} points"})
    return [*found, {"case": case.name, "points": number, "violations": len(found), "expected": expected}]


def main(name: str, directory: str) -> int:
    """Run the case called `name` in `directory`; 1 when there was a violation."""
    lines = run_case(CASES[name], Path(directory))
    for line in lines:
        sys.stdout.write(json.dumps(line) + "\n")
    return 1 if lines[-1]["violations"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
