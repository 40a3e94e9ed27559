"""Migrations: they lead to exactly the tables that the rooms declare, and say so when they have not run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from app.db import Database, connect, schema
from app.errors import Misconfigured


def test_migrations_lead_to_the_declared_tables(database: Database) -> None:
    assert schema.differences(database) == []


def test_revisions_are_read_off_the_files_as_alembic_reads_them() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert schema.newest() == scripts.get_current_head()
    for script in scripts.walk_revisions():
        assert schema.knows(script.revision)


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


def _hold_migrations(database: Database, seconds: float) -> Callable[[], None]:
    """As another `perkpass migrate` that is at work for so long; gives what waits for its end."""
    began = threading.Event()

    def work() -> None:
        with database.write() as tx:
            if not database.is_sqlite:
                tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({schema._LOCK})")
            began.set()
            time.sleep(seconds)

    thread = threading.Thread(target=work)
    thread.start()
    assert began.wait(10)
    return thread.join


def test_a_second_migration_waits_longer_than_for_any_lock(unmigrated_database_url: str) -> None:
    first, second = connect(unmigrated_database_url), connect(unmigrated_database_url)
    try:
        if not first.is_sqlite:
            with second.engine.connect() as session:  # the pool's one connection: 10 s would make a slow test
                session.exec_driver_sql("SET lock_timeout = '300ms'")
                session.commit()
        join = _hold_migrations(first, 1.5)
        began = time.monotonic()
        schema.migrate(second)
        assert time.monotonic() - began > 1
        join()
        if not first.is_sqlite:
            with second.write() as tx:
                assert tx.exec_driver_sql("SHOW lock_timeout").scalar_one() == "300ms"
            join = _hold_migrations(first, 1.5)
            with pytest.raises(OperationalError, match="lock timeout"), second.write() as tx:
                tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({schema._LOCK})")
            join()
    finally:
        first.close()
        second.close()
