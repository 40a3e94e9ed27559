"""Looks at brands' accounts at Google: can the key be read, are we let in, would a guest's link work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from app import google_wiring
from app.accounts.brands import Brand
from app.db import Database, Tx
from app.examination.looks import Look
from app.examination.work import google_changes, google_key
from app.google import standing
from app.google.answers import Answer, Verdict
from app.google.credentials import ServiceAccount
from app.google.standing import Standing
from app.loyalty import programmes
from app.passes import google_accounts, google_layout, store_designs, store_google
from app.passes.sealing import Safe
from app.passes.store_google_accounts import AccountRow
from app.reports import store_timeline_google
from app.sentences import say
from app.settings import Settings

_MOST_CLASSES: Final = 50
_SECONDS: Final = 60


def look_at_google(
    settings: Settings,
    everyone: Sequence[Brand],
    safe: Safe | None,
    database: Database,
    now: datetime,
    *,
    ask: bool = True,
) -> Iterator[Look]:
    """Of each brand that has an account; ``ask`` Google itself, which reaches out to the network."""
    with database.read() as tx:
        rows = {row.brand_id: row for row in google_accounts.every(tx)}
    for brand in everyone:
        if (row := rows.get(brand.id)) is None:
            continue
        account: ServiceAccount | None = None
        if safe is not None:
            look, account = google_key(row, brand.slug, safe)
            yield look
        with database.read() as tx:
            yield from google_changes(tx, row, brand.slug, now)
            yield from _designs(tx, brand)
        if ask and account is not None:
            yield from _asked(settings, brand, row, account, database, now)


def _designs(tx: Tx, brand: Brand) -> Iterator[Look]:
    """Programmes whose cards have no side at Google."""
    for programme in programmes.programmes_of_brand(tx, brand.id):
        newest = store_designs.newest_id(tx, programme.id)
        design = store_designs.by_id(tx, newest) if newest is not None else None
        if design is None:
            continue
        if design.layout.google is None or google_layout.parse(design.layout.google)[0] is None:
            words = say(
                "its design has no google.toml, so Android guests get no button: publish one that has"
            )
            subject = say("programme %(name)s", name=f"{brand.slug} {programme.slug}")
            yield Look(subject, "warning", words, brand.slug)


def _asked(
    settings: Settings,
    brand: Brand,
    row: AccountRow,
    account: ServiceAccount,
    database: Database,
    now: datetime,
) -> Iterator[Look]:
    with database.read() as tx:
        known = [
            one.resource_id
            for one in store_google.every_class(tx, row.brand_id)
            if one.accepted_at is not None
        ]
        card = store_timeline_google.newest_of_brand(tx, brand.id)
    try:
        found = asyncio.run(_look(settings, row, account, known[:_MOST_CLASSES], card, now))
    except TimeoutError:
        words = say("no answer within %(seconds)s seconds", seconds=_SECONDS)
        yield Look(say("Google for %(brand)s", brand=brand.slug), "fault", words, brand.slug)
        return
    yield _issuer(settings, brand, row, account, found)
    if found.issuer.verdict is Verdict.ACCEPTED:
        yield from _classes(brand, found)
        yield _link(brand, found)


async def _look(
    settings: Settings,
    row: AccountRow,
    account: ServiceAccount,
    class_ids: Sequence[str],
    card: str | None,
    now: datetime,
) -> Standing:
    wallet = google_wiring.open_wallet(settings, account)
    try:
        async with asyncio.timeout(_SECONDS):
            return await standing.look(
                wallet, account, issuer_id=row.issuer_id, class_ids=class_ids, object_id=card, now=now
            )
    finally:
        await wallet.close()


def _issuer(
    settings: Settings, brand: Brand, row: AccountRow, account: ServiceAccount, found: Standing
) -> Look:
    subject, answer = say("Google for %(brand)s", brand=brand.slug), found.issuer
    if answer.verdict is Verdict.ACCEPTED:
        words = say(
            "lets us in for %(name)s. Whether it is published or in demo mode, in which test accounts alone"
            " can save cards, its interface does not tell: the Google Pay & Wallet console does",
            name=found.name or row.issuer_id,
        )
        return Look(subject, "ok", words, brand.slug)
    said = _said(answer)
    if answer.reason == "no-token" and answer.verdict is Verdict.DENIED:
        words = say(
            "gives %(email)s no token: %(said)s. Its key was deleted, the account switched off, or this"
            " machine's clock is wrong: make a new key in the Google Cloud console",
            email=account.email,
            said=said,
        )
    elif answer.reason == "no-token":
        words = say("%(url)s gives no token: %(said)s", url=settings.google_token_url, said=said)
    elif answer.verdict is Verdict.DENIED:
        words = say(
            "does not let %(email)s write for issuer %(issuer)s: %(said)s. Add it under Users in the Google"
            " Pay & Wallet console, and switch on the Google Wallet API in its project",
            email=account.email,
            issuer=row.issuer_id,
            said=said,
        )
    elif answer.verdict in (Verdict.MISSING, Verdict.REFUSED):
        words = say(
            "knows no issuer %(issuer)s: %(said)s. The Google Pay & Wallet console shows its number",
            issuer=row.issuer_id,
            said=said,
        )
    else:
        words = say("%(url)s does not answer: %(said)s", url=settings.google_wallet_url, said=said)
    return Look(subject, "fault", words, brand.slug)


def _classes(brand: Brand, found: Standing) -> Iterator[Look]:
    """What Google's review says of each; a sound one is not named."""
    subject = say("classes at Google of %(brand)s", brand=brand.slug)
    unsound = {name: status for name, status in found.reviews.items() if status not in _SOUND}
    for name, status in unsound.items():
        if status == "REJECTED":
            words = say(
                "%(name)s was rejected by Google's review: no new card can be saved. Its reason is in the"
                " Google Pay & Wallet console; publish a design that heeds it",
                name=name,
            )
        elif status == Verdict.MISSING:
            words = say(
                "%(name)s is not there; it is made anew with the next card that is put there", name=name
            )
        else:
            words = say("%(name)s: Google says %(status)s of it; look again later", name=name, status=status)
        yield Look(subject, "fault", words, brand.slug)
    if found.reviews and not unsound:
        yield Look(subject, "ok", say("%(count)s, none rejected", count=len(found.reviews)), brand.slug)


_SOUND: Final = frozenset({"APPROVED", "UNDER_REVIEW"})


def _link(brand: Brand, found: Standing) -> Look:
    subject = say("save links of %(brand)s", brand=brand.slug)
    if found.link is None:
        words = say("no card is at Google yet, so none could be tried")
        return Look(subject, "ok", words, brand.slug)
    if found.link.verdict is Verdict.ACCEPTED:
        return Look(subject, "ok", say("Google takes the newest card's"), brand.slug)
    words = say(
        "Google does not take the newest card's: %(said)s. A guest would see an error", said=_said(found.link)
    )
    return Look(subject, "fault", words, brand.slug)


def _said(answer: Answer) -> str:
    return answer.words or answer.reason or answer.verdict.value
