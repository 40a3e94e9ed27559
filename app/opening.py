"""The database that the settings name: opened, brought up to date, and held against the installation's keys.

Apart from the wiring of web and worker, so that what only asks the database imports nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime

from app import data_dir, keyring
from app.db import Database, connect, schema
from app.db.failures import FAILURES, in_words
from app.settings import Settings


def clock() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


def open_database(settings: Settings, *, yields: bool = False) -> Database:
    """The database that the settings name, asked nothing yet; who ``yields`` lets others go first."""
    if settings.embedded:
        data_dir.prepare(settings.data_dir)
    # Each thread keeps one to read with, and takes another one to write.
    size = settings.web_threads + max(settings.web_threads, 4)
    return connect(settings.resolved_database_url, pool_size=size, yields=yields)


def prepare_schema(settings: Settings) -> None:
    """Embedded databases migrate themselves; others must be current, or Misconfigured says how."""
    keyring.refuse_half_restored(settings)
    database = open_database(settings)
    try:
        if settings.embedded:
            schema.migrate(database)
        schema.require_newest(database)
    except FAILURES as fault:
        raise in_words(fault) from None
    finally:
        database.close()


def prepare_keys(settings: Settings) -> None:
    """Make a fresh installation's keys; Misconfigured where they are not the ones of this database."""
    database = open_database(settings)
    try:
        keyring.open_keys(settings, database, now=clock())
    finally:
        database.close()
