"""What ``perkpass doctor`` looks at; every look is one function that ends in findings and changes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import redis

from app import keyring
from app.accounts import brands, fingerprints
from app.commands.looks import Look
from app.commands.sms_looks import look_at_texts
from app.db import Database, connect, schema
from app.db.failures import FAILURES, in_words
from app.errors import Misconfigured, PerkpassError
from app.loyalty import programmes
from app.passes import designs
from app.passes.findings import refusals
from app.passes.linter import lint_template
from app.passes.signing import expiry_warning, load_signer
from app.settings import PREFIX, Settings, load

_SECONDS = 3


def examine(now: datetime) -> Iterator[Look]:
    """Look at everything there is; what cannot be reached hides what lies behind it."""
    try:
        settings = load()
    except Misconfigured as wrong:
        for fault in wrong.faults:
            yield Look("settings", "fault", fault)
        return
    yield Look("settings", "ok", "every variable makes sense")
    yield _public_url(settings)
    yield from _data_directory(settings)
    yield from _templates(settings, now)
    yield from _redis(settings)
    database = _database(settings)
    if isinstance(database, Look):
        yield database
        yield from _keys(settings, {})
        return
    try:
        yield from _schema_and_behind(settings, database, now)
    finally:
        database.close()


def _public_url(settings: Settings) -> Look:
    if urlsplit(settings.public_url).scheme == "https":
        return Look("public URL", "ok", settings.public_url)
    if settings.public_is_loopback:
        return Look(
            "public URL",
            "warning",
            f"{settings.public_url} is this machine alone: no phone can reach it. For guests set"
            f" {PREFIX}PUBLIC_URL to an https address",
        )
    return Look(
        "public URL",
        "fault",
        f"{settings.public_url} is not https, and iOS refuses cards that name it: put a proxy with TLS in"
        f" front and set {PREFIX}PUBLIC_URL to its https address",
    )


def _data_directory(settings: Settings) -> Iterator[Look]:
    subject, directory = "data directory", settings.data_dir
    try:
        keyring.refuse_half_restored(settings)
        mode = stat.S_IMODE(directory.stat().st_mode)
    except Misconfigured as wrong:
        yield Look(subject, "fault", str(wrong))
    except FileNotFoundError:
        yield Look(subject, "warning", f"{directory} does not exist yet; it is made at the first start")
    except OSError as fault:
        yield Look(subject, "fault", f"{directory}: {fault.strerror}: correct {PREFIX}DATA_DIR")
    else:
        if not directory.is_dir():
            yield Look(subject, "fault", f"{directory} is a file: correct {PREFIX}DATA_DIR")
        elif not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
            yield Look(
                subject, "fault", f"{directory} is not writable: give it to the user that runs Perkpass"
            )
        elif mode & 0o077:
            yield Look(
                subject,
                "fault",
                f"{directory} has mode {mode:04o}, others may look in: chmod 700 {directory}",
            )
        else:
            yield Look(subject, "ok", f"{directory} is writable, by its owner alone")


def _open_to_others(path: Path) -> str | None:
    """The fault of a file that should be its owner's alone, with its fix."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    return f"{path} has mode {mode:04o}, others may read it: chmod 600 {path}" if mode & 0o077 else None


def _keys(settings: Settings, known: Mapping[str, str]) -> Iterator[Look]:
    for name in keyring.NAMES:
        subject, path = name.replace("_", " "), settings.data_dir / name
        if getattr(settings, name).get_secret_value():
            found, good = [keyring.fault(settings, name, known)], "comes from the environment: keep a copy"
        elif name not in known and not path.exists():
            found, good = [], "is made at the first start"
        else:
            found = [_open_to_others(path), keyring.fault(settings, name, known)]
            good = f"{path} is the one this database is used with, readable by its owner alone"
        faults = [fault for fault in found if fault]
        yield Look(subject, "fault" if faults else "ok", "; ".join(faults) or good)


