"""``perkpass backup`` and ``perkpass restore``: everything that cannot be made again, in one file."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

import click
from sqlalchemy import inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from app import __version__, data_dir, keyring
from app.accounts import audit, brands, fingerprints
from app.commands import backup_archive, backup_postgresql, backup_sqlite
from app.commands.answers import json_option, show
from app.commands.backup_archive import DATABASE, KEYS, Engine, Manifest
from app.commands.shell import actor, now
from app.db import Database, connect, schema
from app.db.outages import outage_of
from app.errors import Conflict, Misconfigured, PerkpassError, Unavailable
from app.keyring import Keys
from app.passes import restoring
from app.settings import PREFIX, Settings, load


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Write the database, the pass key and the secret key into FILE; the service runs on meanwhile.

    Certificates that were uploaded are in it; those that lie in files are not: keep the directories that your
    brands name. Who has FILE can make cards in your name; it is readable by its owner alone.
    """
    from app import opening

    settings, began = load(), now()
    database = opening.open_database(settings)
    try:
        with _written_whole(file), _workplace(file) as place:
            # Not migrated: before an upgrade it is the old schema that one wants to have.
            revision = _revision(database)
            files = {name: Path(place) / name for name in (DATABASE, *KEYS)}
            if database.is_sqlite:
                backup_sqlite.dump(_sqlite_path(settings.resolved_database_url), files[DATABASE])
            else:
                backup_postgresql.dump(settings.resolved_database_url, files[DATABASE])
            keys = keyring.read_keys(settings, database)
            for name in keyring.NAMES:
                files[name].write_bytes(getattr(keys, name))
            manifest = backup_archive.write_archive(
                file,
                files=files,
                perkpass=__version__,
                revision=revision,
                engine=_engine(database),
                at=began,
            )
        _note(database, revision, began)
    finally:
        database.close()
    show(
        {
            "file": str(file),
            "bytes": file.stat().st_size,
            "engine": manifest.engine,
            "created_at": manifest.created_at,
        },
        as_json=as_json,
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="replace what the database holds")
@json_option
def restore(file: Path, force: bool, as_json: bool) -> None:
    """Bring back what FILE holds. Stop the service before, on every machine; start it after.

    FILE is checked as a whole before anything is touched. Every update tag is lifted above any that was
    issued since the backup, so that phones which know later ones go on updating. After an interruption
    nothing starts until it has been repeated.
    """
    from app import opening

    settings = load()
    data_dir.hold(settings.data_dir, exclusive=True)
    database = opening.open_database(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="perkpass-") as place:
            manifest = backup_archive.read_archive(file, Path(place))
            _refuse(file, manifest, Path(place), settings, database, force=force)
            passes = _replace(settings, database, manifest, Path(place))
    finally:
        database.close()
        data_dir.release()
    show({"restored": str(file), "created_at": manifest.created_at, "passes": passes}, as_json=as_json)


def _note(database: Database, revision: str, began: datetime) -> None:
    """So that ``perkpass doctor`` knows how old the last backup is; not into a schema of long ago."""
    if revision != schema.newest():
        return
    with suppress(DBAPIError), database.write() as tx:  # a full disk hinders no backup onto another one
        audit.record(
            tx, at=began, actor=actor(), brand_id=None, action="backup.made", subject="database", detail={}
        )


def _refuse(
    file: Path, manifest: Manifest, place: Path, settings: Settings, database: Database, *, force: bool
) -> None:
    """Everything that can be wrong is found here, before anything is touched."""
    if manifest.engine != _engine(database):
        raise Misconfigured(
            f"{file} holds a {manifest.engine} database, and {PREFIX}DATABASE_URL names a {_engine(database)}"
            " one: name one of the same kind"
        )
    if not schema.knows(manifest.revision):
        raise Misconfigured(
            f"{file} was written by Perkpass {manifest.perkpass}, whose schema {manifest.revision} this"
            f" version ({__version__}) does not know: restore it with that version or a newer one"
        )
    (backup_sqlite if manifest.engine == "sqlite" else backup_postgresql).check(place / DATABASE)
    for name in KEYS:
        given = getattr(settings, name).get_secret_value().encode()
        if given and given != (place / name).read_bytes():
            raise Misconfigured(
                f"{PREFIX}{name.upper()} is not the key in {file}, which the cards in phones were made with."
                f" Unset it (and {PREFIX}{name.upper()}_FILE) and restore again: the backup's is then kept in"
                f" {settings.data_dir}"
            )
    if not force and not _is_empty(database):
        raise Conflict(
            "not-empty",
            "The database is not empty: restoring would replace everything in it. Back it up, then use"
            " --force",
        )


