"""Guests for :mod:`bench.audience`: habits of a chain, cards in wallets, removed and never added, consents.

A fifth come often, a third are asleep, a fifth never came; two of five gave a number; one of seven has the
card at Google, one of eight has no phone that holds it. What is kept of each is what their tables say, but
for their habits: those are dice, since each guest of :mod:`bench.world` has one receipt alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, String, cast, delete, func, literal, select, update

from app.accounts.tables import brand as brand_table
from app.db import Database, Tx, schema
from app.db.identifiers import BrandId, MemberId
from app.loyalty import habits
from app.loyalty.guest_tables import silenced_number
from app.loyalty.habit_tables import habit, habit_venue
from app.loyalty.tables import consent, enrolment, member
from app.passes.google_tables import google_object
from app.passes.tables import device, pass_evidence, registration
from app.places.tables import venue
from bench import bulk, identities, world

UNFOLDED = 1_000
"""One guest in so many has changes that the worker has not folded yet: what a busy minute leaves."""
_CHUNK = 20_000
_LETTING_GO, _SEEN, _GOOGLE, _NUMBERS, _SILENCED = 8, 16, 7, 5, 500
_HEARD_DAYS_AGO = (0, 0, 1, 2, 5, 12, 25, 29, 45, 80)
"""When phones were heard, in turn: a fifth of them not in the last 30 days."""


def fill(database: Database, guests: int) -> tuple[BrandId, datetime]:
    """A migrated, empty database gets the guests; returns their brand and the moment that it is."""
    schema.migrate(database)
    now = datetime.now(UTC)
    made = world.build(database, guests, history=False, now=now)
    with database.write() as tx:
        brand_id = BrandId(tx.scalar(select(brand_table.c.id).where(brand_table.c.slug == world.BRAND)) or 0)
        first = int(tx.scalar(select(func.min(member.c.id)).where(member.c.brand_id == brand_id)) or 0)
        venue_ids = list(tx.scalars(select(venue.c.id).where(venue.c.brand_id == brand_id)))
        _spread(tx, made, first, now)
    people = range(guests)
    with bulk.loading(database) as loader:
        at = bulk.moment(now - timedelta(days=3))
        for begin in range(0, guests, _CHUNK):
            numbers = people[begin : begin + _CHUNK]
            loader.load(
                google_object,
                ("pass_id", "brand_id", "issuer_id", "resource_id", "has_users", "first_saved_at",
                 "created_at"),
                (
                    (made.pass_id(n), brand_id, "1", f"1.{identities.serial_number(n)}", True, at, at)
                    for n in numbers
                    if n % _GOOGLE == 0
                ),
            )  # fmt: skip
            loader.load(
                pass_evidence,
                ("pass_id", "listed_version", "listed_at"),
                ((made.pass_id(n), 1, at) for n in numbers if n % _SEEN == 0),
            )
            loader.load(
                silenced_number,
                ("brand_id", "number", "at", "source", "text"),
                (
                    (brand_id, _number(first + n), bulk.moment(now), "sms", "STOP")
                    for n in numbers
                    if n % _SILENCED == 0
                ),
            )
        for table in (habit, habit_venue):
            loader.load(
                table,
                [column.name for column in table.c],
                _rows(table.name, people, first, venue_ids, brand_id, now),
            )
        loader.finish(
            [google_object, pass_evidence, silenced_number, habit, habit_venue, member, consent, enrolment,
             device, registration]
        )  # fmt: skip
    with database.write() as tx:
        for n in people[::UNFOLDED]:
            habits.changed(tx, brand_id, MemberId(first + n))
    return brand_id, now


def _spread(tx: Tx, made: world.World, first: int, now: datetime) -> None:
    """Numbers, birthdays, phones heard at different times, and phones that let go of their cards."""

    def digits(column: ColumnElement[int], width: int) -> ColumnElement[str]:
        return func.substr(cast(column + 10**width, String), 2, width, type_=String())

    n = member.c.id - first
    birthday = digits(n % 12 + 1, 2) + "-" + digits(n % 28 + 1, 2)
    tx.execute(update(member).where(n % 2 == 0).values(birthday=birthday))
    with_number = update(member).where(n % _NUMBERS < 2)
    tx.execute(with_number.values(phone=literal("+7") + digits(member.c.id + 9 * 10**9, 10)))
    tx.execute(update(member).where(n % _NUMBERS == 0).values(phone_verified_at=now))
    turn = device.c.id - made.first_device
    for place, days in enumerate(_HEARD_DAYS_AGO):
        heard = now - timedelta(days=days, hours=1)
        tx.execute(update(device).where(turn % len(_HEARD_DAYS_AGO) == place).values(contacted_at=heard))
    tx.execute(delete(registration).where((registration.c.pass_id - made.first_pass) % _LETTING_GO == 0))


def _number(member_id: int) -> str:
    return f"+7{member_id + 9 * 10**9:010d}"


def _rows(
    name: str, people: range, first: int, venue_ids: Sequence[int], brand_id: int, now: datetime
) -> Iterator[Sequence[bulk.Value]]:
    """Of either table: the same guests, from the same dice."""
    dice, today = random.Random(1), habits.day_number(now.date())
    for n in people:
        kind = dice.random()
        visits, days, spent = 0, [], 0
        if kind >= 0.2:
            newest = today - (dice.randrange(30, 700) if kind < 0.5 else dice.randrange(0, 30))
            visits = dice.choice((1, 2, 3, 5, 8, 13, 21, 34))
            days = [newest - number * (3 if kind > 0.8 else 20) for number in range(visits)]
            spent = visits * dice.randrange(200_00, 3_000_00)
        if name == "habit":
            yield (brand_id, first + n, visits, visits, spent, spent // visits if visits else None,
                   days[0] if visits else None, habits.packed(days), *_reach(n, today, now))  # fmt: skip
        elif visits:
            for venue_id in dice.sample(venue_ids, min(len(venue_ids), visits, 2)):
                yield first + n, venue_id, days[0]


def _reach(n: int, today: int, now: datetime) -> tuple[bulk.Value, ...]:
    """What the tables say of guest ``n``: consenting, texts, apple, google, added, had, heard_day."""
    consenting = n % 3 != 0
    texts = consenting and n % _NUMBERS < 2  # nobody said yes after the number was silenced
    apple, google = n % _LETTING_GO != 0, n % _GOOGLE == 0
    ago = _HEARD_DAYS_AGO[n % len(_HEARD_DAYS_AGO)]
    heard = habits.day_number((now - timedelta(days=ago, hours=1)).date())
    assert heard <= today
    return (
        consenting,
        texts and n % _SILENCED != 0,
        apple,
        google,
        apple or google,
        apple or google or n % _SEEN == 0,
        heard if apple and not google else None,
    )
