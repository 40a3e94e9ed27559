"""A database that takes nothing in, or is away: told by what it says, and said once in a while.

Such an outage ends by itself or by an operator, and nothing needs to be restarted. A refusal of one statement
(a lock that was not got, a constraint) is none.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from threading import Lock
from typing import Final, Literal

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

Reason = Literal["disk full", "read-only", "disk failing", "not opened", "away"]

TOLD_EVERY: Final = 60.0
"""Seconds between two log lines about the same."""
_MOST_SAID: Final = 300  # characters
_MESSAGES: Final[dict[Reason, str]] = {
    "disk full": "The disk that the database lies on is full: free some space there. Nothing is lost, and"
    " nothing needs to be restarted.",
    "read-only": "The database can be read, and not written. SQLite: is its file system mounted read-only, do"
    " the file and its directory belong to the user that runs Perkpass? PostgreSQL: is the server a standby,"
    " is default_transaction_read_only on?",
    "disk failing": "The disk that the database lies on refuses to be written: look for a full disk or quota,"
    " for a limit on the size of files, and at the health of the disk.",
    "not opened": "The file of the database cannot be opened: do the file and its directory exist and belong"
    " to the user that runs Perkpass, and may a process open so many files (ulimit -n)?",
    "away": "The database does not answer. Check PERKPASS_DATABASE_URL and the server.",
}
_OF_SQLITE: Final[dict[int, Reason]] = {
    sqlite3.SQLITE_FULL: "disk full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_IOERR: "disk failing",
    sqlite3.SQLITE_CANTOPEN: "not opened",
}
# PostgreSQL's manual, Appendix A.
_OF_POSTGRESQL: Final[dict[str, Reason]] = {
    "53100": "disk full",
    "25006": "read-only",
    "58030": "disk failing",
    "57P01": "away",  # shut down by an administrator
    "57P02": "away",
    "57P03": "away",  # it is starting up
}
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outage:
    """Why the database does not take in what it is given."""

    reason: Reason

    @property
    def message(self) -> str:
        """What an operator can do."""
        return _MESSAGES[self.reason]


def outage_of(fault: BaseException) -> Outage | None:
    """The outage behind what a database's library raised; None where it is none."""
    said = fault.orig if isinstance(fault, DBAPIError) else fault
    reason: Reason | None = None
    if isinstance(said, sqlite3.Error):
        reason = _OF_SQLITE.get((getattr(said, "sqlite_errorcode", 0) or 0) & 0xFF)
    elif isinstance(said, psycopg.OperationalError) and said.sqlstate is None:
        reason = "away"  # no server said this
    elif isinstance(said, psycopg.Error):
        state = said.sqlstate or ""
        reason = "away" if state.startswith("08") else _OF_POSTGRESQL.get(state)
    return Outage(reason) if reason else None


def may_pass(fault: BaseException) -> bool:
    """Whether the database could merely not take something at the moment, rather than refused it."""
    return (
        isinstance(fault, OperationalError | PoolTimeout)
        or outage_of(fault) is not None
        or (isinstance(fault, DBAPIError) and fault.connection_invalidated)
    )


class Outages:
    """What one process knows of its database's outage. Any thread may call."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._told: dict[Reason | Literal["lost"], float] = {}
        self._end_is_due = False
        self.present: Outage | None = None

    def begin(self, outage: Outage, fault: BaseException) -> None:
        """It failed so; the log says it once in a while, however many calls fail and succeed in turn."""
        with self._lock:
            self.present = outage
            if not self._may_tell(outage.reason):
                return
            self._end_is_due = True
        if structlog.is_configured():  # a service; a command tells it itself
            log.error(
                "database_outage", reason=outage.reason, message=outage.message, said=_first_line(fault)
            )

    def end(self) -> None:
        """Something was written; the log says so where it said the beginning."""
        with self._lock:
            ended, self.present = self.present, None
            due, self._end_is_due = self._end_is_due, False
        if ended and due:
            log.warning("database_outage_over", reason=ended.reason)

    def lost(self, fault: BaseException) -> None:
        """One connection ended in the midst of a question; whether another can be made is not known yet."""
        with self._lock:
            if not self._may_tell("lost"):
                return
        if structlog.is_configured():
            log.warning("database_connection_lost", said=_first_line(fault))

    def _may_tell(self, what: Reason | Literal["lost"]) -> bool:
        now, told = time.monotonic(), self._told.get(what)
        if told is not None and now < told + TOLD_EVERY:
            return False
        self._told[what] = now
        return True

    def answered(self) -> None:
        """A new connection was made: whatever kept us from that is over."""
        present = self.present  # read once: another thread may end it
        if present is not None and present.reason in ("away", "not opened"):
            self.end()


def _first_line(fault: BaseException) -> str:
    """What the driver said, without the lines where a server repeats values."""
    said = str(fault).strip()
    return said.splitlines()[0][:_MOST_SAID] if said else type(fault).__name__
