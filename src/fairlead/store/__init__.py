"""The database: one schema on SQLite (WAL) or PostgreSQL, transactions as functions, and project scoping in the session.

A transaction is a plain function of a `Tx`: it runs in a thread, is committed when it returns, rolled back when it
raises, and run again when the database went away in its middle. So it must do nothing but read and write the database.
A `Tx` that was opened for a project adds that project to every statement on a table that has an owner, and refuses a
statement that was built without it. Each room declares its own tables on `metadata`.
"""

from fairlead.store.engine import Store, normalised_url
from fairlead.store.tables import Document, metadata, owned_table, table
from fairlead.store.transactions import Tx

__all__ = ["Document", "Store", "Tx", "metadata", "normalised_url", "owned_table", "table"]
