"""Column types shared by the tables of all rooms, and the one metadata they register on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, ForeignKey, Identity, Integer, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

# Named constraints, so that migrations can drop what they did not name.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


Id = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both; SQLite only numbers rows by itself where the type is spelled INTEGER."""


def identity() -> Column[int]:
    """The primary key that the database counts."""
    return Column("id", Id, Identity(), primary_key=True)


def refers(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    """A foreign key ``name`` to ``target`` ("table.column"); erasing the target under it is refused."""
    return Column(name, Id, ForeignKey(target), nullable=nullable, primary_key=primary_key)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on both databases: ``timestamptz``, and sortable text on SQLite.

    A naive datetime is refused: nobody can know what it meant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware in any zone; SQLite's driver stores it without one, in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored; pass an aware one")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Always aware, always UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
