"""Transactions: what commits, what does not, and that no update is lost under threads."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, cast, insert, select, update
from sqlalchemy.exc import StatementError

from app.db import Database, Id, Json, UtcDateTime, connect
from app.errors import Misconfigured

_metadata = MetaData()
_counter = Table(
    "counter",
    _metadata,
    Column("id", Id, primary_key=True),
    Column("value", Integer),
    Column("at", UtcDateTime),
    Column("words", Json),
)


@pytest.fixture
def counter(database: Database) -> Database:
    with database.write() as tx:
        _metadata.create_all(tx)
        tx.execute(insert(_counter).values(id=1, value=0))
    return database


def _write_and_fail(database: Database) -> None:
    with database.write() as tx:
        tx.execute(update(_counter).values(value=5))
        raise KeyError


def test_a_failed_block_leaves_nothing_behind(counter: Database) -> None:
    with pytest.raises(KeyError):
        _write_and_fail(counter)
    with counter.read() as tx:
        assert tx.scalar(select(_counter.c.value)) == 0


def test_concurrent_read_modify_write_loses_no_update(counter: Database) -> None:
    def add() -> None:
        for _ in range(100):
            with counter.write() as tx:
                value = tx.execute(select(_counter.c.value).with_for_update()).scalar_one()
                tx.execute(update(_counter).values(value=int(value) + 1))

    threads = [Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with counter.autocommit() as tx:
        assert tx.scalar(select(_counter.c.value)) == 400


def test_times_come_back_aware_and_in_utc(counter: Database) -> None:
    moment = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)
    with counter.write() as tx:
        tx.execute(update(_counter).values(at=moment))
    with counter.read() as tx:
        assert tx.scalar(select(_counter.c.at)) == moment


def test_a_naive_time_is_refused(counter: Database) -> None:
    with pytest.raises(StatementError, match="naive"), counter.write() as tx:
        tx.execute(update(_counter).values(at=datetime(2026, 1, 1)))


def test_autocommit_leaves_the_pool_as_it_was(counter: Database) -> None:
    """A connection that served an autocommit read must still begin properly when it is used to write."""
    for _ in range(20):
        with counter.autocommit() as tx:
            tx.scalar(select(_counter.c.value))
        with pytest.raises(KeyError):
            _write_and_fail(counter)
    with counter.read() as tx:
        assert tx.scalar(select(_counter.c.value)) == 0


def test_a_database_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'new.db'}")
    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE guest (name TEXT)")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("new.db*")}
    database.close()
    assert modes == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}


@pytest.mark.parametrize(
    "url", ["postgresql://anna:secret@db:top/perkpass", "secret", "oracle7://secret@db/x"]
)
def test_an_address_that_cannot_be_understood_is_not_repeated(url: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be understood") as caught:
        connect(url)
    assert "secret" not in str(caught.value)
    assert "top" not in str(caught.value)


def test_what_is_written_beside_a_passing_process_is_there_for_the_next(
    counter: Database, database_url: str
) -> None:
    # On SQLite, closing any other descriptor of the file drops this process's locks on it. A process that
    # comes and goes then takes itself for the last one and deletes the log that we go on writing into.
    if not counter.is_sqlite:
        return
    passer_by = (
        "import sqlite3, sys\n"
        "print(sqlite3.connect(sys.argv[1]).execute('SELECT value FROM counter').fetchone()[0])"
    )

    def seen_by_another_process() -> int:
        path = database_url.removeprefix("sqlite:///")
        command = [sys.executable, "-c", passer_by, path]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    for value in range(1, 4):
        with counter.read(), counter.read(), counter.read():  # connections that the pool has yet to open
            pass
        assert seen_by_another_process() == value - 1
        with counter.write() as tx:
            tx.execute(update(_counter).values(value=value))
        assert seen_by_another_process() == value


def test_words_of_any_alphabet_are_stored_as_they_are(counter: Database, tmp_path: Path) -> None:
    words = {"name": "Анна Мария ☕", "said": 'a "quoted" \\ line\n'}
    with counter.write() as tx:
        tx.execute(insert(_counter).values(id=2, words=words))
    with counter.read() as tx:
        assert tx.scalar(select(_counter.c.words).where(_counter.c.id == 2)) == words
        kept = tx.scalar(select(cast(_counter.c.words, Text)).where(_counter.c.id == 2))
    assert kept is not None
    assert "Анна Мария ☕" in kept
    if counter.is_sqlite:
        assert kept == '{"name":"Анна Мария ☕","said":"a \\"quoted\\" \\\\ line\\n"}'
        files = b"".join(file.read_bytes() for file in tmp_path.glob("perkpass-*.db*"))
        assert "Анна Мария ☕".encode() in files
