"""What ``perkpass doctor`` looks at; every look is one function that ends in findings and changes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import redis
from sqlalchemy.exc import SQLAlchemyError

from app.accounts import brands
from app.db import Database, connect, schema
from app.errors import Misconfigured, PerkpassError
from app.loyalty import programmes
from app.passes import designs
from app.passes.findings import refusals
from app.passes.linter import lint_template
from app.passes.signing import expiry_warning, load_signer
from app.settings import PREFIX, Settings, load

Verdict = Literal["ok", "warning", "fault"]
_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was looked at; ``words`` say what is, and for a fault what to do."""

    subject: str
    verdict: Verdict
    words: str


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
    directory = settings.data_dir
    if not directory.is_dir():
        yield Look(
            "data directory", "warning", f"{directory} does not exist yet; it is made at the first start"
        )
        return
    if os.access(directory, os.W_OK | os.X_OK):
        yield Look("data directory", "ok", f"{directory} is writable")
    else:
        yield Look(
            "data directory", "fault", f"{directory} is not writable: give it to the user that runs Perkpass"
        )
    for name in ("pass_key", "secret_key"):
        if (directory / name).exists():
            yield _mode(name.replace("_", " "), directory / name)


def _mode(subject: str, path: Path) -> Look:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Look(subject, "fault", f"{path} has mode {mode:04o}, others may read it: chmod 600 {path}")
    return Look(subject, "ok", f"{path} is readable by its owner alone")


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
    url = settings.resolved_database_url
    path = Path(url.removeprefix("sqlite:///"))
    if settings.embedded and not path.exists():
        return Look("database", "warning", f"{path} does not exist yet; it is made at the first start")
    return connect(url, pool_size=1)


def _schema_and_behind(settings: Settings, database: Database, now: datetime) -> Iterator[Look]:
    try:
        schema.require_newest(database)
    except Misconfigured as wrong:
        yield Look("database", "fault", str(wrong))
        return
    except SQLAlchemyError as fault:
        words = str(getattr(fault, "orig", fault)).strip().splitlines() or ["no answer"]
        yield Look("database", "fault", f"{words[0]}: start the server, or correct {PREFIX}DATABASE_URL")
        return
    yield Look("database", "ok", f"reachable, schema {schema.newest()}")
    with database.read() as tx:
        everyone = brands.all_brands(tx)
        shared = {brand.slug: brands.shared_pass_type(tx, brand) for brand in everyone}
        drawn = {
            f"{brand.slug} {programme.slug}": designs.versions(tx, programme.id)
            for brand in everyone
            for programme in programmes.programmes_of_brand(tx, brand.id)
        }
    yield from _pass_key(settings, sum(version.cards for versions in drawn.values() for version in versions))
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


def _pass_key(settings: Settings, cards: int) -> Iterator[Look]:
    if settings.pass_key.get_secret_value():
        yield Look("pass key", "ok", "comes from the environment: keep a copy of it")
    elif not (settings.data_dir / "pass_key").exists():
        if cards:
            yield Look(
                "pass key",
                "fault",
                f"{settings.data_dir / 'pass_key'} is missing, and {cards} cards in phones depend on it:"
                " bring it back from a backup before you start Perkpass (perkpass restore)",
            )
        else:
            yield Look("pass key", "ok", "is made at the first start")


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