def _is_empty(database: Database) -> bool:
    """No tables, or our newest ones without a brand."""
    if not set(inspect(database.engine).get_table_names()) - {"alembic_version"}:
        return True
    if schema.current(database) != schema.newest():
        return False
    with database.read() as tx:
        return not brands.all_brands(tx)


def _replace(settings: Settings, database: Database, manifest: Manifest, place: Path) -> int:
    """Database and keys, or neither; gives the number of passes that were re-tagged.

    A mark lies in the data directory from before the first change to after the last: as long as it does,
    nothing starts. On SQLite the copy is migrated and re-tagged before it takes the living one's place.
    """
    directory, mark = settings.data_dir, settings.data_dir / keyring.RESTORING
    keys = Keys(**{name: (place / name).read_bytes() for name in KEYS})
    if database.is_sqlite:
        passes = _renew_file(place / DATABASE, manifest, keys)
    drafts = {
        name: keyring.write_draft(directory, name, getattr(keys, name))
        for name in keyring.NAMES
        if not getattr(settings, name).get_secret_value()
    }
    try:
        interrupted_before = mark.exists()
        mark.touch(mode=0o600)
        keyring.sync(directory)
        try:
            _load(settings, database, place / DATABASE)
        except PerkpassError:  # either kind of database is replaced in one transaction, or not at all
            if not interrupted_before:
                mark.unlink()
            raise
        if not database.is_sqlite:
            passes = _renew(database, manifest, keys)
        for name, draft in drafts.items():
            _put(draft, directory / name)
        keyring.sync(directory)
        mark.unlink()
        keyring.sync(directory)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    return passes


def _load(settings: Settings, database: Database, dumped: Path) -> None:
    url = settings.resolved_database_url
    if database.is_sqlite:
        backup_sqlite.load(dumped, _sqlite_path(url))
    else:
        backup_postgresql.load(url, dumped)


def _renew_file(path: Path, manifest: Manifest, keys: Keys) -> int:
    copy = connect(f"sqlite:///{path}")
    try:
        return _renew(copy, manifest, keys)
    finally:
        copy.close()


def _put(draft: Path, kept: Path) -> None:
    if kept.exists() and kept.read_bytes().strip() != draft.read_bytes():
        os.link(kept, kept.with_name(f"{kept.name}.replaced-{now():%Y%m%dT%H%M%SZ}"))
    draft.replace(kept)


def _renew(database: Database, manifest: Manifest, keys: Keys) -> int:
    schema.migrate(database)
    moment = now()
    with database.write() as tx:
        known = fingerprints.known(tx)
        for name in keyring.NAMES:
            if known.get(name, own := fingerprints.fingerprint(getattr(keys, name))) != own:
                raise Misconfigured(
                    f"The {name} in the backup is not the one that its database was used with"
                )
            fingerprints.remember(tx, name, getattr(keys, name), now=moment)
        passes = restoring.lift_tags(tx, now=moment, backed_up_at=manifest.created_at)
        audit.record(
            tx,
            at=moment,
            actor=actor(),
            brand_id=None,
            action="backup.restored",
            subject="database",
            detail={"backed_up_at": manifest.created_at.isoformat(), "passes": passes},
        )
    return passes


def _revision(database: Database) -> str:
    revision = schema.current(database)
    if revision is None:
        raise Conflict("nothing-to-back-up", "The database is empty: there is nothing to back up")
    return revision


def _engine(database: Database) -> Engine:
    return "sqlite" if database.is_sqlite else "postgresql"


def _sqlite_path(url: str) -> Path:
    return Path(str(make_url(url).database))


@contextmanager
def _written_whole(file: Path) -> Iterator[None]:
    """Tell a disk without room for the backup as that, and not as the database's; nothing half-made stays."""
    try:
        yield
    except (OSError, sqlite3.Error) as fault:
        full = getattr(fault, "errno", None) in (ENOSPC, EDQUOT, EFBIG)
        outage = outage_of(fault)
        if not full and (outage is None or outage.reason == "away"):
            raise
        raise Unavailable(
            f"{file}: the backup could not be written there ({fault}). Free some space, or name a file on"
            " another disk: a backup takes up to twice the size of the database while it is made"
        ) from None


def _workplace(file: Path) -> tempfile.TemporaryDirectory[str]:
    """Beside the target, where there is room for it; only the owner may look in."""
    if not file.parent.is_dir():
        raise Misconfigured(f"{file}: the directory {file.parent} does not exist: make it first")
    return tempfile.TemporaryDirectory(prefix=".perkpass-", dir=file.parent)