def _templates(settings: Settings, now: datetime) -> Iterator[Look]:
    if not settings.templates_dir.is_dir():
        yield Look(
            "templates", "fault", f"{settings.templates_dir} does not exist: set {PREFIX}TEMPLATES_DIR"
        )
        return
    for folder in sorted(path for path in settings.templates_dir.iterdir() if path.is_dir()):
        if not (folder / "layout.toml").exists():
            continue
        refused = refusals(lint_template(folder, now=now))
        if refused:
            yield Look(f"template {folder.name}", "fault", "; ".join(str(finding) for finding in refused))
        else:
            yield Look(f"template {folder.name}", "ok", "cards can be made from it")


def _redis(settings: Settings) -> Iterator[Look]:
    if not settings.redis_url:
        if not settings.embedded:
            yield Look(
                "redis",
                "warning",
                f"{PREFIX}REDIS_URL is empty: workers on other machines are not woken, they poll, and rate"
                " limits hold per process",
            )
        return
    client = redis.Redis.from_url(
        settings.redis_url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS
    )
    try:
        client.ping()
        yield Look("redis", "ok", "answers")
    except (redis.RedisError, OSError) as fault:
        yield Look("redis", "fault", f"does not answer ({fault}): start it, or correct {PREFIX}REDIS_URL")
    finally:
        client.close()


def _database(settings: Settings) -> Database | Look:
    database = connect(settings.resolved_database_url, pool_size=1)
    if (path := _file(database)) and not path.exists():
        return Look("database", "warning", f"{path} does not exist yet; it is made at the first start")
    return database


def _file(database: Database) -> Path | None:
    """Where SQLite's file lies."""
    return Path(str(database.engine.url.database)) if database.is_sqlite else None


def _schema_and_behind(settings: Settings, database: Database, now: datetime) -> Iterator[Look]:
    try:
        schema.require_newest(database)
    except Misconfigured as wrong:
        yield Look("database", "fault", str(wrong))
        return
    except FAILURES as fault:
        yield Look("database", "fault", str(in_words(fault)))
        return
    path = _file(database)
    if path and (wide := _open_to_others(path)):
        yield Look("database", "fault", wide)
    else:
        yield Look("database", "ok", f"reachable, schema {schema.newest()}")
    with database.read() as tx:
        known = fingerprints.known(tx)
        everyone = brands.all_brands(tx)
        shared = {brand.slug: brands.shared_pass_type(tx, brand) for brand in everyone}
        drawn = {
            f"{brand.slug} {programme.slug}": designs.versions(tx, programme.id)
            for brand in everyone
            for programme in programmes.programmes_of_brand(tx, brand.id)
        }
    yield from _keys(settings, known)
    yield from look_at_texts(settings, everyone, database)
    if not everyone:
        yield Look(
            "brands", "warning", "there is none yet: perkpass chain load FILE, or perkpass brand create"
        )
    for brand in everyone:
        yield _certificate(brand, now)
        if warning := shared[brand.slug]:
            yield Look(f"brand {brand.slug}", "warning", warning)
    for name, versions in drawn.items():
        if not versions:
            yield Look(
                f"programme {name}",
                "fault",
                "has no design, so it has no cards: perkpass design publish --help",
            )


def _certificate(brand: brands.Brand, now: datetime) -> Look:
    subject = f"certificate of {brand.slug}"
    try:
        signer = load_signer(
            brand.credentials,
            pass_type_identifier=brand.pass_type_identifier,
            team_identifier=brand.team_identifier,
            now=now,
        )
    except PerkpassError as wrong:
        return Look(subject, "fault", "; ".join(str(wrong).splitlines()))
    if warning := expiry_warning(signer, now):
        return Look(subject, "warning", warning)
    return Look(subject, "ok", f"{brand.pass_type_identifier}, until {signer.expires_at:%Y-%m-%d}")
