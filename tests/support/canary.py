"""A canary: a secret that can be recognised wherever it comes out.

A test gives a canary as every secret input (credentials, user data, passwords), lets the program work, and then looks
for it in the database, in every file of a directory and in captured text. It is searched for as it is and in the
forms in which programs hide things without meaning to: base64 at each of its three offsets, hexadecimal, URL quoting.
"""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

__all__ = ["Canary"]


class Canary:
    """`text` is the secret; the methods return the places where it was found, as readable words."""

    def __init__(self) -> None:
        self.text = f"canary/{secrets.token_hex(12)}+end"
        raw = self.text.encode()
        self._forms = {
            "as it is": raw,
            "in hexadecimal": raw.hex().encode(),
            "URL-quoted": quote(self.text, safe="").encode(),
            **{f"in base64, offset {offset}": _base64_core(raw, offset) for offset in range(3)},
            **{f"in URL-safe base64, offset {offset}": _url_safe(_base64_core(raw, offset)) for offset in range(3)},
        }

    def in_text(self, where: str, text: str | bytes) -> list[str]:
        """Where in `text` the canary is; `where` names the text."""
        content = text.encode(errors="surrogateescape") if isinstance(text, str) else text
        lowered = content.lower()
        return [
            f"{where} ({form})"
            for form, pattern in self._forms.items()
            if (pattern in lowered if form == "in hexadecimal" else pattern in content)
        ]

    def in_directory(self, root: Path) -> list[str]:
        """The files below `root` that contain the canary, in their names or their content."""
        found = []
        for path in sorted(root.rglob("*")):
            found += self.in_text(f"name of {path}", str(path))
            if path.is_file() and not path.is_symlink():
                found += self.in_text(str(path), path.read_bytes())
        return found

    def in_database(self, engine: sa.Engine) -> list[str]:
        """The columns, of all tables of all schemas, known to the program or not, that contain the canary."""
        found = []
        inspector = sa.inspect(engine)
        schemas = [name for name in inspector.get_schema_names() if name not in ("information_schema", "pg_catalog")]
        with engine.connect() as connection:
            for schema in schemas:
                for table in inspector.get_table_names(schema):
                    for row in connection.execute(sa.select(sa.text("*")).select_from(sa.table(table, schema=schema))):
                        for column, value in row._mapping.items():
                            text = bytes(value) if isinstance(value, bytes | memoryview) else str(value)
                            found += self.in_text(f"{schema}.{table}.{column}", text)
        return sorted(set(found))


def _base64_core(raw: bytes, offset: int) -> bytes:
    """What is the same in the base64 of any text that has `raw` at a position with this remainder by three."""
    encoded = base64.b64encode(b"\0" * offset + raw)
    return encoded[(offset * 8 + 5) // 6 : len(encoded) - 4]


def _url_safe(encoded: bytes) -> bytes:
    return encoded.replace(b"+", b"-").replace(b"/", b"_")
