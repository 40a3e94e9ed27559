"""What every command needs: settings, an open database with a current schema, who asks, and when."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from app.db import Database
from app.settings import Settings, load


@dataclass(frozen=True, slots=True)
class Shell:
    """One run of one command."""

    settings: Settings
    database: Database
    actor: str  # "cli:anna": for the audit log
    now: datetime  # aware, UTC


@contextmanager
def opened() -> Iterator[Shell]:
    """Settings from the environment and the database they name; raises Misconfigured where one is wrong."""
    from app import opening

    settings = load()
    opening.prepare_schema(settings)
    database = opening.open_database(settings, yields=True)
    try:
        yield Shell(settings=settings, database=database, actor=actor(), now=now())
    finally:
        database.close()


def actor() -> str:
    """Who runs this command."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return f"cli:uid-{os.getuid()}"


def now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)
