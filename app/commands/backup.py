"""``perkpass backup`` and ``perkpass restore``: everything that cannot be made again, in one file."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

import click
from sqlalchemy import inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app import __version__
from app.accounts import audit, brands
from app.commands import backup_archive, backup_postgresql, backup_sqlite
from app.commands.answers import json_option, show
from app.commands.backup_archive import DATABASE, KEYS, Engine, Manifest
from app.commands.shell import actor, now
from app.db import Database, connect, schema
from app.errors import Conflict, Misconfigured, Unavailable
from app.passes import restoring
from app.settings import PREFIX, Settings, kept_secret, load


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Write the database, the pass key and the secret key into FILE; the service runs on meanwhile.

    Certificates are not in it: keep the directories that your brands name. Who has FILE can make cards in
    your name; it is readable by its owner alone.
    """
    from app import bootstrap

    settings, began = load(), now()
    database = bootstrap.open_database(settings)
    try:
        with _workplace(file) as place:
            # Not migrated: before an upgrade it is the old schema that one wants to have.
            revision = _revision(database)
            files = {name: Path(place) / name for name in (DATABASE, *KEYS)}
            if database.is_sqlite:
                backup_sqlite.dump(_sqlite_path(settings.resolved_database_url), files[DATABASE])
            else:
                backup_postgresql.dump(settings.resolved_database_url, files[DATABASE])
            for name in KEYS:
                files[name].write_bytes(_kept(settings, name))
            manifest = backup_archive.write_archive(
                file,
                files=files,
                perkpass=__version__,
                revision=revision,
                engine=_engine(database),
                at=began,
            )
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
    """Bring back what FILE holds. Stop the service before, start it after.

    FILE is checked as a whole before anything is touched. Then every update tag is lifted above any that was
    issued since the backup, so that phones which know later ones go on updating.
    """
    from app import bootstrap

    settings = load()
    database = bootstrap.open_database(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="perkpass-") as place:
            manifest = backup_archive.read_archive(file, Path(place))
            _refuse(file, manifest, Path(place), settings, database, force=force)
            _restore_keys(settings, Path(place))
            passes = _restore_database(settings, database, manifest, Path(place) / DATABASE)
    finally:
        database.close()
    show({"restored": str(file), "created_at": manifest.created_at, "passes": passes}, as_json=as_json)


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


def _restore_keys(settings: Settings, place: Path) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    for name in KEYS:
        if getattr(settings, name).get_secret_value():
            continue
        kept, brought = settings.data_dir / name, (place / name).read_bytes()
        if kept.exists() and kept.read_bytes().strip() != brought:
            kept.replace(kept.with_name(f"{name}.replaced-{now():%Y%m%dT%H%M%SZ}"))
        draft = kept.with_name(f".{name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(brought)
            written.flush()
            os.fsync(written.fileno())
        draft.replace(kept)


def _restore_database(settings: Settings, database: Database, manifest: Manifest, dumped: Path) -> int:
    """On SQLite the copy is migrated and re-tagged before it takes the place of the living one."""
    url = settings.resolved_database_url
    if database.is_sqlite:
        copy = connect(f"sqlite:///{dumped}")
        try:
            passes = _renew(copy, manifest)
        finally:
            copy.close()
        backup_sqlite.load(dumped, _sqlite_path(url))
        return passes
    backup_postgresql.load(url, dumped)
    return _renew(database, manifest)


def _renew(database: Database, manifest: Manifest) -> int:
    schema.migrate(database)
    moment = now()
    with database.write() as tx:
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
    try:
        revision = schema.current(database)
    except OperationalError as fault:
        raise Unavailable(f"The database does not answer: {fault.orig}") from None
    if revision is None:
        raise Conflict("nothing-to-back-up", "The database is empty: there is nothing to back up")
    return revision


def _kept(settings: Settings, name: str) -> bytes:
    return kept_secret(settings, "pass_key" if name == "pass_key" else "secret_key")


def _engine(database: Database) -> Engine:
    return "sqlite" if database.is_sqlite else "postgresql"


def _sqlite_path(url: str) -> Path:
    return Path(str(make_url(url).database))


def _workplace(file: Path) -> tempfile.TemporaryDirectory[str]:
    """Beside the target, where there is room for it; only the owner may look in."""
    if not file.parent.is_dir():
        raise Misconfigured(f"{file}: the directory {file.parent} does not exist: make it first")
    return tempfile.TemporaryDirectory(prefix=".perkpass-", dir=file.parent)
