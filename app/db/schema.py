"""The schema's version: is it what this code expects, and how it becomes that.

Every process asks the first question, few the second: alembic is loaded by those alone.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import column, inspect, select, table, text

from app.db.columns import metadata
from app.db.engine import Database
from app.errors import Misconfigured

_LOCK = 7_260_115_001  # any number of our own: two `perkpass migrate` at once wait for each other
_PATIENCE = "15min"


MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = table("alembic_version", column("version_num"))


def _revisions() -> list[str]:
    """In order: a migration's file begins with its revision, four digits."""
    return sorted(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def newest() -> str:
    """The revision that this code was written for."""
    return _revisions()[-1]


def knows(revision: str) -> bool:
    """Whether this code can bring a database of this revision to :func:`newest`."""
    return revision in _revisions()


def current(database: Database) -> str | None:
    """The revision the database is at; None for an empty one."""
    with database.read() as tx:
        if not inspect(tx).has_table(_VERSION.name):
            return None
        found: str | None = tx.scalar(select(_VERSION.c.version_num))
        return found


def migrate(database: Database) -> None:
    """Bring the database to :func:`newest`; does nothing where it is there already."""
    if current(database) == newest():
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.write() as tx:
        if not database.is_sqlite:
            # Another one at work may take long; a table that somebody holds is given up on as ever.
            usual = tx.execute(text("SELECT current_setting('lock_timeout')")).scalar_one()
            tx.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
            tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            tx.execute(text("SELECT set_config('lock_timeout', :usual, true)"), {"usual": usual})
        config.attributes["connection"] = tx
        command.upgrade(config, "head")


def require_newest(database: Database) -> None:
    """Raise :class:`Misconfigured` that names the command to run where the schema is behind or ahead."""
    have, want = current(database), newest()
    if have == want:
        return
    if have is not None and not knows(have):
        raise Misconfigured(
            f"The database is at revision {have}, which this version of Perkpass does not know: "
            "it was migrated by a newer one. Start that version, or restore a backup."
        )
    raise Misconfigured(
        f"The database schema is behind (at {have or 'nothing'}, needed {want}). Run: perkpass migrate"
    )


def try_writing(database: Database) -> None:
    """Write something that changes nothing; raises what the database raises where it takes nothing in."""
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = version_num"))


def differences(database: Database) -> list[object]:
    """What the database's tables differ in from the tables that are imported; empty when equal."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": False})
        return list(compare_metadata(context, metadata))
