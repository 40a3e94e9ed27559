"""Ground floor: the engine, transactions, column types, identifiers, migrations.

Knows nothing of loyalty cards beyond the names of identifiers. Only edges (web, worker, command line)
may call :meth:`Database.write`; every room below them takes the open transaction first.
"""

from app.db.columns import Id, Json, UtcDateTime, identity, metadata, refers
from app.db.engine import Database, Tx, connect
from app.db.given import Identifiers, Types, among, given, given_later, packed
from app.db.outages import may_pass
from app.db.upsert import insert

__all__ = [
    "Database",
    "Id",
    "Identifiers",
    "Json",
    "Tx",
    "Types",
    "UtcDateTime",
    "among",
    "connect",
    "given",
    "given_later",
    "identity",
    "insert",
    "may_pass",
    "metadata",
    "packed",
    "refers",
]
