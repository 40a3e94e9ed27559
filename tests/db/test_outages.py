"""What a database says when it takes nothing in, and how that ends."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from structlog.testing import capture_logs

from app.db import Database, connect, schema
from app.db.engine import FRESH_SECONDS
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


def test_failures_and_successes_in_turn_are_told_once_a_minute(database: Database) -> None:
    with capture_logs() as logs:
        for _ in range(100):
            _forbid_writing(database)
            with pytest.raises(OperationalError):
                schema.try_writing(database)
            schema.try_writing(database)
    assert database.outage is None
    assert [line["event"] for line in logs] == ["database_outage", "database_outage_over"]


def test_what_the_driver_said_is_told(database: Database) -> None:
    with capture_logs() as logs:
        _forbid_writing(database)
        with pytest.raises(OperationalError):
            schema.try_writing(database)
    words = "readonly database" if database.is_sqlite else "in a read-only transaction"
    assert words in logs[0]["said"]
    assert "\n" not in logs[0]["said"]


if SERVERS == "sqlite":

    def test_a_file_that_cannot_be_opened_is_told_as_a_file(tmp_path: Path) -> None:
        database = connect(f"sqlite:///{tmp_path}/later/perkpass.db")
        with capture_logs() as logs, pytest.raises(OperationalError), database.read():
            pass
        assert database.outage is not None
        assert "file of the database cannot be opened" in database.outage.message
        assert [line["said"] for line in logs] == ["unable to open database file"]
        (tmp_path / "later").mkdir()
        with database.read():
            pass
        assert database.outage is None
        database.close()

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
        with capture_logs() as logs, pytest.raises(OperationalError), database.read():
            pass
        assert database.outage is not None
        assert database.outage.reason == "away"
        assert "refused" in logs[0]["said"]
        database.close()

    def test_a_server_that_answers_again_is_not_away(database: Database, database_url: str) -> None:
        name = make_url(database_url).database
        operator = connect(make_url(database_url).set(database="postgres").render_as_string(False))

        def allow(yes: bool) -> None:
            with operator.autocommit() as tx:
                tx.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {yes}")

        allow(False)
        try:
            with pytest.raises(OperationalError), database.read():
                pass
            assert database.outage is not None
        finally:
            allow(True)
            operator.close()
        with database.read():
            pass
        assert database.outage is None

    def _end_sessions(database_url: str) -> None:
        operator = connect(database_url)
        with operator.write() as tx:
            tx.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        operator.close()

    def test_a_connection_that_died_while_it_lay_idle_is_no_outage(
        database: Database, database_url: str
    ) -> None:
        with database.read():
            pass
        _end_sessions(database_url)
        time.sleep(FRESH_SECONDS)  # before that it is taken for alive, and who gets it is told to repeat
        with capture_logs() as logs, database.read() as tx:
            assert tx.exec_driver_sql("SELECT 1").scalar_one() == 1
        assert database.outage is None
        assert logs == []

    def test_a_connection_that_is_lost_in_the_midst_is_told_and_no_outage(
        database: Database, database_url: str
    ) -> None:
        with capture_logs() as logs, database.autocommit() as tx:
            _end_sessions(database_url)
            with pytest.raises(OperationalError):
                tx.exec_driver_sql("SELECT 1")
        assert database.outage is None
        assert [line["event"] for line in logs] == ["database_connection_lost"]
        assert "terminating connection" in logs[0]["said"]
