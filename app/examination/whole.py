"""The whole examination, for ``perkpass doctor`` and the console's page of the installation's health."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from app.accounts import brands, fingerprints
from app.accounts.brands import Brand
from app.db import Database, Tx, connect, schema
from app.db.failures import FAILURES, in_words
from app.errors import Misconfigured
from app.examination import certificates, reaching, surroundings, work
from app.examination.at_google import look_at_google
from app.examination.looks import Look
from app.examination.texts import look_at_texts
from app.loyalty import programmes
from app.passes import designs
from app.passes.sealing import Safe
from app.passes.signing import Signer
from app.sentences import say
from app.settings import Settings, load


def examine(now: datetime, *, reach_out: bool = True) -> Iterator[Look]:
    """Look at everything there is; what cannot be reached hides what lies behind it.

    ``reach_out`` also asks the public address, APNs, Google and SMS gateways; that may take some ten seconds.
    """
    try:
        settings = load()
    except Misconfigured as wrong:
        for fault in wrong.faults:
            yield Look(say("settings"), "fault", fault)
        return
    yield Look(say("settings"), "ok", say("every variable makes sense"))
    yield from examine_with(settings, now, reach_out=reach_out)


def examine_with(settings: Settings, now: datetime, *, reach_out: bool = True) -> Iterator[Look]:
    """The same with settings that are known to make sense."""
    yield surroundings.public_url(settings)
    if reach_out:
        yield from reaching.public_address(settings, now)
    yield from surroundings.data_directory(settings)
    yield from surroundings.disk(settings)
    yield from surroundings.templates(settings, now)
    yield from surroundings.badges(settings)
    yield from surroundings.redis_answers(settings)
    database = connect(settings.resolved_database_url, pool_size=1)
    path = Path(str(database.engine.url.database)) if database.is_sqlite else None
    if path and not path.exists():
        words = say("%(path)s does not exist yet; it is made at the first start", path=path)
        yield Look(say("database"), "warning", words)
        yield from surroundings.keys(settings, {})
        return
    try:
        yield from _behind(settings, database, path, now, reach_out=reach_out)
    finally:
        database.close()


def _behind(
    settings: Settings, database: Database, path: Path | None, now: datetime, *, reach_out: bool
) -> Iterator[Look]:
    subject = say("database")
    try:
        schema.require_newest(database)
    except Misconfigured as wrong:
        yield Look(subject, "fault", str(wrong))
        return
    except FAILURES as fault:
        yield Look(subject, "fault", str(in_words(fault)))
        return
    if path and (wide := surroundings.open_to_others(path)):
        yield Look(subject, "fault", wide)
    else:
        yield Look(subject, "ok", say("reachable, schema %(revision)s", revision=schema.newest()))
    with database.read() as tx:
        known = fingerprints.known(tx)
        everyone = brands.all_brands(tx)
        at_work = [*work.clock(tx, now), *work.workers(tx, now), *work.queue(tx, now)]
        at_work += work.breakers(tx, {brand.pass_type_identifier: brand.slug for brand in everyone})
        at_work += work.backups(tx, now)
        safe = certificates.safe_of(settings, known)
        of_brands, signers = _brands(tx, everyone, safe, now)
    yield from surroundings.keys(settings, known)
    yield from at_work
    yield from look_at_texts(settings, everyone, database, now, ask=reach_out)
    yield from look_at_google(settings, everyone, safe, database, now, ask=reach_out)
    if not everyone:
        words = say("there is none yet: perkpass chain load FILE, or perkpass brand create")
        yield Look(say("brands"), "warning", words)
    yield from of_brands
    if reach_out:
        yield from certificates.apple_lets_in(settings, signers)


def _brands(
    tx: Tx, everyone: list[Brand], safe: Safe | None, now: datetime
) -> tuple[list[Look], dict[str, Signer]]:
    """What is to be said of each brand, and who can sign."""
    looks: list[Look] = []
    signers: dict[str, Signer] = {}
    for brand in everyone:
        found, signer = certificates.certificate(tx, brand, safe, now)
        looks += found
        if signer is not None:
            signers[brand.slug] = signer
        if warning := brands.shared_pass_type(tx, brand):
            looks.append(Look(say("brand %(brand)s", brand=brand.slug), "warning", warning, brand.slug))
        looks += [
            Look(
                say("programme %(name)s", name=f"{brand.slug} {programme.slug}"),
                "fault",
                say("has no design, so it has no cards: perkpass design publish --help"),
                brand.slug,
            )
            for programme in programmes.programmes_of_brand(tx, brand.id)
            if not designs.versions(tx, programme.id)
        ]
    return looks, signers
