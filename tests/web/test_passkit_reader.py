"""Kept connections: used again, few, and replaced when the server dropped them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.db import Database, Tx, connect
from app.web.passkit_reader import Reader


@pytest.fixture
def reader(database: Database) -> Iterator[Reader]:
    made = Reader(database, most_kept=6)
    yield made
    made.close()


def _one(tx: Tx) -> int:
    return int(tx.execute(text("SELECT 1")).scalar_one())


def test_a_connection_is_kept_and_used_again(reader: Reader) -> None:
    seen = [reader.read(lambda tx: (id(tx), _one(tx))) for _ in range(5)]
    assert len(set(seen)) == 1


def test_a_burst_of_threads_leaves_as_many_connections_as_it_was_told(
    reader: Reader, database: Database
) -> None:
    together = Barrier(8)

    def ask(tx: Tx) -> int:
        together.wait(20)
        return _one(tx)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: reader.read(ask), range(8))) == [1] * 8
    assert len(reader._idle) == 6
    with database.write() as tx:
        assert _one(tx) == 1


def test_as_many_connections_are_kept_as_threads_work(database: Database) -> None:
    many, together = Reader(database, most_kept=6), Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: many.read(lambda _tx: together.wait(20)), range(8)))
    assert len(many._idle) == 6
    many.close()


def test_a_kept_connection_sees_what_was_committed_since(reader: Reader, database: Database) -> None:
    def counters(tx: Tx) -> int:
        return int(tx.execute(text("SELECT count(*) FROM tag_counter")).scalar_one())

    assert reader.read(counters) == 0
    with database.write() as tx:
        tx.execute(text("INSERT INTO tag_counter VALUES ('pass.x', 1)"))
    assert reader.read(counters) == 1


def test_a_fault_gives_the_connection_back(reader: Reader) -> None:
    def fail(_tx: Tx) -> None:
        raise KeyError

    for _ in range(20):  # more than the pool has
        with pytest.raises(KeyError):
            reader.read(fail)
    assert reader.read(_one) == 1


def test_a_dead_connection_is_replaced_and_the_question_asked_again(reader: Reader) -> None:
    together = Barrier(3)

    def ask(tx: Tx) -> int:
        together.wait(20)
        return _one(tx)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: reader.read(ask), range(3)))
    assert len(reader._idle) == 3
    asked = []

    def dropped_once(tx: Tx) -> int:
        asked.append(tx)
        if len(asked) == 1:
            raise OperationalError("SELECT 1", {}, Exception("server closed the connection unexpectedly"))
        return _one(tx)

    assert reader.read(dropped_once) == 1
    assert len(asked) == 2
    assert len(reader._idle) == 1


def test_a_server_that_dropped_every_connection_is_asked_again(database: Database, database_url: str) -> None:
    if database.is_sqlite:  # the file cannot hang up: what can happen there is above
        assert Reader(database, most_kept=4).read(_one) == 1
        return
    reader, other = Reader(database, most_kept=4), connect(database_url)
    assert reader.read(_one) == 1
    with other.write() as tx:
        tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert reader.read(_one) == 1
    reader.close()
    other.close()


def test_a_database_that_stays_away_is_reported(free_port: int) -> None:
    gone = connect(f"postgresql://nobody@127.0.0.1:{free_port}/gone")
    with pytest.raises(OperationalError):
        Reader(gone, most_kept=4).read(_one)
    gone.close()
