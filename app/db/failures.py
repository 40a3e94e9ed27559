"""What databases say when they fail, as an operator can act on it."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.outages import outage_of
from app.errors import Misconfigured, PerkpassError, Unavailable

FAILURES = (DBAPIError, PoolTimeout, sqlite3.Error)
"""What the database's libraries raise."""
NO_DATABASE = (OperationalError, InterfaceError, PoolTimeout)
"""Of these, what may be over in a moment: ask again. Every outage is one of them."""


def in_words(fault: Exception) -> PerkpassError:
    """One of ours for one of :data:`FAILURES`: the first line of what was said, and what to do."""
    said = str(getattr(fault, "orig", None) or fault).strip()
    line = said.splitlines()[0].rstrip(".:") if said else type(fault).__name__
    if "file is not a database" in said or "malformed" in said:
        return Misconfigured(
            f"The database file is no SQLite database, or a damaged one ({line}): restore a backup"
            " (perkpass restore), or correct PERKPASS_DATABASE_URL"
        )
    if "unable to open database file" in said or "readonly database" in said:
        return Misconfigured(
            f"The database file cannot be opened ({line}): give it and its directory to the user that runs"
            " Perkpass, or correct PERKPASS_DATABASE_URL"
        )
    outage = outage_of(fault)
    if outage is not None and outage.reason != "away":
        return Unavailable(f"{outage.message} ({line})")
    if isinstance(fault, DBAPIError) and fault.statement:
        return Unavailable(f"The database refused: {line}")
    return Unavailable(f"The database does not answer: {line}. Start it, or correct PERKPASS_DATABASE_URL")
