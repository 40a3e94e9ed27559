"""Writers of one SQLite file take turns: who waits gets in while whoever writes much rests."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.db import Database, connect, engine

WRITE, TURNS = 0.02, 40


def opened(path: Path, *, yields: bool = False) -> Database:
    database = connect(f"sqlite:///{path}", yields=yields)
    with database.write() as tx:
        tx.execute(text("CREATE TABLE IF NOT EXISTS turn (who TEXT)"))
    return database


def write(database: Database, who: str, seconds: float) -> None:
    with database.write() as tx:
        tx.execute(text("INSERT INTO turn VALUES (:who)"), {"who": who})
        time.sleep(seconds)


def test_a_till_gets_its_turn_between_the_writes_of_a_campaign(tmp_path: Path) -> None:
    till = opened(tmp_path / "a.db")
    busy = [
        opened(tmp_path / "a.db", yields=True) for _ in range(3)
    ]  # campaigns, the worker that pushes them
    enough = Event()

    def change_all(database: Database) -> None:
        while not enough.is_set():
            write(database, "campaign", WRITE)

    writers = [Thread(target=change_all, args=(database,)) for database in busy]
    for writer in writers:
        writer.start()
    try:
        for _ in range(TURNS):
            time.sleep(WRITE)
            write(till, "till", 0)
    finally:
        enough.set()
        for writer in writers:
            writer.join()
    with till.read() as tx:
        written = "".join(who[0] for who in tx.scalars(text("SELECT who FROM turn ORDER BY rowid")))
    between = sorted(map(len, written.strip("c").split("t")[1:-1]))
    assert between[-1] <= 8, between  # looking as seldom as SQLite does, a till sees a hundred pass by
    for database in (till, *busy):
        database.close()


def test_a_writer_that_never_gets_its_turn_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TURN_SECONDS", 0.2)
    holder, waiting = opened(tmp_path / "a.db"), opened(tmp_path / "a.db")
    with holder.write() as tx:
        tx.execute(text("INSERT INTO turn VALUES ('holder')"))
        with pytest.raises(OperationalError, match="locked"):
            write(waiting, "waiting", 0)
    write(waiting, "waiting", 0)
    with waiting.read() as tx:
        assert list(tx.scalars(text("SELECT who FROM turn"))) == ["holder", "waiting"]
        assert tx.execute(text("PRAGMA busy_timeout")).scalar() == 10_000
    holder.close()
    waiting.close()


def test_threads_of_one_process_wait_no_longer_than_one_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "TURN_SECONDS", 1.0)
    holder, tills = opened(tmp_path / "a.db"), opened(tmp_path / "a.db")
    waited: list[float] = []

    def ring_up() -> None:
        began = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            write(tills, "till", 0)
        waited.append(time.monotonic() - began)

    threads = [Thread(target=ring_up) for _ in range(4)]
    with holder.write():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(waited) == 4
    assert max(waited) < 1.8, waited  # one after the other: 1 s, then 2 s
    holder.close()
    tills.close()
