"""Rows into tables as fast as each database takes them: COPY on PostgreSQL, executemany on SQLite.

Values are what both databases read from text: integers, strings, booleans, None; moments through
:func:`moment`. References are not checked while loading, whoever loads answers for them; unique and CHECK
constraints are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Protocol

import psycopg
from sqlalchemy import Table

from app.db import Database

Value = int | float | str | bool | None
_FAST_SQLITE = ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-262144", "wal_autocheckpoint=20000")


class Loader(Protocol):
    """One open connection that rows are given to."""

    def load(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        """Add rows with these columns, in one transaction with nothing else."""

    def next_id(self, table: Table) -> int:
        """The first id that is free, and all after it."""

    def finish(self, tables: Iterable[Table]) -> None:
        """Let the database count on from the ids that were given, and know its tables as after a while."""


def moment(at: datetime) -> str:
    """A moment of UTC as both databases keep or read it: microseconds, no zone."""
    return at.isoformat(" ", "microseconds")[:26]


@contextmanager
def loading(database: Database) -> Iterator[Loader]:
    """A loader of this database; its connection is thrown away afterwards."""
    connection = database.engine.raw_connection()
    try:
        raw: Any = connection.driver_connection
        yield _SQLite(raw) if database.is_sqlite else _PostgreSQL(raw)
    finally:
        connection.invalidate()
        connection.close()


class _SQLite:
    def __init__(self, raw: Any) -> None:
        self._raw = raw
        for pragma in _FAST_SQLITE:
            raw.execute(f"PRAGMA {pragma}")

    def load(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"
        self._raw.execute("BEGIN IMMEDIATE")
        self._raw.executemany(statement, rows)
        self._raw.execute("COMMIT")

    def next_id(self, table: Table) -> int:
        found = self._raw.execute(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table.name}")
        return int(found.fetchone()[0])

    def finish(self, tables: Iterable[Table]) -> None:  # noqa: ARG002  # SQLite counts on by itself
        self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


class _PostgreSQL:
    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self._raw = raw
        raw.rollback()
        raw.autocommit = True
        raw.execute("SET timezone = 'UTC'")
        raw.execute("SET synchronous_commit = off")
        with suppress(psycopg.errors.InsufficientPrivilege):  # then references are checked, and it lasts
            raw.execute("SET session_replication_role = replica")

    def load(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
        with self._raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.write("".join("\t".join(map(_text, row)) + "\n" for row in rows))

    def next_id(self, table: Table) -> int:
        found = self._raw.execute(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table.name}".encode())
        row = found.fetchone()
        assert row is not None  # an aggregate has one row
        return int(row[0])

    def finish(self, tables: Iterable[Table]) -> None:
        for table in tables:
            if "id" in table.c:
                self._raw.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), MAX(id))"
                    f" FROM {table.name}".encode()
                )
            self._raw.execute(f"VACUUM ANALYZE {table.name}".encode())


def _text(value: Value) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\") if "\\" in value else value
    return str(value)
