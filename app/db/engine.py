"""Engines and transactions.

SQLAlchemy's default SQLite mode loses updates without an error: the driver begins a transaction only
before the first write, so a SELECT that decides about that write runs outside of it. Here the driver's
own transaction control is off and every transaction begins explicitly: ``BEGIN IMMEDIATE`` for writers,
``BEGIN`` for readers.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from app.db.outages import Outage, Outages, outage_of
from app.errors import Misconfigured

Tx = Connection
"""An open transaction. Who gets one may read and write in it, and never commits it."""

TURN_SECONDS = 10.0
"""How long a writer waits for the others on SQLite."""
_waits_since: ContextVar[float | None] = ContextVar("waits_since", default=None)
"""When this thread began to wait for its turn: in the process, then in the database, once in all."""
FRESH_SECONDS = 0.5
"""How lately a connection was used that is taken for alive."""
_LOOK_SECONDS = 0.001
_YIELDING_LOOK_SECONDS = 0.005
_SHORTEST_REST, _LONGEST_REST = 0.003, 0.1
"""Seconds that who yields leaves SQLite to others after each of its transactions."""
_BUSY_TIMEOUT = "busy_timeout=10000"
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    _BUSY_TIMEOUT,
    "foreign_keys=ON",
    "wal_autocheckpoint=1000",
)


class Database:
    """One database, SQLite or PostgreSQL; hands out transactions."""

    def __init__(self, engine: Engine, *, rests: bool) -> None:
        """Use :func:`connect`."""
        self.engine, self._rests = engine, rests
        self._outages = Outages()
        _watch(engine, self._outages)
        self._turn = threading.Lock()
        self._reader = engine.execution_options(perkpass_begin="BEGIN")
        # On SQLite the driver's AUTOCOMMIT level would be undone to its legacy mode when the connection
        # goes back to the pool, so there it is merely a transaction that never begins.
        self._autocommit = engine.execution_options(
            **({"perkpass_begin": ""} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"})
        )

    @property
    def is_sqlite(self) -> bool:
        """True in embedded mode's default."""
        return self.engine.dialect.name == "sqlite"

    @property
    def outage(self) -> Outage | None:
        """Why nothing was written lately, as far as this process knows; over with the next that is."""
        return self._outages.present

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that commits at the end of the block, or leaves nothing behind."""
        in_outage = self._outages.present is not None
        written = False
        asked = time.monotonic()
        with self._own_turn(), self.engine.begin() as tx:
            waited = time.monotonic() - asked
            before = _changes(tx) if in_outage else 0
            yield tx
            written = in_outage and _changes(tx) > before
        if written:
            self._outages.end()
        if self._rests:  # who had to wait is one of many, and leaves more of it to them
            time.sleep(max(_SHORTEST_REST, min(_LONGEST_REST, waited / 2)))

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        """One thread of this process at a time looks for SQLite's lock: looking costs the others time."""
        waits = _waits_since.set(time.monotonic())
        # Who waited too long asks the database all the same, which says what is the matter.
        mine = self.is_sqlite and self._turn.acquire(timeout=TURN_SECONDS)
        try:
            yield
        finally:
            _waits_since.reset(waits)
            if mine:
                self._turn.release()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A consistent view for several SELECTs; never waits for writers on either database."""
        with self._reader.begin() as tx:
            yield tx

    @contextmanager
    def autocommit(self) -> Iterator[Tx]:
        """For one SELECT on a hot path: no BEGIN, no COMMIT."""
        with self._autocommit.connect() as tx:
            yield tx

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def connect(url: str, *, pool_size: int = 8, yields: bool = False) -> Database:
    """Open ``sqlite:///path`` or ``postgresql://…`` (psycopg 3 is chosen when no driver is named).

    Who writes much and in the background ``yields``: on SQLite others that wait to write go first, and after
    each transaction there is a rest in which they get their turn.
    Raises :class:`Misconfigured` for an address that cannot be understood; nothing is asked of it yet.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = _sqlite(parsed, pool_size, _YIELDING_LOOK_SECONDS if yields else _LOOK_SECONDS)
        else:
            engine, yields = _postgresql(parsed, pool_size), False  # where many write at a time
    except (ArgumentError, ValueError):
        # Told without what was found in it: that may be a part of the password.
        raise Misconfigured(
            "The database's address cannot be understood: it must be like sqlite:////path or"
            " postgresql://user:password@host:5432/database"
        ) from None
    return Database(engine, rests=yields)


