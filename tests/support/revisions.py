"""Making a revision of the schema: `python -m tests.support.revisions "what has changed"`.

It needs FAIRLEAD_TEST_POSTGRESQL, migrates a fresh database there, compares it with the tables of today and writes the
difference as a new revision, to be read before it is committed. Afterwards HEAD in `store/migrations/` names it. Until
the first release the revision 0001 is made anew instead: `--again`.
"""

from __future__ import annotations

import importlib.util
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateTableOp, UpgradeOps

import fairlead
from fairlead.store import Document, Store, metadata
from fairlead.store.migrations import HEAD, migrate, scripts
from tests.support.databases import server_from_environment

__all__ = ["differences", "import_all_tables"]


def import_all_tables() -> None:
    """Import each room's `tables` module, so that `metadata` is complete."""
    for room in pkgutil.iter_modules(fairlead.__path__):
        if room.ispkg and importlib.util.find_spec(f"fairlead.{room.name}.tables") is not None:
            importlib.import_module(f"fairlead.{room.name}.tables")


def differences(store: Store) -> UpgradeOps:
    """What would have to be done for the database to have the tables of today."""
    with store.engine.connect() as connection:
        return _compared(MigrationContext.configure(connection, opts=_OPTIONS))


def body(store: Store) -> str:
    """`differences` as Python."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=_OPTIONS)
        text = render_python_code(
            _compared(context), render_as_batch=True, render_item=_render, migration_context=context
        )
    text = re.sub(r"\n? *# ###.*", "", text).strip()
    # SQLite has no words of its own for the truth values, and finds a partial index by its very words.
    return re.sub(r"(sqlite_where=sa\.text\(['\"][^)]*? IS )(true|false)", _numbered, text)


def _numbered(found: re.Match[str]) -> str:
    return found[1] + ("1" if found[2] == "true" else "0")


def _ours(_object: object, name: str | None, type_: str, _reflected: bool, _compare_to: object) -> bool:
    """Whether a table is the program's; those of tests, which other modules may have imported, are not."""
    return not (type_ == "table" and (name or "").startswith("test_"))


_OPTIONS = {"compare_type": True, "include_object": _ours}


def _compared(context: MigrationContext) -> UpgradeOps:
    import_all_tables()
    found = produce_migrations(context, metadata).upgrade_ops
    assert found is not None
    for one in found.ops:
        if isinstance(one, CreateTableOp):
            one.info.clear()
    return found


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    return "document" if kind == "type" and item is Document else False


def main(message: str, *, again: bool) -> None:
    server = server_from_environment()
    if server is None:
        sys.exit("FAIRLEAD_TEST_POSTGRESQL names no PostgreSQL server")
    store = Store(server.create(empty=True))
    try:
        if not again:
            migrate(store)
        upgrades = body(store)
    finally:
        store.close()
        server.drop(store.url.render_as_string(hide_password=False))
    if again:
        for old in scripts().walk_revisions():
            assert old.revision == HEAD, "only a first revision can be made again"
            Path(old.path).unlink()
    directory = scripts()
    directory.file_template = "v%(rev)s_%(slug)s"
    revision = HEAD if again else f"{int(HEAD) + 1:04}"
    made = directory.generate_revision(revision, message, head="base" if again else "head", upgrades=upgrades)
    assert made is not None
    sys.stdout.write(f"{made.path}\nHEAD is to be {revision!r}\n")


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--again"]
    main(" ".join(words) or "The first schema", again="--again" in sys.argv)
