"""What a database says when it takes nothing in, and how that ends."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from structlog.testing import capture_logs

from app.db import Database, connect, schema
from app.db.outages import outage_of
from tests.conftest import SERVERS
from tests.servers import free_port


def _refused(database: Database, statement: str) -> DBAPIError:
    with pytest.raises(DBAPIError) as caught, database.write() as tx:
        tx.exec_driver_sql(statement)
    return caught.value


def _forbid_writing(database: Database) -> None:
    """On the connection that the pool gives next, until it is replaced."""
    with database.autocommit() as tx:
        tx.exec_driver_sql(
            "PRAGMA query_only = ON" if database.is_sqlite else "SET default_transaction_read_only = on"
        )


def test_a_read_only_database_is_told_once_and_left_by_a_new_connection(database: Database) -> None:
    schema.try_writing(database)
    assert database.outage is None
    with capture_logs() as logs:
        for _ in range(3):
            _forbid_writing(database)
            with pytest.raises(OperationalError) as caught:
                schema.try_writing(database)
            assert outage_of(caught.value) == database.outage
        assert database.outage is not None
        assert database.outage.reason == "read-only"
        with database.read() as tx:
            assert tx.exec_driver_sql("SELECT count(*) FROM brand").scalar_one() == 0
        with database.write():
            pass  # proves nothing
        assert database.outage is not None
        schema.try_writing(database)
    assert database.outage is None
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("database_outage", "read-only"),
        ("database_outage_over", "read-only"),
    ]


def test_what_one_statement_did_wrong_is_no_outage(database: Database) -> None:
    for statement in ("SELECT nothing FROM nowhere", "INSERT INTO brand (id) VALUES (1)"):
        assert outage_of(_refused(database, statement)) is None
    assert database.outage is None


if SERVERS == "sqlite":

    def test_a_full_disk_is_told(database: Database) -> None:
        with database.autocommit() as tx:
            pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
            tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        fault = _refused(database, "CREATE TABLE filler AS SELECT randomblob(100000)")
        assert isinstance(fault.orig, sqlite3.OperationalError)
        assert database.outage is not None
        assert database.outage.reason == "disk full"
        assert "free some space" in database.outage.message

else:

    @pytest.mark.parametrize(
        ("state", "reason"), [("53100", "disk full"), ("58030", "disk failing"), ("25006", "read-only")]
    )
    def test_what_postgresql_says_is_told_as_it_is_meant(database: Database, state: str, reason: str) -> None:
        raising = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
        assert isinstance(_refused(database, raising), OperationalError)
        assert database.outage is not None
        assert database.outage.reason == reason

    def test_a_server_that_is_not_there_is_away() -> None:
        database = connect(f"postgresql://perkpass@127.0.0.1:{free_port()}/nowhere")
        with pytest.raises(OperationalError), database.read():
            pass
        assert database.outage is not None
        assert database.outage.reason == "away"
        database.close()