def _watch(engine: Engine, outages: Outages) -> None:
    """Have outages noted, and all of them raised as :class:`OperationalError`."""

    @event.listens_for(engine, "handle_error")
    def _hear(context: ExceptionContext) -> OperationalError | None:
        outage = outage_of(context.original_exception)
        if outage is None:
            return None
        if outage.reason == "away" and context.connection is not None:
            outages.lost(
                context.original_exception
            )  # away is a database that no new connection can be made to
        else:
            outages.begin(outage, context.original_exception)
        if outage.reason == "read-only":
            # Whoever was connected before would find it read-only for ever (a pooled connection to SQLite,
            # a session of PostgreSQL, a server that became a standby).
            context.is_disconnect = True
        if isinstance(context.sqlalchemy_exception, OperationalError):
            return None
        return OperationalError(context.statement or "", None, context.original_exception)

    @event.listens_for(engine, "connect")
    def _connected(_connection: Any, _record: Any) -> None:
        outages.answered()


def _begin_writing(connection: Connection, look_seconds: float) -> None:
    """Wait for the writer's turn, looking often: SQLite itself would look ten times a second after a while.

    Who writes much rests some milliseconds after each commit: a till that waits gets in then.
    """
    raw: Any = connection.connection.driver_connection
    give_up = (_waits_since.get() or time.monotonic()) + TURN_SECONDS
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < give_up:
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as fault:
                if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(look_seconds)
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # whose failure is told as every other
    finally:
        with suppress(sqlite3.Error):  # a failure may have closed it
            raw.execute(f"PRAGMA {_BUSY_TIMEOUT}")


def _changes(tx: Tx) -> int:
    """A number that is higher once the transaction has written something."""
    if tx.dialect.name == "sqlite":
        return int(tx.connection.driver_connection.total_changes)  # type: ignore[union-attr]
    return int(tx.exec_driver_sql("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").scalar_one())


def _as_json(value: Any) -> str:
    """Letters as they are: escaped, one that is not Latin would take six bytes instead of two."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _postgresql(url: URL, pool_size: int) -> Engine:
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        json_serializer=_as_json,
        hide_parameters=True,  # guests' names and numbers stay out of what is logged of a fault
        pool_size=pool_size,
        max_overflow=2,
        connect_args={"connect_timeout": 10, "options": "-c timezone=UTC -c lock_timeout=10s"},
    )

    @event.listens_for(engine, "checkin")
    def _laid_down(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _picked_up(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        """Replace it if it died while it lay idle; asking each time would cost a till two round trips."""
        if time.monotonic() - record.info.get("idle_since", time.monotonic()) < FRESH_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as fault:
            raise InvalidatePoolError from fault

    return engine


def _sqlite(url: URL, pool_size: int, look_seconds: float) -> Engine:
    engine = create_engine(
        url,
        json_serializer=_as_json,
        hide_parameters=True,  # guests' names and numbers stay out of what is logged of a fault
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=2,
        connect_args={"isolation_level": None, "timeout": 10, "check_same_thread": False},
    )

    @event.listens_for(engine, "do_connect")
    def _create(_dialect: Any, _record: Any, arguments: Any, _options: Any) -> None:
        # For its owner alone: it holds guests' names. SQLite gives its log and index the mode of the file.
        if arguments[0] == ":memory:" or arguments[0].startswith("file:"):
            return
        # Only a file that is not there yet may be opened: closing another descriptor of a database drops
        # every lock that this process holds on it, and other processes then write into its transactions.
        with suppress(OSError):  # SQLite says it in its own words
            os.close(os.open(arguments[0], os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get("perkpass_begin", "BEGIN IMMEDIATE")
        if statement == "BEGIN IMMEDIATE":
            _begin_writing(connection, look_seconds)
        elif statement:
            connection.exec_driver_sql(statement)

    return engine
