"""The demo's past: two weeks in which guests came to its venues, so that a week has one to be compared with.

``perkpass demo`` starts it beside the service, which it does not keep waiting. Whatever happened is told to
the rooms as the service tells it to them, at the time when it happened: scans, forms, cards, phones that
registered, receipts, cards given up. Their phones are switched off by now, and none of them is pushed to.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.accounts import brands
from app.accounts.brands import Brand
from app.commands.shell import opened
from app.db import Database, Tx
from app.db.identifiers import DeviceLibraryIdentifier, PassTypeIdentifier, PushToken
from app.loyalty import enrolment, granting, offers, till
from app.loyalty.enrolment import ConsentGiven, Enrolment, EnrolmentRequest
from app.loyalty.offers import Offer
from app.loyalty.till import ReceiptDraft
from app.passes import evidence, issuing, registrations
from app.passes.evidence import Contact, Fetch, Install, Sighting
from app.passes.issuing import Revision
from app.places import links, venues, visits
from app.places.links import InstallLink
from app.places.venues import Venue
from app.simulators.town import FIRST_ENGLISH_NAME, NAMES

DAYS = tuple(day + week for day in range(1, 8) for week in (0, 7))
"""How long ago they came; each day of the last week is followed by that of the week before."""
MOST_PHONES = 500
"""So many push tokens the demo's Apple is to know."""
_BUSY, _QUIET = 14, 4
"""Scans of a day: in the first venue of each brand, and in the others."""
_REDEEMS = 0.6
_FORM, _FORM_NOW, _ADDED, _RECEIPT, _AGAIN, _REMOVED = 0.62, 0.4, 0.9, 0.66, 0.5, 0.07
"""Shares of those who came so far; in the last week the first venue's form loses guests."""
_NICENESS = 10
WELCOME = "WELCOME"
"""The offer that they got, where their brand has it; the demo's tills redeem it."""


@dataclass(frozen=True, slots=True)
class _Shop:
    brand: Brand
    venue: Venue
    links: Sequence[InstallLink]
    is_busy: bool
    welcome: Offer | None


def token(number: int) -> PushToken:
    """Of the phone with this number."""
    return PushToken(f"{number:064x}")


def main() -> None:
    """Fill the database that the environment names, day by day; ends by itself."""
    os.nice(_NICENESS)
    with opened() as shell:
        fill(shell.database, now=shell.now)


def fill(database: Database, *, now: datetime, days: Iterable[int] = DAYS, seed: int = 35) -> int:
    """Let guests come to every venue on each of these ``days`` ago; returns how many took a card.

    Each guest is a transaction, so that the demo's own guests and tills need not wait.
    """
    past = _Past(random.Random(seed), now)  # noqa: S311 - luck, no secret
    with database.read() as tx:
        shops = [shop for brand in brands.all_brands(tx) for shop in _shops(tx, brand)]
    for ago in days:
        for shop in shops:
            for at in past.arrivals(shop, ago):
                with database.write() as tx:
                    past.come(tx, shop, at, ago)
    return past.cards


def _shops(tx: Tx, brand: Brand) -> list[_Shop]:
    living = [link for link in links.links_of_brand(tx, brand.id) if link.retired_at is None]
    found: list[_Shop] = []
    welcome = next((one for one in offers.offers_of_brand(tx, brand.id) if one.code == WELCOME), None)
    for venue in venues.open_venues(tx, brand.id):
        own = [link for link in living if link.venue_id == venue.id]
        if own:
            found.append(_Shop(brand, venue, own, is_busy=not found, welcome=welcome))
    return found


