"""What asks for a person just now: a few short looks, cheap enough for every page of the console."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.accounts import brands
from app.accounts.brands import Brand
from app.db import Tx
from app.delivery import overview, stopped
from app.errors import PerkpassError
from app.examination import work
from app.examination.looks import Look
from app.passes import google_accounts
from app.passes.press import Press
from app.passes.sealing import Safe
from app.passes.signing import expiry_stage, expiry_warning
from app.passes.stored_certificates import STORED
from app.sentences import say
from app.sms.book import SmsBook


class Alarms:
    """The alarms of one process: its press has the certificates loaded."""

    def __init__(self, press: Press, book: SmsBook | None, safe: Safe) -> None:
        """``book`` names the logins that texts leave by; ``safe`` opens the keys that lie in the database."""
        self._press, self._book, self._safe = press, book, safe

    def raised(self, tx: Tx, slug: str | None, now: datetime) -> Sequence[Look]:
        """What asks for a person, of this brand and of what all brands depend on; None: of every brand."""
        everyone = brands.all_brands(tx)
        concerned = [brand for brand in everyone if slug in (None, brand.slug)]
        slugs = {brand.pass_type_identifier: brand.slug for brand in everyone}
        looks = [look for brand in concerned for look in self._certificate(tx, brand, now)]
        looks += [look for look in work.breakers(tx, slugs) if slug is None or look.brand == slug]
        if concerned:
            looks += _late(tx, now)
            looks += [look for look in work.workers(tx, now) if look.verdict == "fault"]
        looks += self._texts(tx, concerned)
        accounts = {row.brand_id: row for row in google_accounts.every(tx)}
        for brand in concerned:
            if row := accounts.get(brand.id):
                key, _ = work.google_key(row, brand.slug, self._safe)
                looks += [key] if key.verdict == "fault" else []
                looks += work.google_changes(tx, row, brand.slug, now)
        return looks

    def _certificate(self, tx: Tx, brand: Brand, now: datetime) -> Iterator[Look]:
        subject = say("certificate of %(brand)s", brand=brand.slug)
        try:
            signer = self._press.signer(tx, brand.pass_type_identifier)
        except PerkpassError as unusable:
            words: str = str(unusable)
            if brand.credentials == STORED:
                words = say("No card can be made or changed: upload a certificate on the page Certificate.")
            yield Look(subject, "fault", words, brand.slug)
            return
        warning, stage = expiry_warning(signer, now), expiry_stage(signer, now)
        if warning and stage is not None and stage <= 30:
            yield Look(subject, "fault" if stage == 0 else "warning", warning, brand.slug)

    def _texts(self, tx: Tx, concerned: Sequence[Brand]) -> Iterator[Look]:
        if self._book is None:
            return
        stops = stopped.all_stopped(tx)
        for brand in concerned:
            known = self._book.brands.get(brand.slug)
            if known is not None and known.login in stops:
                words = say(
                    "no text leaves since %(when)s UTC: %(reason)s. Look into the gateway's cabinet:"
                    " password, money, a blocked address",
                    when=f"{stops[known.login].opened_at:%d.%m. %H:%M}",
                    reason=stops[known.login].reason,
                )
                yield Look(say("texts of %(brand)s", brand=brand.slug), "fault", words, brand.slug)


def _late(tx: Tx, now: datetime) -> Iterator[Look]:
    oldest = overview.oldest_due(tx, now)
    if oldest is not None and now - oldest > work.LATE:
        words = say(
            "phones hear of news %(minutes)s minutes late: is perkpass worker (or run) up, and does Apple"
            " answer?",
            minutes=int((now - oldest).total_seconds() // 60),
        )
        yield Look(say("queue of pushes"), "warning", words)
