"""INSERT with ON CONFLICT, which both databases have and SQLAlchemy spells per dialect."""

from __future__ import annotations

from typing import Any, Protocol, cast

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


class Upsert(Protocol):
    """The part of the two dialects' ``Insert`` that rooms use."""

    @property
    def excluded(self) -> Any: ...  # noqa: D102
    def values(self, *args: Any, **kwargs: Any) -> Any: ...  # noqa: D102
    def on_conflict_do_update(self, *args: Any, **kwargs: Any) -> Any: ...  # noqa: D102
    def on_conflict_do_nothing(self, *args: Any, **kwargs: Any) -> Any: ...  # noqa: D102


def insert(tx: Connection, table: Table) -> Any:
    """``INSERT INTO table`` in the dialect of this transaction, with ``on_conflict_…`` methods."""
    return insert_in(tx.dialect.name, table)


def insert_in(dialect: str, table: Table) -> Any:
    """The same for a dialect's name: for hot paths, where a statement is put together once and kept."""
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return cast("Upsert", make(table))