class _Past:
    """Guests by their number, and the luck that leads them."""

    def __init__(self, luck: random.Random, now: datetime) -> None:
        self._luck, self._now, self.cards = luck, now, 0

    def arrivals(self, shop: _Shop, ago: int) -> list[datetime]:
        """When guests came to a venue so many days ago: between nine and nine by its clock."""
        day = (self._now.astimezone(ZoneInfo(shop.venue.time_zone)) - timedelta(days=ago)).date()
        opens = datetime.combine(day, time(9), ZoneInfo(shop.venue.time_zone)).astimezone(UTC)
        usual = _BUSY if shop.is_busy else _QUIET
        came = self._luck.randint(usual // 2, usual + usual // 2)
        return [opens + timedelta(seconds=self._luck.randrange(12 * 3600)) for _ in range(came)]

    def come(self, tx: Tx, shop: _Shop, at: datetime, ago: int) -> None:
        """One guest, as far as they go."""
        link, visit_id = self._luck.choice(shop.links), visits.new_visit_id()
        number = self._luck.randrange(len(NAMES))
        language = "en" if number >= FIRST_ENGLISH_NAME else "ru"

        def record(kind: visits.VisitEventKind, seconds: int) -> None:
            visits.record(
                tx, visit_id=visit_id, link_id=link.id, kind=kind, at=at + timedelta(seconds=seconds),
                device_kind="iphone", language=language,
            )  # fmt: skip

        record("scan", 0)
        if self._happens(0.93):
            record("page", 2)
            if self._happens(_FORM_NOW if shop.is_busy and ago <= 7 else _FORM):
                record("form", 45)
                card = enrolment.enrol(
                    tx,
                    EnrolmentRequest(
                        programme_id=link.programme_id, venue_id=shop.venue.id, visit_id=visit_id,
                        name=NAMES[number], language=language,  # type: ignore[arg-type]
                        consents=[_consent(language)],
                    ),
                    now=at + timedelta(seconds=45),
                )  # fmt: skip
                if shop.welcome is not None:
                    given = granting.grant(
                        tx, shop.welcome.id, [card.id], campaign=None, until=None,
                        now=at + timedelta(seconds=50),
                    )  # fmt: skip
                    shown = [Revision(each.pass_id, each.shown) for each in given]
                    issuing.revise(tx, shown, kind="silent", now=at + timedelta(seconds=50))
                if self._happens(_ADDED):
                    self._add(tx, shop, card, at + timedelta(minutes=1))

    def _add(self, tx: Tx, shop: _Shop, card: Enrolment, at: datetime) -> None:
        """Into the phone, and back to the till; the phone comes last, since it is switched off by now."""
        visits.card_added(tx, card.visit_id, at=at)  # type: ignore[arg-type]
        seen = at
        if self._happens(_RECEIPT):
            rung = [at + timedelta(minutes=self._luck.randint(3, 40))]
            if self._happens(_AGAIN):
                rung.append(rung[0] + timedelta(days=self._luck.randint(1, 12), minutes=17))
            for number, moment in enumerate(moment for moment in rung if moment < self._now):
                redeems = shop.welcome is not None and not number and self._happens(_REDEEMS)
                self._buy(tx, shop, card, f"{card.card_code}-{number}", moment, redeems=redeems)
                seen = moment + timedelta(minutes=1)
        gone = seen + timedelta(days=self._luck.randint(1, 9))
        if self._happens(_REMOVED) and gone < self._now:
            visits.card_removed(tx, card.visit_id, at=gone)  # type: ignore[arg-type]
        elif self.cards < MOST_PHONES:
            self._hold(tx, card, at, seen)
        self.cards += 1

    def _buy(self, tx: Tx, shop: _Shop, card: Enrolment, number: str, at: datetime, *, redeems: bool) -> None:
        till.record_receipt(
            tx,
            ReceiptDraft(
                card=card.card_code, number=number, amount=self._luck.randrange(180, 1400) * 100,
                currency=shop.brand.currency, at=at, offer=WELCOME if redeems else None,
            ),
            brand_id=shop.brand.id, venue_id=shop.venue.id, now=at,
        )  # fmt: skip

    def _hold(self, tx: Tx, card: Enrolment, at: datetime, seen: datetime) -> None:
        """The phone registered the card, and had its newest version at the moment ``seen``."""
        known = issuing.wallet_pass(tx, card.pass_id)
        held = registrations.register(
            tx,
            device_library_identifier=DeviceLibraryIdentifier(f"past-{self.cards}"),
            pass_type_identifier=PassTypeIdentifier(known.pass_type_identifier),
            pass_id=known.id,
            push_token=token(self.cards),
            now=at,
        )
        evidence.record(
            tx,
            [
                Contact(held.device_id, seen),
                Sighting(known.id, known.version, seen),
                Fetch(known.id, known.version, known.last_modified, seen),
                Install(known.id, known.version, seen),
            ],
        )

    def _happens(self, share: float) -> bool:
        return self._luck.random() < share


def _consent(language: str) -> ConsentGiven:
    return ConsentGiven(
        purpose="data", granted=True, text_version="demo", text="Demo", language=language, source="demo"  # type: ignore[arg-type]
    )  # fmt: skip


if __name__ == "__main__":
    main()
