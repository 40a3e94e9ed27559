"""Migrations: they lead to exactly the tables that the rooms declare, and say so when they have not run."""

from __future__ import annotations

import pytest

from app.db import Database, connect, schema
from app.errors import Misconfigured


def test_migrations_lead_to_the_declared_tables(database: Database) -> None:
    assert schema.differences(database) == []


def test_an_empty_database_is_told_to_migrate(unmigrated_database_url: str) -> None:
    database = connect(unmigrated_database_url)
    with pytest.raises(Misconfigured, match="perkpass migrate"):
        schema.require_newest(database)
    schema.migrate(database)
    schema.require_newest(database)
    schema.migrate(database)
    database.close()


def test_a_newer_schema_is_recognised(database: Database) -> None:
    with database.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured, match="newer"):
        schema.require_newest(database)
